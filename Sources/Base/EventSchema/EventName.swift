// The name of an event: `domain.entity.name`, for example `user.identity.created`.

package import Bedrock

package struct EventName: Hashable, Sendable, CustomStringConvertible {
  package let domain: String
  package let entity: String
  package let name: String

  /// Each part is `[a-z][a-z0-9_]*`, at most 63 bytes.
  package init(domain: String, entity: String, name: String) throws(Fault) {
    for part in [domain, entity, name] { try Self.check(part) }
    self.domain = domain
    self.entity = entity
    self.name = name
  }

  /// Parses `domain.entity.name`.
  package init(_ text: String) throws(Fault) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3 else {
      throw Fault(.invalidParameterValue, "event name \"\(text.prefix(200))\" does not have the form domain.entity.name")
    }
    try self.init(domain: parts[0], entity: parts[1], name: parts[2])
  }

  private static func check(_ part: String) throws(Fault) {
    let bytes = part.utf8
    let valid =
      !bytes.isEmpty && bytes.count <= Limits.identifierBytesMax
      && bytes.first.map { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 } == true
      && bytes.allSatisfy {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "_")
      }
    guard valid else {
      throw Fault(
        .invalidParameterValue, "\"\(part.prefix(100))\" cannot be part of an event name",
        hint: "Use lower-case letters, digits and underscores, beginning with a letter; at most 63 bytes.")
    }
  }

  package var description: String { "\(domain).\(entity).\(name)" }
}
