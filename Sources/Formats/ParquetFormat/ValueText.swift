// Values that neither Parquet nor Delta has a type for, as text that loses nothing and that people and engines read.
//
//   numeric without precision   digits with as many decimals as the value shows, or NaN: -12.50
//   interval                    its three parts in full: 14 months -3 days 12345678 microseconds
//
// PostgreSQL and DuckDB take both back with a cast. Their order is not the order of the values: no bounds are written.

import Bedrock
import Columnar

enum ValueText {
  // MARK: Writing

  /// A text column of the values of a numeric or interval column; nulls stay null.
  static func column(_ source: Column) -> Column {
    let flat = source.flat()
    var data: [UInt8] = []
    let offsets = Buffer.of(Int32.self, count: flat.count + 1) { out in
      out[0] = 0
      for row in 0..<flat.count {
        if !flat.isNull(at: row) {
          if case .numeric = flat.type { append(flat.numerics[row], to: &data) } else { append(flat.intervals[row], to: &data) }
        }
        out[row + 1] = Int32(data.count)
      }
    }
    return Column(
      type: .text, count: flat.count, validity: flat.validity, form: .bytes(offsets: offsets, data: .copying(data)))
  }

  static func append(_ value: Numeric, to text: inout [UInt8]) {
    if value.isNaN { return text.append(contentsOf: "NaN".utf8) }
    if value.coefficient < 0 { text.append(UInt8(ascii: "-")) }
    let digits = Array(String(value.coefficient.magnitude).utf8)
    if value.scale == 0 { return text.append(contentsOf: digits) }
    let padded = Array(repeating: UInt8(ascii: "0"), count: max(0, value.scale + 1 - digits.count)) + digits
    text.append(contentsOf: padded[..<(padded.count - value.scale)])
    text.append(UInt8(ascii: "."))
    text.append(contentsOf: padded[(padded.count - value.scale)...])
  }

  static func append(_ value: Interval, to text: inout [UInt8]) {
    text.append(contentsOf: "\(value.months) months \(value.days) days \(value.micros) microseconds".utf8)
  }

  // MARK: Reading

  /// The value of the text; `nil` for any other text than `append` writes, and for digits beyond those of `Numeric`.
  static func numeric(_ text: UnsafeRawBufferPointer) -> Numeric? {
    if text.elementsEqual("NaN".utf8) { return .nan }
    var at = 0
    let isNegative = text.first == UInt8(ascii: "-")
    if isNegative { at = 1 }
    var coefficient: Int128 = 0
    var digits = 0, point: Int?
    while at < text.count {
      let byte = text[at]
      at += 1
      if byte == UInt8(ascii: "."), point == nil, digits > 0 {
        point = digits
        continue
      }
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      let (product, overflow) = coefficient.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) = product.addingReportingOverflow(Int128(byte - 0x30))
      if overflow || overflow2 { return nil }
      coefficient = sum
      digits += 1
    }
    guard digits > 0, point != digits else { return nil }
    return Numeric(coefficient: isNegative ? -coefficient : coefficient, scale: digits - (point ?? digits))
  }

  /// The value of the text; `nil` for any other text than `append` writes.
  static func interval(_ text: UnsafeRawBufferPointer) -> Interval? {
    guard text.count <= 80 else { return nil }
    let words = text.split(separator: UInt8(ascii: " "))
    guard words.count == 6, words[1].elementsEqual("months".utf8), words[3].elementsEqual("days".utf8),
      words[5].elementsEqual("microseconds".utf8), let months = Int32(String(decoding: words[0], as: UTF8.self)),
      let days = Int32(String(decoding: words[2], as: UTF8.self)),
      let micros = Int64(String(decoding: words[4], as: UTF8.self))
    else { return nil }
    return Interval(months: months, days: days, micros: micros)
  }

  /// A numeric or interval column of a column of texts.
  static func parse(_ raw: Column, _ target: DataType) throws(Fault) -> Column {
    guard case .bytes(let offsetBuffer, let dataBuffer) = raw.form else { throw Fault.bug("texts are bytes") }
    var isGood = true
    let isNumeric = target.physical == .numeric
    let buffer = offsetBuffer.withUnsafeBytes { offsets in
      dataBuffer.withUnsafeBytes { data in
        Buffer(byteCount: raw.count * 16) { out in
          let ends = offsets.assumingMemoryBound(to: Int32.self)
          for row in 0..<raw.count where !raw.isNull(at: row) {
            let text = UnsafeRawBufferPointer(rebasing: data[Int(ends[row])..<Int(ends[row + 1])])
            if isNumeric {
              let value = numeric(text)
              isGood = isGood && value != nil
              out.storeBytes(of: value ?? .zero, toByteOffset: row * 16, as: Numeric.self)
            } else {
              let value = interval(text)
              isGood = isGood && value != nil
              out.storeBytes(of: value ?? Interval(), toByteOffset: row * 16, as: Interval.self)
            }
          }
        }
      }
    }
    if !isGood { throw Fault.corrupt("a text of a Parquet file is not the text of a value of type \(target)") }
    return .fixed(target, count: raw.count, validity: raw.validity, buffer)
  }
}
