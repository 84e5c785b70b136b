// Where an object lies: folders and a name under the root of a store, written with slashes.
//
// A path is checked once, when it is made: relative, no empty part, no `.` or `..`, no NUL or other control, no
// backslash, each part at most 255 bytes. So it can neither leave the root nor mean two things to two stores.

package import Bedrock

package struct ObjectPath: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  package static let bytesMax = 1_024
  package static let partBytesMax = 255

  /// Checks `text`; throws 22023.
  package init(_ text: String) throws(Fault) {
    guard Self.isValid(text) else {
      throw Fault(
        .invalidParameterValue, "\"\(text.prefix(200))\" is not a valid object path",
        hint: "A path is relative, has no \".\" or \"..\" part, no empty part and no control characters.")
    }
    self.text = text
  }

  /// For paths that the program itself writes; traps when one is wrong.
  package init(literal text: StaticString) {
    precondition(Self.isValid(text.description), "a literal path is valid")
    self.text = text.description
  }

  private static func isValid(_ text: String) -> Bool {
    guard !text.isEmpty, text.utf8.count <= bytesMax else { return false }
    for part in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard !part.isEmpty, part.count <= partBytesMax else { return false }
      if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return false }
      for byte in part where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\\") { return false }
    }
    return true
  }

  /// The path of `name` inside this folder. `name` may have several parts.
  package func appending(_ name: String) throws(Fault) -> ObjectPath { try ObjectPath(text + "/" + name) }

  package var parts: [Substring] { text.split(separator: "/") }
  package var name: String { String(parts[parts.count - 1]) }
  package var description: String { text }

  /// Order of bytes, as object stores list.
  package static func < (a: ObjectPath, b: ObjectPath) -> Bool {
    a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
  }
}
