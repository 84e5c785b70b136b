// cramped.table_versions and cramped.files: the lake behind the event tables.

import Bedrock
import Columnar
import EventSchema
import Functions
import Lake
import Plan
import StorageContract
import StorageEngine

/// The lake tables of an engine's event tables, by name.
struct LakeTables: Sendable {
  let engine: StorageEngine
  let lake: Lake

  func forEach(_ body: (_ name: String, LakeTable) throws(Fault) -> Void) throws(Fault) {
    for table in engine.registeredTables() {
      try body(table.schema.name, try lake.table(domain: table.schema.domain, entity: table.schema.entity))
    }
  }

  /// The table of that name (`domain.entity`). Throws 42P01.
  func find(_ name: String) throws(Fault) -> LakeTable {
    guard let table = engine.registeredTables().first(where: { $0.schema.name == name }) else {
      throw Fault(
        .undefinedTable, "event table \"\(name)\" does not exist",
        hint: "The name has the form domain.entity; cramped.tables lists them.")
    }
    return try lake.table(domain: table.schema.domain, entity: table.schema.entity)
  }
}

private func optional(_ value: Int64?) -> Scalar { value.map { .integer($0) } ?? .null }
private func optional(_ value: String?) -> Scalar { value.map { .text($0) } ?? .null }

struct TableVersionsRelation: VirtualRelation {
  let tables: LakeTables

  var columns: [(name: String, type: DataType)] {
    [
      ("table", .text), ("version", .int8), ("timestamp", .timestamptz), ("operation", .text), ("engine", .text),
      ("files_added", .int8), ("files_removed", .int8), ("rows_added", .int8), ("rows_removed", .int8),
      ("bytes_added", .int8), ("bytes_removed", .int8), ("names", .array(.text)), ("kept_until", .timestamptz),
    ]
  }

  func rows(context: FunctionContext) throws(Fault) -> [Chunk] {
    var rows: [[Scalar]] = []
    try tables.forEach { (name, table) throws(Fault) in
      let commits = try table.commitSummaries()
      let names = Dictionary(
        grouping: try table.refresh().namedVersions(at: context.statementMicros), by: \.version)
      for commit in commits {
        let named = names[commit.version] ?? []
        // A name without an end keeps its version for ever.
        let isForEver = named.contains { $0.untilMicros == nil }
        let until: Scalar = named.isEmpty ? .null : isForEver ? .integer(.max) : optional(named.compactMap(\.untilMicros).max())
        rows.append([
          .text(name), .integer(commit.version), optional(commit.timestampMicros), optional(commit.operation),
          optional(commit.engine), .integer(Int64(commit.filesAdded)), .integer(Int64(commit.filesRemoved)),
          optional(commit.rowsAdded), optional(commit.rowsRemoved), .integer(commit.bytesAdded),
          optional(commit.bytesRemoved), named.isEmpty ? .null : .list(named.map { .text($0.name) }), until,
        ])
      }
    }
    return JobsRelation.chunks(columns, rows)
  }
}

struct FilesRelation: VirtualRelation {
  let tables: LakeTables

  var columns: [(name: String, type: DataType)] {
    [
      ("table", .text), ("path", .text), ("bytes", .int8), ("rows", .int8), ("version_added", .int8),
      ("written", .timestamptz), ("schema_version", .int8), ("min_published", .timestamptz),
      ("max_published", .timestamptz), ("sorted_by", .text), ("deleted_rows", .int8),
    ]
  }

  func rows(context: FunctionContext) throws(Fault) -> [Chunk] {
    var rows: [[Scalar]] = []
    try tables.forEach { (name, table) throws(Fault) in
      for file in try table.fileSummaries() {
        rows.append([
          .text(name), .text(file.path), .integer(file.byteCount), optional(file.rowCount), optional(file.versionAdded),
          .integer(file.modifiedMicros), optional(file.schemaVersion), optional(file.minPublished),
          optional(file.maxPublished), optional(file.sortedBy), .integer(file.deletedRows),
        ])
      }
    }
    return JobsRelation.chunks(columns, rows)
  }
}
