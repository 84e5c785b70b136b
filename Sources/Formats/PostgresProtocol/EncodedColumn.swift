// One column of a chunk as the bytes of the wire, before they are woven into rows.
//
// DataRow wants rows, chunks hold columns. So each column is turned into pieces first, in one loop chosen once by type,
// form and format; then the rows are woven by copying pieces. Text that already lies in the column is not copied: its
// pieces point into the column's own buffer. A dictionary is encoded once and its pieces are looked up by code.

import Bedrock
import Columnar

/// Where the encoded values of a column lie. Row r is `lengths[r]` bytes at `base + starts[r]`; length -1 is null.
// SAFETY: `base` points into `scratch` or into a buffer of `source`, both owned by this object and not changed after
// `init`; `starts` and `lengths` are owned too. Nobody keeps the pointers longer than the object.
final class EncodedColumn {
  let count: Int
  let starts: UnsafeMutablePointer<Int>
  let lengths: UnsafeMutablePointer<Int32>
  private(set) var base: UnsafeRawPointer
  private var scratch = WireBuffer(capacity: 64)
  private let source: Column
  private var inner: EncodedColumn?

  /// Encodes every row of `column`.
  ///
  /// Throws 54000 when one value is longer than a message may be, 0A000 for an array of arrays in binary form.
  init(_ column: Column, format: WireFormat, style: borrowing TextStyle) throws(Fault) {
    count = column.count
    starts = .allocate(capacity: max(1, column.count))
    lengths = .allocate(capacity: max(1, column.count))
    source = column
    base = UnsafeRawPointer(starts)
    switch column.form {
    case .constant(let one): repeatPiece(of: try EncodedColumn(one, format: format, style: style))
    case .dictionary(_, let dictionary):
      if dictionary.count <= 2 * column.count || Self.isVerbatim(column.type, format) {
        try lookUp(try EncodedColumn(dictionary.values.retyped(column.type), format: format, style: style))
      } else {
        inner = try EncodedColumn(column.flat(), format: format, style: style)
        borrowAll()
      }
    case .bytes(_, let data):
      if Self.isVerbatim(column.type, format) {
        pointInto(data)
      } else {
        try encodeBytes(format, style)
      }
    case .list(_, let elements):
      let pieces = try EncodedColumn(elements, format: format, style: style)
      switch format {
      case .text: try encodeArrayText(pieces)
      case .binary: try encodeArrayBinary(pieces, element: elements.type)
      }
    case .fixed:
      switch format {
      case .text: encodeFixedText(style)
      case .binary: encodeFixedBinary()
      }
    }
    if case .constant = column.form { return }
    markNulls()
  }

  deinit {
    starts.deallocate()
    lengths.deallocate()
  }

  /// True when the bytes of the column are the bytes of the wire.
  private static func isVerbatim(_ type: DataType, _ format: WireFormat) -> Bool {
    switch type {
    case .text, .varchar, .bpchar, .name, .internalChar, .json, .unknown, .void: true
    case .jsonb: format == .text
    case .bytea: format == .binary
    default: false
    }
  }

  private func markNulls() {
    let source = self.source
    guard let validity = source.validity else { return }
    let words = validity.words
    for row in 0..<count where words[row >> 6] >> UInt64(row & 63) & 1 == 0 { lengths[row] = -1 }
  }

  // MARK: Pieces that lie elsewhere

  private func repeatPiece(of one: EncodedColumn) {
    precondition(one.count == 1)
    inner = one
    base = one.base
    starts.update(repeating: one.starts[0], count: count)
    lengths.update(repeating: one.lengths[0], count: count)
  }

  private func lookUp(_ dictionary: EncodedColumn) throws(Fault) {
    let source = self.source
    inner = dictionary
    base = dictionary.base
    let codes = source.codes
    if dictionary.count == 0 {
      // Only null rows can have no entry.
      starts.update(repeating: 0, count: count)
      lengths.update(repeating: -1, count: count)
      return
    }
    for row in 0..<count {
      let code = Int(codes[row])
      precondition(code >= 0 && code < dictionary.count, "a code outside its dictionary")
      starts[row] = dictionary.starts[code]
      lengths[row] = dictionary.lengths[code]
    }
  }

  private func borrowAll() {
    // Called right after `inner` is set.
    guard let inner else { preconditionFailure("no column to borrow from") }
    base = inner.base
    starts.update(from: inner.starts, count: count)
    lengths.update(from: inner.lengths, count: count)
  }

  private func pointInto(_ data: Buffer) {
    let source = self.source
    let offsets = source.offsets
    let limit = data.byteCount
    var start = Int(offsets[0])
    precondition(start >= 0)
    for row in 0..<count {
      let end = Int(offsets[row + 1])
      precondition(end >= start && end <= limit, "offsets of a column fall or pass its data")
      starts[row] = start
      lengths[row] = Int32(truncatingIfNeeded: end - start)
      start = end
    }
    data.withUnsafeBytes { bytes in
      if let address = bytes.baseAddress { base = address }
    }
  }

  // MARK: Fixed width

  /// Runs `write` for each row; it writes at most `limit` bytes and says how many.
  @inline(__always)
  private func fill(limit: Int, _ write: (Int, UnsafeMutablePointer<UInt8>) -> Int) {
    let count = self.count
    let starts = self.starts
    let lengths = self.lengths
    scratch.write(limit: count * limit) { out in
      var at = 0
      for row in 0..<count {
        let length = write(row, out + at)
        starts[row] = at
        lengths[row] = Int32(truncatingIfNeeded: length)
        at += length
      }
      return at
    }
    settle()
  }

  private func settle() {
    scratch.withUnsafeBytes { bytes in
      if let address = bytes.baseAddress { base = address }
    }
  }

  private func encodeFixedText(_ style: borrowing TextStyle) {
    let source = self.source
    switch source.type.physical {
    case .bool8:
      let values = source.booleans
      fill(limit: 1) { row, out in
        out[0] = values[row] == 0 ? UInt8(ascii: "f") : UInt8(ascii: "t")
        return 1
      }
    case .int32: encodeInt32Text(style)
    case .int64: encodeInt64Text(style)
    case .float32:
      let values = source.float32s
      let extra = style.extraFloatDigits
      fill(limit: NumberText.floatMax) { row, out in NumberText.write(values[row], extraDigits: extra, out) }
    case .float64:
      let values = source.float64s
      let extra = style.extraFloatDigits
      fill(limit: NumberText.floatMax) { row, out in NumberText.write(values[row], extraDigits: extra, out) }
    case .numeric:
      let values = source.numerics
      fill(limit: NumberText.numericMax) { row, out in NumberText.write(values[row], out) }
    case .interval:
      let values = source.intervals
      fill(limit: DatetimeText.intervalMax) { row, out in DatetimeText.write(values[row], out) }
    case .uuid:
      let values = source.values(UUIDValue.self)
      fill(limit: 36) { row, out in Self.write(values[row], out) }
    case .bytes, .list: preconditionFailure("a variable-width type in fixed form")
    }
  }

  private func encodeInt32Text(_ style: borrowing TextStyle) {
    let source = self.source
    let values = source.int32s
    switch source.type {
    case .date: fill(limit: DatetimeText.dateMax) { row, out in DatetimeText.write(date: values[row], out) }
    case .oid:
      fill(limit: NumberText.integerMax) { row, out in
        NumberText.write(unsigned: UInt64(UInt32(bitPattern: values[row])), out)
      }
    case .regclass, .regtype, .regproc, .regnamespace: encodeNames(style)
    default: fill(limit: NumberText.integerMax) { row, out in NumberText.write(Int64(values[row]), out) }
    }
  }

  /// Catalog types that show a name for their oid; small columns.
  private func encodeNames(_ style: borrowing TextStyle) {
    let source = self.source
    let values = source.int32s
    for row in 0..<count {
      let oid = UInt32(bitPattern: values[row])
      let before = scratch.count
      scratch.append(oid == 0 ? "-" : style.nameOf?(source.type, oid) ?? String(oid))
      starts[row] = before
      lengths[row] = Int32(clamping: scratch.count - before)
    }
    settle()
  }

  private func encodeInt64Text(_ style: borrowing TextStyle) {
    let source = self.source
    let values = source.int64s
    switch source.type {
    case .time: fill(limit: DatetimeText.timeMax) { row, out in DatetimeText.write(time: values[row], out) }
    case .timestamp:
      fill(limit: DatetimeText.timestampMax) { row, out in
        DatetimeText.write(timestamp: values[row], offset: nil, out)
      }
    case .timestamptz:
      let zone = style.zone
      fill(limit: DatetimeText.timestampMax) { row, out in
        DatetimeText.write(timestamp: values[row], offset: zone.seconds(at: values[row]), out)
      }
    default: fill(limit: NumberText.integerMax) { row, out in NumberText.write(values[row], out) }
    }
  }

  @inline(__always)
  private static func hex(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble &+ 0x30 : nibble &+ 0x57 }

  private static func write(_ value: UUIDValue, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    withUnsafeBytes(of: value) { bytes in
      var at = 0
      for index in 0..<16 {
        if index == 4 || index == 6 || index == 8 || index == 10 {
          out[at] = UInt8(ascii: "-")
          at += 1
        }
        out[at] = hex(bytes[index] >> 4)
        out[at + 1] = hex(bytes[index] & 15)
        at += 2
      }
      return at
    }
  }

  private func encodeFixedBinary() {
    let source = self.source
    switch source.type.physical {
    case .bool8:
      let values = source.booleans
      fill(limit: 1) { row, out in
        out[0] = values[row]
        return 1
      }
    case .int32:
      let values = source.int32s
      switch source.type {
      case .int2: fill(limit: 2) { row, out in BinaryForm.store(Int16(truncatingIfNeeded: values[row]), out) }
      case .date: fill(limit: 4) { row, out in BinaryForm.store(BinaryForm.wire(date: values[row]), out) }
      default: fill(limit: 4) { row, out in BinaryForm.store(values[row], out) }
      }
    case .int64:
      let values = source.int64s
      switch source.type {
      case .timestamp, .timestamptz:
        fill(limit: 8) { row, out in BinaryForm.store(BinaryForm.wire(timestamp: values[row]), out) }
      default: fill(limit: 8) { row, out in BinaryForm.store(values[row], out) }
      }
    case .float32:
      let values = source.float32s
      fill(limit: 4) { row, out in BinaryForm.store(values[row].bitPattern, out) }
    case .float64:
      let values = source.float64s
      fill(limit: 8) { row, out in BinaryForm.store(values[row].bitPattern, out) }
    case .numeric:
      let values = source.numerics
      fill(limit: BinaryForm.numericMax) { row, out in BinaryForm.store(values[row], out) }
    case .interval:
      let values = source.intervals
      fill(limit: 16) { row, out in BinaryForm.store(values[row], out) }
    case .uuid:
      let values = source.values(UUIDValue.self)
      fill(limit: 16) { row, out in
        withUnsafeBytes(of: values[row]) { UnsafeMutableRawPointer(out).copyMemory(from: $0.baseAddress!, byteCount: 16) }
        return 16
      }
    case .bytes, .list: preconditionFailure("a variable-width type in fixed form")
    }
  }

  // MARK: Variable width

  private func end(row: Int, from start: Int) throws(Fault) {
    let length = scratch.count - start
    guard length <= RowEncoder.rowBytesMax else { throw RowEncoder.tooLong(length) }
    starts[row] = start
    lengths[row] = Int32(length)
  }

  /// bytea as text and jsonb in binary form.
  private func encodeBytes(_ format: WireFormat, _ style: borrowing TextStyle) throws(Fault) {
    let source = self.source
    let offsets = source.offsets
    let data = source.data
    for row in 0..<count {
      let value = data.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
      let start = scratch.count
      if format == .binary {
        scratch.append(1 as UInt8)
        value.withUnsafeBytes { scratch.append($0) }
      } else if style.byteaEscape {
        Self.appendEscaped(value, to: &scratch)
      } else {
        scratch.write(limit: 2 + 2 * value.count) { out in
          out[0] = UInt8(ascii: "\\")
          out[1] = UInt8(ascii: "x")
          for index in 0..<value.count {
            out[2 + 2 * index] = Self.hex(value[index] >> 4)
            out[3 + 2 * index] = Self.hex(value[index] & 15)
          }
          return 2 + 2 * value.count
        }
      }
      try end(row: row, from: start)
    }
    settle()
  }

  private static func appendEscaped(_ value: Span<UInt8>, to scratch: inout WireBuffer) {
    scratch.write(limit: 4 * value.count) { out in
      var at = 0
      for index in 0..<value.count {
        let byte = value[index]
        if byte == UInt8(ascii: "\\") {
          out[at] = byte
          out[at + 1] = byte
          at += 2
        } else if byte < 0x20 || byte > 0x7E {
          out[at] = UInt8(ascii: "\\")
          out[at + 1] = 0x30 + (byte >> 6)
          out[at + 2] = 0x30 + (byte >> 3 & 7)
          out[at + 3] = 0x30 + (byte & 7)
          at += 4
        } else {
          out[at] = byte
          at += 1
        }
      }
      return at
    }
  }

  /// `{1,2,NULL,"a b"}`; the vector types are written `1 2 3`.
  private func encodeArrayText(_ elements: EncodedColumn) throws(Fault) {
    let source = self.source
    let offsets = source.offsets
    var isVector = false
    var isNested = false
    switch source.type {
    case .int2vector, .oidvector: isVector = true
    case .array(.array): isNested = true
    default: break
    }
    for row in 0..<count {
      let start = scratch.count
      if !isVector { scratch.append(UInt8(ascii: "{")) }
      let first = Int(offsets[row])
      for element in first..<Int(offsets[row + 1]) {
        if element > first { scratch.append(isVector ? UInt8(ascii: " ") : UInt8(ascii: ",")) }
        let length = Int(elements.lengths[element])
        if length < 0 {
          scratch.append("NULL")
          continue
        }
        let bytes = UnsafeRawBufferPointer(start: elements.base + elements.starts[element], count: length)
        if isVector || isNested || !Self.needsQuotes(bytes) {
          scratch.append(bytes)
        } else {
          Self.appendQuoted(bytes, to: &scratch)
        }
      }
      if !isVector { scratch.append(UInt8(ascii: "}")) }
      try end(row: row, from: start)
    }
    settle()
  }

  private static func needsQuotes(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if bytes.isEmpty { return true }
    if bytes.count == 4 {
      let lower = bytes.map { $0 | 0x20 }
      if lower == Array("null".utf8) { return true }
    }
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ","),
        0x09...0x0D, 0x20:
        return true
      default: continue
      }
    }
    return false
  }

  private static func appendQuoted(_ bytes: UnsafeRawBufferPointer, to scratch: inout WireBuffer) {
    scratch.append(UInt8(ascii: "\""))
    for byte in bytes {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { scratch.append(UInt8(ascii: "\\")) }
      scratch.append(byte)
    }
    scratch.append(UInt8(ascii: "\""))
  }

  /// dimensions, has-null flag, element oid, (length, lower bound) per dimension, then length and bytes per element.
  private func encodeArrayBinary(_ elements: EncodedColumn, element: DataType) throws(Fault) {
    let source = self.source
    if case .array = element { throw .unsupported("an array of arrays in binary form") }
    var lowerBound: Int32 = 1
    if case .array = source.type {} else { lowerBound = 0 }
    let offsets = source.offsets
    for row in 0..<count {
      let start = scratch.count
      let range = Int(offsets[row])..<Int(offsets[row + 1])
      if range.isEmpty && lowerBound == 1 {
        scratch.append(0 as Int32)
        scratch.append(0 as Int32)
        scratch.append(element.oid)
      } else {
        var hasNull = false
        for index in range where elements.lengths[index] < 0 { hasNull = true }
        scratch.append(1 as Int32)
        scratch.append(hasNull ? 1 as Int32 : 0)
        scratch.append(element.oid)
        scratch.append(Int32(range.count))
        scratch.append(lowerBound)
      }
      for index in range {
        let length = elements.lengths[index]
        scratch.append(length)
        if length > 0 {
          scratch.append(UnsafeRawBufferPointer(start: elements.base + elements.starts[index], count: Int(length)))
        }
      }
      try end(row: row, from: start)
    }
    settle()
  }
}
