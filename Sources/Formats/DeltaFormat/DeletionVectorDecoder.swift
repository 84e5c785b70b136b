// Deletion vectors: bytes to deleted rows. PROTOCOL.md, "Deletion Vector Format"; the Roaring format specification.
//
//   in a file at offset   u32be size | data | u32be CRC-32 of data          (byte 0 of the file is its version, 1)
//   in the log            data, as Z85 text
//
//   data                  u32le magic | bitmaps
//   portable 1681511377   u64le n | n times: u32le key, bitmap             row = key << 32 | value
//   native   1681511376   u32le n | n times: u32le size, bitmap            keys are 0 to n - 1
//
//   bitmap                12346, u32 n            | n times: u16 key, u16 count - 1 | n times u32 offset | containers
//                         12347 | (n - 1) << 16, n bits: is a run container | the same; offsets only if n >= 4
//   container             array: u16 values ascending; bits: 1,024 words; runs: u16 n, n times: u16 start, u16 length - 1
//
// Every length is compared with the bytes that are there before anything is allocated for it. Keys rise strictly, and
// values inside an array and runs inside a container do too: what does not is refused as damaged.

package import Bedrock

package enum DeletionVectorDecoder {
  package static let bytesMax = 64 * 1_048_576
  static let portableMagic: UInt32 = 1_681_511_377
  static let nativeMagic: UInt32 = 1_681_511_376

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a deletion vector is damaged: \(what)") }

  /// A stored vector: size, data and checksum. `byteCount` is what the log says of the data.
  package static func decode(stored bytes: [UInt8], byteCount: Int, cardinality: Int64) throws(Fault) -> DeletedRows {
    guard bytes.count == byteCount + 8 else { throw damaged("it has other bytes than announced") }
    let size = bytes[0..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard size == UInt32(exactly: byteCount) else { throw damaged("its size is not that in the log") }
    let checksum = bytes[(4 + byteCount)...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let data = Array(bytes[4..<(4 + byteCount)])
    let span = data.span.bytes
    guard CRC32.checksum(span) == checksum else { throw damaged("it has a wrong checksum") }
    return try decode(data: data, cardinality: cardinality)
  }

  /// The data alone.
  package static func decode(data bytes: [UInt8], cardinality: Int64?) throws(Fault) -> DeletedRows {
    guard bytes.count <= bytesMax else { throw damaged("it has \(bytes.count) bytes, over \(bytesMax)") }
    var reader = Reader(bytes)
    var rows = DeletedRows()
    switch try reader.u32() {
    case portableMagic:
      let count = try reader.u64()
      // A bitmap has a key and at least 8 bytes.
      guard count <= UInt64(reader.left / 12) else { throw damaged("it has fewer bitmaps than announced") }
      var last = -1
      for _ in 0..<Int(count) {
        let key = Int(try reader.u32())
        guard key > last else { throw damaged("its bitmaps are out of order") }
        last = key
        try bitmap(&reader, key: key, into: &rows)
      }
    case nativeMagic:
      let count = try reader.u32()
      guard count <= UInt32(clamping: reader.left / 12) else { throw damaged("it has fewer bitmaps than announced") }
      for key in 0..<Int(count) {
        let size = Int(try reader.u32())
        guard size <= reader.left else { throw damaged("a bitmap is longer than the vector") }
        let end = reader.offset + size
        try bitmap(&reader, key: key, into: &rows)
        guard reader.offset == end else { throw damaged("a bitmap has another size than announced") }
      }
    case let magic: throw damaged("its format \(magic) is unknown")
    }
    guard reader.left == 0 else { throw damaged("bytes follow its end") }
    if let cardinality, Int64(rows.count) != cardinality {
      throw damaged("it deletes \(rows.count) rows, the log says \(cardinality)")
    }
    return rows
  }

  // MARK: One bitmap

  private static func bitmap(_ reader: inout Reader, key: Int, into rows: inout DeletedRows) throws(Fault) {
    let cookie = try reader.u32()
    var count = 0
    var runFlags: [UInt8] = []
    if cookie == 12_346 {
      let announced = try reader.u32()
      guard announced <= 65_536 else { throw damaged("a bitmap has \(announced) containers") }
      count = Int(announced)
    } else {
      guard cookie & 0xFFFF == 12_347 else { throw damaged("a bitmap begins with \(cookie)") }
      count = Int(cookie >> 16) + 1
      runFlags = try reader.bytes((count + 7) / 8)
    }
    guard count <= reader.left / 4 else { throw damaged("a bitmap has fewer containers than announced") }
    var headers: [(key: Int, count: Int)] = []
    headers.reserveCapacity(count)
    for _ in 0..<count {
      let containerKey = Int(try reader.u16())
      guard containerKey > headers.last?.key ?? -1 else { throw damaged("containers are out of order") }
      headers.append((containerKey, Int(try reader.u16()) + 1))
    }
    // Containers follow each other without gaps, so their offsets are not needed.
    if runFlags.isEmpty || count >= 4 { _ = try reader.bytes(count * 4) }
    for (index, header) in headers.enumerated() {
      let block = key << 16 | header.key
      guard block < DeletedRows.blocksMax, rows.blockCount < DeletedRows.blocksMax else {
        throw Fault(
          .programLimitExceeded, "a deletion vector goes beyond row \(DeletedRows.blocksMax * DeletedRows.blockRows)")
      }
      let isRuns = !runFlags.isEmpty && runFlags[index / 8] >> UInt8(index % 8) & 1 == 1
      try container(&reader, block: block, count: header.count, isRuns: isRuns, into: &rows)
    }
  }

  private static func container(
    _ reader: inout Reader, block: Int, count: Int, isRuns: Bool, into rows: inout DeletedRows
  ) throws(Fault) {
    if isRuns {
      let pairs = try reader.u16s(Int(try reader.u16()) * 2)
      try rows.append(block: block) { (words) throws(Fault) in try fill(words, runs: pairs, count) }
    } else if count <= 4_096 {
      let values = try reader.u16s(count)
      try rows.append(block: block) { (words) throws(Fault) in
        var last = -1
        for value in values {
          guard Int(value) > last else { throw damaged("values are out of order") }
          last = Int(value)
          words[Int(value) >> 6] |= 1 << UInt64(value & 63)
        }
      }
    } else {
      let bits = try reader.u64s(DeletedRows.blockWords)
      guard bits.reduce(0, { $0 + $1.nonzeroBitCount }) == count else { throw damaged("a container has other bits") }
      rows.append(block: block) { words in
        for index in 0..<DeletedRows.blockWords { words[index] = bits[index] }
      }
    }
  }

  private static func fill(
    _ words: UnsafeMutableBufferPointer<UInt64>, runs pairs: [UInt16], _ count: Int
  ) throws(Fault) {
    var next = 0
    var total = 0
    for pair in stride(from: 0, to: pairs.count, by: 2) {
      let start = Int(pairs[pair]), end = start + Int(pairs[pair + 1]) + 1
      guard start >= next, end <= DeletedRows.blockRows else { throw damaged("runs are out of order") }
      next = end
      total += end - start
      for value in start..<end { words[value >> 6] |= 1 << UInt64(value & 63) }
    }
    guard total == count else { throw damaged("runs have other values than announced") }
  }

  /// A cursor that checks what is left.
  private struct Reader {
    private let all: [UInt8]
    private(set) var offset = 0
    init(_ bytes: [UInt8]) { all = bytes }
    var left: Int { all.count - offset }

    private mutating func take(_ count: Int) throws(Fault) -> Range<Int> {
      guard count >= 0, count <= left else { throw damaged("it ends too early") }
      offset += count
      return (offset - count)..<offset
    }

    private mutating func word(_ count: Int) throws(Fault) -> UInt64 {
      all[try take(count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    mutating func u16() throws(Fault) -> UInt16 { UInt16(truncatingIfNeeded: try word(2)) }
    mutating func u32() throws(Fault) -> UInt32 { UInt32(truncatingIfNeeded: try word(4)) }
    mutating func u64() throws(Fault) -> UInt64 { try word(8) }
    mutating func bytes(_ count: Int) throws(Fault) -> [UInt8] { Array(all[try take(count)]) }

    mutating func u16s(_ count: Int) throws(Fault) -> [UInt16] {
      let range = try take(count * 2)
      return stride(from: range.lowerBound, to: range.upperBound, by: 2).map { UInt16(all[$0]) | UInt16(all[$0 + 1]) << 8 }
    }

    mutating func u64s(_ count: Int) throws(Fault) -> [UInt64] {
      let range = try take(count * 8)
      return stride(from: range.lowerBound, to: range.upperBound, by: 8).map { start in
        (0..<8).reduce(0) { $0 | UInt64(all[start + $1]) << UInt64($1 * 8) }
      }
    }
  }

  // MARK: Text

  /// Z85 (ZeroMQ RFC 32): five characters for four bytes. Nil for other text.
  package static func z85(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 5 == 0, digits.count <= bytesMax else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 5 * 4)
    for start in stride(from: 0, to: digits.count, by: 5) {
      var value: UInt64 = 0
      for digit in digits[start..<(start + 5)] {
        guard let number = z85Digits[Int(digit)] else { return nil }
        value = value * 85 + UInt64(number)
      }
      guard let word = UInt32(exactly: value) else { return nil }
      for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return bytes
  }

  private static let z85Digits: [UInt8?] = {
    let alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    var table = [UInt8?](repeating: nil, count: 256)
    for (number, digit) in alphabet.utf8.enumerated() { table[Int(digit)] = UInt8(number) }
    return table
  }()
}

extension DeltaDeletionVector {
  /// Where the vector lies: in the log itself, in a file of the table, or at an absolute place.
  package enum Place: Equatable {
    case inline(String)
    case relative(String)
    case absolute(String)
  }

  /// Throws XX001 when the text names no place.
  package func place() throws(Fault) -> Place {
    switch storageType {
    case "i": return .inline(pathOrInlineDv)
    case "p": return .absolute(pathOrInlineDv)
    default:
      let text = Array(pathOrInlineDv.utf8)
      guard text.count >= 20, let uuid = DeletionVectorDecoder.z85(String(decoding: text.suffix(20), as: UTF8.self)),
        uuid.count == 16
      else { throw Fault.corrupt("a deletion vector has no file: \"\(pathOrInlineDv.prefix(100))\"") }
      let digits = Array("0123456789abcdef".utf8)
      var name: [UInt8] = Array("deletion_vector_".utf8)
      for (index, byte) in uuid.enumerated() {
        if [4, 6, 8, 10].contains(index) { name.append(UInt8(ascii: "-")) }
        name.append(digits[Int(byte >> 4)])
        name.append(digits[Int(byte & 15)])
      }
      let file = String(decoding: name, as: UTF8.self) + ".bin"
      let prefix = String(decoding: text.dropLast(20), as: UTF8.self)
      return .relative(try DeltaPath.checked(prefix.isEmpty ? file : prefix + "/" + file))
    }
  }
}
