// Objects as files under one folder.
//
//   put            temp file in the same folder, write, fsync, rename(2), fsync folder
//   putIfAbsent    temp file in the same folder, write, fsync, link(2), fsync folder, unlink temp; EEXIST = taken
//   writer         the temp file of `put`, appended to; publish = fsync, rename, fsync folder
//
// Names that begin with `.tmp-` are unpublished objects: never listed, and left by a crash until somebody removes them.
// Folders are made on demand, 0700, files 0600. Every part of a path is opened below its parent with O_NOFOLLOW, so a
// symbolic link inside the root is refused, not followed.

package import Bedrock
import Glibc
import Runtime
import Synchronization

package final class LocalObjectStore: ObjectStore {
  package let rootPath: String
  private let root: FileDescriptor
  /// Folders whose names this store has synced: a process that died may have made a folder without doing so.
  private let syncedFolders = Mutex<Set<String>>([])
  private let temporaryCount = Atomic<UInt64>(0)
  /// Tells temp files of this store from those of others in the same folder.
  private let temporaryTag = String(Entropy.word(), radix: 36)

  static let temporaryPrefix = ".tmp-"

  /// A store under the folder `path`, which is made when it is missing (its parent must exist).
  package init(path: String) throws(Fault) {
    if mkdir(path, 0o700) != 0 && errno != EEXIST { throw System.fault("make the folder", path) }
    let file = System.retrying { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard file >= 0 else { throw System.fault("open the folder", path) }
    root = FileDescriptor(raw: file)
    rootPath = path
    // the root's own name must be on disk too
    let parent = System.open(at: file, "..", O_RDONLY | O_DIRECTORY)
    guard parent >= 0 else { throw System.fault("open the folder of", path) }
    let above = FileDescriptor(raw: parent)
    try System.sync(above.raw, path)
  }

  /// A store over a folder that is there and that is only read: nothing is made or synced.
  package init(reading path: String) throws(Fault) {
    let file = System.retrying { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard file >= 0 else { throw System.fault("open the folder", path) }
    root = FileDescriptor(raw: file)
    rootPath = path
  }

  // MARK: Writing

  package func put(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) {
    let writer = try LocalObjectWriter(store: self, path: path)
    try writer.append(bytes)
    try writer.publish()
  }

  package func putIfAbsent(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) -> Bool {
    let writer = try LocalObjectWriter(store: self, path: path)
    try writer.append(bytes)
    return try writer.publishIfAbsent()
  }

  package func writer(_ path: ObjectPath) throws(Fault) -> any ObjectWriter {
    try LocalObjectWriter(store: self, path: path)
  }

  package func delete(_ path: ObjectPath) throws(Fault) {
    guard let folder = try folder(of: path, making: false) else { return }
    if unlinkat(folder.raw, path.name, 0) != 0 && errno != ENOENT { throw System.fault("delete", path.text) }
    try System.sync(folder.raw, path.text)
  }

  // MARK: Reading

  package func get(_ path: ObjectPath, bytesMax: Int) throws(Fault) -> [UInt8]? {
    guard let file = try openForReading(path) else { return nil }
    let size = Int64(try System.status(file.raw, path.text).st_size)
    guard size <= Int64(bytesMax) else {
      throw Fault(.programLimitExceeded, "\"\(path)\" has \(size) bytes, over the maximum of \(bytesMax)", kind: .corrupt)
    }
    var failure: Fault?
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
      do throws(Fault) {
        let target = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: Int(size))
        try System.readAll(file.raw, at: 0, into: target, path.text)
        count = Int(size)
      } catch {
        failure = error
        count = 0
      }
    }
    if let failure { throw failure }
    return bytes
  }

  package func read(
    _ path: ObjectPath, at offset: Int64, into target: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    precondition(offset >= 0)
    guard let file = try openForReading(path) else {
      throw Fault(.undefinedFile, "\"\(path)\" does not exist", kind: .gone)
    }
    try System.readAll(file.raw, at: offset, into: target, path.text)
  }

  package func size(_ path: ObjectPath) throws(Fault) -> Int64? {
    guard let file = try openForReading(path) else { return nil }
    return Int64(try System.status(file.raw, path.text).st_size)
  }

  package func list(_ folder: ObjectPath, startAfter: String?, limit: Int) throws(Fault) -> [ObjectEntry] {
    precondition(limit > 0)
    guard let file = try openFolder(folder.parts, making: false, folder.text) else { return [] }
    var names = try Self.names(in: file, folder.text)
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var entries: [ObjectEntry] = []
    for name in names {
      if let startAfter, !startAfter.utf8.lexicographicallyPrecedes(name.utf8) { continue }
      var status = stat()
      guard fstatat(file.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        if errno == ENOENT { continue }
        throw System.fault("examine", folder.text + "/" + name)
      }
      guard status.st_mode & S_IFMT == S_IFREG else { continue }
      let modified = Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1_000
      entries.append(
        ObjectEntry(path: try folder.appending(name), size: Int64(status.st_size), modifiedMicros: modified))
      if entries.count == limit { break }
    }
    return entries
  }

  static func names(in folder: borrowing FileDescriptor, _ path: String) throws(Fault) -> [String] {
    // fdopendir takes over the descriptor it is given, so it gets one of its own with its own read position.
    let own = System.open(at: folder.raw, ".", O_RDONLY | O_DIRECTORY)
    guard own >= 0 else { throw System.fault("list", path) }
    guard let stream = fdopendir(own) else {
      let code = errno
      _ = close(own)
      throw System.fault("list", path, code)
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      // d_name is NUL-terminated inside the entry that readdir owns until the next call
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." && !name.hasPrefix(temporaryPrefix) { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw System.fault("list", path) }
    return names
  }

  // MARK: Folders

  private func openForReading(_ path: ObjectPath) throws(Fault) -> FileDescriptor? {
    guard let folder = try folder(of: path, making: false) else { return nil }
    let file = System.open(at: folder.raw, path.name, O_RDONLY)
    if file < 0 {
      if errno == ENOENT { return nil }
      throw System.fault("open", path.text)
    }
    return FileDescriptor(raw: file)
  }

  /// The folder that holds `path`; nil when it does not exist and shall not be made.
  func folder(of path: ObjectPath, making: Bool) throws(Fault) -> FileDescriptor? {
    try openFolder(path.parts.dropLast(), making: making, path.text)
  }

  func openFolder(
    _ parts: some Collection<Substring>, making: Bool, _ path: String
  ) throws(Fault) -> FileDescriptor? {
    var folder = try openRoot(path)
    var walked = ""
    for part in parts {
      let name = String(part)
      walked += "/" + name
      var next = System.open(at: folder.raw, name, O_RDONLY | O_DIRECTORY)
      if next < 0 && errno == ENOENT {
        guard making else { return nil }
        if mkdirat(folder.raw, name, 0o700) != 0 && errno != EEXIST { throw System.fault("make a folder of", path) }
        next = System.open(at: folder.raw, name, O_RDONLY | O_DIRECTORY)
      }
      guard next >= 0 else { throw System.fault("open a folder of", path) }
      let child = FileDescriptor(raw: next)
      // A folder's name must be on disk before anything inside it counts as such.
      if making && !syncedFolders.withLock({ $0.contains(walked) }) {
        try System.sync(folder.raw, path)
        syncedFolders.withLock { _ = $0.insert(walked) }
      }
      folder = child
    }
    return folder
  }

  func openRoot(_ path: String) throws(Fault) -> FileDescriptor {
    let start = System.open(at: root.raw, ".", O_RDONLY | O_DIRECTORY)
    guard start >= 0 else { throw System.fault("open the root of", path) }
    return FileDescriptor(raw: start)
  }

  func temporaryName() -> String {
    let number = temporaryCount.add(1, ordering: .relaxed).newValue
    return "\(Self.temporaryPrefix)\(temporaryTag)-\(number)"
  }
}

/// A temp file that becomes an object. States: open, then done (published, taken or abandoned).
final class LocalObjectWriter: ObjectWriter {
  private let path: ObjectPath
  private let folder: FileDescriptor
  private let temporary: String
  private let file: FileDescriptor
  private(set) var byteCount: Int64 = 0
  private var isDone = false

  init(store: LocalObjectStore, path: ObjectPath) throws(Fault) {
    guard !path.name.hasPrefix(LocalObjectStore.temporaryPrefix) else {
      throw Fault(.invalidParameterValue, "\"\(path)\" is a name kept for unpublished objects")
    }
    guard let folder = try store.folder(of: path, making: true) else { throw Fault.bug("a folder was not made") }
    let temporary = store.temporaryName()
    let raw = System.open(at: folder.raw, temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    guard raw >= 0 else { throw System.fault("create", path.text) }
    self.path = path
    self.folder = folder
    self.temporary = temporary
    file = FileDescriptor(raw: raw)
  }

  deinit { abandon() }

  func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    precondition(!isDone, "nothing is appended to a published object")
    try System.writeAll(file.raw, bytes, path.text)
    byteCount += Int64(bytes.count)
  }

  func publish() throws(Fault) {
    precondition(!isDone, "an object is published once")
    try System.sync(file.raw, path.text)
    guard renameat(folder.raw, temporary, folder.raw, path.name) == 0 else { throw System.fault("publish", path.text) }
    isDone = true
    try System.sync(folder.raw, path.text)
  }

  /// False when the name is taken.
  func publishIfAbsent() throws(Fault) -> Bool {
    precondition(!isDone, "an object is published once")
    try System.sync(file.raw, path.text)
    let isOurs = try link()
    // The name is synced in both cases: whoever lost must be able to rely on the winner's entry.
    try System.sync(folder.raw, path.text)
    abandon()
    return isOurs
  }

  private func link() throws(Fault) -> Bool {
    if linkat(folder.raw, temporary, folder.raw, path.name, 0) == 0 { return true }
    let code = errno
    if code == EPERM || code == EOPNOTSUPP || code == ENOSYS || code == EMLINK {
      throw Fault(
        .featureNotSupported, "could not publish \"\(path)\": \(String(cString: strerror(code)))",
        detail: "The file system has no hard links, by which a commit to the lake is made atomic.",
        hint: "Keep the lake on a Linux file system such as ext4 or XFS, or on NFS version 4.")
    }
    guard code == EEXIST else { throw System.fault("publish", path.text, code) }
    // A network file system may repeat a link that had succeeded: two names for our file say so.
    return try System.status(file.raw, path.text).st_nlink >= 2
  }

  func abandon() {
    if isDone { return }
    isDone = true
    // A temp file that stays is invisible and harmless.
    _ = unlinkat(folder.raw, temporary, 0)
  }
}
