// Names for versions: kept from log cleanup and vacuum until the name is dropped or runs out.
//
// They stand in the table's own log, as domain metadata `cramped.versions`:
//
//   {"before-migration":{"version":12,"until":1795000000000000}}        until: microseconds since 1970, or absent

package import Bedrock
import DeltaFormat
import JSONTape
import Runtime

/// A version with a name.
package struct LakeNamedVersion: Sendable, Equatable {
  package let name: String
  package let version: Int64
  /// Microseconds since 1970; nil: for ever.
  package let untilMicros: Int64?
}

enum LakeVersionNames {
  static let domain = "cramped.versions"
  /// Names of one table.
  static let namesMax = 1_000

  static func decode(_ text: String?) throws(Fault) -> [LakeNamedVersion] {
    guard let text else { return [] }
    var parser = JSONParser(bytesMax: Limits.deltaLineBytesMax, depthMax: Limits.jsonDepthMax)
    return try parser.parse(Array(text.utf8)) { (root) throws(Fault) in
      guard let object = root.object else { throw Fault.corrupt("the named versions of a table are an object") }
      var names: [LakeNamedVersion] = []
      for field in object {
        guard let version = field.value.object?.value(of: "version")?.int64, version >= 0 else {
          throw Fault.corrupt("the named version \"\(field.key.string.prefix(100))\" has no version")
        }
        let until = field.value.object?.value(of: "until")?.int64
        names.append(LakeNamedVersion(name: field.key.string, version: version, untilMicros: until))
      }
      return names.sorted { $0.name < $1.name }
    }
  }

  static func encode(_ names: [LakeNamedVersion]) -> String {
    var writer = JSONWriter(capacity: 64 * names.count + 2)
    writer.beginObject()
    for name in names.sorted(by: { $0.name < $1.name }) {
      writer.key(name.name)
      writer.beginObject()
      writer.key("version")
      writer.value(name.version)
      if let until = name.untilMicros {
        writer.key("until")
        writer.value(until)
      }
      writer.endObject()
    }
    writer.endObject()
    return writer.text
  }
}

extension LakeSnapshot {
  /// The named versions of the table, by name; those that ran out before `micros` (since 1970) are left out.
  package func namedVersions(at micros: Int64) throws(Fault) -> [LakeNamedVersion] {
    try LakeVersionNames.decode(domainMetadata(LakeVersionNames.domain)).filter { $0.untilMicros ?? .max > micros }
  }
}

extension LakeTable {
  /// Gives `version` a name, until `untilMicros` (since 1970) or until it is dropped. Throws 42710 when the name is that of
  /// another version, and what `snapshot(version:)` throws for a version that is not there.
  package func nameVersion(_ name: String, _ version: Int64, untilMicros: Int64? = nil) throws(Fault) {
    guard !name.isEmpty, name.utf8.count <= Limits.identifierBytesMax else {
      throw Fault(.invalidParameterValue, "a version's name has 1 to \(Limits.identifierBytesMax) bytes")
    }
    _ = try snapshot(version: version)
    _ = try setDomain(LakeVersionNames.domain, operation: "NAME VERSION") { (base) throws(Fault) in
      var names = try base.namedVersions(at: lake.clock.nowMicros())
      if let known = names.first(where: { $0.name == name }), known.version != version {
        throw Fault(
          .duplicateObject, "version \(known.version) of lake table \(self.name) already has the name \"\(name)\"",
          hint: "Drop the name first.")
      }
      names.removeAll { $0.name == name }
      guard names.count < LakeVersionNames.namesMax else {
        throw Fault(.programLimitExceeded, "lake table \(self.name) has \(LakeVersionNames.namesMax) named versions")
      }
      names.append(LakeNamedVersion(name: name, version: version, untilMicros: untilMicros))
      return LakeVersionNames.encode(names)
    }
    // Whoever cleaned the log meanwhile did not know the name.
    _ = try snapshot(version: version)
  }

  /// Takes a name away. Throws 42704 when there is none.
  package func dropVersionName(_ name: String) throws(Fault) {
    _ = try setDomain(LakeVersionNames.domain, operation: "DROP VERSION NAME") { (base) throws(Fault) in
      var names = try base.namedVersions(at: lake.clock.nowMicros())
      guard names.contains(where: { $0.name == name }) else {
        throw Fault(.undefinedObject, "lake table \(self.name) has no version named \"\(name)\"")
      }
      names.removeAll { $0.name == name }
      return names.isEmpty ? nil : LakeVersionNames.encode(names)
    }
  }
}
