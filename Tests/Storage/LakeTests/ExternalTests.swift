// Globs, locations, Parquet files as tables, the directory of foreign tables, named versions.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
import Runtime
import StorageContract
import TestKit
import Testing

@testable import Lake

@Suite("External tables") struct ExternalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder("external") }

  // MARK: Globs

  @Test(arguments: [
    ("*", "abc", true), ("*", "", true), ("a*c", "abc", true), ("a*c", "ab", false), ("?b?", "abc", true),
    ("?", "", false), ("[a-c]x", "bx", true), ("[a-c]x", "dx", false), ("[!a-c]x", "dx", true), ("[]a]", "a", true),
    ("[a", "[a", true), ("a**b", "aXYb", true), ("*.parquet", "x.parquet", true), ("*a*b*c*", "1a2b3c4", true),
    ("*a*b*c*", "1a2c3b4", false), ("é?", "éß", true),
  ])
  func names(_ pattern: String, _ name: String, _ expected: Bool) {
    #expect(ExternalGlob.matches(Array(pattern.unicodeScalars)[...], Array(name.unicodeScalars)[...]) == expected)
  }

  @Test func starsAreLinear() {
    // Trying every split would take for ever.
    let pattern = Array(String(repeating: "*a", count: 50).unicodeScalars)
    let name = Array((String(repeating: "a", count: 2_000) + "b").unicodeScalars)
    #expect(!ExternalGlob.matches(pattern[...], name[...]))
  }

  @Test func braces() throws {
    #expect(Set(try ExternalGlob.expanded("a{b,c{d,e}}f{1,2}")) == ["abf1", "abf2", "acdf1", "acdf2", "acef1", "acef2"])
    #expect(try ExternalGlob.expanded("a{b") == ["a{b"])
    #expect(fault { () throws(Fault) in
      _ = try ExternalGlob.expanded(String(repeating: "{a,b}", count: 20))
    }?.state == .programLimitExceeded)
  }

  /// A store with empty objects at these paths.
  private func store(_ paths: [String]) throws -> LocalObjectStore {
    let store = try LocalObjectStore(path: folder.file("root"))
    for path in paths { try store.put(ObjectPath(path), [0]) }
    return store
  }

  @Test func walks() throws {
    let store = try store([
      "d/a.parquet", "d/b.txt", "d/x/c.parquet", "d/x/y/e.parquet", "d/_hidden/f.parquet", "d/.g.parquet", "d/_h.parquet",
      "d/x=1/k.parquet",
    ])
    func found(_ pattern: String) throws -> [String] { try ExternalGlob.files(pattern, in: store).map(\.path.text) }
    #expect(try found("d/*.parquet") == ["d/a.parquet"])
    #expect(try found("d/**/*.parquet") == ["d/a.parquet", "d/x/c.parquet", "d/x/y/e.parquet", "d/x=1/k.parquet"])
    #expect(try found("d/*/*.parquet") == ["d/x/c.parquet", "d/x=1/k.parquet"])
    #expect(try found("d/_hidden/*") == ["d/_hidden/f.parquet"])
    #expect(try found("d/_*") == ["d/_h.parquet"])
    #expect(try found("d/{a,b}.*") == ["d/a.parquet", "d/b.txt"])
    #expect(try found("d/x/**") == ["d/x/c.parquet", "d/x/y/e.parquet"])
    #expect(try found("d/x?1/[k]*") == ["d/x=1/k.parquet"])
    #expect(try found("nothing/*") == [])
  }

  // MARK: Locations

  @Test func placesAreBounded() throws {
    _ = try store(["lake/t/a.parquet", "secret/b.parquet"])
    let root = folder.file("root")
    let locations = try ExternalLocations(folders: ["\(root)/lake", "\(root)/none"], base: "\(root)/lake")
    let place = try locations.place(of: "\(root)/lake/t//./a.parquet")
    #expect(place.path == "lake/t/a.parquet" && place.prefix + place.path == "\(root)/lake/t/a.parquet")
    #expect(try locations.place(of: "t/a.parquet").path == "lake/t/a.parquet")
    #expect(try locations.place(of: "file://\(root)/lake/t").path == "lake/t")
    for refused in ["\(root)/secret/b.parquet", "\(root)/lake/../secret/b.parquet", "../secret/b.parquet", "/etc/passwd", "\(root)/lakeX/a"] {
      #expect(fault { () throws(Fault) in _ = try locations.place(of: refused) }?.state == .insufficientPrivilege, "\(refused)")
    }
    #expect(fault { () throws(Fault) in _ = try locations.place(of: "s3://b/k") }?.state == .featureNotSupported)
    #expect(fault { () throws(Fault) in _ = try locations.place(of: "a\nb") }?.state == .invalidParameterValue)
    #expect(fault { () throws(Fault) in _ = try locations.place(of: "") }?.state == .invalidParameterValue)
    let none = try ExternalLocations(folders: [], base: root)
    #expect(fault { () throws(Fault) in _ = try none.place(of: "\(root)/lake/t") }?.state == .insufficientPrivilege)
    let all = try ExternalLocations(folders: ["*"], base: root)
    #expect(try all.place(of: "\(root)/secret/b.parquet").path == "secret/b.parquet")
    #expect(try all.place(of: "\(root)/secret").path == "root/secret")
    #expect(fault { () throws(Fault) in _ = try all.place(of: "/no/such/folder/x") }?.state == .undefinedFile)
  }

  @Test func linksAreNotFollowed() throws {
    let store = try store(["lake/t/a.parquet", "secret/b.parquet"])
    let root = folder.file("root")
    for (target, name) in [("../secret", "folder"), ("../secret/b.parquet", "file")] {
      #expect(try ChildProcess.run("ln", ["-s", target, "\(root)/lake/\(name)"]).status == 0)
    }
    #expect(fault { () throws(Fault) in _ = try store.entry(at: ObjectPath("lake/folder/b.parquet")) }?.state == .insufficientPrivilege)
    #expect(fault { () throws(Fault) in _ = try store.entry(at: ObjectPath("lake/file")) }?.state == .insufficientPrivilege)
    #expect(try ExternalGlob.files("lake/**/*", in: store).map(\.path.text) == ["lake/t/a.parquet"])
    #expect(try ExternalGlob.files("lake/*", in: store).isEmpty)
    // A folder that may be read can itself be a link, and any of its names will do.
    #expect(try ChildProcess.run("ln", ["-s", "\(root)/lake", folder.file("link")]).status == 0)
    let locations = try ExternalLocations(folders: [folder.file("link")], base: root)
    #expect(try locations.place(of: folder.file("link") + "/t/a.parquet").path == "lake/t/a.parquet")
    #expect(try locations.place(of: "\(root)/lake/t/a.parquet").path == "lake/t/a.parquet")
  }

  // MARK: Parquet files

  private func write(
    _ path: String, _ columns: [(name: String, type: DataType, values: [Scalar])], to store: LocalObjectStore
  ) throws {
    var writer = try ParquetWriter(
      columns: columns.enumerated().map { index, column in
        ParquetColumn(name: column.name, type: column.type, isNullable: true, fieldID: Int32(index + 1), isPersonal: false)
      }, options: ParquetWriterOptions())
    var bytes: [UInt8] = []
    let chunk = Chunk(
      columns: columns.map { ColumnBuilder.column($0.type, $0.values) }, rowCount: columns[0].values.count)
    try writer.append(chunk, to: &bytes)
    _ = try writer.finish(to: &bytes)
    try store.put(ObjectPath(path), bytes)
  }

  private func reader(_ root: String) throws -> ExternalReader {
    let lake = Lake(store: try LocalObjectStore(path: root), clock: .system)
    return ExternalReader(
      lake: lake, locations: try ExternalLocations(folders: [root], base: root), lakeTables: { _ in nil })
  }

  private func rows(
    _ table: any ExternalTable, _ names: [String], _ predicates: [(String, ColumnPredicate.Test)] = []
  ) throws -> (rows: [[Scalar]], scan: any TableScan) {
    func index(_ name: String) throws -> Int { try #require(table.columns.firstIndex { $0.name == name }) }
    let request = ScanRequest(
      table: TableID(raw: 0), columns: try names.map(index),
      predicates: try predicates.map { ColumnPredicate(column: try index($0.0), test: $0.1) }, external: table)
    let scan = try table.scan(request)
    var rows: [[Scalar]] = []
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        for row in 0..<chunk.rowCount { rows.append(chunk.columns.map { $0.scalar(at: row) }) }
      }
    }
    return (rows, scan)
  }

  @Test func filesAreOneTableByName() throws {
    let root = folder.file("root")
    let store = try LocalObjectStore(path: root)
    try write("d/year=2025/a.parquet", [("id", .int4, [.integer(1), .integer(2)]), ("x", .text, [.text("p"), .null])], to: store)
    try write("d/year=2026/b.parquet", [("y", .float8, [.float(0.5)]), ("id", .int8, [.integer(1 << 40)])], to: store)
    let reader = try reader(root)
    let table = try reader.open(ExternalSource(.parquet(locations: ["d/**/*.parquet"]), hasFileName: true))
    #expect(table.columns.map(\.name) == ["id", "x", "y", "year", "filename"])
    #expect(table.columns.map(\.type) == [.int8, .text, .float8, .int8, .text])
    #expect(table.estimatedRows == 3)
    let all = try rows(table, ["id", "x", "y", "year"]).rows
    #expect(all == [
      [.integer(1), .text("p"), .null, .integer(2025)], [.integer(2), .null, .null, .integer(2025)],
      [.integer(1 << 40), .null, .float(0.5), .integer(2026)],
    ])
    let (kept, scan) = try rows(table, ["id"], [("year", .compare(.equal, .integer(2026)))])
    #expect(kept == [[.integer(1 << 40)]])
    #expect(scan.tiers[0].tier == "parquet")
    #expect(scan.tiers[0].units.first?.read == 1)
    let (one, _) = try rows(table, ["filename"], [("filename", .compare(.less, .text("\(root)/d/year=2026")))])
    #expect(one == [[.text("\(root)/d/year=2025/a.parquet")], [.text("\(root)/d/year=2025/a.parquet")]])
    // A folder stands for what is below it; without partitions its keys are no columns.
    let plain = try reader.open(ExternalSource(.parquet(locations: ["d"]), hasHivePartitions: false))
    #expect(plain.columns.map(\.name) == ["id", "x", "y"])
    #expect(try rows(plain, []).rows.count == 3)
  }

  @Test func changedFilesAreReadAnew() throws {
    let root = folder.file("root")
    let store = try LocalObjectStore(path: root)
    try write("d/a.parquet", [("id", .int4, [.integer(1)])], to: store)
    let reader = try reader(root)
    let source = ExternalSource(.parquet(locations: ["d/*.parquet"]))
    #expect(try rows(reader.open(source), ["id"]).rows == [[.integer(1)]])
    try write("d/a.parquet", [("id", .int4, [.integer(7)])], to: store)
    #expect(try rows(reader.open(source), ["id"]).rows == [[.integer(7)]])
    try write("d/b.parquet", [("id", .int4, [.integer(8)])], to: store)
    #expect(try rows(reader.open(source), ["id"]).rows == [[.integer(7)], [.integer(8)]])
  }

  @Test func faultsTellWhatIsWrong() throws {
    let root = folder.file("root")
    let store = try store(["d/no.parquet", "empty/x.txt"])
    try store.put(ObjectPath("d/text.parquet"), Array("this is a text and no Parquet file".utf8))
    try write("t/a.parquet", [("id", .int4, [.integer(1)])], to: store)
    try write("t/b.parquet", [("id", .text, [.text("1")])], to: store)
    let size = Int(try #require(try store.size(ObjectPath("t/a.parquet"))))
    var damaged = try #require(try store.get(ObjectPath("t/a.parquet"), bytesMax: size))
    for index in (size - 40)..<(size - 8) { damaged[index] = 0xFF }
    try store.put(ObjectPath("d/damaged.parquet"), damaged)
    let reader = try reader(root)
    func state(_ place: ExternalSource.Place) -> SQLState? {
      fault { () throws(Fault) in _ = try reader.open(ExternalSource(place)) }?.state
    }
    #expect(state(.parquet(locations: ["missing.parquet"])) == .undefinedFile)
    #expect(state(.parquet(locations: ["d/*.orc"])) == .undefinedFile)
    #expect(state(.parquet(locations: ["empty"])) == .undefinedFile)
    #expect(state(.parquet(locations: ["d/no.parquet"])) == .wrongObjectType)
    #expect(state(.parquet(locations: ["d/text.parquet"])) == .wrongObjectType)
    #expect(state(.parquet(locations: ["d/damaged.parquet"])) == .dataCorrupted)
    #expect(state(.parquet(locations: ["t/*.parquet"])) == .datatypeMismatch)
    #expect(state(.delta(location: "t")) == .wrongObjectType)
    #expect(state(.delta(location: "nowhere")) == .undefinedFile)
    #expect(state(.delta(location: "d/*")) == .invalidParameterValue)
    #expect(state(.lake(TableID(raw: 9))) == .undefinedTable)
  }

  @Test func widening() {
    #expect(ColumnUnion.widened(.int2, .int8) == .int8)
    #expect(ColumnUnion.widened(.float4, .float8) == .float8)
    #expect(ColumnUnion.widened(.int8, .float8) == nil)
    #expect(ColumnUnion.widened(.date, .timestamp) == nil)
    #expect(
      ColumnUnion.widened(
        .numeric(DataType.NumericModifier(precision: 10, scale: 2)), .numeric(DataType.NumericModifier(precision: 6, scale: 4)))
        == .numeric(DataType.NumericModifier(precision: 12, scale: 4)))
  }

  @Test func hivePairs() throws {
    #expect(HivePartitions.pairs("a/k=v%20w/=x/n=1/f=2.parquet").map(\.key) == ["k", "n"])
    #expect(HivePartitions.pairs("a/k=v%20w/f").map(\.value) == ["v w"])
    func types(_ paths: [String]) throws -> [String] {
      let files = try paths.map { ExternalFile(path: try ObjectPath($0), size: 1, modifiedMicros: nil) }
      return try HivePartitions(files, isWanted: nil).fields.map { "\($0.type)" }
    }
    #expect(try types(["k=1/a", "k=-2/b"]) == ["long"])
    #expect(try types(["k=01/a", "k=2/b"]) == ["string"])
    #expect(try types(["k=2026-01-31/a", "k=__HIVE_DEFAULT_PARTITION__/b"]) == ["date"])
    #expect(try types(["k=2026-02-31/a"]) == ["string"])
    #expect(try types(["k=1/a", "j=1/b"]) == [])
    #expect(try types(["k=1/a", "b"]) == [])
  }

  // MARK: Foreign tables

  @Test func definitionsOutliveTheServer() throws {
    let store = try LocalObjectStore(path: folder.file("data"))
    let directory = try ExternalDirectory(store: store)
    #expect(directory.foreignTables().isEmpty)
    let definition = ForeignTableDefinition(
      schema: "public", name: "Pri\"ces", server: .delta,
      options: [ForeignOption(name: "location", value: "/d é"), ForeignOption(name: "as_of", value: "2026-01-01")],
      source: ExternalSource(.delta(location: "/d é"), version: .asOf(micros: 5)),
      columns: [
        TableColumn(fieldID: -1, name: "a", type: .numeric(DataType.NumericModifier(precision: 10, scale: 2)), isNullable: false),
        TableColumn(fieldID: -2, name: "b", type: .array(.varchar(7)), isNullable: true),
      ], declaresColumns: true, estimatedRows: 12)
    #expect(try directory.create(definition))
    #expect(try !directory.create(definition))
    var parquet = definition
    parquet.name = "files"
    parquet.server = .parquet
    parquet.options = [ForeignOption(name: "location", value: "/p/*"), ForeignOption(name: "filename", value: "true")]
    parquet.source = ExternalSource(.parquet(locations: ["/p/*"]), hasFileName: true)
    #expect(try directory.create(parquet))
    let again = try ExternalDirectory(store: store)
    #expect(again.foreignTables() == directory.foreignTables())
    definition.expect(in: again, id: ExternalDirectory.firstTable)
    #expect(try again.drop(schema: "public", name: "Pri\"ces"))
    #expect(try !again.drop(schema: "public", name: "Pri\"ces"))
    #expect(try again.create(definition))
    // An id is never given twice.
    definition.expect(in: try ExternalDirectory(store: store), id: ExternalDirectory.firstTable + 2)
    try store.put(ObjectPath("catalog/foreign_tables.json"), Array("{\"format\": 1".utf8))
    #expect(fault { () throws(Fault) in _ = try ExternalDirectory(store: store) }?.state == .dataCorrupted)
  }
}

extension ForeignTableDefinition {
  fileprivate func expect(in directory: ExternalDirectory, id: UInt32) {
    var wanted = self
    wanted.id = TableID(raw: id)
    #expect(directory.foreignTables().contains(wanted))
  }
}
