// Folders of a bucket: what stands before the slashes of its keys.
//
// An object `a` and objects below `a/` can both be there; asked for `a`, the object is what is found. Each page of a
// listing is one request, so a glob costs one request for every thousand entries of each folder that it walks through.

package import Bedrock
import NIOHTTP1
package import ObjectStore

extension S3ObjectStore: RootFolderStore {
  package func contents(of folder: ObjectPath, limit: Int) throws(Fault) -> [FolderEntry] {
    try contents(folder, limit: limit)
  }

  package func rootContents(limit: Int) throws(Fault) -> [FolderEntry] { try contents(nil, limit: limit) }

  /// - Parameter folder: nil: the bucket, or its prefix.
  private func contents(_ folder: ObjectPath?, limit: Int) throws(Fault) -> [FolderEntry] {
    func isPath(_ name: String) -> Bool {
      // `try?` because a key that is no path was not written through this store, and cannot be read here.
      (try? folder?.appending(name) ?? ObjectPath(name)) != nil
    }
    precondition(limit > 0)
    var entries: [FolderEntry] = []
    try forEachPage(folder, startAfter: nil, pageKeysMax: { S3Options.keysMax }) { (page, prefix) throws(Fault) in
      for object in page.objects {
        guard let name = try Self.name(object.key, prefix), isPath(name) else { continue }
        entries.append(
          FolderEntry(name: name, isFolder: false, size: object.size, modifiedMicros: object.modifiedMicros))
      }
      for key in page.folders {
        guard key.hasSuffix("/"), let name = try Self.name(String(key.dropLast()), prefix), isPath(name) else { continue }
        entries.append(FolderEntry(name: name, isFolder: true, size: 0, modifiedMicros: nil))
      }
      guard entries.count <= limit else {
        throw Fault(.programLimitExceeded, "folder \"\(folder?.text ?? "")\" has more than \(limit) entries")
      }
      return true
    }
    return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  package func entry(at path: ObjectPath) throws(Fault) -> FolderEntry? {
    if let answer = try client.head(path, key: key(path)) {
      guard let size = answer.header("content-length").flatMap({ Int64($0) }), size >= 0 else {
        throw Fault.corrupt("the object store does not tell the length of \"\(path)\"")
      }
      let modified = answer.header("last-modified").flatMap(S3Time.http)
      return FolderEntry(name: path.name, isFolder: false, size: size, modifiedMicros: modified)
    }
    var isFolder = false
    try forEachPage(path, startAfter: nil, pageKeysMax: { 1 }) { (page, _) throws(Fault) in
      isFolder = !page.objects.isEmpty || !page.folders.isEmpty
      return false
    }
    return isFolder ? FolderEntry(name: path.name, isFolder: true, size: 0, modifiedMicros: nil) : nil
  }

  /// The name of a listed key inside of its folder; nil for the folder's own mark.
  static func name(_ key: String, _ prefix: String) throws(Fault) -> String? {
    guard key.utf8.starts(with: prefix.utf8) else {
      throw Fault.corrupt("the object store lists an object outside of \"\(prefix)\"")
    }
    let name = String(decoding: key.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    return name.isEmpty ? nil : name
  }
}
