// Records of a text file: lines, or CSV records, with the line each begins at.
//
// CSV is RFC 4180: fields may be quoted, a quote inside is doubled, quoted fields may contain line ends. Lines end with LF
// or CRLF. A record may have at most `Limits.eventBytesMax` bytes.

import Bedrock
import Glibc

/// Reads a file in blocks and gives its lines.
struct LineReader: ~Copyable {
  private let descriptor: Int32
  private let path: String
  private var block = [UInt8](repeating: 0, count: 1 << 16)
  private var start = 0
  private var end = 0
  private(set) var bytesRead: Int64 = 0
  let byteCount: Int64

  init(path: String) throws(Fault) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    self.path = path
    guard descriptor >= 0 else {
      throw Fault(.undefinedFile, "\(path) cannot be opened: \(String(cString: strerror(errno)))")
    }
    var status = stat()
    byteCount = fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
  }

  deinit { close(descriptor) }

  /// Appends the next line to `line` without its LF; false at the end of the file.
  mutating func next(into line: inout [UInt8]) throws(Fault) -> Bool {
    var found = false
    while true {
      if start == end {
        let count = read(descriptor, &block, block.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw Fault(.ioError, "\(path) cannot be read: \(String(cString: strerror(errno)))") }
        if count == 0 { return found }
        start = 0
        end = count
        bytesRead += Int64(count)
      }
      found = true
      let stop = block[start..<end].firstIndex(of: 0x0A)
      line.append(contentsOf: block[start..<(stop ?? end)])
      guard line.count <= Limits.eventBytesMax else {
        throw Fault(.programLimitExceeded, "\(path) has a record of more than \(Limits.eventBytesMax) bytes")
      }
      start = stop.map { $0 + 1 } ?? end
      if stop != nil { return true }
    }
  }
}

/// Splits the text of a CSV record.
enum CSVRecord {
  /// True when a quote is still open: the record goes on in the next line.
  static func isOpen(_ text: [UInt8]) -> Bool {
    var quotes = 0
    for byte in text where byte == UInt8(ascii: "\"") { quotes += 1 }
    return quotes % 2 == 1
  }

  /// The fields; `nil` when a quote stands where none may.
  static func fields(_ text: [UInt8]) -> [String]? {
    var text = text[...]
    if text.last == 0x0D { text.removeLast() }
    var fields: [String] = []
    var at = text.startIndex
    while true {
      var field: [UInt8] = []
      if at < text.endIndex && text[at] == UInt8(ascii: "\"") {
        at += 1
        while true {
          guard at < text.endIndex else { return nil }
          if text[at] != UInt8(ascii: "\"") {
            field.append(text[at])
          } else if at + 1 < text.endIndex && text[at + 1] == UInt8(ascii: "\"") {
            field.append(text[at])
            at += 1
          } else {
            break
          }
          at += 1
        }
        at += 1
        guard at == text.endIndex || text[at] == UInt8(ascii: ",") else { return nil }
      } else {
        while at < text.endIndex && text[at] != UInt8(ascii: ",") {
          if text[at] == UInt8(ascii: "\"") { return nil }
          field.append(text[at])
          at += 1
        }
      }
      guard let string = String(validating: field, as: UTF8.self) else { return nil }
      fields.append(string)
      if at == text.endIndex { return fields }
      at += 1
    }
  }
}
