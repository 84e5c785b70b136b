// Schema files to event types.
//
//   schemas/**/*.capnp ── libcapnp's parser ── structs with annotations ── [EventType]
//
// A struct with $Metadata.event becomes an event; every other struct is left alone. The vocabulary comes with the
// program: a folder without `cramped/metadata.capnp` sees the embedded one, a folder with another text is refused,
// since annotations are told apart by the ids in that file.

package import Bedrock
import CCapnp
package import EventSchema

/// One schema file: its path below the schema folder, with `/`, and its text.
package struct SchemaText: Hashable, Sendable {
  package let path: String
  package let text: String
  package init(path: String, text: String) {
    self.path = path
    self.text = text
  }
}

package enum SchemaRegistry {
  /// The path of the annotation vocabulary inside every schema folder.
  package static let vocabularyPath = "cramped/metadata.capnp"

  /// The events that the files declare, ordered by name. Throws 42P15 with `file:line` for what does not compile or
  /// cannot be an event, 0A000 for field types that have no column yet.
  package static func events(in files: [SchemaText]) throws(Fault) -> [EventType] {
    let files = try withVocabulary(files)
    var events: [EventType] = []
    try withParsed(files) { (result) throws(Fault) in
      for index in 0..<cramped_capnp_struct_count(result) {
        guard let declared = cramped_capnp_struct_at(result, index) else { throw Fault.bug("a struct without values") }
        if let event = try EventReader(files: files).event(declared.pointee) { events.append(event) }
      }
    }
    events.sort { $0.name.description < $1.name.description }
    for (earlier, later) in zip(events, events.dropFirst()) where earlier.name == later.name {
      throw Fault(
        .invalidSchemaDefinition, "event \(later.name) is declared twice",
        detail: "\(earlier.file) and \(later.file) both declare it.")
    }
    return events
  }

  private static func withVocabulary(_ files: [SchemaText]) throws(Fault) -> [SchemaText] {
    guard let own = files.first(where: { $0.path == vocabularyPath }) else {
      return [SchemaText(path: vocabularyPath, text: EmbeddedSchemas.vocabulary)] + files
    }
    guard own.text.contains(EmbeddedSchemas.vocabularyID) else {
      throw Fault(
        .invalidSchemaDefinition, "\(vocabularyPath) is not Cramped's vocabulary",
        detail: "It lacks the id \(EmbeddedSchemas.vocabularyID), by which annotations are recognised.",
        hint: "Delete the file; the server has its own copy.")
    }
    return files
  }

  private static func withParsed(
    _ files: [SchemaText], _ body: (OpaquePointer) throws(Fault) -> Void
  ) throws(Fault) {
    var memory: [UnsafeMutablePointer<CChar>] = []
    defer { for pointer in memory { pointer.deallocate() } }
    func keep(_ text: String) -> (UnsafePointer<CChar>, Int) {
      let bytes = Array(text.utf8)
      let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
      for (index, byte) in bytes.enumerated() { pointer[index] = CChar(bitPattern: byte) }
      pointer[bytes.count] = 0
      memory.append(pointer)
      return (UnsafePointer(pointer), bytes.count)
    }
    let entries = files.map { file in
      let path = keep(file.path), text = keep(file.text)
      return cramped_capnp_file(path: path.0, text: text.0, length: text.1)
    }
    guard let result = cramped_capnp_parse(entries, entries.count, vocabularyPath) else {
      throw Fault(.outOfMemory, "no memory to parse schema files")
    }
    defer { cramped_capnp_free(result) }
    if let message = cramped_capnp_error(result) {
      throw fault(
        message: String(cString: message), path: String(cString: cramped_capnp_error_path(result)),
        line: Int(cramped_capnp_error_line(result)) + 1, files: files)  // libcapnp counts from 0
    }
    try body(result)
  }

  /// The parser's own sentence, with the line it is about and advice where the mistake is a usual one.
  private static func fault(message: String, path: String, line: Int, files: [SchemaText]) -> Fault {
    var source = ""
    if let file = files.first(where: { $0.path == path }) {
      let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
      if line >= 1 && line <= lines.count { source = String(lines[line - 1]) }
    }
    let trimmed = source.drop { $0 == " " || $0 == "\t" }
    return Fault(
      .invalidSchemaDefinition, "\(path):\(line): \(message)", detail: trimmed.isEmpty ? nil : "The line: \(trimmed)",
      hint: hint(for: source))
  }

  /// Cap'n Proto names nested scopes with capitals, so `$Metadata.hash.sha256` cannot compile.
  private static func hint(for line: String) -> String? {
    for (name, values) in [
      ("hash", ["sha256Plain", "sha256", "sha512"]), ("onError", ["reject", "null"]), ("timestamp", ["micros"]),
    ] {
      for value in values where line.contains(".\(name).\(value)") {
        return "Write $Metadata.\(name)(\(value))."
      }
    }
    return nil
  }
}
