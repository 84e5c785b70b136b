// The seen-set on disk: base parts as of the last compaction, and one small delta record a batch.
//
//   record = number of runs (varint), then a run: low - previous high (zigzag varint, wrapping), high - low (varint)
//
// When the deltas outgrow the base they are folded into a new base in the same write batch that would have added the
// next one, so that writing stays proportional to what is accepted and reading at open to what there is.

import Bedrock
import HotTier
import StorageContract

struct SeenRecords: Sendable {
  private static let runsOfPartMax = 4_096
  private static let deltaBytesMin = 1 << 20
  private static let deltaCountMax: UInt64 = 16_384

  private var baseParts: UInt32 = 0
  private var baseBytes = 0
  private var firstDelta: UInt64 = 0
  private var nextDelta: UInt64 = 0
  private var deltaBytes = 0

  static func encode(_ runs: [(low: Int64, high: Int64)]) -> [UInt8] {
    var writer = RecordWriter()
    writer.put(varint: UInt64(runs.count))
    var previous: Int64 = 0
    for run in runs {
      writer.put(zigzag: run.low &- previous)
      writer.put(varint: UInt64(bitPattern: run.high &- run.low))
      previous = run.high
    }
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8], _ body: (Int64, Int64) throws(Fault) -> Void) throws(Fault) {
    var reader = RecordReader(bytes)
    let count = try reader.varint()
    var previous: Int64 = 0
    var done: UInt64 = 0
    while done < count {
      let low = previous &+ (try reader.zigzag())
      let (high, overflow) = low.addingReportingOverflow(Int64(bitPattern: try reader.varint()))
      guard !overflow && high >= low else { throw .corrupt("a run of a stored seen-set is empty") }
      try body(low, high)
      previous = high
      done += 1
    }
    guard reader.isAtEnd else { throw .corrupt("a record of a seen-set has bytes left over") }
  }

  /// Reads every seen-set of a view.
  static func load(_ view: HotView) throws(Fault) -> [TableID: (SeenSet, SeenRecords)] {
    var all: [TableID: (set: SeenSet, records: SeenRecords)] = [:]
    try view.forEachRecord(prefix: RecordKey.seenBases) { (key, value) throws(Fault) in
      let table = try RecordKey.table(of: key)
      var entry = all.removeValue(forKey: table) ?? (SeenSet(), SeenRecords())
      try decode(value) { (low, high) throws(Fault) in entry.set.append(low, high) }
      entry.records.baseParts += 1
      entry.records.baseBytes += value.count
      all[table] = entry
    }
    try view.forEachRecord(prefix: RecordKey.seenDeltas) { (key, value) throws(Fault) in
      let table = try RecordKey.table(of: key)
      let number = try RecordKey.number(of: key)
      var entry = all.removeValue(forKey: table) ?? (SeenSet(), SeenRecords())
      try decode(value) { (low, high) throws(Fault) in entry.set.insert(low: low, high: high) }
      if entry.records.deltaBytes == 0 { entry.records.firstDelta = number }
      entry.records.nextDelta = number + 1
      entry.records.deltaBytes += value.count
      all[table] = entry
    }
    return all.mapValues { ($0.set, $0.records) }
  }

  /// Adds to `change` what makes `set`, of which `added` is new, durable.
  mutating func save(_ set: SeenSet, added: SequenceRuns, table: TableID, in change: inout HotWrite) {
    if deltaBytes > max(Self.deltaBytesMin, baseBytes) || nextDelta - firstDelta > Self.deltaCountMax {
      compact(set, table: table, in: &change)
      return
    }
    let record = Self.encode(added.runs)
    change.records.append((key: RecordKey.seenDelta(table, number: nextDelta), value: record))
    nextDelta += 1
    deltaBytes += record.count
  }

  private mutating func compact(_ set: SeenSet, table: TableID, in change: inout HotWrite) {
    for number in firstDelta..<nextDelta { change.deletedRecords.append(RecordKey.seenDelta(table, number: number)) }
    firstDelta = nextDelta
    deltaBytes = 0
    baseBytes = 0
    let partsBefore = baseParts
    baseParts = 0
    var runs: [(low: Int64, high: Int64)] = []
    func flush(_ records: inout SeenRecords, _ runs: inout [(low: Int64, high: Int64)]) {
      if runs.isEmpty { return }
      let record = Self.encode(runs)
      change.records.append((key: RecordKey.seenBase(table, number: records.baseParts), value: record))
      records.baseParts += 1
      records.baseBytes += record.count
      runs = []
    }
    set.forEach { interval in
      runs.append((interval.lowerBound, interval.upperBound))
      if runs.count == Self.runsOfPartMax { flush(&self, &runs) }
    }
    flush(&self, &runs)
    for number in baseParts..<max(partsBefore, baseParts) {
      change.deletedRecords.append(RecordKey.seenBase(table, number: number))
    }
  }
}
