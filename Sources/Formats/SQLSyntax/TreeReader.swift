// Reads the flat tree of CPgQuery (its header draws the bytes), in the order in which the shim wrote it.
//
// The bytes come from our own shim, so a mismatch is a defect of Cramped and not of the statement. Recursion here is as
// deep as the tree, which the shim has already limited.

import Bedrock
import CPgQuery

struct TreeReader {
  private let bytes: [UInt8]
  private var offset = 0
  let locations: LocationMap

  init(tree: [UInt8], locations: LocationMap) {
    bytes = tree
    self.locations = locations
  }

  /// The head of a node: its kind and place.
  struct Head {
    let kind: SQLNodeKind
    let byteOffset: Int
    let location: SourceLocation
  }

  var isAtEnd: Bool { offset == bytes.count }

  private func mismatch(_ expected: String) -> Fault { .bug("statement tree: \(expected) expected at byte \(offset)") }

  private mutating func take(_ count: Int) throws(Fault) -> Int {
    guard count >= 0, bytes.count - offset >= count else { throw mismatch("\(count) bytes") }
    defer { offset += count }
    return offset
  }

  private mutating func takeWord() throws(Fault) -> UInt32 {
    let start = try take(4)
    return bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self)
  }

  private mutating func takeTag() throws(Fault) -> UInt8 { bytes[try take(1)] }

  private var nextTag: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  /// Whether the next value is nothing; then it is consumed.
  mutating func skipNull() -> Bool {
    guard nextTag == UInt8(ascii: "n") else { return false }
    offset += 1
    return true
  }

  var nextIsList: Bool { nextTag == UInt8(ascii: "[") }

  mutating func integer() throws(Fault) -> Int64 {
    guard try takeTag() == UInt8(ascii: "i") else { throw mismatch("integer") }
    let start = try take(8)
    return bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: Int64.self)
  }

  mutating func flag() throws(Fault) -> Bool { try integer() != 0 }

  mutating func string() throws(Fault) -> String {
    guard try takeTag() == UInt8(ascii: "s") else { throw mismatch("string") }
    let count = Int(try takeWord())
    let start = try take(count)
    return String(decoding: bytes[start..<start + count], as: UTF8.self)
  }

  mutating func optionalString() throws(Fault) -> String? { skipNull() ? nil : try string() }

  mutating func listCount() throws(Fault) -> Int {
    guard try takeTag() == UInt8(ascii: "[") else { throw mismatch("list") }
    return Int(try takeWord())
  }

  mutating func list<Element>(
    _ element: (inout TreeReader) throws(Fault) -> Element
  ) throws(Fault) -> [Element] {
    let count = try listCount()
    var elements: [Element] = []
    // An element takes one byte at least.
    elements.reserveCapacity(min(count, bytes.count - offset))
    for _ in 0..<count { elements.append(try element(&self)) }
    return elements
  }

  /// A list of names that has no `*`.
  mutating func names() throws(Fault) -> [String] { try list { (reader) throws(Fault) in try reader.string() } }

  mutating func head() throws(Fault) -> Head {
    guard try takeTag() == UInt8(ascii: "(") else { throw mismatch("node") }
    guard let kind = SQLNodeKind(rawValue: try takeTag()) else { throw mismatch("node kind") }
    let byteOffset = Int(Int32(bitPattern: try takeWord()))
    if kind == .unsupported {
      throw Fault.unsupported(try string(), position: locations.location(byteOffset).position)
    }
    return Head(kind: kind, byteOffset: byteOffset, location: locations.location(byteOffset))
  }

  mutating func head(of kind: SQLNodeKind) throws(Fault) -> Head {
    let head = try head()
    guard head.kind == kind else { throw mismatch("node \(kind)") }
    return head
  }

  /// Nothing, or what `read` makes of the value.
  mutating func optional<Value>(
    _ read: (inout TreeReader) throws(Fault) -> Value
  ) throws(Fault) -> Value? {
    skipNull() ? nil : try read(&self)
  }
}
