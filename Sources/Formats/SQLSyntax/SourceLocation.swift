// Places in a statement text.
//
// The parser counts bytes, the wire protocol counts characters from 1. The tree keeps characters, converted once while
// it is built: for text with bytes above 127 by a table of character counts at every 256th byte.

/// A place in the text that was parsed, in characters; it may be unknown.
package struct SourceLocation: Hashable, Sendable {
  private let character: Int32

  package static let unknown = SourceLocation(character: 0)

  /// - Parameter character: 1-based; 0 when unknown.
  init(character: Int32) {
    precondition(character >= 0, "a location counts from 1")
    self.character = character
  }

  /// 1-based character offset as `Fault.position` wants it.
  package var position: Int? { character == 0 ? nil : Int(character) }
}

/// Converts byte offsets of one text into character positions.
struct LocationMap {
  private static let stride = 256
  let bytes: [UInt8]
  /// Characters before byte `index * stride`; empty when every byte is ASCII.
  private var charactersBefore: [Int32] = []

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    guard bytes.contains(where: { $0 >= 0x80 }) else { return }
    var characters: Int32 = 0
    charactersBefore.reserveCapacity(bytes.count / Self.stride + 1)
    for (offset, byte) in bytes.enumerated() {
      if offset % Self.stride == 0 { charactersBefore.append(characters) }
      if byte & 0xC0 != 0x80 { characters += 1 }
    }
  }

  /// The location of the character at a byte offset; unknown if the offset is outside the text.
  func location(_ byteOffset: Int) -> SourceLocation {
    guard byteOffset >= 0, byteOffset <= bytes.count else { return .unknown }
    if charactersBefore.isEmpty { return SourceLocation(character: Int32(byteOffset) + 1) }
    let block = min(byteOffset / Self.stride, charactersBefore.count - 1)
    var characters = charactersBefore[block]
    for byte in bytes[block * Self.stride..<byteOffset] where byte & 0xC0 != 0x80 { characters += 1 }
    return SourceLocation(character: characters + 1)
  }
}
