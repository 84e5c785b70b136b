// Cap'n Proto messages read in place (capnproto.org/encoding.html), with every offset checked.
//
//   framing   u32 segment count - 1, u32 words of each segment, padding to 8, segments
//   pointer   63 .............. 32  31 ........... 2  1 0
//             struct: data | ptrs   offset (signed)   0 0
//             list: count  | size   offset (signed)   0 1
//             far: segment          offset | double   1 0
//
// Limits: 512 segments; objects read in one message may cover 8 times its words, so that many pointers to one object
// cannot make work out of nothing. Nesting is bounded by the shape of the envelope: nothing here recurses.
// A pointer out of bounds, a capability or a list of the wrong kind is a `CapnpError`, never a trap.

/// Why a message is refused. The text has no bytes of the message.
struct CapnpError: Error {
  let reason: StaticString
}

struct CapnpStruct {
  let segment: Int
  /// Byte offsets into the message.
  let data: Int
  let dataBytes: Int
  let pointers: Int
  let pointerCount: Int
}

struct CapnpList {
  let segment: Int
  /// Byte offset of the first element (after the tag of a composite list).
  let start: Int
  /// 0 void, 1 bit, 2 byte, 3 two bytes, 4 four, 5 eight, 6 pointer, 7 composite.
  let elementSize: Int
  let count: Int
  /// Of the structs of a composite list.
  let dataWords: Int
  let pointerWords: Int
}

enum CapnpTarget {
  case null
  case structure(CapnpStruct)
  case list(CapnpList)
}

/// One message. The bytes must outlive it; the arrays are kept for the next message.
final class CapnpReader {
  private static let segmentsMax = 512
  private static let amplificationMax = 8
  private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  private var starts: [Int] = []
  private var words: [Int] = []
  private var wordsLeft = 0

  /// Bytes that the framing says the message has; `nil` when it is no framing.
  static func framedByteCount(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 8 else { return nil }
    let count = Int(load32(bytes, 0)) + 1
    guard count <= segmentsMax else { return nil }
    let header = (4 + 4 * count + 7) & ~7
    guard header <= bytes.count else { return nil }
    var total = header
    for index in 0..<count { total += Int(load32(bytes, 4 + 4 * index)) * 8 }
    return total
  }

  func open(_ bytes: UnsafeRawBufferPointer) throws(CapnpError) {
    guard let total = Self.framedByteCount(bytes), total == bytes.count else {
      throw CapnpError(reason: "the stream framing does not match the length")
    }
    self.bytes = bytes
    starts.removeAll(keepingCapacity: true)
    words.removeAll(keepingCapacity: true)
    let count = Int(Self.load32(bytes, 0)) + 1
    var start = (4 + 4 * count + 7) & ~7
    for index in 0..<count {
      let size = Int(Self.load32(bytes, 4 + 4 * index))
      starts.append(start)
      words.append(size)
      start += size * 8
    }
    wordsLeft = bytes.count / 8 * Self.amplificationMax
  }

  func root() throws(CapnpError) -> CapnpStruct {
    guard words[0] > 0 else { throw CapnpError(reason: "the first segment is empty") }
    guard case .structure(let root) = try follow(segment: 0, at: starts[0]) else {
      throw CapnpError(reason: "the root is not a struct")
    }
    return root
  }

  /// What pointer `index` of a struct points at; null when the struct is too old to have it.
  func pointer(_ structure: CapnpStruct, _ index: Int) throws(CapnpError) -> CapnpTarget {
    guard index < structure.pointerCount else { return .null }
    return try follow(segment: structure.segment, at: structure.pointers + index * 8)
  }

  /// Text of pointer `index` without its NUL, not yet checked for UTF-8; `nil` when the pointer is null.
  func text(_ structure: CapnpStruct, _ index: Int) throws(CapnpError) -> UnsafeBufferPointer<UInt8>? {
    guard let all = try data(structure, index) else { return nil }
    guard let last = all.last, last == 0 else { throw CapnpError(reason: "a text does not end with NUL") }
    return UnsafeBufferPointer(rebasing: all.dropLast())
  }

  /// Bytes of pointer `index`.
  func data(_ structure: CapnpStruct, _ index: Int) throws(CapnpError) -> UnsafeBufferPointer<UInt8>? {
    switch try pointer(structure, index) {
    case .null: return nil
    case .structure: throw CapnpError(reason: "a text or data field points at a struct")
    case .list(let list):
      guard list.elementSize == 2 else { throw CapnpError(reason: "a text or data field points at a list of other things") }
      return view(list)
    }
  }

  func view(_ list: CapnpList) -> UnsafeBufferPointer<UInt8> {
    UnsafeRawBufferPointer(rebasing: bytes[list.start..<(list.start + list.count)]).assumingMemoryBound(to: UInt8.self)
  }

  /// Struct `index` of a composite list.
  func element(_ list: CapnpList, _ index: Int) -> CapnpStruct {
    precondition(list.elementSize == 7 && index >= 0 && index < list.count)
    let start = list.start + index * (list.dataWords + list.pointerWords) * 8
    return CapnpStruct(
      segment: list.segment, data: start, dataBytes: list.dataWords * 8, pointers: start + list.dataWords * 8,
      pointerCount: list.pointerWords)
  }

  /// `width` bytes (1, 2, 4, 8) of the data section at `offset` in units of the width; zero past its end.
  @inline(__always)
  func bits(_ structure: CapnpStruct, width: Int, offset: Int) -> UInt64 {
    let at = offset * width
    guard at + width <= structure.dataBytes else { return 0 }
    let place = structure.data + at
    switch width {
    case 1: return UInt64(bytes[place])
    case 2: return UInt64(bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self).littleEndian)
    case 4: return UInt64(bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self).littleEndian)
    default: return bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
    }
  }

  func bit(_ structure: CapnpStruct, offset: Int) -> Bool {
    guard offset >> 3 < structure.dataBytes else { return false }
    return bytes[structure.data + offset >> 3] >> UInt8(offset & 7) & 1 == 1
  }

  // MARK: Pointers

  private func follow(segment: Int, at place: Int) throws(CapnpError) -> CapnpTarget {
    let pointer = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
    if pointer == 0 { return .null }
    if pointer & 3 != 2 {
      let word = (place - starts[segment]) / 8 + 1 + Self.offset(pointer)
      return try object(pointer, segment: segment, word: word)
    }
    return try followFar(pointer)
  }

  private func followFar(_ pointer: UInt64) throws(CapnpError) -> CapnpTarget {
    let isDouble = pointer & 4 != 0
    let segment = Int(pointer >> 32), word = Int(pointer >> 3 & 0x1FFF_FFFF)
    guard segment < starts.count, word + (isDouble ? 2 : 1) <= words[segment] else {
      throw CapnpError(reason: "a far pointer leaves its segment")
    }
    let place = starts[segment] + word * 8
    let pad = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
    if !isDouble {
      guard pad & 3 != 2 else { throw CapnpError(reason: "a far pointer lands on a far pointer") }
      if pad == 0 { return .null }
      return try object(pad, segment: segment, word: word + 1 + Self.offset(pad))
    }
    let tag = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self).littleEndian
    let other = Int(pad >> 32)
    guard pad & 7 == 2, tag & 3 < 2, other < starts.count else { throw CapnpError(reason: "a double-far pad is malformed") }
    return try object(tag, segment: other, word: Int(pad >> 3 & 0x1FFF_FFFF))
  }

  private func object(_ pointer: UInt64, segment: Int, word: Int) throws(CapnpError) -> CapnpTarget {
    switch pointer & 3 {
    case 0:
      let dataWords = Int(pointer >> 32 & 0xFFFF), pointerWords = Int(pointer >> 48)
      try charge(segment, word, dataWords + pointerWords)
      let start = starts[segment] + word * 8
      return .structure(
        CapnpStruct(
          segment: segment, data: start, dataBytes: dataWords * 8, pointers: start + dataWords * 8,
          pointerCount: pointerWords))
    case 1: return .list(try list(pointer, segment: segment, word: word))
    default: throw CapnpError(reason: "a capability pointer")
    }
  }

  private func list(_ pointer: UInt64, segment: Int, word: Int) throws(CapnpError) -> CapnpList {
    let elementSize = Int(pointer >> 32 & 7), count = Int(pointer >> 35)
    let start = starts[segment] + word * 8
    if elementSize != 7 {
      let bits = [0, 1, 8, 16, 32, 64, 64][elementSize]
      try charge(segment, word, (count * bits + 63) / 64)
      return CapnpList(
        segment: segment, start: start, elementSize: elementSize, count: count, dataWords: 0, pointerWords: 0)
    }
    try charge(segment, word, count + 1)
    let tag = bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self).littleEndian
    let elements = Int(tag >> 2 & 0x3FFF_FFFF), dataWords = Int(tag >> 32 & 0xFFFF), pointerWords = Int(tag >> 48)
    guard tag & 3 == 0, elements * (dataWords + pointerWords) <= count else {
      throw CapnpError(reason: "a list of structs overruns its words")
    }
    // Structs of no words cost nothing to send: count them as a word each.
    if dataWords + pointerWords == 0 { try spend(elements) }
    return CapnpList(
      segment: segment, start: start + 8, elementSize: 7, count: elements, dataWords: dataWords,
      pointerWords: pointerWords)
  }

  private func charge(_ segment: Int, _ word: Int, _ size: Int) throws(CapnpError) {
    guard word >= 0, word + size <= words[segment] else { throw CapnpError(reason: "a pointer leaves its segment") }
    try spend(max(size, 1))
  }

  private func spend(_ size: Int) throws(CapnpError) {
    guard size <= wordsLeft else { throw CapnpError(reason: "the traversal limit is reached") }
    wordsLeft -= size
  }

  private static func offset(_ pointer: UInt64) -> Int { Int(Int32(truncatingIfNeeded: pointer) >> 2) }

  private static func load32(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
    bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
  }
}
