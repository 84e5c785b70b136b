// One data page while it is being read: definition levels, then values of one encoding.
//
// A page is decoded as far as is asked, not whole: a page of a foreign file may announce two billion rows in twenty
// bytes. The order of work for `rows` rows: levels into a bitmap, the values that exist densely into the output, then
// one pass from the back that spreads them to their rows and leaves zeros at the nulls.
//
// Invariants: every offset handed to an unchecked load was compared with `end` before; `bytes` is a `Buffer`, so 8-byte
// loads past the end are inside of its padding.

import Bedrock
import Columnar

struct PageDecoder {
  enum Values { case plain, dictionary, booleanRuns, delta, deltaLength, deltaBytes, streamSplit }

  private(set) var rowsLeft: Int
  let leaf: ParquetLeaf
  let bytes: Buffer
  private let levelBytes: Buffer
  private var levels: HybridDecoder?
  let values: Values
  let encoding: Int32
  /// Next byte (plain, deltaLength, deltaBytes: of the data part), bit (plain booleans), or value (streamSplit).
  var position: Int
  private let start: Int
  let end: Int
  var hybrid = HybridDecoder(width: 0, range: 0..<0)
  private var delta: DeltaDecoder?
  private var suffixes: DeltaDecoder?
  private var previous: [UInt8] = []

  static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet page is damaged: \(what)") }

  /// - Parameters:
  ///   - levels: where the definition levels lie, `nil` when every row has a value.
  ///   - range: the bytes of the values.
  init(
    leaf: ParquetLeaf, rows: Int, encoding: Int32, bytes: Buffer, range: Range<Int>,
    levels: (bytes: Buffer, range: Range<Int>)?
  ) throws(Fault) {
    self.leaf = leaf
    self.encoding = encoding
    rowsLeft = rows
    self.bytes = bytes
    levelBytes = levels?.bytes ?? bytes
    self.levels = levels.map { HybridDecoder(width: 1, range: $0.range) }
    start = range.lowerBound
    position = range.lowerBound
    end = range.upperBound
    switch ParquetEncoding(rawValue: encoding) {
    case .plain: values = .plain
    case .plainDictionary, .rleDictionary: values = .dictionary
    case .rle where leaf.physical == .boolean: values = .booleanRuns
    case .deltaBinaryPacked where leaf.physical == .int32 || leaf.physical == .int64: values = .delta
    case .deltaLengthByteArray where leaf.physical == .byteArray: values = .deltaLength
    case .deltaByteArray where leaf.physical == .byteArray || leaf.physical == .fixedLenByteArray: values = .deltaBytes
    case .byteStreamSplit where leaf.physical != .boolean && leaf.physical != .byteArray && leaf.physical != .int96:
      values = .streamSplit
    default: throw Fault.unsupported("Parquet encoding \(encoding) of column \(leaf.name)")
    }
    try prepare()
  }

  /// Reads what stands in front of the values. A page without values may have no bytes at all.
  private mutating func prepare() throws(Fault) {
    let range = position..<end
    switch values {
    case .plain:
      if leaf.physical == .boolean { position *= 8 }
    case .streamSplit: position = 0
    case .dictionary:
      if range.isEmpty { return }
      let width = Int(bytes.bytes.unsafeLoad(fromByteOffset: range.lowerBound, as: UInt8.self))
      guard width <= 32 else { throw Self.damaged("codes of \(width) bits") }
      hybrid = HybridDecoder(width: width, range: (range.lowerBound + 1)..<end)
    case .booleanRuns:
      if range.isEmpty { return }
      let inner = try Self.lengthPrefixed(bytes, range)
      hybrid = HybridDecoder(width: 1, range: inner)
    case .delta: try prepareDelta(range)
    case .deltaLength, .deltaBytes:
      try prepareDelta(range)
      guard let first = delta else { return }
      position = try skip(first)
      if values == .deltaLength { return }
      let rest = position..<end, rows = rowsLeft
      let second = try withPage { (page) throws(Fault) in
        try DeltaDecoder(page: page, range: rest, valuesMax: rows)
      }
      guard second.remaining == first.remaining else { throw Self.damaged("prefixes without suffixes") }
      suffixes = second
      position = try skip(second)
    }
  }

  private mutating func prepareDelta(_ range: Range<Int>) throws(Fault) {
    if range.isEmpty { return }
    let rows = rowsLeft
    delta = try withPage { (page) throws(Fault) in try DeltaDecoder(page: page, range: range, valuesMax: rows) }
  }

  private func skip(_ decoder: DeltaDecoder) throws(Fault) -> Int {
    var copy = decoder
    return try withPage { (page) throws(Fault) in try copy.skipToEnd(page: page) }
  }

  private func withPage<R>(_ body: (UnsafeRawPointer) throws(Fault) -> R) throws(Fault) -> R {
    try bytes.withUnsafeBytes { (raw) throws(Fault) -> R in
      guard let base = raw.baseAddress else { throw Self.damaged("it has no bytes") }
      return try body(base)
    }
  }

  /// The part that a 4-byte length in front of it names.
  static func lengthPrefixed(_ buffer: Buffer, _ range: Range<Int>) throws(Fault) -> Range<Int> {
    guard range.count >= 4 else { throw damaged("a length is missing") }
    let length = Int(buffer.bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: UInt32.self).littleEndian)
    guard length <= range.count - 4 else { throw damaged("a length is larger than the page") }
    return (range.lowerBound + 4)..<(range.lowerBound + 4 + length)
  }

  // MARK: Levels

  /// False when every row has a value.
  var hasLevels: Bool { levels != nil }

  /// Takes `rows` rows off the page: their validity, and how many have a value.
  mutating func takeLevels(_ rows: Int) throws(Fault) -> (validity: Bitmap?, valid: Int) {
    precondition(rows > 0 && rows <= rowsLeft)
    rowsLeft -= rows
    guard var decoder = levels else { return (nil, rows) }
    var valid = 0
    let levelBytes = self.levelBytes
    let words = try Buffer(uninitializedByteCount: Bitmap.wordCount(rows) * 8) { (out) throws(Fault) in
      out.initializeMemory(as: UInt8.self, repeating: 0)
      try levelBytes.withUnsafeBytes { (raw) throws(Fault) in
        guard let page = raw.baseAddress, let words = out.baseAddress else { return }
        valid = try decoder.decodeBits(rows, page: page, into: words.assumingMemoryBound(to: UInt64.self))
      }
    }
    levels = decoder
    return (valid == rows ? nil : Bitmap(buffer: words, count: rows), valid)
  }

  // MARK: Values

  /// Codes of the next `rows` rows, 0 at nulls. Every code is below `dictionaryCount`.
  mutating func decodeCodes(
    _ rows: Int, dictionaryCount: Int
  ) throws(Fault) -> (codes: Buffer, validity: Bitmap?) {
    let (validity, valid) = try takeLevels(rows)
    var decoder = hybrid
    let bytes = self.bytes
    let codes = try Buffer(uninitializedByteCount: rows * 4) { (raw) throws(Fault) in
      guard let base = raw.baseAddress else { return }
      let out = base.assumingMemoryBound(to: UInt32.self)
      try bytes.withUnsafeBytes { (page) throws(Fault) in
        guard let page = page.baseAddress else { return }
        try decoder.decode(valid, page: page, into: out)
      }
      guard codesAreBelow(dictionaryCount, out, valid) else { throw Self.damaged("a code outside of the dictionary") }
      spread(out, valid: valid, validity: validity, rows: rows)
    }
    hybrid = decoder
    return (codes, validity)
  }

  /// The next `rows` rows as a raw column (see `ParquetLeaf.rawType`).
  mutating func decodeRaw(_ rows: Int) throws(Fault) -> Column {
    let (validity, valid) = try takeLevels(rows)
    switch leaf.physical {
    case .boolean: return try decodeBooleans(rows, valid: valid, validity: validity)
    case .int32, .float: return try decodeWords(UInt32.self, rows, valid: valid, validity: validity)
    case .int64, .double: return try decodeWords(UInt64.self, rows, valid: valid, validity: validity)
    case .byteArray, .fixedLenByteArray, .int96:
      return try decodeBytes(rows, valid: valid, validity: validity)
    }
  }

  private mutating func decodeBooleans(_ rows: Int, valid: Int, validity: Bitmap?) throws(Fault) -> Column {
    var words = [UInt32](repeating: 0, count: rows)
    var decoder = hybrid
    let first = position
    if values == .plain {
      guard valid <= end * 8 - position else { throw Self.damaged("it ends too early") }
      position += valid
    }
    let isPlain = values == .plain
    try bytes.withUnsafeBytes { (raw) throws(Fault) in
      guard let page = raw.baseAddress else { return }
      try words.withUnsafeMutableBufferPointer { (out) throws(Fault) in
        guard let out = out.baseAddress else { return }
        if isPlain {
          unpackBits(page, bit: first, width: 1, count: valid, into: out)
        } else {
          try decoder.decode(valid, page: page, into: out)
        }
        spread(out, valid: valid, validity: validity, rows: rows)
      }
    }
    hybrid = decoder
    let source = words.span
    let buffer = Buffer.of(UInt8.self, count: rows) { out in
      for row in 0..<rows { out[row] = UInt8(truncatingIfNeeded: source[row] & 1) }
    }
    return Column.fixed(.boolean, count: rows, validity: validity, buffer)
  }

  private mutating func decodeWords<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ type: Word.Type, _ rows: Int, valid: Int, validity: Bitmap?
  ) throws(Fault) -> Column {
    let width = MemoryLayout<Word>.stride
    var decoder = delta
    let first = position
    let bytes = self.bytes, start = self.start, end = self.end, values = self.values
    switch values {
    case .plain:
      guard valid <= (end - position) / width else { throw Self.damaged("it ends too early") }
      position += valid * width
    case .streamSplit:
      guard valid <= (end - start) / width - position else { throw Self.damaged("it ends too early") }
      position += valid
    case .delta: break
    default: throw Self.damaged("an encoding that does not fit the type")
    }
    let buffer = try Buffer(uninitializedByteCount: rows * width) { (raw) throws(Fault) in
      guard let base = raw.baseAddress else { return }
      let out = base.assumingMemoryBound(to: Word.self)
      try bytes.withUnsafeBytes { (page) throws(Fault) in
        guard let page = page.baseAddress else { return }
        switch values {
        case .plain: base.copyMemory(from: page + first, byteCount: valid * width)
        case .streamSplit:
          let stream = (end - start) / width
          joinStreams(page + start + first, stream: stream, count: valid, into: base, width: width)
        default:
          if valid == 0 { return }
          guard decoder != nil else { throw Self.damaged("it has no values") }
          try decoder?.decode(valid, page: page, into: out)
        }
      }
      spread(out, valid: valid, validity: validity, rows: rows)
    }
    delta = decoder
    return Column.fixed(leaf.rawType, count: rows, validity: validity, buffer)
  }

  // MARK: Variable width

  private mutating func decodeBytes(_ rows: Int, valid: Int, validity: Bitmap?) throws(Fault) -> Column {
    var offsets = [Int32](repeating: 0, count: rows + 1)
    let data: Buffer
    switch values {
    case .plain:
      if let width = leaf.fixedByteCount {
        data = try decodeFixedBytes(valid, width: width, &offsets)
      } else {
        data = try decodePlainBytes(valid, &offsets)
      }
    case .streamSplit: data = try decodeSplitBytes(valid, width: leaf.fixedByteCount ?? 0, &offsets)
    case .deltaLength: data = try decodeDeltaLength(valid, &offsets)
    case .deltaBytes: data = try decodeDeltaBytes(valid, &offsets)
    default: throw Self.damaged("an encoding that does not fit the type")
    }
    if let validity {
      let words = validity.words
      var from = valid
      for row in stride(from: rows - 1, through: 0, by: -1) {
        offsets[row + 1] = offsets[from]
        from -= Int(words[row >> 6] >> UInt64(row & 63) & 1)
      }
    }
    return Column(
      type: leaf.rawType, count: rows, validity: validity, form: .bytes(offsets: .copying(offsets), data: data))
  }

  private mutating func decodePlainBytes(_ valid: Int, _ offsets: inout [Int32]) throws(Fault) -> Buffer {
    let first = position, end = self.end
    var cursor = position
    var total = 0
    try withPage { (page) throws(Fault) in
      for index in 0..<valid {
        guard end - cursor >= 4 else { throw Self.damaged("it ends too early") }
        let length = Int(UInt32(littleEndian: page.loadUnaligned(fromByteOffset: cursor, as: UInt32.self)))
        guard length <= end - cursor - 4 else { throw Self.damaged("a value is longer than the page") }
        cursor += 4 + length
        total += length
        // The page's size has a limit far below Int32.max.
        offsets[index + 1] = Int32(truncatingIfNeeded: total)
      }
    }
    position = cursor
    let bytes = self.bytes
    return Buffer(uninitializedByteCount: total) { out in
      guard var target = out.baseAddress else { return }
      bytes.withUnsafeBytes { page in
        guard let page = page.baseAddress else { return }
        var source = page + first
        for index in 0..<valid {
          let length = Int(offsets[index + 1] - offsets[index])
          source += 4
          target.copyMemory(from: source, byteCount: length)
          source += length
          target += length
        }
      }
    }
  }

  private static func checkTotal(_ total: Int) throws(Fault) {
    guard total <= ParquetLimits.decodedBytesMax else {
      throw Fault(.programLimitExceeded, "values of a Parquet column are too large to read at once")
    }
  }

  private mutating func decodeFixedBytes(
    _ valid: Int, width: Int, _ offsets: inout [Int32]
  ) throws(Fault) -> Buffer {
    guard valid <= (end - position) / width else { throw Self.damaged("it ends too early") }
    try Self.checkTotal(valid * width)
    for index in 0..<valid { offsets[index + 1] = Int32((index + 1) * width) }
    let first = position
    position += valid * width
    let bytes = self.bytes
    return Buffer(uninitializedByteCount: valid * width) { out in
      bytes.withUnsafeBytes { page in
        out.copyMemory(from: UnsafeRawBufferPointer(rebasing: page[first..<(first + valid * width)]))
      }
    }
  }

  private mutating func decodeSplitBytes(
    _ valid: Int, width: Int, _ offsets: inout [Int32]
  ) throws(Fault) -> Buffer {
    guard width > 0, valid <= (end - start) / width - position else { throw Self.damaged("it ends too early") }
    try Self.checkTotal(valid * width)
    for index in 0..<valid { offsets[index + 1] = Int32((index + 1) * width) }
    let first = position, start = self.start, streamLength = (end - start) / width
    position += valid
    let bytes = self.bytes
    return Buffer(uninitializedByteCount: valid * width) { out in
      bytes.withUnsafeBytes { page in
        for lane in 0..<width {
          let stream = start + lane * streamLength + first
          for index in 0..<valid { out[index * width + lane] = page[stream + index] }
        }
      }
    }
  }

  /// The next `count` lengths of a delta-coded sequence.
  private func lengths(_ count: Int, of decoder: inout DeltaDecoder?) throws(Fault) -> [UInt32] {
    if count == 0 { return [] }
    var values = [UInt32](repeating: 0, count: count)
    guard decoder != nil else { throw Self.damaged("it has no values") }
    let bytes = self.bytes
    try bytes.withUnsafeBytes { (raw) throws(Fault) in
      try values.withUnsafeMutableBufferPointer { (out) throws(Fault) in
        guard let page = raw.baseAddress, let out = out.baseAddress else { return }
        try decoder?.decode(count, page: page, into: out)
      }
    }
    return values
  }

  private mutating func decodeDeltaLength(_ valid: Int, _ offsets: inout [Int32]) throws(Fault) -> Buffer {
    let sizes = try lengths(valid, of: &delta)
    var total = 0
    for index in 0..<valid {
      total += Int(sizes[index])
      guard total <= end - position else { throw Self.damaged("a value is longer than the page") }
      offsets[index + 1] = Int32(truncatingIfNeeded: total)
    }
    let range = position..<(position + total)
    position += total
    let bytes = self.bytes
    return Buffer(uninitializedByteCount: total) { out in
      bytes.withUnsafeBytes { out.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
  }

  private mutating func decodeDeltaBytes(_ valid: Int, _ offsets: inout [Int32]) throws(Fault) -> Buffer {
    let prefixes = try lengths(valid, of: &delta), sizes = try lengths(valid, of: &suffixes)
    var total = 0, suffixTotal = 0, before = previous.count
    for index in 0..<valid {
      let prefix = Int(prefixes[index]), suffix = Int(sizes[index])
      suffixTotal += suffix
      guard prefix <= before, suffixTotal <= end - position else { throw Self.damaged("a value is longer than the page") }
      before = prefix + suffix
      if let width = leaf.fixedByteCount, before != width { throw Self.damaged("a value of another length") }
      total += before
      try Self.checkTotal(total)
      offsets[index + 1] = Int32(truncatingIfNeeded: total)
    }
    let first = position
    position += suffixTotal
    let bytes = self.bytes, previous = self.previous
    let data = Buffer(uninitializedByteCount: total) { out in
      bytes.withUnsafeBytes { page in
        var source = first
        for index in 0..<valid {
          let target = Int(offsets[index]), prefix = Int(prefixes[index]), suffix = Int(sizes[index])
          if index == 0 {
            for byte in 0..<prefix { out[byte] = previous[byte] }
          } else {
            let old = Int(offsets[index - 1])
            for byte in 0..<prefix { out[target + byte] = out[old + byte] }
          }
          for byte in 0..<suffix { out[target + prefix + byte] = page[source + byte] }
          source += suffix
        }
      }
    }
    if valid > 0 {
      let range = Int(offsets[valid - 1])..<Int(offsets[valid])
      self.previous = data.withUnsafeBytes { Array($0[range]) }
    }
    return data
  }
}

/// Moves `valid` dense values to the rows that have one, from the back; null rows become 0.
@inline(__always)
func spread<Word: FixedWidthInteger & BitwiseCopyable>(
  _ values: UnsafeMutablePointer<Word>, valid: Int, validity: Bitmap?, rows: Int
) {
  guard let validity else { return }
  let words = validity.words
  var from = valid
  var end = rows
  while end > 0 {
    let start = (end - 1) & ~63
    let word = words[start >> 6]
    if from == end {
      // All rows down from here have their value where it belongs.
      return
    }
    for row in stride(from: end - 1, through: start, by: -1) {
      let bit = Int(truncatingIfNeeded: word &>> UInt64(row & 63) & 1)
      from -= bit
      // A null row before the first value reads index 0: `from` is not negative. Masked, not branched: nulls come at random.
      values[row] = values[from] & (0 &- Word(truncatingIfNeeded: bit))
    }
    end = start
  }
}

/// Signed comparison of what may be unsigned: a code with the high bit set is found by `all`.
@inline(__always)
func codesAreBelow(_ count: Int, _ codes: UnsafePointer<UInt32>, _ valid: Int) -> Bool {
  var largest: Int32 = 0
  var all: UInt32 = 0
  for index in 0..<valid {
    largest = max(largest, Int32(bitPattern: codes[index]))
    all |= codes[index]
  }
  return valid == 0 || all < 1 << 31 && Int(largest) < count
}

/// BYTE_STREAM_SPLIT: byte k of value i stands at `k * stream + i`. Eight values at a time are a transposed square of
/// bytes. SAFETY: the caller has checked that every stream has `count` bytes from `bytes` on.
func joinStreams(
  _ bytes: UnsafeRawPointer, stream: Int, count: Int, into out: UnsafeMutableRawPointer, width: Int
) {
  var index = 0
  if width == 8 {
    while index + 8 <= count {
      let source = bytes + index
      var a = source.loadUnaligned(as: UInt64.self)
      var b = source.loadUnaligned(fromByteOffset: stream, as: UInt64.self)
      var c = source.loadUnaligned(fromByteOffset: 2 * stream, as: UInt64.self)
      var d = source.loadUnaligned(fromByteOffset: 3 * stream, as: UInt64.self)
      var e = source.loadUnaligned(fromByteOffset: 4 * stream, as: UInt64.self)
      var f = source.loadUnaligned(fromByteOffset: 5 * stream, as: UInt64.self)
      var g = source.loadUnaligned(fromByteOffset: 6 * stream, as: UInt64.self)
      var h = source.loadUnaligned(fromByteOffset: 7 * stream, as: UInt64.self)
      exchange(&a, &e, 32, 0x0000_0000_FFFF_FFFF)
      exchange(&b, &f, 32, 0x0000_0000_FFFF_FFFF)
      exchange(&c, &g, 32, 0x0000_0000_FFFF_FFFF)
      exchange(&d, &h, 32, 0x0000_0000_FFFF_FFFF)
      exchange(&a, &c, 16, 0x0000_FFFF_0000_FFFF)
      exchange(&b, &d, 16, 0x0000_FFFF_0000_FFFF)
      exchange(&e, &g, 16, 0x0000_FFFF_0000_FFFF)
      exchange(&f, &h, 16, 0x0000_FFFF_0000_FFFF)
      exchange(&a, &b, 8, 0x00FF_00FF_00FF_00FF)
      exchange(&c, &d, 8, 0x00FF_00FF_00FF_00FF)
      exchange(&e, &f, 8, 0x00FF_00FF_00FF_00FF)
      exchange(&g, &h, 8, 0x00FF_00FF_00FF_00FF)
      let target = (out + index * 8).assumingMemoryBound(to: UInt64.self)
      (target[0], target[1], target[2], target[3]) = (a, b, c, d)
      (target[4], target[5], target[6], target[7]) = (e, f, g, h)
      index += 8
    }
  } else if width == 4 {
    while index + 4 <= count {
      let source = bytes + index
      var a = UInt64(source.loadUnaligned(as: UInt32.self))
      var b = UInt64(source.loadUnaligned(fromByteOffset: stream, as: UInt32.self))
      var c = UInt64(source.loadUnaligned(fromByteOffset: 2 * stream, as: UInt32.self))
      var d = UInt64(source.loadUnaligned(fromByteOffset: 3 * stream, as: UInt32.self))
      exchange(&a, &c, 16, 0xFFFF)
      exchange(&b, &d, 16, 0xFFFF)
      exchange(&a, &b, 8, 0x00FF_00FF)
      exchange(&c, &d, 8, 0x00FF_00FF)
      let target = (out + index * 4).assumingMemoryBound(to: UInt64.self)
      // Two values a word: little-endian.
      target[0] = a & 0xFFFF_FFFF | b << 32
      target[1] = c & 0xFFFF_FFFF | d << 32
      index += 4
    }
  }
  while index < count {
    for lane in 0..<width {
      out.storeBytes(
        of: bytes.load(fromByteOffset: lane * stream + index, as: UInt8.self), toByteOffset: index * width + lane,
        as: UInt8.self)
    }
    index += 1
  }
}

/// Swaps the high part of each field of `a` with the low part of that of `b`.
@inline(__always)
private func exchange(_ a: inout UInt64, _ b: inout UInt64, _ shift: UInt64, _ mask: UInt64) {
  let difference = (a &>> shift ^ b) & mask
  b ^= difference
  a ^= difference &<< shift
}
