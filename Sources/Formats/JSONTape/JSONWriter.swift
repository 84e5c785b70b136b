// JSON text, appended to a byte array: Delta commits, statistics, jsonb values.
//
// The writer sets commas and colons itself: without space and with keys in the order given, or as PostgreSQL prints jsonb.
// Each number has its shortest form that reads back equal. Escaped are only what RFC 8259 section 7 demands: quote, backslash, controls.

/// Writes one JSON document, or several after `newLine()`.
package struct JSONWriter {
  package enum Style: Sendable {
    /// No space, keys as given.
    case compact
    /// A space behind each comma and colon. Objects of parsed values have their keys by length, then by bytes, each once,
    /// the last one winning: PostgreSQL's order of jsonb.
    case jsonb
  }
  /// The text so far, valid UTF-8.
  package private(set) var bytes: [UInt8] = []
  /// A comma is due before the next key or element.
  private var needsComma = false
  private var depth = 0

  private let style: Style

  package init(capacity: Int = 256, style: Style = .compact) {
    self.style = style
    bytes.reserveCapacity(capacity)
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Empties the writer and keeps its memory.
  package mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
    depth = 0
  }

  // MARK: Structure

  package mutating func beginObject() { open(UInt8(ascii: "{")) }
  package mutating func endObject() { close(UInt8(ascii: "}")) }
  package mutating func beginArray() { open(UInt8(ascii: "[")) }
  package mutating func endArray() { close(UInt8(ascii: "]")) }

  /// The key of the next value.
  package mutating func key(_ name: String) {
    separate()
    quote(name)
    colon()
    needsComma = false
  }

  package mutating func key(_ name: JSONText) {
    separate()
    quote(utf8: name.bytes)
    colon()
    needsComma = false
  }

  /// Ends a line of a file of documents, as Delta's commits are.
  package mutating func newLine() {
    precondition(depth == 0, "a line holds whole documents")
    bytes.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  private mutating func open(_ byte: UInt8) {
    separate()
    bytes.append(byte)
    depth += 1
    needsComma = false
  }

  private mutating func close(_ byte: UInt8) {
    precondition(depth > 0, "nothing is open")
    depth -= 1
    bytes.append(byte)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma {
      bytes.append(UInt8(ascii: ","))
      if style == .jsonb { bytes.append(UInt8(ascii: " ")) }
    }
    needsComma = true
  }

  private mutating func colon() {
    bytes.append(UInt8(ascii: ":"))
    if style == .jsonb { bytes.append(UInt8(ascii: " ")) }
  }

  // MARK: Values

  package mutating func null() {
    separate()
    bytes.append(contentsOf: [0x6E, 0x75, 0x6C, 0x6C])
  }

  package mutating func value(_ value: Bool) {
    separate()
    bytes.append(contentsOf: value ? Array("true".utf8) : Array("false".utf8))
  }

  package mutating func value(_ value: Int64) {
    separate()
    appendDigits(value.magnitude, negative: value < 0)
  }

  package mutating func value(_ value: UInt64) {
    separate()
    appendDigits(value, negative: false)
  }

  /// The shortest text that reads back as the same double. JSON has no infinity and no NaN: they become null.
  package mutating func value(_ value: Double) {
    guard value.isFinite else { return null() }
    separate()
    bytes.append(contentsOf: value.description.utf8)
  }

  package mutating func value(_ value: String) {
    separate()
    quote(value)
  }

  /// Bytes that are UTF-8 already.
  package mutating func value(utf8 value: UnsafeBufferPointer<UInt8>) {
    separate()
    quote(utf8: value)
  }

  /// A number or document that is JSON text already.
  package mutating func value(json text: String) {
    separate()
    bytes.append(contentsOf: text.utf8)
  }

  /// A whole parsed value with everything inside it. Recursion is bounded by the parser's depth limit.
  package mutating func value(_ value: JSONValue) {
    switch value.kind {
    case .null: null()
    case .bool: self.value(value.bool ?? false)
    case .int64: self.value(value.int64 ?? 0)
    case .uint64: self.value(value.uint64 ?? 0)
    case .double: self.value(value.double ?? 0)
    case .string: self.value(utf8: value.textUnchecked.bytes)
    case .object:
      beginObject()
      if let object = value.object {
        if style == .jsonb {
          fields(JSONBOrder.sorted(Array(object)))
        } else {
          for field in object {
            key(field.key)
            self.value(field.value)
          }
        }
      }
      endObject()
    case .array:
      beginArray()
      if let array = value.array { for element in array { self.value(element) } }
      endArray()
    }
  }

  /// Keys with their values, inside an open object.
  package mutating func fields(_ fields: [JSONField]) {
    for field in fields {
      key(field.key)
      value(field.value)
    }
  }

  // MARK: Text

  private mutating func appendDigits(_ magnitude: UInt64, negative: Bool) {
    if negative { bytes.append(UInt8(ascii: "-")) }
    if magnitude < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(magnitude)) }
    let start = bytes.count
    var rest = magnitude
    while rest > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    }
    bytes[start...].reverse()
  }

  private mutating func quote(_ string: String) {
    var string = string
    string.withUTF8 { quote(utf8: $0) }
  }

  private mutating func quote(utf8: UnsafeBufferPointer<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    var runStart = 0
    for index in utf8.indices {
      let byte = utf8[index]
      if byte >= 0x20 && byte != 0x22 && byte != 0x5C { continue }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[runStart..<index]))
      runStart = index + 1
      escape(byte)
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[runStart...]))
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x22, 0x5C: bytes.append(byte)
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    default:
      let digits: StaticString = "0123456789abcdef"
      bytes.append(contentsOf: [
        UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0"), digits.utf8Start[Int(byte >> 4)],
        digits.utf8Start[Int(byte & 15)],
      ])
    }
  }
}
