// Rows per second and core of the query engine on a table like iot.measurement, held in memory. Time is the
// processor's, not the clock's, so that a busy machine gives the same figures.
//
//   swift run -c release QueryBench [million rows, 5] [threads, 1] [only queries whose name starts so]
//
// Columns: series (text, dictionaries of 1,000 values, a new one every 64 chunks), published (timestamptz, rising),
// value (float8), label (the same text as series, not coded), grade (int4, every eighth null). Every query prints its answer's fingerprint, so that a faster run is known to be a correct one.

import Bedrock
import Columnar
import Executor
import Functions
import Glibc
import Plan
import Runtime
import StorageContract

struct NoSession: SessionValues {
  var userName: String { "bench" }
  var databaseName: String { "lake" }
  var searchPath: [String] { [] }
  var backendPID: Int32 { 0 }
  var serverVersion: String { "" }
  func setting(_ name: String) -> String? { nil }
  func relationOID(_ name: String) -> UInt32? { nil }
  func relationName(oid: UInt32) -> String? { nil }
  func namespaceOID(_ name: String) -> UInt32? { nil }
  func namespaceName(oid: UInt32) -> String? { nil }
  func isRelationVisible(oid: UInt32) -> Bool { true }
}

/// Chunks of one table, 16 a morsel.
struct MemoryScan: TableScan {
  let chunks: [Chunk]
  let columns: [Int]
  static let morselChunks = 16
  var morselCount: Int { (chunks.count + Self.morselChunks - 1) / Self.morselChunks }
  func open(morsel: Int) throws(Fault) -> any ChunkReader {
    let start = morsel * Self.morselChunks
    return MemoryReader(chunks[start..<min(start + Self.morselChunks, chunks.count)], columns)
  }
  var tiers: [TierScanSummary] { [] }
}

final class MemoryReader: ChunkReader {
  private var chunks: ArraySlice<Chunk>
  private let columns: [Int]
  init(_ chunks: ArraySlice<Chunk>, _ columns: [Int]) {
    self.chunks = chunks
    self.columns = columns
  }
  func next() throws(Fault) -> Chunk? {
    guard let chunk = chunks.popFirst() else { return nil }
    return Chunk(columns: columns.map { chunk.columns[$0] }, rowCount: chunk.rowCount)
  }
}

final class MemorySnapshot: StorageSnapshot {
  private let tables: [[Chunk]]
  init(_ tables: [[Chunk]]) { self.tables = tables }
  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    MemoryScan(chunks: tables[Int(request.table.raw) - 1], columns: request.columns)
  }
}

enum Data {
  static let types: [DataType] = [.text, .timestamptz, .float8, .text, .int4]
  static let seriesCount = 1_000

  static func measurements(rows: Int) -> [Chunk] {
    var generator = SeededGenerator(seed: 7)
    var chunks: [Chunk] = []
    var dictionary = self.dictionary(shift: 0)
    var micros: Int64 = 1_700_000_000_000_000
    for start in stride(from: 0, to: rows, by: Limits.chunkRowsMax) {
      if chunks.count % 64 == 0 { dictionary = self.dictionary(shift: chunks.count) }
      let count = min(Limits.chunkRowsMax, rows - start)
      let codes = (0..<count).map { _ in Int32(truncatingIfNeeded: generator.next() % UInt64(seriesCount)) }
      let published = (0..<count).map { _ -> Int64 in
        micros += Int64(generator.next() % 20_000)
        return micros
      }
      let values = (0..<count).map { _ in Double(generator.next() >> 11) * 0x1p-53 * 100 }
      let grades = codes.map { $0 % 8 == 0 ? 0 : $0 % 100 }
      let present = Bitmap.make(count: count) { codes[$0] % 8 != 0 }
      let series = Column(
        type: .text, count: count, validity: nil, form: .dictionary(codes: .copying(codes), dictionary: dictionary))
      chunks.append(
        Chunk(
          columns: [
            series, .fixed(.timestamptz, count: count, .copying(published)), .fixed(.float8, count: count, .copying(values)),
            series.flat(), .fixed(.int4, count: count, validity: present, .copying(grades)),
          ], rowCount: count))
    }
    return chunks
  }

  /// All series in an order of its own.
  private static func dictionary(shift: Int) -> ColumnDictionary {
    let names = (0..<seriesCount).map { Scalar.text("plant-\(($0 + shift) % seriesCount)/boiler/temperature") }
    return ColumnDictionary(ColumnBuilder.column(.text, names))
  }

  /// (series, area) for every second series.
  static func areas() -> [Chunk] {
    let rows = Array(stride(from: 0, to: seriesCount, by: 2))
    return [
      Chunk(
        columns: [
          ColumnBuilder.column(.text, rows.map { .text("plant-\($0)/boiler/temperature") }),
          ColumnBuilder.column(.text, rows.map { .text("area-\($0 % 20)") }),
        ], rowCount: rows.count)
    ]
  }
}

struct Bench {
  let executor: Executor
  let snapshot: MemorySnapshot
  let rows: Int
  let only: String?

  static func scan(_ columns: [Int], filter: Expression? = nil) -> PlanNode {
    .scan(
      relation: "measurement", request: ScanRequest(table: TableID(raw: 1), columns: columns),
      types: columns.map { Data.types[$0] }, filter: filter)
  }

  /// Processor time of all threads so far.
  private static func processorNanos() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Best of three runs.
  func run(_ name: String, _ root: PlanNode) throws {
    if let only, !name.hasPrefix(only) { return }
    let query = PlannedQuery(columns: [], parameterTypes: [], root: root, subqueries: [])
    var best = UInt64.max
    var fingerprint = ""
    for _ in 0..<3 {
      let start = Self.processorNanos()
      let stream = try executor.execute(
        query, parameters: [], snapshot: snapshot,
        context: FunctionContext(transactionMicros: 0, statementMicros: 0, session: NoSession()),
        cancellation: Cancellation())
      var count = 0
      var first = ""
      while let chunk = try stream.next() {
        if count == 0 { first = chunk.columns.prefix(2).map { "\($0.scalar(at: 0))" }.joined(separator: " ") }
        count += chunk.rowCount
      }
      best = min(best, Self.processorNanos() - start)
      fingerprint = "\(count) rows, \(first.prefix(60))"
    }
    let millions = Double(rows) * 1_000 / Double(best)
    let rounded = (millions * 10).rounded() / 10
    print("\(name): \(rounded) M rows/s a core (\(best / 1_000_000) ms)  [\(fingerprint)]")
  }
}

func call(_ name: String, _ arguments: [Expression], isOperator: Bool = false) -> Expression {
  let candidates = isOperator ? FunctionCatalog.operators(named: name) : FunctionCatalog.scalars(named: name)
  let wanted = arguments.map { ParameterType.exact($0.type) }
  guard let function = candidates.first(where: { $0.parameters == wanted }) else {
    preconditionFailure("no function \(name)")
  }
  return .call(function, arguments, function.result.resolve(arguments.map(\.type)))
}

func aggregate(_ name: String, _ arguments: [Expression] = [], isDistinct: Bool = false) -> AggregateCall {
  let types = arguments.map(\.type)
  let function = FunctionCatalog.aggregates(named: name).first { candidate in
    guard candidate.parameters.count == types.count else { return false }
    return types.indices.allSatisfy { index in
      if case .exact(let type) = candidate.parameters[index] { return type == types[index] }
      return true
    }
  }
  guard let function else { preconditionFailure("no aggregate \(name)") }
  return AggregateCall(
    function: function, arguments: arguments, isDistinct: isDistinct, filter: nil,
    type: function.result.resolve(types))
}

@main struct QueryBench {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let rows = (arguments.first ?? 5) * 1_000_000
    let threads = arguments.dropFirst().first ?? 1
    let bench = Bench(
      executor: Executor(
        pool: WorkerPool(name: "scan", threadCount: threads),
        budget: MemoryBudget(name: "queries", bytesMax: 8 << 30)),
      snapshot: MemorySnapshot([Data.measurements(rows: rows), Data.areas()]), rows: rows,
      only: CommandLine.arguments.dropFirst(3).first)
    print("\(rows) rows, \(threads) threads")

    let series = Expression.column(0, .text), published = Expression.column(1, .timestamptz)
    let value = Expression.column(2, .float8)
    let all = Bench.scan([0, 1, 2])
    let sums = [aggregate("count"), aggregate("sum", [value])]
    func half(_ name: String) -> Expression { call(name, [value, .constant(.float(50), .float8)], isOperator: true) }
    let one = call(
      "=", [series, .constant(.text("plant-17/boiler/temperature"), .text)], isOperator: true)
    let minute = call("date_trunc", [.constant(.text("minute"), .text), published])
    let byValue = SortKey(expression: value, descending: true, nullsFirst: true)
    let byTime = SortKey(expression: published, descending: true, nullsFirst: true)
    let bySeries = SortKey(expression: series, descending: false, nullsFirst: false)

    try bench.run("count(*)", .aggregate(Bench.scan([]), groups: [], aggregates: [aggregate("count")]))
    try bench.run("sum, no filter", .aggregate(all, groups: [], aggregates: sums))
    try bench.run(
      "value < 50: count, sum",
      .aggregate(Bench.scan([0, 1, 2], filter: half("<")), groups: [], aggregates: sums))
    try bench.run(
      "series = one: count, sum", .aggregate(Bench.scan([0, 1, 2], filter: one), groups: [], aggregates: sums))
    try bench.run(
      "series = one AND value < 50",
      .aggregate(Bench.scan([0, 1, 2], filter: .and([half("<"), one])), groups: [], aggregates: sums))
    try bench.run("group by series", .aggregate(all, groups: [series], aggregates: sums))
    try bench.run(
      "group by series: min, max, avg",
      .aggregate(
        all, groups: [series],
        aggregates: [aggregate("min", [value]), aggregate("max", [value]), aggregate("avg", [value])]))
    try bench.run("group by date_trunc(minute)", .aggregate(all, groups: [minute], aggregates: sums))
    try bench.run("group by series, minute", .aggregate(all, groups: [series, minute], aggregates: sums))
    try bench.run(
      "count(distinct series)",
      .aggregate(all, groups: [], aggregates: [aggregate("count", [series], isDistinct: true)]))
    try bench.run(
      "count(distinct published)",
      .aggregate(all, groups: [], aggregates: [aggregate("count", [published], isDistinct: true)]))
    let areas = PlanNode.scan(
      relation: "area", request: ScanRequest(table: TableID(raw: 2), columns: [0, 1]), types: [.text, .text],
      filter: nil)
    let joined = PlanNode.join(
      .inner, left: all, right: areas, leftKeys: [series], rightKeys: [series], residual: nil)
    try bench.run("join areas, group by area", .aggregate(joined, groups: [.column(4, .text)], aggregates: sums))
    let label = Expression.column(0, .text), grade = Expression.column(1, .int4)
    let extras = { (filter: Expression?) in Bench.scan([3, 4], filter: filter) }
    let count = [aggregate("count")]
    let isOne = call("=", [label, .constant(.text("plant-17/boiler/temperature"), .text)], isOperator: true)
    let isLike = call("~~", [label, .constant(.text("%-17/%"), .text)], isOperator: true)
    let isLow = call("<", [grade, .constant(.integer(10), .int4)], isOperator: true)
    let band = Expression.caseWhen(
      [(condition: isLow, value: .constant(.integer(0), .int4))], otherwise: grade, .int4)
    try bench.run("label = one, not coded", .aggregate(extras(isOne), groups: [], aggregates: count))
    try bench.run("label LIKE '%-17/%', not coded", .aggregate(extras(isLike), groups: [], aggregates: count))
    try bench.run("group by label, not coded", .aggregate(extras(nil), groups: [label], aggregates: count))
    try bench.run(
      "grade < 10, with nulls", .aggregate(extras(isLow), groups: [], aggregates: [aggregate("sum", [grade])]))
    try bench.run("group by grade, with nulls", .aggregate(extras(nil), groups: [grade], aggregates: count))
    try bench.run("group by CASE", .aggregate(extras(nil), groups: [band], aggregates: count))
    try bench.run("top 10 by value", .sort(all, [byValue], limit: 10))
    try bench.run("top 10 by published, newest", .sort(all, [byTime], limit: 10))
    try bench.run("order by value", .sort(all, [byValue], limit: nil))
    try bench.run("order by series, published", .sort(all, [bySeries, byTime], limit: nil))
    try bench.run("all rows", all)
    try windows(bench, all, [series], SortKey(expression: published, descending: false, nullsFirst: false), value)
    try bench.run(
      "rollup series, minute",
      .groupingSets(
        .project(all, [series, minute, value]), groups: [series, .column(1, .timestamptz)],
        aggregates: [aggregate("count"), aggregate("sum", [value])],
        GroupingSets(sets: [[0, 1], [0], []], groupings: [])))
  }

  /// Windows over series, by time.
  private static func windows(
    _ bench: Bench, _ input: PlanNode, _ partition: [Expression], _ order: SortKey, _ value: Expression
  ) throws {
    func run(_ name: String, _ function: WindowFunction, _ arguments: [Expression], _ frame: WindowFrame) throws {
      let call = WindowCall(function: function, arguments: arguments, filter: nil, frame: frame, type: .float8)
      let spec = WindowSpec(partition: partition, order: [order], calls: [call], isSorted: false)
      try bench.run("window: " + name, .window(input, spec))
    }
    let standard = WindowFrame(unit: .range, start: .unboundedPreceding, end: .currentRow, exclusion: .none)
    let hundred = Expression.constant(.integer(100), .int8)
    let sliding = WindowFrame(unit: .rows, start: .preceding(hundred), end: .currentRow, exclusion: .none)
    let sum = aggregate("sum", [value]).function, maximum = aggregate("max", [value]).function
    try run("row_number", .own(.rowNumber), [], standard)
    try run("lag", .own(.lag), [value], standard)
    try run("running sum", .aggregate(sum), [value], standard)
    try run("sum of 100 rows", .aggregate(sum), [value], sliding)
    try run("max of 100 rows", .aggregate(maximum), [value], sliding)
  }
}
