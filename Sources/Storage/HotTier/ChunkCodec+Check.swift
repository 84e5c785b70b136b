// What must hold for any bytes at all: decoding never traps or over-allocates, and what decodes can be encoded again to
// the same values. Run by the fuzzer and, over its old findings, by the tests.

import Bedrock
import Columnar
import EventSchema

extension ChunkCodec {
  private static let checkedTypes: [DataType] = [
    .boolean, .int4, .int8, .float4, .float8, .numeric, .interval, .uuid, .text, .timestamptz, .array(.int8),
    .array(.text),
  ]

  /// Tries `input` as a stored value, and behind six bytes of form as the body of one column (so that no checksum has
  /// to be guessed). Returns false when a decoded column does not survive a round trip; faults are a fine answer.
  package static func check(hostile input: UnsafeRawBufferPointer) -> Bool {
    let columns = checkedTypes.enumerated().map { index, type in
      TableColumn(fieldID: Int32(index + 1), name: "c\(index)", type: type, isNullable: true)
    }
    do throws(Fault) {
      let header = try ChunkHeader(input)
      for entry in header.columns {
        for column in columns where column.type.physical == entry.physical {
          _ = try decode(entry, header: header, type: column.type, from: input)
        }
      }
    } catch {
      // A fault is the right answer to bytes that are no chunk.
    }
    guard input.count >= 6 else { return true }
    let type = checkedTypes[Int(input[1]) % checkedTypes.count]
    // Few enough rows that comparing them one by one leaves time for many inputs.
    let rowCount = (Int(input[4]) | Int(input[5]) << 8) % 1_025
    guard let encoding = ColumnEncoding(rawValue: input[0] % 7), rowCount > 0 else { return true }
    let body = UnsafeRawBufferPointer(rebasing: input[6...])
    do throws(Fault) {
      let column = try ColumnBody.decode(
        body, encoding: encoding, bitWidth: Int(input[2]), hasValidity: input[3] & 1 == 1, rowCount: rowCount,
        type: type)
      let again = try ColumnBody.encode(column)
      let back = try again.bytes.span.bytes.withUnsafeBytes { (raw) throws(Fault) in
        try ColumnBody.decode(
          raw, encoding: again.encoding, bitWidth: again.bitWidth, hasValidity: again.hasValidity, rowCount: rowCount,
          type: type)
      }
      for row in 0..<rowCount where column.scalar(at: row) != back.scalar(at: row) { return false }
    } catch {
      // The same.
    }
    return true
  }
}
