// Rows about types, functions and operators: PostgreSQL's own, cut down to what Cramped has.

import Columnar
import Functions

extension RowProducers {
  static let builtinTypes: [Chunk] = staticRows(StaticTables.types, "pg_type").chunks() + builtinRowTypes
  static let ranges: [Chunk] = staticRows(StaticTables.ranges, "pg_range").chunks()
  static let languages: [Chunk] = staticRows(StaticTables.languages, "pg_language").chunks()
  static let collations: [Chunk] = staticRows(StaticTables.collations, "pg_collation").chunks()
  static let accessMethods: [Chunk] = staticRows(StaticTables.accessMethods, "pg_am").chunks()

  // MARK: Row types of relations (pg_type with typtype c)

  private static let builtinRowTypes: [Chunk] = {
    let relations = SystemRelation.all
    return rowTypeRows(
      oids: relations.map(\.rowTypeOID), names: relations.map(\.name),
      namespaces: relations.map { builtinNamespace($0.schema) }, relations: relations.map(\.oid))
  }()

  static func rowTypes(_ catalog: DatabaseCatalog) -> [Chunk] {
    let relations = catalog.userRelations.all
    return rowTypeRows(
      oids: relations.map(\.rowTypeOID), names: relations.map(\.name), namespaces: relations.map(\.schemaOID),
      relations: relations.map(\.oid))
  }

  private static func rowTypeRows(
    oids: [UInt32], names: [String], namespaces: [UInt32], relations: [UInt32]
  ) -> [Chunk] {
    var rows = blank("pg_type", count: oids.count)
    rows.set("oid", oids: oids)
    rows.set("typname", texts: names)
    rows.set("typnamespace", oids: namespaces)
    rows.set("typowner", integer: CatalogOIDs.owner)
    rows.set("typlen", integer: -1)
    rows.set("typtype", text: "c")
    rows.set("typcategory", text: "C")
    rows.set("typisdefined", boolean: true)
    rows.set("typdelim", text: ",")
    rows.set("typrelid", oids: relations)
    rows.set("typinput", integer: 2_290)
    rows.set("typoutput", integer: 2_291)
    rows.set("typreceive", integer: 2_402)
    rows.set("typsend", integer: 2_403)
    rows.set("typalign", text: "d")
    rows.set("typstorage", text: "x")
    rows.set("typtypmod", integer: -1)
    return rows.chunks()
  }

  // MARK: pg_proc, pg_operator, pg_cast

  /// What each function takes and gives, by oid.
  static let functionSignatures: [UInt32: (arguments: String, result: String)] = {
    let relation = SystemRelation.required("pg_catalog", "pg_proc")
    let names = ["oid", "proargtypes", "prorettype", "proretset"]
    let columns = names.compactMap { relation.columnIndex[$0] }
    precondition(columns.count == names.count, "pg_proc has its columns")
    func type(_ scalar: Scalar) -> String {
      TypeNames.format(oid: UInt32(truncatingIfNeeded: scalar.integer ?? 0), modifier: nil)
    }
    var signatures: [UInt32: (arguments: String, result: String)] = [:]
    for chunk in functions {
      for row in 0..<chunk.rowCount {
        let values = columns.map { chunk.columns[$0].scalar(at: row) }
        var arguments = ""
        if case .list(let types) = values[1] { arguments = types.map(type).joined(separator: ", ") }
        let result = (values[3].boolean == true ? "SETOF " : "") + type(values[2])
        signatures[UInt32(truncatingIfNeeded: values[0].integer ?? 0)] = (arguments, result)
      }
    }
    return signatures
  }()

  /// The rows of pg_proc by name (the lowest oid of several) and by oid.
  static let functionNames: (oids: [String: UInt32], names: [UInt32: String]) = {
    let relation = SystemRelation.required("pg_catalog", "pg_proc")
    guard let oid = relation.columnIndex["oid"], let name = relation.columnIndex["proname"] else {
      preconditionFailure("pg_proc without its columns")
    }
    var oids: [String: UInt32] = [:]
    var names: [UInt32: String] = [:]
    for chunk in functions {
      for row in 0..<chunk.rowCount {
        let text = chunk.columns[name].scalar(at: row).text ?? ""
        let number = UInt32(truncatingIfNeeded: chunk.columns[oid].scalar(at: row).integer ?? 0)
        oids[text] = min(oids[text] ?? .max, number)
        names[number] = text
      }
    }
    return (oids, names)
  }()

  /// Input and output functions of types, and PostgreSQL's row of each function that `FunctionCatalog` has.
  static let functions: [Chunk] = {
    let table = StaticTable(StaticTables.functions)
    guard let name = table.column("proname"), let arguments = table.column("proargtypes"),
      let kind = table.column("prokind")
    else { preconditionFailure("pg_proc without its columns") }
    let known = table.rows(of: .required("pg_catalog", "pg_proc")) { row in
      guard let proname = row[name], let types = row[arguments] else { return false }
      let oids = types.split(separator: " ").compactMap { UInt32($0) }
      return row[kind] == "a" ? isAggregate(proname, oids) : isFunction(proname, oids)
    }
    var own = known
    var input = staticRows(StaticTables.typeFunctions, "pg_proc")
    for column in ["pronamespace"] {
      own.set(column, integer: Int64(CatalogOIDs.pgCatalog))
      input.set(column, integer: Int64(CatalogOIDs.pgCatalog))
    }
    own.set("proowner", integer: CatalogOIDs.owner)
    input.set("proowner", integer: CatalogOIDs.owner)
    return input.chunks() + own.chunks()
  }()

  private static func isFunction(_ name: String, _ oids: [UInt32]) -> Bool {
    FunctionCatalog.scalars(named: name).contains { $0.isVariadic || accepts($0.parameters, oids) }
      || FunctionCatalog.tableFunctions(named: name).contains { accepts($0.parameters, oids) }
  }

  private static func isAggregate(_ name: String, _ oids: [UInt32]) -> Bool {
    FunctionCatalog.aggregates(named: name).contains { accepts($0.parameters, oids) }
  }

  private static func accepts(_ parameters: [ParameterType], _ oids: [UInt32]) -> Bool {
    guard parameters.count == oids.count else { return false }
    return zip(parameters, oids).allSatisfy { parameter, oid in
      if case .exact(let type) = parameter { return type.oid == oid }
      return true
    }
  }

  static let operators: [Chunk] = {
    let table = StaticTable(StaticTables.operators)
    guard let name = table.column("oprname"), let left = table.column("oprleft"), let right = table.column("oprright")
    else { preconditionFailure("pg_operator without its columns") }
    return table.rows(of: .required("pg_catalog", "pg_operator")) { row in
      guard let symbol = row[name] else { return false }
      let oids = [row[left], row[right]].compactMap { $0.flatMap { UInt32($0) } }.filter { $0 != 0 }
      return FunctionCatalog.operators(named: symbol).contains { accepts($0.parameters, oids) }
    }.chunks()
  }()

  static let casts: [Chunk] = staticRows(StaticTables.casts, "pg_cast").chunks()
}
