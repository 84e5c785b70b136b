// Stores whose folders can be walked: what globs need besides an ObjectStore.

package import Bedrock
import Glibc

/// What stands in a folder.
package struct FolderEntry: Sendable, Hashable {
  package let name: String
  package let isFolder: Bool
  /// Of an object; 0 for a folder.
  package let size: Int64
  /// When it was last written, in microseconds since 1970; nil where the store does not tell.
  package let modifiedMicros: Int64?
  package init(name: String, isFolder: Bool, size: Int64, modifiedMicros: Int64?) {
    self.name = name
    self.isFolder = isFolder
    self.size = size
    self.modifiedMicros = modifiedMicros
  }
}

package protocol FolderStore: ObjectStore {
  /// Objects and folders directly inside `folder`, in byte order of their names. Unpublished objects and links are left
  /// out; a folder that does not exist is empty. Throws 54000 when there are more than `limit`.
  func contents(of folder: ObjectPath, limit: Int) throws(Fault) -> [FolderEntry]
  /// What is at `path`; nil when nothing is. Throws 42501 when the way there leads over a symbolic link.
  func entry(at path: ObjectPath) throws(Fault) -> FolderEntry?
}

/// A store whose root may be listed by statements, since all that is in it may be read.
package protocol RootFolderStore: FolderStore {
  /// As `contents(of:limit:)`, of the root.
  func rootContents(limit: Int) throws(Fault) -> [FolderEntry]
}

extension LocalObjectStore: FolderStore {
  package func contents(of folder: ObjectPath, limit: Int) throws(Fault) -> [FolderEntry] {
    precondition(limit > 0)
    guard let file = try openFolder(folder.parts, making: false, folder.text) else { return [] }
    var names = try Self.names(in: file, folder.text)
    guard names.count <= limit else {
      throw Fault(.programLimitExceeded, "folder \"\(folder)\" has more than \(limit) entries")
    }
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var entries: [FolderEntry] = []
    for name in names {
      if let entry = try Self.entry(name, in: file.raw, folder.text), entry.kind == .plain { entries.append(entry.value) }
    }
    return entries
  }

  package func entry(at path: ObjectPath) throws(Fault) -> FolderEntry? {
    var folder = try openRoot(path.text)
    let parts = path.parts
    for (index, part) in parts.enumerated() {
      guard let found = try Self.entry(String(part), in: folder.raw, path.text) else { return nil }
      if found.kind == .link {
        throw Fault(
          .insufficientPrivilege, "\"\(path)\" leads over the symbolic link \"\(part)\", which is not followed",
          hint: "Links could lead out of the folders that may be read. Name the place itself.")
      }
      if index == parts.count - 1 { return found.value }
      guard found.value.isFolder else { return nil }
      let next = System.open(at: folder.raw, String(part), O_RDONLY | O_DIRECTORY)
      if next < 0 && errno == ENOENT { return nil }
      guard next >= 0 else { throw System.fault("open a folder of", path.text) }
      folder = FileDescriptor(raw: next)
    }
    return nil
  }

  private enum Kind { case plain, link, other }

  /// An entry of a folder without following links; nil when it is gone.
  private static func entry(
    _ name: String, in folder: Int32, _ path: String
  ) throws(Fault) -> (value: FolderEntry, kind: Kind)? {
    var status = stat()
    guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return nil }
      throw System.fault("examine", path + "/" + name)
    }
    let format = status.st_mode & S_IFMT
    let modified = Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1_000
    let entry = FolderEntry(
      name: name, isFolder: format == S_IFDIR, size: format == S_IFREG ? Int64(status.st_size) : 0,
      modifiedMicros: modified)
    let kind: Kind = format == S_IFDIR || format == S_IFREG ? .plain : format == S_IFLNK ? .link : .other
    return (entry, kind)
  }

  /// The absolute path of a folder with every link resolved; nil when there is no such folder.
  package static func resolved(folder path: String) -> String? {
    guard let pointer = realpath(path, nil) else { return nil }
    defer { free(pointer) }
    return String(cString: pointer)
  }
}
