// A store seen as one folder of a store above it: what lies at `a/b` there is at `name/a/b` here. Read only.
//
// Readers of files that others wrote take paths apart into a folder and what is in it, so no file of theirs may lie at
// the root of a store. A bucket has files there; under its name it has not.

package import Bedrock

package final class NamedFolderStore: FolderStore {
  private let name: String
  private let store: any RootFolderStore

  package init(_ name: String, _ store: any RootFolderStore) {
    precondition(!name.isEmpty && !name.utf8.contains(UInt8(ascii: "/")))
    self.name = name
    self.store = store
  }

  /// The path in the store itself; nil for the folder `name`, and for what is not in it.
  private func inner(_ path: ObjectPath) throws(Fault) -> ObjectPath? {
    guard path.text.utf8.count > name.utf8.count + 1, path.text.hasPrefix(name + "/") else { return nil }
    return try ObjectPath(String(path.text.dropFirst(name.count + 1)))
  }

  private func file(_ path: ObjectPath) throws(Fault) -> ObjectPath {
    guard let path = try inner(path) else { throw Fault.bug("a path outside of the only folder") }
    return path
  }

  package var readGapBytes: Int { store.readGapBytes }

  package func get(_ path: ObjectPath, bytesMax: Int) throws(Fault) -> [UInt8]? {
    try store.get(try file(path), bytesMax: bytesMax)
  }
  package func read(_ path: ObjectPath, at offset: Int64, into target: UnsafeMutableRawBufferPointer) throws(Fault) {
    try store.read(try file(path), at: offset, into: target)
  }
  package func read(_ path: ObjectPath, _ ranges: [ObjectRange]) throws(Fault) { try store.read(try file(path), ranges) }
  package func size(_ path: ObjectPath) throws(Fault) -> Int64? { try store.size(try file(path)) }

  package func list(_ folder: ObjectPath, startAfter: String?, limit: Int) throws(Fault) -> [ObjectEntry] {
    let found = try store.list(try file(folder), startAfter: startAfter, limit: limit)
    var entries: [ObjectEntry] = []
    for entry in found {
      let path = try ObjectPath(name + "/" + entry.path.text)
      entries.append(ObjectEntry(path: path, size: entry.size, modifiedMicros: entry.modifiedMicros))
    }
    return entries
  }

  package func contents(of folder: ObjectPath, limit: Int) throws(Fault) -> [FolderEntry] {
    guard let path = try inner(folder) else {
      return folder.text == name ? try store.rootContents(limit: limit) : []
    }
    return try store.contents(of: path, limit: limit)
  }

  package func entry(at path: ObjectPath) throws(Fault) -> FolderEntry? {
    if let path = try inner(path) { return try store.entry(at: path) }
    guard path.text == name else { return nil }
    return FolderEntry(name: name, isFolder: true, size: 0, modifiedMicros: nil)
  }

  // MARK: What is not done

  private static func readOnly() -> Fault { Fault.bug("tables of others are only read") }
  package func put(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) { throw Self.readOnly() }
  package func putIfAbsent(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) -> Bool { throw Self.readOnly() }
  package func writer(_ path: ObjectPath) throws(Fault) -> any ObjectWriter { throw Self.readOnly() }
  package func delete(_ path: ObjectPath) throws(Fault) { throw Self.readOnly() }
}
