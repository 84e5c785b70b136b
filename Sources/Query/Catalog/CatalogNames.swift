// Names and oids: what regclass, pg_table_is_visible and their kin ask (SessionValues answers with these).

import Plan
import StorageContract

extension DatabaseCatalog {
  /// The oid of a relation named as in SQL: `t`, `s.t`, parts folded to lower case unless quoted.
  package func relationOID(_ name: String, searchPath: [String]) -> UInt32? {
    guard let parts = Self.identifierParts(name) else { return nil }
    switch parts.count {
    case 1: return relation(schema: nil, name: parts[0], searchPath: searchPath)?.oid
    case 2: return relation(schema: parts[0], name: parts[1], searchPath: searchPath)?.oid
    default: return nil
    }
  }

  /// The name as regclass prints it: quoted where needed, with the schema when the search path does not find it.
  package func relationName(oid: UInt32, searchPath: [String]) -> String? {
    guard let (schema, name) = schemaAndName(oid: oid) else { return nil }
    let quoted = SQLIdentifier.quoted(name)
    return isVisible(schema: schema, name: name, searchPath: searchPath)
      ? quoted : "\(SQLIdentifier.quoted(schema)).\(quoted)"
  }

  /// True when the relation is the one that its bare name finds.
  package func isRelationVisible(oid: UInt32, searchPath: [String]) -> Bool {
    guard let (schema, name) = schemaAndName(oid: oid) else { return false }
    return isVisible(schema: schema, name: name, searchPath: searchPath)
  }

  package func namespaceOID(_ name: String) -> UInt32? {
    switch name {
    case "pg_catalog": CatalogOIDs.pgCatalog
    case "public": CatalogOIDs.publicSchema
    case "pg_toast": 99
    case "information_schema": Self.informationSchemaOID
    case ServerCatalog.schema: CatalogOIDs.crampedSchema
    default: schemaOIDs[name]
    }
  }

  package func namespaceName(oid: UInt32) -> String? { namespaces.first { $0.oid == oid }?.name }

  /// The SELECT of an event view, as pg_get_viewdef prints it.
  package func viewDefinition(oid: UInt32) -> String? { userRelations.find(oid: oid)?.definition }

  /// The oid of a function by its name, with or without `pg_catalog.` and argument types; the first of several.
  package func functionOID(_ name: String) -> UInt32? {
    var bare = name.prefix { $0 != "(" }
    if bare.hasPrefix("pg_catalog.") { bare = bare.dropFirst("pg_catalog.".count) }
    return RowProducers.functionNames.oids[String(bare)]
  }

  package func functionName(oid: UInt32) -> String? { RowProducers.functionNames.names[oid] }

  package func functionSignature(oid: UInt32) -> (arguments: String, result: String)? {
    RowProducers.functionSignatures[oid]
  }

  static let informationSchemaOID = StaticTables.informationSchemaOID

  /// Every schema, built-in ones first.
  var namespaces: [(oid: UInt32, name: String)] {
    let builtin: [(oid: UInt32, name: String)] = [
      (CatalogOIDs.pgCatalog, "pg_catalog"), (99, "pg_toast"),
      (Self.informationSchemaOID, "information_schema"),
    ]
    return builtin + schemaOIDs.map { (oid: $0.value, name: $0.key) }.sorted { $0.oid < $1.oid }
  }

  private func schemaAndName(oid: UInt32) -> (schema: String, name: String)? {
    if let system = SystemRelation.find(oid: oid) { return (system.schema, system.name) }
    return userRelations.find(oid: oid).map { ($0.schema, $0.name) }
  }

  private func isVisible(schema: String, name: String, searchPath: [String]) -> Bool {
    if schema == Self.temporarySchema { return true }
    let owners = userRelations.schemas(with: name)
    let path = searchPath.contains("pg_catalog") ? searchPath : ["pg_catalog"] + searchPath
    for candidate in path {
      if candidate == schema { return true }
      if candidate == Self.domainsPathElement {
        // the domains are searched in order of their names, `cramped` last
        let others = owners.filter { $0 != ServerCatalog.schema }
        if let first = others.min() ?? owners.first { return first == schema }
      } else if owners.contains(candidate) || SystemRelation.find(schema: candidate, name: name) != nil {
        return false
      }
    }
    return false
  }

  /// Splits `a."B c".d` into its parts; `nil` when it is not a list of identifiers.
  static func identifierParts(_ text: String) -> [String]? {
    var parts: [String] = []
    var rest = Substring(text)
    while true {
      while rest.first == " " { rest.removeFirst() }
      var part = ""
      if rest.first == "\"" {
        rest.removeFirst()
        while let character = rest.popFirst() {
          if character != "\"" {
            part.append(character)
          } else if rest.first == "\"" {
            part.append(rest.removeFirst())
          } else {
            break
          }
        }
      } else {
        while let character = rest.first, character != ".", character != " " {
          guard character != "\"" else { return nil }
          part += character.isASCII ? character.lowercased() : String(character)
          rest.removeFirst()
        }
      }
      if part.isEmpty { return nil }
      parts.append(part)
      while rest.first == " " { rest.removeFirst() }
      if rest.isEmpty { return parts }
      guard rest.removeFirst() == "." else { return nil }
    }
  }
}
