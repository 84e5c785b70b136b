// Where a server's schemas come from: a folder of .capnp files, or the examples built in.

import Bedrock
import CapnpSchema
import EventSchema
import Foundation

enum SchemaSource {
  /// The events that the files of `folder` declare; of the built-in files when it is empty.
  static func events(folder: String) throws(Fault) -> [EventType] {
    var files = folder.isEmpty ? EmbeddedSchemas.files : try SchemaFolder.read(folder)
    // A folder need not carry the vocabulary: the server's own stands in.
    for file in EmbeddedSchemas.files where file.path.hasPrefix("cramped/") && !files.contains(where: { $0.path == file.path }) {
      files.append(file)
    }
    return try SchemaRegistry.events(in: files)
  }

  /// The tables that these events make on an empty server.
  static func tables(of events: [EventType]) throws(Fault) -> [TableSchema] {
    var tables: [TableSchema] = []
    let groups = Dictionary(grouping: events) { "\($0.name.domain).\($0.name.entity)" }
    for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
      let first = group[0].name
      tables.append(try .merging(domain: first.domain, entity: first.entity, events: group, previous: nil))
    }
    return tables
  }

  /// Fields whose values are never stored although their annotation promises a token or a sealed value later.
  static func unstoredFields(of events: [EventType]) -> [(event: String, field: String, policy: String)] {
    var found: [(String, String, String)] = []
    for event in events {
      for field in event.fields {
        switch field.policy {
        case .tokenize: found.append((event.name.description, field.name, "tokenize"))
        case .encrypt: found.append((event.name.description, field.name, "encrypt"))
        case .keep, .id, .hash, .drop: break
        }
      }
    }
    return found
  }

  /// Writes the built-in files that `folder` does not have; returns the paths written.
  static func writeExamples(to folder: String) throws(Fault) -> [String] {
    var written: [String] = []
    for file in EmbeddedSchemas.files {
      let path = "\(folder)/\(file.path)"
      if FileManager.default.fileExists(atPath: path) { continue }
      do {
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        try Data(file.text.utf8).write(to: URL(fileURLWithPath: path))
      } catch {
        throw Fault(.ioError, "cannot write \(path)", detail: error.localizedDescription)
      }
      written.append(path)
    }
    return written
  }
}
