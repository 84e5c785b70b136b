// Bodies of columns (ChunkHeader.swift says where they lie). Every body begins with the validity words when the column
// has nulls. n = rows, w = bit width of the directory entry, P(n, w) = n values of w bits and padding (BitPacking.swift).
//
//   plain       n values of the physical width
//   packed      base 8 | P(n, w)                                    value = base + packed
//   delta       first 8 | smallest step 8 | P(n - 1, w)             for what rises evenly: sequences, positions, times
//   bytes       P(n, w) lengths | bytes
//   dictionary  entries 4 | length bits 1 | 0 x 3 | bytes of entries 4 | P(entries, bits) | bytes | P(n, w) codes
//   list        elements 4 | encoding 1 | w 1 | has validity 1 | 0 | P(n, w) lengths | body of the elements
//   all null    nothing
//
// The writer chooses from the data; the reader checks every count and length before it allocates.

import Bedrock
import Columnar

/// An encoded column and what its directory entry needs.
struct EncodedBody {
  var encoding: ColumnEncoding
  var bitWidth = 0
  var hasValidity = false
  var nullCount = 0
  var range: ValueRange?
  var bytes: [UInt8] = []
}

enum ColumnBody {
  /// Elements of all lists of one chunk column.
  static let listElementsMax = Limits.hotChunkRowsMax * 64

  // MARK: Encoding

  static func encode(_ column: Column) throws(Fault) -> EncodedBody {
    let column = column.plainForm
    let nullCount = column.nullCount
    if nullCount == column.count && column.count > 0 {
      return EncodedBody(encoding: .allNull, nullCount: nullCount)
    }
    var body: EncodedBody
    switch column.type.physical {
    case .bool8, .int32, .int64: body = encodeIntegers(column, nullCount: nullCount)
    case .float32, .float64, .numeric, .interval, .uuid: body = encodePlain(column, nullCount: nullCount)
    case .bytes: body = encodeBytes(column)
    case .list: body = try encodeList(column)
    }
    body.nullCount = nullCount
    if nullCount > 0, let validity = column.validity {
      body.hasValidity = true
      let byteCount = Bitmap.wordCount(column.count) * 8
      let words = validity.buffer.withUnsafeBytes { Array($0[..<byteCount]) }
      body.bytes.insert(contentsOf: words, at: 0)
    }
    return body
  }

  private static func encodePlain(_ column: Column, nullCount: Int) -> EncodedBody {
    guard case .fixed(let buffer) = column.form, let width = column.type.physical.width else {
      preconditionFailure("a flat column of fixed width")
    }
    var body = EncodedBody(encoding: .plain)
    body.bytes = buffer.withUnsafeBytes { Array($0[..<(column.count * width)]) }
    switch column.type.physical {
    case .float64:
      let values = column.float64s
      var low = Double.infinity
      var high = -Double.infinity
      var ordered = true
      for row in 0..<column.count where nullCount == 0 || !column.isNull(at: row) {
        ordered = ordered && !values[row].isNaN
        low = min(low, values[row])
        high = max(high, values[row])
      }
      if ordered { body.range = .floats(low, high) }
    case .float32:
      let values = column.float32s
      var low = Double.infinity
      var high = -Double.infinity
      var ordered = true
      for row in 0..<column.count where nullCount == 0 || !column.isNull(at: row) {
        ordered = ordered && !values[row].isNaN
        low = min(low, Double(values[row]))
        high = max(high, Double(values[row]))
      }
      if ordered { body.range = .floats(low, high) }
    default: break
    }
    return body
  }

  private static func encodeIntegers(_ column: Column, nullCount: Int) -> EncodedBody {
    // Only the elements of lists can be none at all.
    if column.count == 0 { return EncodedBody(encoding: .plain) }
    let values = widened(column)
    var low = Int64.max
    var high = Int64.min
    for value in values {
      low = min(low, value)
      high = max(high, value)
    }
    let packedWidth = BitPacking.width(of: UInt64(bitPattern: high) &- UInt64(bitPattern: low))
    var stepLow = Int64.max
    var stepHigh = Int64.min
    var steady = values.count > 1
    for index in 1..<max(values.count, 1) {
      let (step, overflow) = values[index].subtractingReportingOverflow(values[index - 1])
      steady = steady && !overflow
      stepLow = min(stepLow, step)
      stepHigh = max(stepHigh, step)
    }
    let deltaWidth = steady ? BitPacking.width(of: UInt64(bitPattern: stepHigh) &- UInt64(bitPattern: stepLow)) : 64
    var body = EncodedBody(encoding: .plain)
    if min(packedWidth, deltaWidth) > BitPacking.widthMax {
      body = encodePlain(column, nullCount: nullCount)
    } else if packedWidth <= deltaWidth {
      body.encoding = .packed
      body.bitWidth = packedWidth
      body.bytes.append(little: low)
      BitPacking.pack(values.map { UInt64(bitPattern: $0 &- low) }, width: packedWidth, to: &body.bytes)
    } else {
      body.encoding = .delta
      body.bitWidth = deltaWidth
      body.bytes.append(little: values[0])
      body.bytes.append(little: stepLow)
      var excess = [UInt64](repeating: 0, count: values.count - 1)
      for index in 1..<values.count {
        excess[index - 1] = UInt64(bitPattern: values[index] &- values[index - 1] &- stepLow)
      }
      BitPacking.pack(excess, width: deltaWidth, to: &body.bytes)
    }
    if nullCount > 0 {
      low = .max
      high = .min
      for row in 0..<values.count where !column.isNull(at: row) {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    }
    body.range = .integers(low, high)
    return body
  }

  private static func widened(_ column: Column) -> [Int64] {
    let count = column.count
    return [Int64](unsafeUninitializedCapacity: count) { out, filled in
      switch column.type.physical {
      case .int64:
        let values = column.int64s
        for row in 0..<count { out[row] = values[row] }
      case .int32:
        let values = column.int32s
        for row in 0..<count { out[row] = Int64(values[row]) }
      default:
        let values = column.booleans
        for row in 0..<count { out[row] = Int64(values[row]) }
      }
      filled = count
    }
  }

  private static func encodeBytes(_ column: Column) -> EncodedBody {
    if case .dictionary(_, let dictionary) = column.form, dictionary.count > 0, dictionary.count <= column.count {
      return encodeDictionary(
        codes: column.codes, entries: dictionary.values.flat(), rowCount: column.count)
    }
    let flat = column.flat()
    if case (var codes, let entries)? = TextDictionary.build(flat) {
      if flat.mayHaveNulls {
        for row in 0..<flat.count where flat.isNull(at: row) { codes[row] = 0 }
      }
      return encodeDictionary(codes: codes.span, entries: entries, rowCount: flat.count)
    }
    var body = EncodedBody(encoding: .bytes)
    body.bitWidth = appendLengths(flat.offsets, count: flat.count, to: &body.bytes)
    appendData(flat, to: &body.bytes)
    return body
  }

  private static func encodeDictionary(codes: Span<Int32>, entries: Column, rowCount: Int) -> EncodedBody {
    var body = EncodedBody(encoding: .dictionary)
    var packed: [UInt8] = []
    let lengthBits = appendLengths(entries.offsets, count: entries.count, to: &packed)
    body.bytes.append(little: UInt32(entries.count))
    body.bytes.append(little: UInt32(lengthBits))
    body.bytes.append(little: UInt32(entries.offsets[entries.count]))
    body.bytes.append(contentsOf: packed)
    appendData(entries, to: &body.bytes)
    body.bitWidth = BitPacking.width(of: UInt64(max(entries.count - 1, 0)))
    var wide = [UInt64](repeating: 0, count: rowCount)
    for row in 0..<rowCount { wide[row] = UInt64(codes[row]) }
    BitPacking.pack(wide, width: body.bitWidth, to: &body.bytes)
    return body
  }

  private static func encodeList(_ column: Column) throws(Fault) -> EncodedBody {
    guard case .list(_, let elements) = column.form else { preconditionFailure("a flat list column") }
    guard elements.type.physical != .list else { throw .unsupported("an array of arrays in a stored column") }
    let used = Int(column.offsets[column.count])
    guard used <= listElementsMax else {
      throw Fault(.programLimitExceeded, "the lists of one chunk have more than \(listElementsMax) elements")
    }
    let inner = try encode(elements.slice(0..<used))
    var body = EncodedBody(encoding: .list)
    body.bytes.append(little: UInt32(used))
    body.bytes.append(inner.encoding.rawValue)
    body.bytes.append(UInt8(inner.bitWidth))
    body.bytes.append(inner.hasValidity ? 1 : 0)
    body.bytes.append(0)
    body.bitWidth = appendLengths(column.offsets, count: column.count, to: &body.bytes)
    body.bytes.append(contentsOf: inner.bytes)
    return body
  }

  /// Appends the packed differences of `offsets`; returns their width.
  private static func appendLengths(_ offsets: Span<Int32>, count: Int, to out: inout [UInt8]) -> Int {
    var lengths = [UInt64](repeating: 0, count: count)
    var longest: UInt64 = 0
    for row in 0..<count {
      lengths[row] = UInt64(offsets[row + 1] - offsets[row])
      longest = max(longest, lengths[row])
    }
    let width = BitPacking.width(of: longest)
    BitPacking.pack(lengths, width: width, to: &out)
    return width
  }

  private static func appendData(_ column: Column, to out: inout [UInt8]) {
    let used = Int(column.offsets[column.count])
    column.data.extracting(0..<used).withUnsafeBytes { out.append(contentsOf: $0) }
  }

  // MARK: Decoding

  /// The column of `rowCount` rows whose body is `bytes`. Throws XX001 when the bytes do not hold it.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, encoding: ColumnEncoding, bitWidth: Int, hasValidity: Bool, rowCount: Int,
    type: DataType
  ) throws(Fault) -> Column {
    precondition(rowCount >= 0 && rowCount <= listElementsMax)
    if encoding == .allNull { return .nulls(type, count: rowCount) }
    guard bitWidth <= BitPacking.widthMax else { throw .corrupt("a stored column is packed in \(bitWidth) bits") }
    var reader = BodyReader(bytes)
    let validity = try hasValidity ? readValidity(&reader, rowCount: rowCount) : nil
    let form: Column.Form
    switch (encoding, type.physical) {
    case (.plain, let physical) where physical.width != nil:
      form = try .fixed(readPlain(&reader, physical: physical, rowCount: rowCount))
    case (.packed, .bool8), (.packed, .int32), (.packed, .int64):
      form = try .fixed(readPacked(&reader, physical: type.physical, width: bitWidth, rowCount: rowCount))
    case (.delta, .bool8), (.delta, .int32), (.delta, .int64):
      form = try .fixed(readDelta(&reader, physical: type.physical, width: bitWidth, rowCount: rowCount))
    case (.bytes, .bytes):
      let offsets = try readLengths(&reader, count: rowCount, width: bitWidth)
      form = try .bytes(offsets: offsets, data: reader.copy(lastOffset(offsets, count: rowCount)))
    case (.dictionary, .bytes):
      form = try readDictionary(&reader, width: bitWidth, rowCount: rowCount, type: type)
    case (.list, .list):
      return try readList(&reader, width: bitWidth, validity: validity, rowCount: rowCount, type: type)
    default: throw .corrupt("a stored column has an encoding that its type \(type) cannot have")
    }
    guard reader.isAtEnd else { throw .corrupt("a stored column has bytes left over") }
    return Column(type: type, count: rowCount, validity: validity, form: form)
  }

  private static func readValidity(_ reader: inout BodyReader, rowCount: Int) throws(Fault) -> Bitmap {
    let buffer = try reader.copy(Bitmap.wordCount(rowCount) * 8)
    if rowCount & 63 != 0 {
      let last = buffer.span(of: UInt64.self)[rowCount >> 6]
      guard last >> UInt64(rowCount & 63) == 0 else { throw .corrupt("a stored column has validity past its rows") }
    }
    return Bitmap(buffer: buffer, count: rowCount)
  }

  private static func readPlain(
    _ reader: inout BodyReader, physical: PhysicalType, rowCount: Int
  ) throws(Fault) -> Buffer {
    guard let width = physical.width else { throw .corrupt("a plain column without a width") }
    let buffer = try reader.copy(rowCount * width)
    switch physical {
    case .bool8:
      let values = buffer.span(of: UInt8.self)
      var all: UInt8 = 0
      for row in 0..<rowCount { all |= values[row] }
      guard all <= 1 else { throw .corrupt("a stored boolean is neither true nor false") }
    case .numeric:
      let values = buffer.span(of: Numeric.self)
      for row in 0..<rowCount where values[row].scale > Numeric.scaleMax && !values[row].isNaN {
        throw .corrupt("a stored numeric has the scale \(values[row].scale)")
      }
    default: break
    }
    return buffer
  }

  private static func readPacked(
    _ reader: inout BodyReader, physical: PhysicalType, width: Int, rowCount: Int
  ) throws(Fault) -> Buffer {
    let base: Int64 = try reader.load()
    let packed = try reader.take(BitPacking.byteCount(count: rowCount, width: width))
    switch physical {
    case .int64:
      return Buffer.of(Int64.self, count: rowCount) { BitPacking.unpack(packed, width: width, base: base, into: &$0) }
    case .int32:
      return Buffer.of(Int32.self, count: rowCount) { BitPacking.unpack(packed, width: width, base: base, into: &$0) }
    default:
      guard base >= 0 && base <= 1 && width <= 1 else { throw .corrupt("a stored boolean is neither true nor false") }
      return Buffer.of(UInt8.self, count: rowCount) { out in
        BitPacking.unpack(packed, width: width, base: base, into: &out)
        for row in 0..<out.count { out[row] &= 1 }
      }
    }
  }

  private static func readDelta(
    _ reader: inout BodyReader, physical: PhysicalType, width: Int, rowCount: Int
  ) throws(Fault) -> Buffer {
    guard rowCount >= 1 else { throw .corrupt("a stored column of steps has no rows") }
    let first: Int64 = try reader.load()
    let step: Int64 = try reader.load()
    let packed = try reader.take(BitPacking.byteCount(count: rowCount - 1, width: width))
    let steps = Buffer.of(Int64.self, count: rowCount - 1) {
      BitPacking.unpack(packed, width: width, base: step, into: &$0)
    }
    let source = steps.span(of: Int64.self)
    switch physical {
    case .int64:
      return Buffer.of(Int64.self, count: rowCount) { out in
        var value = first
        out[0] = value
        for row in 1..<rowCount {
          value &+= source[row - 1]
          out[row] = value
        }
      }
    case .int32:
      return Buffer.of(Int32.self, count: rowCount) { out in
        var value = first
        out[0] = Int32(truncatingIfNeeded: value)
        for row in 1..<rowCount {
          value &+= source[row - 1]
          out[row] = Int32(truncatingIfNeeded: value)
        }
      }
    default:
      return Buffer.of(UInt8.self, count: rowCount) { out in
        var value = first
        out[0] = UInt8(truncatingIfNeeded: value & 1)
        for row in 1..<rowCount {
          value &+= source[row - 1]
          out[row] = UInt8(truncatingIfNeeded: value & 1)
        }
      }
    }
  }

  /// Offsets made of `count` packed lengths. Their sum fits an Int32.
  private static func readLengths(_ reader: inout BodyReader, count: Int, width: Int) throws(Fault) -> Buffer {
    guard width < 32 else { throw .corrupt("a stored length has \(width) bits") }
    let packed = try reader.take(BitPacking.byteCount(count: count, width: width))
    var total: Int64 = 0
    let offsets = Buffer.of(Int32.self, count: count + 1) { out in
      let mask: UInt64 = (1 << UInt64(width)) &- 1
      out[0] = 0
      for row in 0..<count {
        let bit = row &* width
        let word = packed.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self) >> UInt64(bit & 7)
        // count < 2^23 and each length < 2^32: no overflow of the sum.
        total &+= Int64(word & mask)
        out[row + 1] = Int32(truncatingIfNeeded: total)
      }
    }
    guard total <= Int64(Int32.max) else { throw .corrupt("a stored column has \(total) bytes") }
    return offsets
  }

  private static func lastOffset(_ offsets: Buffer, count: Int) -> Int { Int(offsets.span(of: Int32.self)[count]) }

  private static func readDictionary(
    _ reader: inout BodyReader, width: Int, rowCount: Int, type: DataType
  ) throws(Fault) -> Column.Form {
    let entryCount = Int(try reader.load() as UInt32)
    let lengthBits = Int(try reader.load() as UInt32)
    let dataBytes = Int(try reader.load() as UInt32)
    guard entryCount >= 1 && entryCount <= rowCount else {
      throw .corrupt("a stored dictionary has \(entryCount) entries for \(rowCount) rows")
    }
    guard lengthBits < 32 && width < 32 else { throw .corrupt("a stored dictionary has lengths of \(lengthBits) bits") }
    let offsets = try readLengths(&reader, count: entryCount, width: lengthBits)
    guard lastOffset(offsets, count: entryCount) == dataBytes else {
      throw .corrupt("the entries of a stored dictionary do not add up")
    }
    let data = try reader.copy(dataBytes)
    let packed = try reader.take(BitPacking.byteCount(count: rowCount, width: width))
    let codes = Buffer.of(Int32.self, count: rowCount) {
      BitPacking.unpack(packed, width: width, base: 0, into: &$0)
    }
    let values = codes.span(of: Int32.self)
    var largest: Int32 = 0
    for row in 0..<rowCount { largest = max(largest, values[row]) }
    guard Int(largest) < entryCount else { throw .corrupt("a stored code is outside of its dictionary") }
    let entries = Column(type: type, count: entryCount, validity: nil, form: .bytes(offsets: offsets, data: data))
    return .dictionary(codes: codes, dictionary: ColumnDictionary(entries))
  }

  private static func readList(
    _ reader: inout BodyReader, width: Int, validity: Bitmap?, rowCount: Int, type: DataType
  ) throws(Fault) -> Column {
    guard let elementType = type.element, elementType.physical != .list else {
      throw .corrupt("a stored list has no element type")
    }
    let elementCount = Int(try reader.load() as UInt32)
    guard elementCount <= listElementsMax else { throw .corrupt("a stored list has \(elementCount) elements") }
    let form: UInt32 = try reader.load()
    guard let encoding = ColumnEncoding(rawValue: UInt8(form & 0xFF)) else {
      throw .corrupt("the elements of a stored list have an unknown form")
    }
    let offsets = try readLengths(&reader, count: rowCount, width: width)
    guard lastOffset(offsets, count: rowCount) == elementCount else {
      throw .corrupt("the lengths of a stored list do not add up")
    }
    let elements = try decode(
      reader.rest(), encoding: encoding, bitWidth: Int(form >> 8 & 0xFF), hasValidity: form >> 16 & 1 == 1,
      rowCount: elementCount, type: elementType)
    return Column(
      type: type, count: rowCount, validity: validity, form: .list(offsets: offsets, elements: elements.flat()))
  }
}

/// Takes bytes from the front, each length checked.
struct BodyReader {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  mutating func take(_ count: Int) throws(Fault) -> UnsafeRawBufferPointer {
    guard count >= 0 && count <= bytes.count - offset else { throw .corrupt("a stored column is cut short") }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  mutating func load<T: FixedWidthInteger & BitwiseCopyable>() throws(Fault) -> T {
    T(littleEndian: try take(MemoryLayout<T>.size).loadUnaligned(as: T.self))
  }

  mutating func copy(_ count: Int) throws(Fault) -> Buffer {
    let source = try take(count)
    return Buffer(uninitializedByteCount: count) { $0.copyMemory(from: source) }
  }

  mutating func rest() throws(Fault) -> UnsafeRawBufferPointer { try take(bytes.count - offset) }
}

extension Column {
  /// The column without constant form, and without a dictionary that only bytes columns are stored with.
  fileprivate var plainForm: Column {
    switch form {
    case .fixed, .bytes, .list: self
    case .constant: flat()
    case .dictionary: type.physical == .bytes ? self : flat()
    }
  }
}
