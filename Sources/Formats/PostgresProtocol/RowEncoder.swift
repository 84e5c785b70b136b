// Chunks to DataRow messages:  'D'  length  column count (Int16)  { length (Int32, -1 null)  bytes }*

package import Bedrock
package import Columnar

/// Writes the rows of one chunk, as many at a time as the client can take.
package struct RowEncoder: ~Copyable {
  /// Bytes of one row.
  package static let rowBytesMax = 64 << 20

  private let columns: [EncodedColumn]
  private let rowCount: Int
  /// The next row to write.
  package private(set) var nextRow = 0

  /// - Parameter formats: one per column, or empty for text.
  ///
  /// Throws 54000 for a value that no message can hold.
  package init(_ chunk: Chunk, formats: [WireFormat], style: borrowing TextStyle) throws(Fault) {
    precondition(formats.isEmpty || formats.count == chunk.columns.count)
    precondition(chunk.columns.count <= Int(Int16.max))
    var columns: [EncodedColumn] = []
    columns.reserveCapacity(chunk.columns.count)
    for (index, column) in chunk.columns.enumerated() {
      columns.append(try EncodedColumn(column, format: formats.isEmpty ? .text : formats[index], style: style))
    }
    self.columns = columns
    rowCount = chunk.rowCount
  }

  package var rowsLeft: Int { rowCount - nextRow }

  static func tooLong(_ bytes: Int) -> Fault {
    Fault(.programLimitExceeded, "a result row has \(bytes) bytes, at most \(rowBytesMax) are allowed")
  }

  /// Appends rows until `out` holds `bytesMax` bytes, `rowsMax` rows were written, or the chunk ends; gives the number
  /// of rows written. Writes at least one row if one is left and `rowsMax` allows it.
  package mutating func write(into out: inout WireBuffer, rowsMax: Int, bytesMax: Int) throws(Fault) -> Int {
    precondition(rowsMax >= 0)
    let first = nextRow
    let end = min(rowCount, rowsMax > rowCount ? rowCount : first + rowsMax)
    while nextRow < end {
      try writeRow(nextRow, into: &out)
      nextRow += 1
      if out.count >= bytesMax { break }
    }
    return nextRow - first
  }

  @inline(__always)
  private borrowing func writeRow(_ row: Int, into out: inout WireBuffer) throws(Fault) {
    let count = columns.count
    var size = 7 + 4 * count
    for index in 0..<count { size += max(0, Int(columns[index].lengths[row])) }
    guard size <= Self.rowBytesMax else { throw Self.tooLong(size) }
    out.write(limit: size) { base in
      // SAFETY: `size` is the sum of what is stored below, and EncodedColumn keeps each piece inside its memory.
      let raw = UnsafeMutableRawPointer(base)
      base[0] = UInt8(ascii: "D")
      raw.storeBytes(of: Int32(size - 1).bigEndian, toByteOffset: 1, as: Int32.self)
      raw.storeBytes(of: Int16(count).bigEndian, toByteOffset: 5, as: Int16.self)
      var at = 7
      for index in 0..<count {
        let column = columns[index]
        let length = column.lengths[row]
        raw.storeBytes(of: length.bigEndian, toByteOffset: at, as: Int32.self)
        at += 4
        if length > 0 {
          (raw + at).copyMemory(from: column.base + column.starts[row], byteCount: Int(length))
          at += Int(length)
        }
      }
      return at
    }
  }
}
