// The little XML that S3 speaks, read strictly into a small tree.
//
// Taken: one root element, elements with attributes (which are checked and dropped), text, the five named entities,
// numeric character references, comments, processing instructions and an XML declaration. Refused: document types (and
// with them every entity of one's own), CDATA, names with odd characters, anything that is not well formed.
//
// Bounds: the caller bounds the bytes; depth and the number of elements are bounded here. No recursion.

import Bedrock

struct XMLElement: Equatable {
  /// Without a namespace prefix.
  let name: String
  private(set) var text = ""
  private(set) var children: [XMLElement] = []

  static let depthMax = 16
  static let elementsMax = 20_000
  static let nameBytesMax = 128

  func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }
  func text(_ name: String) -> String? { child(name)?.text }
  func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  init(name: String) { self.name = name }

  /// Throws XX001 when the bytes are not such a document.
  init(parsing bytes: [UInt8]) throws(Fault) {
    var reader = XMLReader(bytes)
    self = try reader.document()
  }

  fileprivate mutating func append(_ child: XMLElement) { children.append(child) }
  fileprivate mutating func append(_ more: String) { text += more }

  /// Text as it stands between two tags.
  static func escaped(_ text: String) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\r": out += "&#13;"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}

private struct XMLReader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private func fault(_ what: String) -> Fault {
    Fault.corrupt("the object store's answer is not XML as it should be", detail: "\(what) at byte \(place).")
  }

  mutating func document() throws(Fault) -> XMLElement {
    var open: [XMLElement] = []
    var count = 0
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
    while place < bytes.count {
      guard bytes[place] == UInt8(ascii: "<") else {
        let text = try characters()
        if open.isEmpty {
          guard text.allSatisfy(\.isWhitespace) else { throw fault("Text outside the root element") }
        } else {
          open[open.count - 1].append(text)
        }
        continue
      }
      if skip("<?") {
        try pass(through: "?>")
      } else if skip("<!--") {
        try pass(through: "-->")
      } else if skip("</") {
        let name = try self.name()
        skipBlanks()
        guard skip(">"), let closed = open.popLast(), closed.name == name else { throw fault("A wrong end tag") }
        guard !open.isEmpty else {
          try end()
          return closed
        }
        open[open.count - 1].append(closed)
      } else {
        place += 1
        count += 1
        guard count <= XMLElement.elementsMax, open.count < XMLElement.depthMax else { throw fault("Too many elements") }
        let element = XMLElement(name: try name())
        let isClosed = try attributes()
        if !isClosed {
          open.append(element)
        } else if open.isEmpty {
          try end()
          return element
        } else {
          open[open.count - 1].append(element)
        }
      }
    }
    throw fault("A missing end tag")
  }

  /// Only blanks and comments may follow the root.
  private mutating func end() throws(Fault) {
    while true {
      skipBlanks()
      if place == bytes.count { return }
      guard skip("<!--") else { throw fault("Something after the root element") }
      try pass(through: "-->")
    }
  }

  private mutating func skip(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard bytes.count - place >= count else { return false }
    for index in 0..<count where bytes[place + index] != text.utf8Start[index] { return false }
    place += count
    return true
  }

  private mutating func pass(through text: StaticString) throws(Fault) {
    while place < bytes.count {
      if skip(text) { return }
      place += 1
    }
    throw fault("No \(text)")
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

  private mutating func skipBlanks() {
    while place < bytes.count, Self.isBlank(bytes[place]) { place += 1 }
  }

  /// A name, of which the part after a namespace prefix is returned.
  private mutating func name() throws(Fault) -> String {
    let start = place
    while place < bytes.count, S3Endpoint.isUnreserved(bytes[place]) || bytes[place] == UInt8(ascii: ":") { place += 1 }
    guard place > start, place - start <= XMLElement.nameBytesMax, bytes[start] != UInt8(ascii: "-") else {
      throw fault("A wrong name")
    }
    let local = bytes[start..<place].split(separator: UInt8(ascii: ":")).last ?? []
    return String(decoding: local, as: UTF8.self)
  }

  /// Passes attributes and the end of a start tag; true when the element is empty.
  private mutating func attributes() throws(Fault) -> Bool {
    while true {
      let before = place
      skipBlanks()
      if skip("/>") { return true }
      if skip(">") { return false }
      guard place > before else { throw fault("A wrong start tag") }
      _ = try name()
      skipBlanks()
      guard skip("=") else { throw fault("An attribute without a value") }
      skipBlanks()
      guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "'") else {
        throw fault("An attribute without quotation marks")
      }
      let mark = bytes[place]
      place += 1
      while place < bytes.count, bytes[place] != mark {
        guard bytes[place] != UInt8(ascii: "<") else { throw fault("A tag inside an attribute") }
        place += 1
      }
      guard place < bytes.count else { throw fault("An attribute without an end") }
      place += 1
    }
  }

  /// Text up to the next tag, its references resolved.
  private mutating func characters() throws(Fault) -> String {
    var out: [UInt8] = []
    while place < bytes.count, bytes[place] != UInt8(ascii: "<") {
      let byte = bytes[place]
      guard byte >= 0x20 || Self.isBlank(byte) else { throw fault("A control character") }
      place += 1
      if byte == UInt8(ascii: "&") { out += try reference() } else { out.append(byte) }
    }
    guard let text = String(validating: out, as: UTF8.self) else { throw fault("Text that is not UTF-8") }
    return text
  }

  /// Behind an ampersand.
  private mutating func reference() throws(Fault) -> [UInt8] {
    let start = place
    while place < bytes.count, bytes[place] != UInt8(ascii: ";"), place - start < 10 { place += 1 }
    guard place < bytes.count, bytes[place] == UInt8(ascii: ";") else { throw fault("An unfinished reference") }
    let name = String(decoding: bytes[start..<place], as: UTF8.self)
    place += 1
    switch name {
    case "amp": return [UInt8(ascii: "&")]
    case "lt": return [UInt8(ascii: "<")]
    case "gt": return [UInt8(ascii: ">")]
    case "quot": return [UInt8(ascii: "\"")]
    case "apos": return [UInt8(ascii: "'")]
    default: break
    }
    let code: UInt32? =
      if name.hasPrefix("#x") { UInt32(name.dropFirst(2), radix: 16) } else if name.hasPrefix("#") {
        UInt32(name.dropFirst(1))
      } else { nil }
    guard let code, let scalar = Unicode.Scalar(code), code >= 0x20 || [0x09, 0x0A, 0x0D].contains(code) else {
      throw fault("An unknown reference")
    }
    return Array(String(Character(scalar)).utf8)
  }
}
