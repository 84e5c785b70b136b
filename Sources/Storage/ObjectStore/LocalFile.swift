// File descriptors and system calls of the local store, with their errors as faults.

import Bedrock
import Glibc

/// A descriptor that closes itself.
struct FileDescriptor: ~Copyable {
  let raw: Int32
  init(raw: Int32) {
    precondition(raw >= 0)
    self.raw = raw
  }
  deinit { _ = close(raw) }
}

enum System {
  /// Repeats `call` while it is interrupted by a signal.
  static func retrying<T: FixedWidthInteger>(_ call: () -> T) -> T {
    while true {
      let result = call()
      if result != -1 || errno != EINTR { return result }
    }
  }

  /// The fault for `errno` after `operation` on `path`.
  static func fault(_ operation: StaticString, _ path: String, _ code: Int32 = errno) -> Fault {
    let reason = String(cString: strerror(code))
    let message = "could not \(operation) \"\(path)\": \(reason)"
    switch code {
    case ENOSPC, EDQUOT: return Fault(.diskFull, message, hint: "Free space on the disk of the lake.")
    case ENOENT: return Fault(.undefinedFile, message, kind: .gone)
    case ELOOP, ENOTDIR: return Fault(.ioError, message, kind: .corrupt, hint: "The lake may hold no symbolic links.")
    default: return Fault(.ioError, message)
    }
  }

  static func open(
    at folder: Int32, _ name: String, _ flags: Int32, mode: mode_t = 0
  ) -> Int32 {
    retrying { openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW, mode) }
  }

  static func writeAll(_ file: Int32, _ bytes: UnsafeRawBufferPointer, _ path: String) throws(Fault) {
    var written = 0
    while written < bytes.count {
      // baseAddress is not nil: the count is over 0
      let count = retrying { write(file, bytes.baseAddress! + written, bytes.count - written) }
      guard count >= 0 else { throw fault("write", path) }
      written += count
    }
  }

  static func readAll(
    _ file: Int32, at offset: Int64, into target: UnsafeMutableRawBufferPointer, _ path: String
  ) throws(Fault) {
    var filled = 0
    while filled < target.count {
      // baseAddress is not nil: the count is over 0
      let start = target.baseAddress! + filled
      let count = retrying { pread(file, start, target.count - filled, off_t(offset) + off_t(filled)) }
      guard count >= 0 else { throw fault("read", path) }
      guard count > 0 else {
        throw Fault.corrupt(
          "\"\(path)\" is shorter than expected",
          detail: "Bytes \(offset) to \(offset + Int64(target.count)) were asked for, \(filled) could be read.")
      }
      filled += count
    }
  }

  static func status(_ file: Int32, _ path: String) throws(Fault) -> stat {
    var status = stat()
    guard fstat(file, &status) == 0 else { throw fault("examine", path) }
    return status
  }

  /// Data and metadata of a file, or the entries of a folder, to disk. A failed fsync is never repeated: the kernel may
  /// have dropped the pages (RELIABILITY.md section 1.2).
  static func sync(_ file: Int32, _ path: String) throws(Fault) {
    guard fsync(file) == 0 else { throw fault("sync", path) }
  }
}
