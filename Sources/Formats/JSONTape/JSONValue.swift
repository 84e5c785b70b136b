// A place on the tape. All types here are plain pointers and an index: valid inside the closure of `JSONParser.parse`.
//
//   word    = type (8 bits) | payload (56 bits)
//   '{' '[' payload: count (24 bits, saturating) | index after the closing word (32 bits)
//   '"'     payload: offset into the string buffer: length (4 bytes, little-endian), bytes, NUL
//   'l' 'u' 'd'   the value is the next word
//   't' 'f' 'n'   no payload

/// What a value is. Integers have one of two kinds: `uint64` only for those over Int64.max.
package enum JSONKind: UInt8, Sendable {
  case object = 0x7B, array = 0x5B, string = 0x22
  case int64 = 0x6C, uint64 = 0x75, double = 0x64
  case bool = 0x74, null = 0x6E
}

/// One JSON value on the tape.
package struct JSONValue {
  @usableFromInline let tape: UnsafePointer<UInt64>
  @usableFromInline let strings: UnsafePointer<UInt8>
  @usableFromInline let index: Int

  @inlinable
  init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>, index: Int) {
    self.tape = tape
    self.strings = strings
    self.index = index
  }

  @inlinable var tag: UInt8 { UInt8(truncatingIfNeeded: tape[index] >> 56) }

  @inlinable package var kind: JSONKind {
    if tag == UInt8(ascii: "f") { return .bool }
    guard let kind = JSONKind(rawValue: tag) else { preconditionFailure("not the start of a value") }
    return kind
  }

  @inlinable package var isNull: Bool { tag == UInt8(ascii: "n") }

  @inlinable package var bool: Bool? {
    switch tag {
    case UInt8(ascii: "t"): true
    case UInt8(ascii: "f"): false
    default: nil
    }
  }

  /// An integer that fits Int64; nil for 1.0, which JSON spells as a double.
  @inlinable package var int64: Int64? {
    tag == UInt8(ascii: "l") ? Int64(bitPattern: tape[index + 1]) : nil
  }

  /// A non-negative integer.
  @inlinable package var uint64: UInt64? {
    switch tag {
    case UInt8(ascii: "u"): tape[index + 1]
    case UInt8(ascii: "l"): UInt64(exactly: Int64(bitPattern: tape[index + 1]))
    default: nil
    }
  }

  /// Any number; integers over 2^53 are rounded to the nearest double.
  @inlinable package var double: Double? {
    switch tag {
    case UInt8(ascii: "d"): Double(bitPattern: tape[index + 1])
    case UInt8(ascii: "l"): Double(Int64(bitPattern: tape[index + 1]))
    case UInt8(ascii: "u"): Double(tape[index + 1])
    default: nil
    }
  }

  @inlinable package var text: JSONText? {
    guard tag == UInt8(ascii: "\"") else { return nil }
    return textUnchecked
  }

  @inlinable var textUnchecked: JSONText {
    let start = strings + Int(tape[index] & 0x00FF_FFFF_FFFF_FFFF)
    let count = UnsafeRawPointer(start).loadUnaligned(as: UInt32.self).littleEndian
    return JSONText(base: start + 4, count: Int(count))
  }

  @inlinable package var object: JSONObject? {
    guard tag == UInt8(ascii: "{") else { return nil }
    return JSONObject(cursor: JSONValue(tape: tape, strings: strings, index: index + 1), end: containerEnd - 1)
  }

  @inlinable package var array: JSONArray? {
    guard tag == UInt8(ascii: "[") else { return nil }
    return JSONArray(cursor: JSONValue(tape: tape, strings: strings, index: index + 1), end: containerEnd - 1)
  }

  /// The tape index after the closing word of a container.
  @inlinable var containerEnd: Int { Int(tape[index] & 0xFFFF_FFFF) }

  /// The tape index after this value, all that it holds included.
  @inlinable var indexAfter: Int {
    switch tag {
    case UInt8(ascii: "{"), UInt8(ascii: "["): containerEnd
    case UInt8(ascii: "l"), UInt8(ascii: "u"), UInt8(ascii: "d"): index + 2
    default: index + 1
    }
  }

  @inlinable func moved(to index: Int) -> JSONValue { JSONValue(tape: tape, strings: strings, index: index) }
}

/// UTF-8 text in the parser's memory: valid, possibly with U+0000 inside.
package struct JSONText {
  package let base: UnsafePointer<UInt8>
  /// Length in bytes.
  package let count: Int

  @inlinable init(base: UnsafePointer<UInt8>, count: Int) {
    self.base = base
    self.count = count
  }

  @inlinable package var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }
  @inlinable package var rawBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(bytes) }
  package var string: String { String(decoding: bytes, as: UTF8.self) }
  /// True when PostgreSQL's text could not hold it.
  package var containsNUL: Bool { bytes.contains(0) }

  /// Byte equality with a literal, without making a String.
  package static func == (text: JSONText, literal: StaticString) -> Bool {
    literal.utf8CodeUnitCount == text.count && isEqual(text.base, literal.utf8Start, text.count)
  }
  package static func == (a: JSONText, b: JSONText) -> Bool { a.count == b.count && isEqual(a.base, b.base, a.count) }

  /// Byte equality with a name kept as bytes.
  package func equals(_ other: UnsafeRawBufferPointer) -> Bool {
    guard other.count == count else { return false }
    guard let start = other.baseAddress else { return true }
    return Self.isEqual(base, start.assumingMemoryBound(to: UInt8.self), count)
  }

  private static func isEqual(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var offset = 0
    let left = UnsafeRawPointer(a), right = UnsafeRawPointer(b)
    while count - offset >= 8 {
      if left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        != right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      {
        return false
      }
      offset += 8
    }
    while offset < count {
      if a[offset] != b[offset] { return false }
      offset += 1
    }
    return true
  }
}

/// One member of an object.
package struct JSONField {
  package let key: JSONText
  package let value: JSONValue

  @inlinable init(key: JSONText, value: JSONValue) {
    self.key = key
    self.value = value
  }
}

/// The members of an object in document order, read once from front to back; a copy starts where its original stood.
package struct JSONObject: Sequence, IteratorProtocol {
  @usableFromInline var cursor: JSONValue
  @usableFromInline let end: Int

  @inlinable init(cursor: JSONValue, end: Int) {
    self.cursor = cursor
    self.end = end
  }

  @inlinable package mutating func next() -> JSONField? {
    guard cursor.index < end else { return nil }
    let key = cursor.textUnchecked
    let value = cursor.moved(to: cursor.index + 1)
    cursor = cursor.moved(to: value.indexAfter)
    return JSONField(key: key, value: value)
  }

  /// The first member of that name: one pass, for documents of few keys.
  package func value(of key: StaticString) -> JSONValue? {
    for field in self where field.key == key { return field.value }
    return nil
  }

  /// A key that occurs twice; nil when all differ. O(n) for n <= 16 in effect, O(n log n) above.
  package func duplicateKey() -> JSONText? {
    var seen: [(hash: UInt64, key: JSONText)] = []
    for field in self { seen.append((Self.hash(field.key), field.key)) }
    if seen.count > 16 { seen.sort { $0.hash < $1.hash } }
    for index in seen.indices.dropFirst() {
      var other = index - 1
      while other >= 0 {
        let sameHash = seen[other].hash == seen[index].hash
        if sameHash && seen[other].key == seen[index].key { return seen[index].key }
        if seen.count > 16 && !sameHash { break }
        other -= 1
      }
    }
    return nil
  }

  /// FNV-1a mixed with a per-process seed, so that a sender cannot make keys collide on purpose.
  private static func hash(_ key: JSONText) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ seed
    for byte in key.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash ^ hash >> 29
  }
  private static let seed: UInt64 = {
    var hasher = Hasher()
    hasher.combine("JSONObject.duplicateKey")
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }()
}

/// The elements of an array in order, read once from front to back; a copy starts where its original stood.
package struct JSONArray: Sequence, IteratorProtocol {
  @usableFromInline var cursor: JSONValue
  @usableFromInline let end: Int

  @inlinable init(cursor: JSONValue, end: Int) {
    self.cursor = cursor
    self.end = end
  }

  @inlinable package mutating func next() -> JSONValue? {
    guard cursor.index < end else { return nil }
    let value = cursor
    cursor = cursor.moved(to: value.indexAfter)
    return value
  }
}
