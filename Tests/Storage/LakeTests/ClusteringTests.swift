// Layout of rows along clustering keys: curves, merges in bounded memory, and what pruning gains.

import Bedrock
import Columnar
import EventSchema
import Foundation
import ObjectStore
import Runtime
import StorageContract
import TestKit
import Testing

@testable import Lake

@Suite("Clustering")
struct ClusteringTests {
  // MARK: Curves

  /// All points of a grid with `side` values in each of `axes` directions, one column each.
  private func grid(axes: Int, side: Int) -> (points: [[Int]], ranks: [ClusteringRanks]) {
    var points: [[Int]] = [[]]
    for _ in 0..<axes { points = points.flatMap { point in (0..<side).map { point + [$0] } } }
    let ranks = (0..<axes).map { axis in
      ClusteringRanks(ColumnBuilder.column(.int4, points.map { .integer(Int64($0[axis])) }))
    }
    return (points, ranks)
  }

  @Test(
    "a curve gives every point its own place; the Z-order rises with each key, Hilbert's curve steps to a neighbour",
    arguments: [(2, 16), (3, 8), (4, 4)])
  func curves(axes: Int, side: Int) {
    let (points, ranks) = grid(axes: axes, side: side)
    for curve in LakeClustering.Curve.allCases {
      let codes = ClusteringCurve.codes(ranks, curve)
      #expect(Set(codes).count == points.count && codes.allSatisfy { $0 >= 0 })
      let byCode = points.indices.sorted { codes[$0] < codes[$1] }.map { points[$0] }
      if curve == .hilbert {
        for (a, b) in zip(byCode, byCode.dropFirst()) {
          #expect(zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } == 1, "\(a) and \(b) are neighbours")
        }
      } else {
        for (index, point) in points.enumerated() {
          for axis in 0..<axes where point[axis] + 1 < side {
            var next = point
            next[axis] += 1
            let other = next.reduce(0) { $0 * side + $1 }
            #expect(codes[index] < codes[other], "\(point) before \(next)")
          }
        }
      }
    }
  }

  @Test("ranks follow the order of values in every type, nulls last; among a sample they only know its values")
  func ranks() {
    var generator = SeededGenerator(seed: 7)
    let numeric = DataType.numeric(DataType.NumericModifier(precision: 20, scale: 2))
    for type in [DataType.boolean, .int2, .int4, .int8, .float4, .float8, numeric, .text, .date, .time, .timestamp, .uuid] {
      #expect(ClusteringRanks.hasOrder(type))
      let values = (0..<120).map { _ in MeasurementTable.value(type, &generator) }
      let ranks = ClusteringRanks(ColumnBuilder.column(type, values).flat())
      #expect(ranks.count == Set(values).count, "\(type)")
      for (a, rank) in zip(values, ranks.ranks) {
        for (b, other) in zip(values, ranks.ranks) {
          let isLess = Self.isLess(a, b)
          #expect(isLess == (rank < other), "\(type): \(a) and \(b)")
        }
      }
      let known = ranks.among(firstRows: 40)
      #expect(known.count == Set(values.prefix(40)).count + 1)
      for row in values.indices {
        let notGreater = Set(values.prefix(40)).count { !Self.isLess(values[row], $0) }
        #expect(Int(known.ranks[row]) == notGreater, "\(type)")
      }
    }
  }

  private static func isLess(_ a: Scalar, _ b: Scalar) -> Bool {
    switch (a, b) {
    case (.null, _): false
    case (_, .null): true
    case (.integer(let a), .integer(let b)): a < b
    case (.float(let a), .float(let b)): a < b
    case (.boolean(let a), .boolean(let b)): !a && b
    case (.numeric(let a), .numeric(let b)): a.coefficient < b.coefficient
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    case (.uuid(let a), .uuid(let b)):
      withUnsafeBytes(of: a) { a in withUnsafeBytes(of: b) { b in a.lexicographicallyPrecedes(b) } }
    default: false
    }
  }

  // MARK: Tables

  /// `iot.measurement` with two keys that have nothing to do with each other or with time.
  private static let schema = MeasurementTable.table([
    ("a", .int4, false), ("b", .text, false), ("load", .text, false), ("email", .text, true), ("list", .array(.int4), false),
  ])
  private static let side: Int64 = 200

  private static func rows(_ positions: Range<Int64>, seed: UInt64 = 3, load: Int = 20) -> [[Scalar]] {
    positions.map { position in
      var generator = SeededGenerator(seed: seed ^ UInt64(position) &* 0x9E37_79B9)
      let letters = [UInt8](unsafeUninitializedCapacity: load) { bytes, count in
        var word: UInt64 = 0
        for index in 0..<load {
          word = index % 8 == 0 ? generator.next() : word >> 8
          bytes[index] = 97 + UInt8(word & 0xFF) % 26
        }
        count = load
      }
      return Fixture.lakeColumns(schema).map { column in
        switch column.name {
        case "sequence", "_pos": .integer(position)
        case "name": .text("recorded")
        case "published", "received": .integer(Fixture.start + position * 1_000)
        case "a": Int.random(in: 0..<50, using: &generator) == 0 ? .null : .integer(Int64.random(in: 0..<side, using: &generator))
        case "b": .text("b" + String(1_000 + Int64.random(in: 0..<side, using: &generator)))
        case "load": .bytes(letters)
        case "list": .list([.integer(position), .null])
        default: .null
        }
      }
    }
  }

  private struct Table {
    let folder: TemporaryFolder
    let store: CountingObjectStore
    let table: LakeTable

    init(_ name: String, in folder: TemporaryFolder? = nil, _ clustering: LakeClustering, change: (inout LakeOptions) -> Void = { _ in })
      throws
    {
      let folder = try folder ?? TemporaryFolder(name)
      self.folder = folder
      var options = LakeOptions()
      options.clustering.tables["iot.measurement"] = clustering
      change(&options)
      store = CountingObjectStore(try LocalObjectStore(path: folder.path))
      table = try Lake(store: store, clock: .system, options: options).table(domain: "iot", entity: "measurement")
    }

    /// As many flushes, each of as many rows.
    func feed(_ flushes: Int64, _ rows: Int64, load: Int = 20) throws {
      for flush in 0..<flushes {
        _ = try table.flush(
          ClusteringTests.rows(flush * rows..<(flush + 1) * rows, load: load), schema: ClusteringTests.schema,
          expected: flush == 0 ? nil : flush * rows - 1, version: (flush + 1) * rows - 1)
      }
    }

    func layout() throws -> LakeClustering {
      table.layout(of: ClusteringTests.schema, in: try table.refresh()).clustering
    }

    func rewrite(_ group: RewriteGroup, _ options: CompactionOptions) throws -> RewriteReceipt {
      try table.rewrite(group, schema: ClusteringTests.schema, options: options) { (_, _) throws(Fault) in }
    }

    /// Clusters until nothing is due; the number of steps.
    func cluster(_ options: CompactionOptions, isFull: Bool = true) throws -> Int {
      var steps = 0
      while let group = try table.refresh().clusteringGroup(options, layout: try layout(), isFull: isFull) {
        _ = try rewrite(group, options)
        steps += 1
        try #require(steps < 50, "clustering comes to an end")
      }
      return steps
    }

    func files(_ column: String, _ value: Scalar) throws -> (read: Int, pages: Int, rows: Int) {
      let index = try #require(ClusteringTests.schema.column(named: column))
      let predicate = ColumnPredicate(column: index, test: .compare(.equal, value))
      let (rows, summary) = try table.refresh().rows(ClusteringTests.schema, ["_pos", "load"], [predicate])
      let units = Dictionary(uniqueKeysWithValues: summary.units.map { ($0.label, $0.read) })
      return (units["files"] ?? 0, units["pages"] ?? 0, rows.count)
    }
  }

  @Test("files of a table with two keys: every row once, and a filter by either key reads a part of files and pages", arguments: LakeClustering.Curve.allCases)
  func pruning(curve: LakeClustering.Curve) throws {
    let rows: Int64 = 1_200, flushes: Int64 = 8
    let plain = try Table("plain", .published)
    try plain.feed(flushes, rows)
    let keyed = try Table("keyed", LakeClustering(columns: ["a", "b"], curve: curve))
    try keyed.feed(flushes, rows)
    #expect(keyed.table.current.files.allSatisfy { $0.layoutText == "\(curve.rawValue)(a, b)" })
    var options = CompactionOptions()
    options.fileBytesTarget = keyed.table.current.byteCount / 24
    #expect(try plain.cluster(options) == 0)
    #expect(try keyed.cluster(options) == 1)
    let snapshot = try keyed.table.refresh()
    #expect(snapshot.fileCount >= 20 && snapshot.fileCount <= 30, "\(snapshot.fileCount)")
    #expect(try Set(snapshot.rows(Self.schema).rows) == Set(plain.table.current.rows(Self.schema).rows))
    #expect(snapshot.rowCount == rows * flushes)
    // Nothing more is due, and compaction leaves these files alone.
    #expect(snapshot.compactionGroup(options, layout: try keyed.layout(), isFull: true, now: 0) == nil)
    let all = snapshot.fileCount
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<8 {
      let value = Int64.random(in: 0..<Self.side, using: &generator)
      for (column, scalar) in [("a", Scalar.integer(value)), ("b", .text("b\(1_000 + value)"))] {
        let before = try plain.files(column, scalar), after = try keyed.files(column, scalar)
        #expect(before.rows == after.rows)
        #expect(before.read == Int(flushes))
        #expect(after.read * 2 <= all, "\(column) = \(value): \(after.read) of \(all) files")
      }
    }
  }

  @Test("what does not fit into memory is read in several rounds; every row comes out once, in order but for ties")
  func rounds() throws {
    for keys in [[], ["a"], ["b", "a"]] {
      for budget in [50_000, 200_000, 100_000_000] {
        let table = try Table("rounds", keys.isEmpty ? .published : LakeClustering(columns: keys))
        try table.feed(4, 400)
        let snapshot = try table.table.refresh()
        let columns = Fixture.lakeColumns(Self.schema)
        let clustering = try table.layout()
        let places = try clustering.keys(columns)
        let request = ScanRequest(
          table: TableID(raw: 0), columns: columns.compactMap { Self.schema.column(named: $0.name) })
        let merge = ClusteredMerge(
          clustering, keys: places, published: SystemColumn.published, columnCount: columns.count, budgetBytes: budget,
          threadCount: 2, keep: { $0 }
        ) { () throws(Fault) in
          var scans: [any TableScan] = []
          for file in snapshot.files {
            scans.append(try snapshot.scan(request, columns: Self.schema.columns, files: [file]))
          }
          return scans
        }
        var runs: [[[Scalar]]] = []
        var first = 0, again = 0
        let read = try merge.run { (rows, isAgain) throws(Fault) in
          if isAgain { again += rows } else { first += rows }
        } emit: { (rows) throws(Fault) in
          let parts = try columns.indices.map { (index) throws(Fault) in
            try rows.columns(index, rows: 0..<rows.rowCount).flatMap { part in
              (0..<part.count).map { part.scalar(at: $0) }
            }
          }
          runs.append((0..<rows.rowCount).map { row in parts.map { $0[row] } })
        }
        let what = "\(keys), budget \(budget)"
        let all = runs.flatMap { $0 }
        #expect(read == 1_600 && first == 1_600 && all.count == 1_600, "\(what)")
        #expect(Set(all) == Set(try snapshot.rows(Self.schema).rows), "\(what)")
        #expect(merge.budgetBytesUsedMax <= budget, "\(what): \(merge.budgetBytesUsedMax)")
        #expect(again == 1_600 * (merge.readings - 1))
        #expect(budget == 100_000_000 ? merge.readings == 1 && runs.count == 1 : merge.readings > 2, "\(what)")
        // By one key the runs follow each other.
        if keys.count < 2 {
          let key = places.first ?? SystemColumn.published
          for (a, b) in zip(all, all.dropFirst()) { #expect(!Self.isLess(b[key], a[key]), "\(what)") }
        }
      }
    }
  }

  @Test("a change of the keys leads clustering to rewrite old files in steps, and back again")
  func changes() throws {
    let plain = try Table("change", .published)
    try plain.feed(6, 400)
    let rows = try Set(plain.table.current.rows(Self.schema).rows)
    var options = CompactionOptions()
    options.clusterBytesMax = (plain.table.current.files.first?.size ?? 0) * 5 / 2
    let keyed = try Table("change", in: plain.folder, LakeClustering(columns: ["b", "a"], curve: .zOrder))
    #expect(try keyed.table.refresh().staleFileCount(keyed.layout()) == 6)
    // Due by itself, two files at a time; a crash between two steps leaves the rest to the next.
    #expect(try keyed.cluster(options, isFull: false) == 3)
    #expect(try keyed.table.refresh().staleFileCount(keyed.layout()) == 0)
    #expect(try Set(keyed.table.current.rows(Self.schema).rows) == rows)
    #expect(try keyed.table.fileSummaries().allSatisfy { $0.sortedBy == "z_order(b, a)" })
    // The log remembers, through a checkpoint too.
    try keyed.table.checkpoint()
    let again = try Table("change", in: plain.folder, LakeClustering(columns: ["b", "a"], curve: .zOrder))
    #expect(try again.table.refresh().staleFileCount(again.layout()) == 0)
    // Small files that are flushed later are merged without losing the order.
    let back = try Table("change", in: plain.folder, .published)
    #expect(try back.cluster(options, isFull: false) >= 2)
    let snapshot = try back.table.refresh()
    #expect(snapshot.staleFileCount(.published) == 0 && snapshot.overlapDepth == 1)
    #expect(try Set(snapshot.rows(Self.schema).rows) == rows)
  }

  @Test("compaction and retention keep the order of the keys")
  func compaction() throws {
    for keys in [["a"], ["a", "b"]] {
      let keyed = try Table("compact", LakeClustering(columns: keys))
      try keyed.feed(9, 300)
      let rows = try keyed.table.refresh().rows(Self.schema).rows
      let group = try #require(
        try keyed.table.refresh().compactionGroup(CompactionOptions(), layout: keyed.layout(), isFull: true, now: 0))
      let receipt = try keyed.rewrite(group, CompactionOptions())
      #expect(receipt.filesRemoved == 9 && receipt.filesAdded == 1 && receipt.rows == 2_700)
      let merged = try keyed.table.refresh()
      #expect(try Set(merged.rows(Self.schema).rows) == Set(rows))
      #expect(merged.files.first?.layoutText == LakeClustering(columns: keys).text)
      #expect(try inOrder(merged, LakeClustering(columns: keys)))
      let cutoff = Fixture.start + 1_000 * 1_000
      let expired = try #require(merged.expiredGroup(cutoff: cutoff, slack: 0, layout: try keyed.layout()))
      _ = try keyed.rewrite(expired, CompactionOptions())
      let left = try keyed.table.refresh()
      #expect(try Set(left.rows(Self.schema).rows) == Set(rows.filter { ($0[2].integer ?? 0) >= cutoff }))
      #expect(try inOrder(left, LakeClustering(columns: keys)))
    }
  }

  /// True when the rows of the only file lie as the clustering has them.
  private func inOrder(_ snapshot: LakeSnapshot, _ clustering: LakeClustering) throws -> Bool {
    try #require(snapshot.fileCount == 1)
    let chunk = Fixture.chunk(try snapshot.rows(Self.schema).rows, Self.schema)
    let keys = try clustering.keys(Fixture.lakeColumns(Self.schema))
    let order = clustering.order(keys, published: SystemColumn.published, rowCount: chunk.rowCount) { chunk.columns[$0] }
    return order.map { $0 == Array(0..<Int32(chunk.rowCount)) } ?? true
  }

  @Test("keys that a table cannot have: by published instead, with the reason; more than four and repeated ones are refused")
  func fallback() throws {
    for (keys, state) in [
      (["nothing"], SQLState.undefinedColumn), (["email"], .invalidSchemaDefinition), (["list"], .invalidSchemaDefinition),
      (["a", "nothing"], .undefinedColumn),
    ] {
      let table = try Table("fallback", LakeClustering(columns: keys))
      let layout = table.table.layout(of: Self.schema)
      #expect(layout.clustering == .published && layout.problem?.state == state)
      try table.feed(2, 50)
      #expect(try table.table.fileSummaries().allSatisfy { $0.sortedBy == "published" })
      #expect(try table.table.refresh().staleFileCount(table.layout()) == 0)
    }
    for keys in ["", "a,,b", "a, a", "a,b,c,d,e"] {
      #expect(fault { () throws(Fault) in _ = try LakeClustering(keys: keys, curve: .hilbert) }?.state == .configFileError)
    }
    #expect(try LakeClustering(keys: " a ,b", curve: .zOrder).text == "z_order(a, b)")
    #expect(try LakeClustering(keys: "published", curve: .hilbert).isByTime)
  }

  @Test("a key that comes with a later version of the schema waits for it")
  func evolution() throws {
    let table = try Table("evolve", LakeClustering(columns: ["added"]))
    _ = try table.table.flush(Fixture.rows(0..<60), expected: nil, version: 59)
    let base = try table.table.refresh()
    #expect(table.table.layout(of: Fixture.nextSchema, in: base).clustering == .published)
    #expect(base.clusteringGroup(CompactionOptions(), layout: .published, isFull: false) == nil)
    _ = try table.table.flush(
      Fixture.rows(60..<120, Fixture.nextSchema), schema: Fixture.nextSchema, expected: 59, version: 119)
    let snapshot = try table.table.refresh()
    let layout = table.table.layout(of: Fixture.nextSchema, in: snapshot).clustering
    #expect(layout.columns == ["added"] && snapshot.staleFileCount(layout) == 1)
    let rows = try Set(snapshot.rows(Fixture.nextSchema).rows)
    let group = try #require(snapshot.clusteringGroup(CompactionOptions(), layout: layout, isFull: false))
    _ = try table.table.rewrite(group, schema: Fixture.nextSchema, options: CompactionOptions()) { (_, _) throws(Fault) in }
    #expect(try Set(table.table.refresh().rows(Fixture.nextSchema).rows) == rows)
    #expect(table.table.current.staleFileCount(layout) == 0)
  }

  // MARK: Memory

  @Test("a flush of huge texts stays within the budget; rows come back as they were")
  func hugeTexts() throws {
    let budget = 4 << 20
    let table = try Table("huge", LakeClustering(columns: ["a", "b"])) { $0.writeBufferBytesMax = budget }
    let rows = Self.rows(0..<160, load: 200_000)
    let writer = try table.table.writer(schema: Self.schema)
    // One chunk of 32 MB: eight times the budget.
    try writer.append(Fixture.chunk(rows, Self.schema))
    let files = try writer.finish()
    #expect(writer.budgetBytesUsedMax <= budget && writer.budgetBytesUsedMax > budget / 4, "\(writer.budgetBytesUsedMax)")
    _ = try table.table.commit(
      LakeCommit(files: files, schema: Self.schema, appID: Fixture.appID, expectedVersion: nil, version: 160))
    #expect(files.count > 8 && files.reduce(0) { $0 + $1.rowCount } == 160)
    #expect(try Set(table.table.refresh().rows(Self.schema).rows) == Set(rows))
    // Compaction reads each row several times rather than to hold them all.
    let group = try #require(
      try table.table.refresh().compactionGroup(CompactionOptions(), layout: table.layout(), isFull: true, now: 0))
    let receipt = try table.rewrite(group, CompactionOptions())
    #expect(receipt.filesAdded == 1 && receipt.rows == 160)
    #expect(try Set(table.table.refresh().rows(Self.schema).rows) == Set(rows))
  }
}
