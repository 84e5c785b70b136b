// A folder of its own for one test, removed at the end.

import Glibc
import Runtime

final class ScratchFolder {
  let path: String

  init(_ name: String) {
    var base = "/tmp"
    if let set = getenv("TMPDIR") { base = String(cString: set) }
    path = "\(base)/cramped-\(name)-\(getpid())-\(Entropy.word())"
    precondition(mkdir(path, 0o700) == 0, "no scratch folder")
  }

  deinit { Self.remove(path) }

  static func remove(_ path: String) {
    guard let directory = opendir(path) else {
      unlink(path)
      return
    }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      if entry.pointee.d_type == UInt8(DT_DIR) { remove("\(path)/\(name)") } else { unlink("\(path)/\(name)") }
    }
    closedir(directory)
    rmdir(path)
  }
}
