// Names for versions of a table. A named version is kept: neither log cleanup nor vacuum may take what it needs.
//
// They stand in the table's own log, as domain metadata, so they survive with it and every writer sees them:
//
//   cramped.versions   {"names": {"closing 2026": {"version": 12}, ...}}

package import Bedrock
import JSONTape
import StorageContract

/// A version that has a name.
package struct LakeNamedVersion: Sendable, Hashable {
  package let name: String
  package let version: Int64
  /// Until when it is kept, in microseconds since 1970; nil: as long as it has the name.
  package let keptUntilMicros: Int64?
}

extension LakeSnapshot {
  static let namesDomain = "cramped.versions"

  /// The named versions, by name. Throws XX001 when the log's entry is not understood.
  package func namedVersions() throws(Fault) -> [LakeNamedVersion] {
    guard let text = domainMetadata(Self.namesDomain) else { return [] }
    var parser = JSONParser(bytesMax: 1 << 20, depthMax: 8)
    let unknown = Fault.corrupt("domain metadata \"\(Self.namesDomain)\" of a lake table is not understood")
    return try parser.parse(Array(text.utf8)) { (root) throws(Fault) in
      guard let names = root.object?.value(of: "names")?.object else { throw unknown }
      var found: [LakeNamedVersion] = []
      for field in names {
        guard let version = field.value.object?.value(of: "version")?.int64 else { throw unknown }
        found.append(LakeNamedVersion(name: field.key.string, version: version, keptUntilMicros: nil))
      }
      return found.sorted { $0.name < $1.name }
    }
  }
}

extension LakeTable {
  private static let namesMax = 1_000

  /// The named versions, by name.
  package func namedVersions() throws(Fault) -> [LakeNamedVersion] { try refresh().namedVersions() }

  /// Names a version, the newest when none is given; returns it. A name moves when it is given again. Throws 22023 for a
  /// name that cannot stand behind an `@`, 42704 or 72000 for a version that is not there.
  package func nameVersion(_ name: String, version: Int64?) throws(Fault) -> Int64 {
    try checkVersionName(name)
    let newest = try refresh().version
    let wanted = version ?? newest
    // Proof that it can be read now; what it needs is kept from here on.
    if newest >= 0 { _ = try snapshot(at: .number(wanted)) }
    _ = try setDomain(LakeSnapshot.namesDomain, operation: "NAME VERSION") { (base) throws(Fault) in
      var names = try base.namedVersions().filter { $0.name != name }
      guard names.count < Self.namesMax else {
        throw Fault(.programLimitExceeded, "table \(self.name) has \(Self.namesMax) named versions already")
      }
      names.append(LakeNamedVersion(name: name, version: wanted, keptUntilMicros: nil))
      return Self.json(names)
    }
    return wanted
  }

  /// Takes a name away. Throws 42704 when there is no such name.
  package func dropVersionName(_ name: String) throws(Fault) {
    _ = try setDomain(LakeSnapshot.namesDomain, operation: "DROP VERSION NAME") { (base) throws(Fault) in
      let names = try base.namedVersions()
      guard names.contains(where: { $0.name == name }) else { throw Self.noName(name, self.name, names) }
      let rest = names.filter { $0.name != name }
      return rest.isEmpty ? nil : Self.json(rest)
    }
  }

  /// The table at the version of that name. Throws 42704 when there is no such name.
  func snapshot(named name: String) throws(Fault) -> LakeSnapshot {
    let names = try current.namedVersions()
    guard let found = names.first(where: { $0.name == name }) else { throw Self.noName(name, self.name, names) }
    return try snapshot(version: found.version)
  }

  private static func noName(_ name: String, _ table: String, _ known: [LakeNamedVersion]) -> Fault {
    let hint =
      known.isEmpty ? "CALL cramped.name_version gives names."
      : "Its names are: \(known.prefix(20).map { "\"\($0.name)\"" }.joined(separator: ", "))."
    return Fault(.undefinedObject, "table \(table) has no version named \"\(name)\"", hint: hint)
  }

  private func checkVersionName(_ name: String) throws(Fault) {
    let isNumber = name.first == "v" && name.dropFirst().allSatisfy(\.isNumber)
    let isPlain = !name.isEmpty && name.utf8.count <= Limits.identifierBytesMax && !name.utf8.contains { $0 < 0x20 || $0 == 0x7F }
    guard isPlain, !isNumber, name.first?.isNumber != true, !name.contains("@") else {
      throw Fault(
        .invalidParameterValue, "\"\(name.prefix(100))\" cannot name a version",
        hint: "A name begins with a letter, has no \"@\", and is not of the form v12.")
    }
  }

  private static func json(_ names: [LakeNamedVersion]) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.key("names")
    json.beginObject()
    for name in names.sorted(by: { $0.name < $1.name }) {
      json.key(name.name)
      json.beginObject()
      json.key("version")
      json.value(name.version)
      json.endObject()
    }
    json.endObject()
    json.endObject()
    return json.text
  }
}
