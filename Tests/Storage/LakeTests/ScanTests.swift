// Scans with conditions: pruned and late-materialised rows are those of a full scan, by any path through the reader.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Lake
import ObjectStore
import Runtime
import StorageContract
import Synchronization
import TestKit
import Testing

/// Counts what is read, and fails reads on demand.
final class CountingObjectStore: ObjectStore {
  let base: LocalObjectStore
  let readGapBytes: Int
  private let counted = Mutex<[Range<Int64>]>([])
  private let failing = Atomic<Bool>(false)

  init(_ base: LocalObjectStore, gap: Int = 131_072) {
    self.base = base
    readGapBytes = gap
  }
  var reads: [Range<Int64>] { counted.withLock { $0 } }
  func reset() { counted.withLock { $0 = [] } }
  func fail(_ now: Bool) { failing.store(now, ordering: .relaxed) }

  func put(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) { try base.put(path, bytes) }
  func putIfAbsent(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) -> Bool { try base.putIfAbsent(path, bytes) }
  func writer(_ path: ObjectPath) throws(Fault) -> any ObjectWriter { try base.writer(path) }
  func get(_ path: ObjectPath, bytesMax: Int) throws(Fault) -> [UInt8]? { try base.get(path, bytesMax: bytesMax) }
  func read(_ path: ObjectPath, at offset: Int64, into target: UnsafeMutableRawBufferPointer) throws(Fault) {
    counted.withLock { $0.append(offset..<(offset + Int64(target.count))) }
    if failing.load(ordering: .relaxed) { throw Fault(.ioError, "the disk went away") }
    try base.read(path, at: offset, into: target)
  }
  func size(_ path: ObjectPath) throws(Fault) -> Int64? { try base.size(path) }
  func list(_ folder: ObjectPath, startAfter: String?, limit: Int) throws(Fault) -> [ObjectEntry] {
    try base.list(folder, startAfter: startAfter, limit: limit)
  }
  func delete(_ path: ObjectPath) throws(Fault) { try base.delete(path) }
}

private func passes(_ test: ColumnPredicate.Test, _ value: Scalar) -> Bool {
  switch test {
  case .isNull: return value.isNull
  case .isNotNull: return !value.isNull
  case .anyOf(let values): return !value.isNull && values.contains { value.order($0) == 0 }
  case .compare(let comparison, let other):
    if value.isNull { return false }
    let order = value.order(other)
    switch comparison {
    case .equal: return order == 0
    case .notEqual: return order != 0
    case .less: return order < 0
    case .lessOrEqual: return order <= 0
    case .greater: return order > 0
    case .greaterOrEqual: return order >= 0
    }
  }
}

@Suite("Lake scans")
struct ScanTests {
  let folder: TemporaryFolder
  let store: CountingObjectStore

  init() throws {
    folder = try TemporaryFolder("scan")
    store = CountingObjectStore(try LocalObjectStore(path: folder.file("data")))
  }

  private static let schema = Fixture.schema
  private static let lakeColumns = Fixture.lakeColumns(Fixture.schema)

  /// Values of every shape: few and many different ones, rising ones, runs, nulls, NaN, -0.0, long strings.
  private static func value(_ column: TableColumn, _ row: Int, _ seed: inout SeededGenerator) -> Scalar {
    func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &seed) }
    switch column.name {
    case "sequence", "_pos": return .integer(Int64(row))
    case "published", "received": return .integer(1_764_000_000_000_000 + Int64(row) * 1_000 + Int64(below(900)))
    case "name": return .text("recorded")
    case "metadata": return below(3) == 0 ? .null : .text("{\"k\": \(below(50))}")
    case "series": return .text("series-\(row / 700 % 11)")
    default: break
    }
    if below(9) == 0 || column.name == "number" && row % 5_000 < 1_500 { return .null }
    switch column.type {
    case .boolean: return .boolean(row / 64 % 3 == 0)
    case .int2: return .integer(Int64(below(7)))
    case .int4: return .integer(Int64(row / 10) - 300)
    case .date: return .integer(Int64(row / 500))
    case .timestamptz: return .integer(Int64(below(1_000_000_000)) * 1_000_003)
    case .float4: return .float([0.0, -0.0, .nan, .infinity, 1.5, -2.25][below(6)])
    case .float8: return below(40) == 0 ? .float([.nan, -0.0, 0.0, .infinity, -.infinity][below(5)])
      : .float(Double(below(2_000)) / 8 - 100)
    case .numeric: return Numeric(coefficient: Int128(below(4_000) - 2_000), scale: 2).map { .numeric($0) } ?? .null
    case .bytea: return .bytes((0..<below(6)).map { _ in UInt8(below(4)) })
    default:
      // e-mail: mostly different, some longer than a statistic keeps, equal up to there.
      let long = String(repeating: "x", count: below(20) == 0 ? 70 : 0)
      return .text("person-\(below(3_000))-\(long)\(below(2))@example.org")
    }
  }

  private func rows(_ count: Int, seed: UInt64) -> [[Scalar]] {
    var seed = SeededGenerator(seed: seed)
    return (0..<count).map { row in Self.lakeColumns.map { Self.value($0, row, &seed) } }
  }

  private func write(_ rows: [[Scalar]], _ options: LakeOptions) throws {
    let table = try Lake(store: store, clock: .system, options: options).table(domain: "iot", entity: "measurement")
    let writer = try table.writer(schema: Self.schema)
    for start in stride(from: 0, to: rows.count, by: 8_192) {
      try writer.append(Fixture.chunk(Array(rows[start..<min(rows.count, start + 8_192)])))
    }
    _ = try table.commit(
      LakeCommit(
        files: try writer.finish(), schema: Self.schema, appID: Fixture.appID, expectedVersion: nil, version: 1))
  }

  private func snapshot(_ options: LakeOptions) throws -> LakeSnapshot {
    try Lake(store: store, clock: .system, options: options).table(domain: "iot", entity: "measurement").refresh()
  }

  private static let small: LakeOptions = {
    var options = LakeOptions()
    options.rowGroupRowsMax = 17_000
    options.pageIndexRowsMin = 1_000
    options.morselRowsMin = 3_000
    return options
  }()

  @Test("any conditions: the rows that pass and no others, however they are pruned, filtered, cached and read ahead")
  func predicates() throws {
    let all = rows(34_500, seed: 7)
    try write(all, Self.small)
    var plain = Self.small
    plain.readThreadCount = 0
    plain.pageCacheBytesMax = 0
    plain.pageIndexRowsMin = .max
    plain.morselRowsMin = .max
    let variants = [try snapshot(Self.small), try snapshot(plain)]
    var seed = SeededGenerator(seed: 99)
    let comparisons: [ComparisonOperator] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
    let names = Self.lakeColumns.map(\.name)
    for round in 0..<40 {
      var predicates: [ColumnPredicate] = []
      var tests: [(Int, ColumnPredicate.Test)] = []
      for _ in 0...Int.random(in: 0..<3, using: &seed) {
        let place = Int.random(in: 0..<names.count, using: &seed)
        func literal() -> Scalar {
          for _ in 0..<50 {
            let value = all[Int.random(in: 0..<all.count, using: &seed)][place]
            if !value.isNull { return value }
          }
          return all[0][SystemColumn.sequence]
        }
        let test: ColumnPredicate.Test
        switch Int.random(in: 0..<8, using: &seed) {
        case 0: test = .isNull
        case 1: test = .isNotNull
        case 2: test = .anyOf((0..<Int.random(in: 1..<12, using: &seed)).map { _ in literal() })
        default: test = .compare(comparisons[Int.random(in: 0..<6, using: &seed)], literal())
        }
        // jsonb is compared by the query, not by its text.
        if names[place] == "metadata", case .compare = test { continue }
        if names[place] == "metadata", case .anyOf = test { continue }
        guard let column = Self.schema.column(named: names[place]) else { continue }
        predicates.append(ColumnPredicate(column: column, test: test))
        tests.append((place, test))
      }
      let kept = all.filter { row in tests.allSatisfy { passes($0.1, row[$0.0]) } }
      // Some columns only, so that others are filtered by but not returned.
      let shown = names.filter { _ in Int.random(in: 0..<3, using: &seed) > 0 }
      let places = shown.compactMap { names.firstIndex(of: $0) }
      let wanted = kept.map { row in places.map { row[$0] } }
      for (number, snapshot) in variants.enumerated() {
        for pass in 0..<2 {
          let read = try snapshot.rows(Self.schema, shown, predicates).rows
          #expect(read == wanted, "round \(round), variant \(number), pass \(pass): \(predicates)")
          if read != wanted { return }
        }
      }
    }
  }

  @Test("count(*) reads no data pages; EXPLAIN counts files, row groups, pages and bytes")
  func counting() throws {
    try write(rows(20_000, seed: 3), Self.small)
    let snapshot = try snapshot(Self.small)
    _ = try snapshot.rows(Self.schema, []).rows
    store.reset()
    #expect(try snapshot.rows(Self.schema, []).rows.count == 20_000)
    #expect(store.reads.isEmpty, "the footer is cached and says how many rows there are")
    let sequence = try #require(Self.schema.column(named: "sequence"))
    let (read, summary) = try snapshot.rows(
      Self.schema, ["sequence", "email"], [ColumnPredicate(column: sequence, test: .compare(.equal, .integer(12_345)))])
    #expect(read.count == 1)
    let units = Dictionary(uniqueKeysWithValues: summary.units.map { ($0.label, $0) })
    #expect(units["files"]?.total == 1 && units["files"]?.read == 1)
    #expect(units["row groups"]?.read == 1)
    #expect((units["bytes"]?.read ?? .max) < (units["bytes"]?.total ?? 0))
    if let pages = units["pages"] { #expect(pages.read < pages.total || pages.total <= 2) }
  }

  @Test("ranges are joined over gaps that cost less than a call, and never past the limit of one read")
  func coalescing() throws {
    try write(rows(17_000, seed: 4), Self.small)
    let path = folder.file("data")
    let names = Self.lakeColumns.map(\.name)
    func readCalls(gap: Int) throws -> Int {
      let counting = CountingObjectStore(try LocalObjectStore(path: path), gap: gap)
      var options = Self.small
      options.morselRowsMin = .max
      let snapshot = try Lake(store: counting, clock: .system, options: options)
        .table(domain: "iot", entity: "measurement").refresh()
      _ = try snapshot.rows(Self.schema, [names[0]]).rows
      counting.reset()
      _ = try snapshot.rows(Self.schema, [names[0], names[2], names[9], names[12]]).rows
      return counting.reads.count
    }
    let many = try readCalls(gap: 0), few = try readCalls(gap: 1 << 30)
    #expect(few < many, "\(few) reads with wide gaps, \(many) without")
    #expect(few <= 2)
  }

  @Test("hot pages come from the cache, within its budget, whoever reads at once")
  func pageCache() throws {
    try write(rows(34_000, seed: 5), Self.small)
    let names = ["sequence", "value", "email"]
    let hot = try snapshot(Self.small)
    let first = try hot.rows(Self.schema, names).rows
    // S3-FIFO admits at once; a second scan finds everything.
    store.reset()
    #expect(try hot.rows(Self.schema, names).rows == first)
    #expect(store.reads.isEmpty)
    var tight = Self.small
    tight.pageCacheBytesMax = 200_000
    let lake = Lake(store: store, clock: .system, options: tight)
    let snapshot = try lake.table(domain: "iot", entity: "measurement").refresh()
    let same = Atomic<Int>(0)
    let pool = WorkerPool(name: "readers", threadCount: 4)
    for _ in 0..<8 {
      pool.submit {
        // A fault shows as a count that is too low.
        if let rows = try? snapshot.rows(Self.schema, names).rows, rows == first {
          same.add(1, ordering: .relaxed)
        }
      }
    }
    pool.shutdown()
    #expect(same.load(ordering: .relaxed) == 8)
    #expect(lake.pageCacheBytesUsed <= 200_000)
  }

  @Test("a fault of a read ahead is the fault of the scan; a scan given up half-way leaves nothing behind")
  func prefetchFaults() throws {
    var options = Self.small
    options.rowGroupRowsMax = 8_500
    options.pageCacheBytesMax = 0
    try write(rows(34_000, seed: 6), options)
    let snapshot = try snapshot(options)
    let request = ScanRequest(table: TableID(raw: 1), columns: [0, 6])
    _ = try snapshot.rows(Self.schema, ["sequence"]).rows
    for failing in [true, false] {
      let scan = try snapshot.scan(request, columns: Self.schema.columns)
      #expect(scan.morselCount > 2)
      let reader = try scan.open(morsel: 0)
      store.fail(failing)
      let found = fault { () throws(Fault) in
        while try reader.next() != nil {}
        for morsel in 1..<scan.morselCount {
          let reader = try scan.open(morsel: morsel)
          while try reader.next() != nil {}
        }
      }
      store.fail(false)
      #expect(failing ? found?.state == .ioError : found == nil)
    }
    for _ in 0..<20 {
      let scan = try snapshot.scan(request, columns: Self.schema.columns)
      _ = try scan.open(morsel: 0).next()
    }
    #expect(try snapshot.rows(Self.schema, ["sequence"]).rows.count == 34_000, "the store's threads still work")
  }
}
