// A column of our own table gets another name or a wider type.
//
// Delta has features for both that leave old files as they are: columnMapping and typeWidening. They are read here, but not
// written: Polars and PyArrow refuse tables with the first, Polars and delta-rs those with the second, and the open profile
// promises that everyone reads our tables (LAKE.md, section 0, fact 4). Instead the files are written anew under the new
// schema and replaced in one commit, so that no file ever disagrees with its table:
//
//   files of the base ─► scan, columns found by field id, values widened ─► writer ─► remove all, add all, metaData
//
// Older versions keep their names and types. The cost is that of a rebuild; memory is the writer's. Appends that come in
// between make it start over.

package import Bedrock
import Columnar
package import DeltaFormat
package import EventSchema
import ObjectStore
import StorageContract

extension LakeTable {
  private static let evolutionAttemptsMax = 5

  /// Gives the table the names and types of `schema`, whose columns are matched by field id; columns that the table lacks
  /// are added. Returns the version that has them. Throws 42P15, and changes nothing, for a type that does not hold all
  /// values of the old one; 40001 when others append all the time.
  package func evolve(to schema: TableSchema) throws(Fault) -> Int64 {
    try checkOwn()
    var attempt = 1
    while true {
      let base = try refresh()
      guard var metadata = base.delta.metadata else { return base.version }
      let before = try metadata.schema()
      let after = try Self.evolved(before, to: schema)
      if after == before { return base.version }
      metadata.schemaString = after.json
      // New columns alone are null in the files that are there.
      let isNewOnly = zip(before.fields, after.fields).allSatisfy { $0 == $1 }
      let added = isNewOnly ? [] : try rewrite(base, under: schema)
      do throws(Fault) {
        return try replace(
          LakeReplacement(
            base: base, removed: isNewOnly ? [] : base.files, added: added, dataChange: false,
            operation: "CHANGE COLUMN", metadata: metadata, refusesConcurrentAppends: !isNewOnly))
      } catch {
        guard error.state == .serializationFailure, attempt < Self.evolutionAttemptsMax else { throw error }
        attempt += 1
      }
    }
  }

  /// All rows of the base in files under `schema`.
  private func rewrite(_ base: LakeSnapshot, under schema: TableSchema) throws(Fault) -> [LakeFile] {
    let writer = try writer(schema: schema)
    let scan = try base.scan(ScanRequest(table: TableID(raw: 0), columns: writer.columns), columns: schema.columns)
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() { try writer.append(chunk) }
    }
    guard writer.rowCount == base.rowCount else {
      throw Fault.bug("lake table \(name) has \(base.rowCount) rows, \(writer.rowCount) were written anew")
    }
    return try writer.finish()
  }

  /// `before` with the names and types of `schema`, new columns behind.
  static func evolved(_ before: DeltaSchema, to schema: TableSchema) throws(Fault) -> DeltaSchema {
    var fields = before.fields
    for (_, column) in DeltaTransactionBuilder.lakeColumns(schema) {
      guard let place = fields.firstIndex(where: { $0.fieldID == column.fieldID }) else { continue }
      let type = try DeltaType(column.type), tag = DeltaField.typeTag(column.type)
      let field = fields[place]
      guard field.type == type && field.metadata[DeltaField.typeKey] == tag || (tag == nil
        && field.metadata[DeltaField.typeKey] == nil && field.type.widens(to: type))
      else {
        throw Fault(
          .invalidSchemaDefinition,
          "column \"\(column.name)\" of lake table \(schema.name) cannot become \(column.type)",
          detail: "It is of Delta type \(field.type), not all of whose values that type holds.")
      }
      fields[place].type = type
      fields[place].name = column.name
    }
    return try DeltaTransactionBuilder.schema(DeltaSchema(fields: fields), adding: schema)
  }
}

extension DeltaType {
  /// Whether every value of this type is one of `wider` (PROTOCOL.md, "Type Widening").
  package func widens(to wider: DeltaType) -> Bool {
    let integers: [DeltaType] = [.byte, .short, .integer, .long]
    let digits = [3, 5, 10, 20]
    if let from = integers.firstIndex(of: self) {
      if let to = integers.firstIndex(of: wider) { return from < to }
      if case .decimal(let precision, let scale) = wider { return precision - scale >= digits[from] }
      return wider == .double && self != .long
    }
    switch (self, wider) {
    case (.float, .double), (.date, .timestampNTZ): return true
    case (.decimal(let precision, let scale), .decimal(let toPrecision, let toScale)):
      return toScale >= scale && toPrecision - toScale >= precision - scale && wider != self
    default: return false
    }
  }
}
