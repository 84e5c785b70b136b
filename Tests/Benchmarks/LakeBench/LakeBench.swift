// Decode and filter rates of the lake's reader. Run by lake_bench.py, which makes the files and asks DuckDB the same:
//
//   LakeBench <folder> <case> [values of the case] [--hot]
//
// prints the processor nanoseconds of one scan on one thread, and its answer: how many rows, least and greatest value
// (bool and text: how many true, how many bytes). Planning, reading, decoding and folding count; opening the store does
// not. The scan that is measured is not the first of the process. --hot measures one that finds its pages in the page
// cache; without it there is no page cache.

import Bedrock
import Columnar
import EventSchema
import Glibc
import Lake
import ObjectStore
import Runtime
import StorageContract

/// What to read and what to fold.
struct Case {
  var table: String
  var columns: [TableColumn]
  /// The column that is folded; nil: rows only.
  var folded: Int?
  var predicates: [ColumnPredicate] = []
}

func column(_ name: String, _ type: DataType, _ id: Int32 = 1) -> TableColumn {
  TableColumn(fieldID: id, name: name, type: type, isNullable: true)
}

func decodeCase(_ name: String) -> Case {
  let types: [(String, DataType)] = [
    ("int8", .int8), ("int4", .int4), ("timestamp", .timestamptz), ("float8", .float8),
    ("decimal", .numeric(DataType.NumericModifier(precision: 18, scale: 2))), ("bool", .boolean),
    ("float4", .float4), ("widedecimal", .numeric(DataType.NumericModifier(precision: 38, scale: 4))), ("bytea", .bytea),
    ("uuid", .uuid), ("text", .text),
  ]
  guard let type = types.first(where: { name.hasPrefix($0.0 + "_") })?.1 else { fatalError("unknown case \(name)") }
  return Case(table: name, columns: [column("c", type)], folded: 0)
}

func filterCase(_ name: String, _ values: [String]) -> Case {
  let columns = [
    column("at", .timestamptz, 1), column("device", .text, 2), column("value", .float8, 3), column("id", .int8, 4),
    column("url", .text, 5), column("grade", .int4, 6),
  ]
  func scan(_ folded: Int?, _ predicates: [(Int, ColumnPredicate.Test)]) -> Case {
    Case(
      table: "events", columns: columns, folded: folded,
      predicates: predicates.map { ColumnPredicate(column: $0.0, test: $0.1) })
  }
  func integer(_ index: Int) -> Scalar { .integer(Int64(values[index]) ?? 0) }
  switch name {
  case "filter_point": return scan(3, [(3, .compare(.equal, integer(0)))])
  case "filter_device": return scan(2, [(1, .compare(.equal, .text("series-00042/temperature")))])
  case "filter_devices_value":
    let names = ["series-00042/temperature", "series-00077/temperature", "series-02999/temperature"]
    return scan(3, [(2, .compare(.greater, .float(30))), (1, .anyOf(names.map { .text($0) }))])
  case "filter_value_10": return scan(3, [(2, .compare(.greater, .float(30.25)))])
  case "filter_value_90": return scan(3, [(2, .compare(.greater, .float(9.75)))])
  case "filter_time_1":
    return scan(2, [(0, .compare(.greaterOrEqual, integer(0))), (0, .compare(.less, integer(1)))])
  case "filter_url": return scan(3, [(4, .compare(.equal, .text("https://shop.example/p/000012345/view?n=3")))])
  case "filter_grade_null": return scan(3, [(5, .isNull)])
  case "count": return scan(nil, [])
  default: fatalError("unknown case \(name)")
  }
}

func processorNanos() -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
  return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

func measure(_ snapshot: LakeSnapshot, _ wanted: Case) throws -> (nanos: Int64, answer: String) {
  let begin = processorNanos()
  let request = ScanRequest(
    table: TableID(raw: 1), columns: wanted.folded.map { [$0] } ?? [], predicates: wanted.predicates)
  let scan = try snapshot.scan(request, columns: wanted.columns)
  var fold = Fold(type: wanted.folded.map { wanted.columns[$0].type })
  for morsel in 0..<scan.morselCount {
    let reader = try scan.open(morsel: morsel)
    while let chunk = try reader.next() { fold.add(chunk, rowsPassing: wanted.predicates) }
  }
  return (processorNanos() - begin, fold.text)
}

@main
struct LakeBench {
  static func main() throws {
    var arguments = Array(CommandLine.arguments.dropFirst())
    let isHot = arguments.contains("--hot")
    arguments.removeAll { $0 == "--hot" }
    if arguments.first == "store" { return try StoreRates(Array(arguments.dropFirst())).run() }
    guard arguments.count >= 2 else { fatalError("LakeBench <folder> <case> [values] [--hot]") }
    let name = arguments[1]
    let wanted = name == "count" || name.hasPrefix("filter_") ? filterCase(name, Array(arguments.dropFirst(2)))
      : decodeCase(name)
    let lake = Lake(store: try LocalObjectStore(path: arguments[0]), clock: .system, options: options(isHot))
    let snapshot = try lake.table(domain: "bench", entity: wanted.table).refresh()
    // A first scan wakes the process up, as DuckDB's is awake. With --hot it fills the cache, the second one proves it.
    _ = try measure(snapshot, wanted)
    if isHot { _ = try measure(snapshot, wanted) }
    let (nanos, answer) = try measure(snapshot, wanted)
    Swift.print("\(nanos)\t\(answer)")
  }

  static func options(_ isHot: Bool) -> LakeOptions {
    var options = LakeOptions()
    options.pageCacheBytesMax = isHot ? 1 << 30 : 0
    options.readThreadCount = 0
    return options
  }
}
