// What the writer's profile promises beyond values: nested columns, bloom filters, sizes, personal columns, statistics that
// are sound for awkward values, bytes that do not depend on threads.

import Bedrock
import Columnar
import Foundation
import Runtime
import Testing

@testable import ParquetFormat

@Suite struct WriterProfileTests {
  static func python(_ code: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", code] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  static let hasOracle: Bool = {
    // No python3 at all is the same answer as a python3 without the modules.
    guard let result = try? python("import pyarrow, duckdb", []) else { return false }
    return result.status == 0
  }()

  static func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("profile-\(UUID().uuidString).parquet")
    try Data(bytes).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }  // a temporary file that stays harms nothing
    try body(path.path)
  }

  /// `[i, i + 1, null]`, `[]`, null, `[i]` and so on.
  static func arrays(rows: Int, nullable: Bool) -> Column {
    var builder = ColumnBuilder(type: .array(.int8), capacity: rows)
    for row in 0..<rows {
      switch row % 7 {
      case 0 where nullable: builder.appendNull()
      case 1: builder.append(.list([]))
      default:
        builder.append(.list((0..<(row % 7)).map { $0 == 2 ? .null : .integer(Int64(row + $0)) }))
      }
    }
    return builder.finish()
  }

  @Test(arguments: [true, false]) func othersReadArrays(isNullable: Bool) throws {
    guard Self.hasOracle else { return print("skipped: python3 with pyarrow and duckdb is not installed") }
    let rows = 30_000
    let columns = [
      ParquetColumn(name: "list", type: .array(.int8), isNullable: isNullable, fieldID: 3),
      ParquetColumn(name: "n", type: .int8, isNullable: false, fieldID: 4),
    ]
    var options = ParquetWriterOptions()
    options.pageRowsMax = 1_000
    options.rowGroupRowsMax = 20_000
    let numbers = ColumnBuilder.column(.int8, (0..<rows).map { .integer(Int64($0)) })
    let chunk = Chunk(columns: [Self.arrays(rows: rows, nullable: isNullable), numbers], rowCount: rows)
    let (bytes, summary) = try Files.write(columns, [chunk], options: options)
    #expect(summary.rowCount == rows)
    try Self.withFile(bytes) { path in
      let code = """
        import sys, pyarrow.parquet as pq, duckdb
        nullable = sys.argv[2] == 'true'
        def row(i):
          if i % 7 == 0: return None if nullable else []
          if i % 7 == 1: return []
          return [None if k == 2 else i + k for k in range(i % 7)]
        file = pq.ParquetFile(sys.argv[1], page_checksum_verification=True)
        wanted = [row(i) for i in range(\(rows))]
        assert file.read().column('list').to_pylist() == wanted
        found = duckdb.sql(f"select list from '{sys.argv[1]}' where n between 19990 and 20010 order by n").fetchall()
        assert [r[0] for r in found] == wanted[19990:20011], found
        assert file.schema.column(0).path == 'list.list.element'
        assert file.schema.column(0).max_repetition_level == 1
        field = file.schema_arrow.field('list')
        assert field.metadata[b'PARQUET:field_id'] == b'3'
        assert field.type.value_field.metadata[b'PARQUET:field_id'] == b'1000000003', field.type.value_field.metadata
        """
      let result = try Self.python(code, [path, "\(isNullable)"])
      #expect(result.status == 0, "\(result.output)")
    }
  }

  @Test func othersReadStructuresAndMaps() throws {
    guard Self.hasOracle else { return print("skipped: python3 with pyarrow and duckdb is not installed") }
    let schema: [ParquetNode] = [
      .structure(
        name: "add", isNullable: true, fieldID: 1,
        [
          .value(ParquetColumn(name: "path", type: .text, isNullable: false, fieldID: 2)),
          .map(
            name: "tags", isNullable: true, fieldID: nil,
            key: ParquetColumn(name: "key", type: .text, isNullable: false, fieldID: 5),
            value: .value(ParquetColumn(name: "value", type: .int4, isNullable: true, fieldID: 6))),
        ])
    ]
    // null | {a, null} | {b, {}} | {c, {x: 1, y: null}}
    let paths = ParquetLeafRows(
      values: ColumnBuilder.column(.text, [.null, .text("a"), .text("b"), .text("c")]), definitions: [0, 1, 1, 1])
    let keys = ParquetLeafRows(
      values: ColumnBuilder.column(.text, [.null, .null, .null, .text("x"), .text("y")]),
      definitions: [0, 1, 2, 3, 3], repetitions: [0, 0, 0, 0, 1])
    let values = ParquetLeafRows(
      values: ColumnBuilder.column(.int4, [.null, .null, .null, .integer(1), .null]),
      definitions: [0, 1, 2, 4, 3], repetitions: [0, 0, 0, 0, 1])
    var writer = try ParquetWriter(schema: schema)
    var bytes: [UInt8] = []
    try writer.append(leaves: [paths, keys, values], rowCount: 4, to: &bytes)
    _ = try writer.finish(to: &bytes)
    try Self.withFile(bytes) { path in
      let code = """
        import sys, pyarrow.parquet as pq, duckdb
        found = pq.read_table(sys.argv[1]).column('add').to_pylist()
        assert found == [None, {'path': 'a', 'tags': None}, {'path': 'b', 'tags': []},
          {'path': 'c', 'tags': [('x', 1), ('y', None)]}], found
        rows = duckdb.sql(f"select add from '{sys.argv[1]}'").fetchall()
        assert rows[3][0]['tags'] == {'x': 1, 'y': None} and rows[0][0] is None, rows
        """
      let result = try Self.python(code, [path])
      #expect(result.status == 0, "\(result.output)")
    }
  }

  @Test func textsOfNumericsAndIntervalsComeBack() throws {
    let numerics: [Scalar] = [
      .null, .numeric(Numeric(coefficient: -125, scale: 2) ?? .zero), .numeric(.nan), .numeric(.zero),
      .numeric(Numeric(coefficient: 5, scale: 30) ?? .zero),
      .numeric(Numeric(coefficient: 12_345_678_901_234_567_890_123_456_789, scale: 0) ?? .zero),
    ]
    let intervals: [Scalar] = [
      .interval(Interval(months: -14, days: 3, micros: .min)), .null, .interval(Interval()),
      .interval(Interval(months: .max, days: .min, micros: 1)), .null, .interval(Interval(micros: -1)),
    ]
    let columns = [
      ParquetColumn(name: "numeric", type: .numeric(nil), isNullable: true, fieldID: 1),
      ParquetColumn(name: "interval", type: .interval, isNullable: true, fieldID: 2),
    ]
    let chunk = Chunk(
      columns: [ColumnBuilder.column(.numeric(nil), numerics), ColumnBuilder.column(.interval, intervals)], rowCount: 6)
    let (bytes, summary) = try Files.write(columns, [chunk])
    let file = try Files.parse(bytes)
    #expect(try Files.scalars(bytes, file, column: 0, as: .numeric(nil)) == numerics)
    #expect(try Files.scalars(bytes, file, column: 1, as: .interval) == intervals)
    // Texts are not ordered as their values: no bounds anywhere.
    #expect(summary.columns.allSatisfy { $0.min == nil && $0.max == nil && $0.nullCount != nil })
    #expect(file.rowGroups[0].columns.allSatisfy { $0.statistics?.min == nil && $0.columnIndexRange == nil })
  }

  @Test func personalColumnsLeaveNoTrace() throws {
    let texts = (0..<20_000).map { Scalar.text("person-\($0 % 50)@example.org") }
    let column = ParquetColumn(
      name: "email", type: .text, isNullable: true, fieldID: 1, isPersonal: true, bloomFilter: .automatic)
    let (bytes, summary) = try Files.write(
      [column], [Chunk(columns: [ColumnBuilder.column(.text, texts)], rowCount: texts.count)])
    let chunk = try Files.parse(bytes).rowGroups[0].columns[0]
    #expect(chunk.statistics == nil && chunk.columnIndexRange == nil)
    #expect(summary.columns[0].nullCount == nil && summary.columns[0].min == nil)
    guard Self.hasOracle else { return }
    try Self.withFile(bytes) { path in
      let code = """
        import sys, pyarrow.parquet as pq, duckdb
        column = pq.ParquetFile(sys.argv[1]).metadata.row_group(0).column(0)
        assert not column.has_dictionary_page and not column.is_stats_set and not column.has_column_index, column
        row = duckdb.sql(f"select bloom_filter_offset from parquet_metadata('{sys.argv[1]}')").fetchone()
        assert row[0] is None, row
        """
      let result = try Self.python(code, [path])
      #expect(result.status == 0, "\(result.output)")
    }
  }

  @Test func bloomFiltersFindEveryValue() throws {
    var seed = Seed(7)
    let rows = 40_000
    let ids = (0..<rows).map { _ in Scalar.integer(Int64(bitPattern: seed.next() >> 1)) }
    let names = (0..<rows).map { _ in Scalar.text("user-\(seed.next() % 1_000_000_000)") }
    let columns = [
      ParquetColumn(name: "id", type: .int8, isNullable: false, fieldID: 1, bloomFilter: .automatic),
      ParquetColumn(name: "name", type: .text, isNullable: false, fieldID: 2, bloomFilter: .automatic),
      ParquetColumn(name: "sequence", type: .int8, isNullable: false, fieldID: 3, bloomFilter: .automatic),
      ParquetColumn(name: "few", type: .text, isNullable: false, fieldID: 4, bloomFilter: .automatic),
    ]
    let chunk = Chunk(
      columns: [
        ColumnBuilder.column(.int8, ids), ColumnBuilder.column(.text, names),
        ColumnBuilder.column(.int8, (0..<rows).map { .integer(Int64($0)) }),
        ColumnBuilder.column(.text, (0..<rows).map { .text("k\($0 % 9)") }),
      ], rowCount: rows)
    let (bytes, _) = try Files.write(columns, [chunk])
    guard Self.hasOracle else { return print("skipped: python3 with pyarrow and duckdb is not installed") }
    try Self.withFile(bytes) { path in
      let code = """
        import sys, duckdb, pyarrow.parquet as pq
        path = sys.argv[1]
        has = duckdb.sql(f"select path_in_schema, bloom_filter_offset, bloom_filter_length from parquet_metadata('{path}')")
        has = {r[0]: r[1:] for r in has.fetchall()}
        assert has['id'][0] and has['name'][0] and not has['sequence'][0] and not has['few'][0], has
        # 1 % at 40,000 values: 64 KiB, give or take the power of two.
        assert 30_000 < has['id'][1] < 140_000, has
        data = pq.read_table(path)
        def excluded(name, value):
          sql = f"select bloom_filter_excludes from parquet_bloom_probe('{path}', '{name}', {value})"
          return duckdb.sql(sql).fetchone()[0]
        for name, quote in (('id', str), ('name', repr)):
          for value in data.column(name).to_pylist()[::2001]: assert not excluded(name, quote(value)), value
        absent = sum(excluded('id', -i - 1) for i in range(300))
        assert absent > 285, absent
        """
      let result = try Self.python(code, [path])
      #expect(result.status == 0, "\(result.output)")
    }
  }

  @Test func threadsDoNotChangeTheFile() throws {
    var seed = Seed(5)
    let types = RandomData.types
    let declared = types.enumerated().map {
      ParquetColumn(name: "c\($0.offset)", type: $0.element, isNullable: true, fieldID: Int32($0.offset))
    }
    let rows = 9_000
    let chunks = (0..<8).map { _ in
      Chunk(
        columns: types.map { RandomData.column($0, rows: rows, shape: .many, nullsPerThousand: 50, seed: &seed) },
        rowCount: rows)
    }
    var options = ParquetWriterOptions()
    options.rowGroupRowsMax = 30_000
    let (alone, _) = try Files.write(declared, chunks, options: options)
    let team = WorkTeam(name: "test", threadCount: 3)
    var writer = try ParquetWriter(columns: declared, options: options)
    writer.parallel = { count, body in team.run(count, body) }
    var together: [UInt8] = []
    for chunk in chunks { try writer.append(chunk, to: &together) }
    _ = try writer.finish(to: &together)
    #expect(alone == together)
    team.shutdown()
  }

  @Test func compactEncodingsComeBack() throws {
    guard Self.hasOracle else { return print("skipped: python3 with pyarrow and duckdb is not installed") }
    var seed = Seed(11)
    let rows = 20_000
    let texts = (0..<rows).map { Scalar.text("https://example.org/a/long/prefix/\(1_000_000 + $0 * 3)/\(seed.below(10))") }
    let floats = (0..<rows).map { Scalar.float(Double(Int($0)) + Double(seed.below(1_000_000)) / 1e7) }
    var options = ParquetWriterOptions()
    options.isCompact = true
    let columns = [
      ParquetColumn(name: "url", type: .text, isNullable: false, fieldID: 1),
      ParquetColumn(name: "value", type: .float8, isNullable: false, fieldID: 2),
    ]
    let chunk = Chunk(
      columns: [ColumnBuilder.column(.text, texts), ColumnBuilder.column(.float8, floats)], rowCount: rows)
    let (bytes, _) = try Files.write(columns, [chunk], options: options)
    let file = try Files.parse(bytes)
    #expect(try Files.scalars(bytes, file, column: 0) == texts)
    #expect(try Files.scalars(bytes, file, column: 1) == floats)
    try Self.withFile(bytes) { path in
      let code = """
        import sys, pyarrow.parquet as pq
        file = pq.ParquetFile(sys.argv[1])
        column = file.read().column('url').to_pylist()
        assert len(set(column)) == 20000 and column[1].startswith('https://example.org/a/long/prefix/1000003/')
        group = file.metadata.row_group(0)
        assert 'DELTA_BYTE_ARRAY' in group.column(0).encodings, group.column(0).encodings
        assert 'BYTE_STREAM_SPLIT' in group.column(1).encodings, group.column(1).encodings
        """
      let result = try Self.python(code, [path])
      #expect(result.status == 0, "\(result.output)")
    }
  }
}
