// Small records of the engine and of what stands on it: little-endian integers, and strings with a two-byte length.

package import Bedrock

/// Gathers the bytes of a record.
package struct RecordWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func put<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
  package mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }
  /// At most 65,535 bytes of UTF-8.
  package mutating func put(_ text: String) {
    precondition(text.utf8.count <= Int(UInt16.max), "a name too long for a record")
    put(UInt16(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }
  /// Bytes whose number the reader knows.
  package mutating func put(raw more: [UInt8]) { bytes.append(contentsOf: more) }
  /// LEB128.
  package mutating func put(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
  package mutating func put(zigzag value: Int64) { put(varint: UInt64(bitPattern: value << 1 ^ value >> 63)) }
}

/// Reads what RecordWriter wrote; throws XX001 on anything else.
package struct RecordReader {
  private let bytes: [UInt8]
  private var offset = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var isAtEnd: Bool { offset == bytes.count }

  private static var cutShort: Fault { .corrupt("a record of the engine is cut short") }

  package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) throws(Fault) -> T {
    let size = MemoryLayout<T>.size
    guard bytes.count - offset >= size else { throw Self.cutShort }
    defer { offset += size }
    return T(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) })
  }
  package mutating func boolean() throws(Fault) -> Bool { try integer(UInt8.self) != 0 }
  package mutating func string() throws(Fault) -> String {
    let length = Int(try integer(UInt16.self))
    guard bytes.count - offset >= length else { throw Self.cutShort }
    defer { offset += length }
    return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
  }
  package mutating func raw(_ count: Int) throws(Fault) -> [UInt8] {
    guard count >= 0, bytes.count - offset >= count else { throw Self.cutShort }
    defer { offset += count }
    return Array(bytes[offset..<offset + count])
  }
  package mutating func varint() throws(Fault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try integer(UInt8.self)
      guard shift < 64 else { throw .corrupt("a number of a record is too long") }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
  }
  package mutating func zigzag() throws(Fault) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }
}
