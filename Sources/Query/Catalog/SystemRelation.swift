// The relations of pg_catalog and information_schema: PostgreSQL 15's names, columns and oids (Generated).

import Bedrock
import Columnar
import Functions
import Plan

/// A column of a catalog relation.
struct SystemColumnDescription: Sendable {
  let name: String
  /// pg_type.typname, which may be a type that Cramped shows as text.
  let typeName: String
  let type: DataType
  let isNullable: Bool

  /// What a row has when its producer says nothing.
  var emptyValue: Scalar {
    if isNullable { return .null }
    switch type.physical {
    case .bool8: return .boolean(false)
    case .int32, .int64: return .integer(0)
    case .float32, .float64: return .float(0)
    case .bytes: return .bytes([])
    case .list: return .list([])
    case .numeric, .interval, .uuid: return .null
    }
  }
}

final class SystemRelation: Sendable {
  let oid: UInt32
  let schema: String
  let name: String
  /// pg_class.relkind: `r` or `v`.
  let kind: String
  let rowTypeOID: UInt32
  let columns: [SystemColumnDescription]
  let columnIndex: [String: Int]

  private init(oid: UInt32, schema: String, name: String, kind: String, rowTypeOID: UInt32, columns: String) {
    self.oid = oid
    self.schema = schema
    self.name = name
    self.kind = kind
    self.rowTypeOID = rowTypeOID
    let described = columns.split(separator: ",").map { item in
      let parts = item.split(separator: " ")
      precondition(parts.count == 2, "a catalog column has a name and a type")
      let isRequired = parts[1].hasSuffix("!")
      let typeName = String(isRequired ? parts[1].dropLast() : parts[1])
      return SystemColumnDescription(
        name: String(parts[0]), typeName: typeName, type: TypeCatalog.dataType(named: typeName), isNullable: !isRequired)
    }
    self.columns = described
    columnIndex = Dictionary(uniqueKeysWithValues: described.enumerated().map { ($1.name, $0) })
  }

  /// All of them, pg_catalog first, by name.
  static let all: [SystemRelation] = {
    let bytes = UnsafeBufferPointer(
      start: StaticTables.relations.utf8Start, count: StaticTables.relations.utf8CodeUnitCount)
    return bytes.split(separator: UInt8(ascii: "\n")).map { line in
      let fields = line.split(separator: UInt8(ascii: "\t")).map { String(decoding: $0, as: UTF8.self) }
      guard fields.count == 6, let oid = UInt32(fields[0]), let rowType = UInt32(fields[4]) else {
        preconditionFailure("a line of the relation list has six fields")
      }
      return SystemRelation(
        oid: oid, schema: fields[1], name: fields[2], kind: fields[3], rowTypeOID: rowType, columns: fields[5])
    }
  }()

  private static let byName: [String: SystemRelation] = Dictionary(
    uniqueKeysWithValues: all.map { ("\($0.schema).\($0.name)", $0) })
  private static let byOID: [UInt32: SystemRelation] = Dictionary(uniqueKeysWithValues: all.map { ($0.oid, $0) })

  static func find(schema: String, name: String) -> SystemRelation? { byName["\(schema).\(name)"] }
  static func find(oid: UInt32) -> SystemRelation? { byOID[oid] }

  /// A relation that a producer of rows relies on.
  static func required(_ schema: String, _ name: String) -> SystemRelation {
    guard let relation = find(schema: schema, name: name) else { preconditionFailure("no relation \(schema).\(name)") }
    return relation
  }
}

/// A catalog relation in the catalog of one statement.
struct SystemRelationScan: VirtualRelation {
  let relation: SystemRelation
  let catalog: DatabaseCatalog

  /// After the relation's own columns comes `tableoid`, which `*` does not show.
  static let hiddenColumn = (name: "tableoid", type: DataType.oid)

  var columns: [(name: String, type: DataType)] { relation.columns.map { ($0.name, $0.type) } + [Self.hiddenColumn] }

  func rows(context: FunctionContext) throws(Fault) -> [Chunk] {
    guard let producer = RowProducers.all["\(relation.schema).\(relation.name)"] else { return [] }
    let oid = Scalar.integer(Int64(relation.oid))
    return producer(catalog, context).map { chunk in
      let tableOID = Column.constant(oid, type: Self.hiddenColumn.type, count: chunk.rowCount)
      return Chunk(columns: chunk.columns + [tableOID], rowCount: chunk.rowCount)
    }
  }
}
