// What the fuzzer of COPY does with its bytes; the tests replay its findings through the same door.
//
//   byte 0   bits 0-1: text, csv, binary, csv with an escape of its own; bit 2: HEADER; bits 3-5: columns, from 1;
//            bit 6: another delimiter and null text; bit 7: FORCE_NULL and FORCE_NOT_NULL
//   byte 1   seed of the places where the data is cut
//   rest     the data
//
// However the data is cut, the rows, their lines and the fault are the same; and rows that came as text or csv are the
// same rows after they went out and in again.

import Bedrock
import Columnar

package enum CopyExercise {
  private struct Outcome: Equatable {
    var rows: [[Scalar]] = []
    var lines: [Int] = []
    var fault: String?
  }

  package static func run(_ bytes: [UInt8]) {
    guard bytes.count >= 2 else { return }
    let format = format(bytes[0])
    let types = types(count: Int(bytes[0] >> 3 & 7) + 1)
    let data = Array(bytes[2...])
    let whole = decode(data, format, types) { _ in .max }
    var state = UInt32(bytes[1]) &+ 1
    let cut = decode(data, format, types) { _ in
      // A linear congruence: pieces of 1 to 32 bytes, many of them short.
      state = state &* 1_664_525 &+ 1_013_904_223
      return Int(state >> 27) & Int(state >> 20) | 1
    }
    precondition(whole == cut, "the rows depend on how the data is cut: \(whole) or \(cut)")
    if whole.fault == nil, !format.isBinary { roundTrip(whole, format, types) }
  }

  private static func format(_ byte: UInt8) -> CopyFormat {
    var format = CopyFormat()
    format.kind = byte & 3 == 0 ? .text : byte & 3 == 2 ? .binary : .csv
    if format.kind == .csv {
      format.delimiter = UInt8(ascii: ",")
      format.null = []
      if byte & 3 == 3 { format.escape = UInt8(ascii: "\\") }
    }
    format.hasHeader = byte & 4 != 0 && !format.isBinary
    if byte & 0x40 != 0, !format.isBinary {
      format.delimiter = UInt8(ascii: "|")
      format.null = Array("nil".utf8)
    }
    if byte & 0x80 != 0, format.kind == .csv {
      format.forceNull = [0]
      format.forceNotNull = [1]
    }
    return format
  }

  private static func types(count: Int) -> [DataType] {
    Array([.int4, .text, .numeric, .timestamptz, .array(.int8), .bytea, .jsonb, .float8][..<count])
  }

  private static func decode(
    _ data: [UInt8], _ format: CopyFormat, _ types: [DataType], piece: (Int) -> Int
  ) -> Outcome {
    var decoder = CopyDecoder(
      format: format, types: types, relation: "t", names: types.indices.map { "c\($0)" })
    var outcome = Outcome()
    func take() {
      guard decoder.rowCount > 0 else { return }
      let (chunk, lines) = decoder.take()
      precondition(chunk.rowCount == lines.count && chunk.columns.count == types.count)
      for row in 0..<chunk.rowCount { outcome.rows.append(chunk.columns.map { $0.scalar(at: row) }) }
      outcome.lines += lines
    }
    do throws(Fault) {
      var at = 0
      while at < data.count {
        let end = at + min(piece(at), data.count - at)
        precondition(end > at)
        try decoder.receive(Array(data[at..<end]))
        at = end
        take()
      }
      try decoder.finish()
      take()
    } catch {
      // Rows before the fault are taken with some cuts and not with others: nobody stores them.
      outcome = Outcome(fault: "\(error.state) \(error.message) \(error.context ?? "")")
    }
    return outcome
  }

  private static func roundTrip(_ outcome: Outcome, _ format: CopyFormat, _ types: [DataType]) {
    var format = format
    format.hasHeader = false
    format.forceNull = []
    format.forceNotNull = []
    guard !outcome.rows.isEmpty else { return }
    let columns = types.indices.map { column in ColumnBuilder.column(.text, outcome.rows.map { $0[column] }) }
    do throws(Fault) {
      let data = try encoded(Chunk(columns: columns, rowCount: outcome.rows.count), format)
      let again = decode(data, format, types) { _ in .max }
      precondition(again.rows == outcome.rows, "rows went out as others: \(outcome.rows), \(again)")
    } catch { preconditionFailure("rows that came in do not go out: \(error)") }
  }

  /// The data of the messages that carry these rows.
  private static func encoded(_ chunk: Chunk, _ format: CopyFormat) throws(Fault) -> [UInt8] {
    var encoder = try CopyEncoder(chunk, format: format, style: TextStyle())
    var out = WireBuffer()
    let written = try encoder.write(into: &out, bytesMax: .max)
    precondition(written == chunk.rowCount)
    let messages = out.bytes
    var data: [UInt8] = []
    var at = 0
    while at < messages.count {
      // 'd', Int32 length with itself, data.
      let length = messages[(at + 1)..<(at + 5)].reduce(0) { $0 << 8 | Int($1) }
      data += messages[(at + 5)..<(at + 1 + length)]
      at += 1 + length
    }
    return data
  }
}
