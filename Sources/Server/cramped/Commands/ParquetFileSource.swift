import Bedrock
import Columnar
import Glibc
import ParquetFormat

/// The bytes of one local file.
final class ParquetFileSource {
  let path: String
  let byteCount: Int
  private let descriptor: Int32

  /// Throws 58P01 or 58030.
  init(path: String) throws(Fault) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.fault("open", path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.fault("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Fault(.ioError, "\(path) is not a file") }
    self.path = path
    byteCount = Int(status.st_size)
  }

  deinit { close(descriptor) }

  private static func fault(_ verb: String, _ path: String) -> Fault {
    let number = errno
    return Fault(
      number == ENOENT ? .undefinedFile : .ioError, "cannot \(verb) \(path)", detail: String(cString: strerror(number)))
  }

  /// Bytes of the file; a part past its end is corrupt.
  func read(_ range: Range<Int>) throws(Fault) -> Buffer {
    let descriptor = self.descriptor, path = self.path
    return try Buffer(uninitializedByteCount: range.count) { (out) throws(Fault) in
      var done = 0
      while done < range.count, let base = out.baseAddress {
        let count = pread(descriptor, base + done, range.count - done, off_t(range.lowerBound + done))
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw Self.fault("read", path) }
        guard count > 0 else { throw Fault.corrupt("\(path) is shorter than it was") }
        done += count
      }
    }
  }

  /// The footer: from the last 64 KiB, or from more where it is longer.
  func metadata() throws(Fault) -> ParquetFile {
    var tailCount = min(byteCount, 65_536)
    for _ in 0..<2 {
      let tail = try read((byteCount - tailCount)..<byteCount)
      switch try ParquetFooter.parse(tail: tail.bytes, fileByteCount: byteCount) {
      case .file(let file): return file
      case .needs(let more): tailCount = more
      }
    }
    throw Fault.bug("a Parquet footer asked for more of the file twice")
  }
}
