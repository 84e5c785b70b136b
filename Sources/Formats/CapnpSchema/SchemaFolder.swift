// Reads a folder of schema files: every `.capnp` below it, hidden names and links left out.

package import Bedrock
import Glibc

package enum SchemaFolder {
  /// Files of one folder, bytes of one file, depth of folders.
  private static let filesMax = 4_096
  private static let fileBytesMax = 1 << 20
  private static let depthMax = 16

  /// All schema files below `path`, ordered by path. Throws 58P01 when the folder is missing, 54000 past a limit.
  package static func read(_ path: String) throws(Fault) -> [SchemaText] {
    var files: [SchemaText] = []
    try collect(path, below: "", depth: 0, into: &files)
    return files.sorted { $0.path < $1.path }
  }

  private static func collect(
    _ root: String, below: String, depth: Int, into files: inout [SchemaText]
  ) throws(Fault) {
    guard depth <= depthMax else { throw Fault(.programLimitExceeded, "schema folders are nested deeper than \(depthMax)") }
    let folder = below.isEmpty ? root : "\(root)/\(below)"
    guard let stream = opendir(folder) else {
      throw Fault(.undefinedFile, "schema folder \"\(folder)\" cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(".") { continue }
      let relative = below.isEmpty ? name : "\(below)/\(name)"
      var status = stat()
      guard lstat("\(root)/\(relative)", &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try collect(root, below: relative, depth: depth + 1, into: &files)
      case S_IFREG where name.hasSuffix(".capnp"):
        guard files.count < filesMax else {
          throw Fault(.programLimitExceeded, "schema folder \"\(root)\" has more than \(filesMax) files")
        }
        files.append(SchemaText(path: relative, text: try text("\(root)/\(relative)")))
      default: continue
      }
    }
  }

  private static func text(_ path: String) throws(Fault) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Fault(.ioError, "\(path) cannot be opened: \(String(cString: strerror(errno)))") }
    defer { close(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(file, &block, block.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Fault(.ioError, "\(path) cannot be read: \(String(cString: strerror(errno)))") }
      if count == 0 { break }
      bytes.append(contentsOf: block[..<count])
      guard bytes.count <= fileBytesMax else {
        throw Fault(.programLimitExceeded, "\(path) has more than \(fileBytesMax) bytes")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Fault(.characterNotInRepertoire, "\(path) is not UTF-8")
    }
    return text
  }
}
