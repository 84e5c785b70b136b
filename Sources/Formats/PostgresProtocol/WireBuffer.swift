// The bytes on their way to a client: one growing run of memory, filled by the encoders, emptied by the socket's owner.

import Bedrock

/// A growing run of bytes with one owner. Integers are appended in network order.
// unchecked Sendable because the memory has exactly one owner: the struct cannot be copied.
package struct WireBuffer: ~Copyable, @unchecked Sendable {
  private var base: UnsafeMutableRawPointer
  private var capacity: Int
  /// Bytes held.
  package private(set) var count = 0

  /// An empty buffer with room for `capacity` bytes.
  package init(capacity: Int = 4_096) {
    precondition(capacity > 0)
    base = .allocate(byteCount: capacity, alignment: 16)
    self.capacity = capacity
  }

  deinit { base.deallocate() }

  /// Makes room for `more` bytes after the end.
  @inline(__always)
  package mutating func reserve(_ more: Int) {
    if capacity - count < more { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    precondition(more >= 0)
    let wanted = max(count + more, capacity * 2)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
    larger.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = larger
    capacity = wanted
  }

  /// Forgets the bytes and keeps the memory, unless it grew over `keeping` bytes.
  package mutating func removeAll(keeping: Int = 262_144) {
    count = 0
    if capacity > keeping {
      base.deallocate()
      base = .allocate(byteCount: keeping, alignment: 16)
      capacity = keeping
    }
  }

  /// Lets `body` write at most `limit` bytes at the end and say how many it wrote.
  @inline(__always)
  package mutating func write(limit: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) {
    reserve(limit)
    let written = body((base + count).assumingMemoryBound(to: UInt8.self))
    precondition(written >= 0 && written <= limit, "a writer passed its limit")
    count += written
  }

  /// The bytes, for the time of `body`.
  package borrowing func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// A copy of the bytes, for tests and small messages.
  package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  // MARK: Appending

  package mutating func append(_ byte: UInt8) {
    reserve(1)
    base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  @inline(__always)
  private mutating func appendBigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    reserve(MemoryLayout<T>.size)
    (base + count).storeBytes(of: value.bigEndian, as: T.self)
    count += MemoryLayout<T>.size
  }
  package mutating func append(_ value: Int16) { appendBigEndian(value) }
  package mutating func append(_ value: UInt16) { appendBigEndian(value) }
  package mutating func append(_ value: Int32) { appendBigEndian(value) }
  package mutating func append(_ value: UInt32) { appendBigEndian(value) }
  package mutating func append(_ value: Int64) { appendBigEndian(value) }
  package mutating func append(_ value: UInt64) { appendBigEndian(value) }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count)
    (base + count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }
  package mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// The UTF-8 of a string, without end mark.
  package mutating func append(_ string: String) {
    var string = string
    string.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// The UTF-8 of a string up to its first NUL, and a NUL.
  package mutating func append(terminated string: String) {
    var string = string
    string.withUTF8 { utf8 in
      let end = utf8.firstIndex(of: 0) ?? utf8.count
      append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[..<end]))
    }
    append(0 as UInt8)
  }

  // MARK: Messages

  /// Begins a message and gives the mark that `end(message:)` needs.
  package mutating func begin(message type: UInt8) -> Int {
    append(type)
    append(0 as Int32)
    return count - 4
  }

  /// Ends the message begun at `mark` by writing its length.
  package mutating func end(message mark: Int) {
    set(length: count - mark, at: mark)
  }

  /// Writes a length over the four bytes at `mark`.
  package mutating func set(length: Int, at mark: Int) {
    precondition(mark >= 0 && mark + 4 <= count && length >= 0 && length <= Int(Int32.max))
    base.storeBytes(of: Int32(length).bigEndian, toByteOffset: mark, as: Int32.self)
  }
}
