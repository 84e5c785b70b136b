// Chunks to the data of COPY TO STDOUT: one CopyData message a row, as drivers expect.
//
//   text     values between delimiters, with \b \f \n \r \t \v \\ and the delimiter escaped; \N is null; \n ends a row
//   csv      values between delimiters, quoted where they hold a delimiter, a quote, a line end, or look like null
//   binary   Int16 count, then Int32 length (-1: null) and bytes of each value

package import Bedrock
package import Columnar

/// Writes the rows of one chunk, as many at a time as the client can take.
package struct CopyEncoder: ~Copyable {
  private let columns: [EncodedColumn]
  private let rowCount: Int
  private let format: CopyFormat
  private var nextRow = 0

  package init(_ chunk: Chunk, format: CopyFormat, style: borrowing TextStyle) throws(Fault) {
    var columns: [EncodedColumn] = []
    for column in chunk.columns {
      columns.append(try EncodedColumn(column, format: format.isBinary ? .binary : .text, style: style))
    }
    self.columns = columns
    self.format = format
    rowCount = chunk.rowCount
  }

  /// Appends rows until `out` holds `bytesMax` bytes or the chunk ends; gives the number of rows written.
  package mutating func write(into out: inout WireBuffer, bytesMax: Int) throws(Fault) -> Int {
    let first = nextRow
    while nextRow < rowCount {
      let mark = out.begin(message: UInt8(ascii: "d"))
      switch format.kind {
      case .text: writeText(nextRow, into: &out)
      case .csv: writeCSV(nextRow, into: &out)
      case .binary: writeBinary(nextRow, into: &out)
      }
      out.end(message: mark)
      nextRow += 1
      if out.count >= bytesMax { break }
    }
    return nextRow - first
  }

  /// What comes before the rows: the header, or the signature of binary data; nil: nothing.
  package static func preamble(_ format: CopyFormat, names: [String]) -> [UInt8]? {
    switch format.kind {
    case .binary: return CopyFormat.signature + [UInt8](repeating: 0, count: 8)
    case .text, .csv:
      guard format.hasHeader else { return nil }
      var line = WireBuffer(capacity: 256)
      for (index, name) in names.enumerated() {
        if index > 0 { line.append(format.delimiter) }
        var name = name
        name.withUTF8 { bytes in
          if format.kind == .csv {
            csv(UnsafeRawBufferPointer(bytes), isQuoted: false, format, isOnly: names.count == 1, into: &line)
          } else {
            text(UnsafeRawBufferPointer(bytes), format.delimiter, into: &line)
          }
        }
      }
      line.append(UInt8(ascii: "\n"))
      return line.bytes
    }
  }

  /// What comes after the rows.
  package static func ending(_ format: CopyFormat) -> [UInt8]? { format.isBinary ? [0xFF, 0xFF] : nil }

  // MARK: Rows

  // SAFETY: EncodedColumn keeps each piece inside its memory, and lives as long as this encoder.
  private static func piece(_ column: EncodedColumn, _ row: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: column.base + column.starts[row], count: max(0, Int(column.lengths[row])))
  }

  private borrowing func writeText(_ row: Int, into out: inout WireBuffer) {
    for (index, column) in columns.enumerated() {
      if index > 0 { out.append(format.delimiter) }
      if column.lengths[row] < 0 {
        out.append(format.null)
      } else {
        Self.text(Self.piece(column, row), format.delimiter, into: &out)
      }
    }
    out.append(UInt8(ascii: "\n"))
  }

  private static func text(_ bytes: UnsafeRawBufferPointer, _ delimiter: UInt8, into out: inout WireBuffer) {
    // At most every byte is escaped.
    out.write(limit: bytes.count * 2) { target in
      var at = 0
      for byte in bytes {
        let letter: UInt8
        switch byte {
        case 0x08: letter = UInt8(ascii: "b")
        case 0x09: letter = UInt8(ascii: "t")
        case 0x0A: letter = UInt8(ascii: "n")
        case 0x0B: letter = UInt8(ascii: "v")
        case 0x0C: letter = UInt8(ascii: "f")
        case 0x0D: letter = UInt8(ascii: "r")
        case UInt8(ascii: "\\"), delimiter: letter = byte
        default:
          target[at] = byte
          at += 1
          continue
        }
        target[at] = UInt8(ascii: "\\")
        target[at + 1] = letter
        at += 2
      }
      return at
    }
  }

  private borrowing func writeCSV(_ row: Int, into out: inout WireBuffer) {
    for (index, column) in columns.enumerated() {
      if index > 0 { out.append(format.delimiter) }
      if column.lengths[row] < 0 {
        out.append(format.null)
      } else {
        Self.csv(
          Self.piece(column, row), isQuoted: format.forceQuote.contains(index), format, isOnly: columns.count == 1,
          into: &out)
      }
    }
    out.append(UInt8(ascii: "\n"))
  }

  private static func csv(
    _ bytes: UnsafeRawBufferPointer, isQuoted: Bool, _ format: CopyFormat, isOnly: Bool, into out: inout WireBuffer
  ) {
    // A lone \. would end the data; what reads as null must be told from it.
    var needsQuotes = isQuoted || bytes.elementsEqual(format.null) || isOnly && bytes.elementsEqual([0x5C, 0x2E])
    for byte in bytes where byte == format.delimiter || byte == format.quote || byte == 0x0A || byte == 0x0D {
      needsQuotes = true
      break
    }
    guard needsQuotes else { return out.append(bytes) }
    out.write(limit: bytes.count * 2 + 2) { target in
      var at = 1
      target[0] = format.quote
      for byte in bytes {
        if byte == format.quote || byte == format.escape {
          target[at] = format.escape
          at += 1
        }
        target[at] = byte
        at += 1
      }
      target[at] = format.quote
      return at + 1
    }
  }

  private borrowing func writeBinary(_ row: Int, into out: inout WireBuffer) {
    out.append(Int16(truncatingIfNeeded: columns.count))
    for column in columns {
      out.append(column.lengths[row])
      if column.lengths[row] > 0 { out.append(Self.piece(column, row)) }
    }
  }
}
