// Events counted by domain and minute of receipt: received = stored + failed + duplicate, always. Changed in the same
// write batch as the events, so it is an invariant and not a metric. A position counts once, when it is first applied;
// a redelivery by position changes nothing.

import Bedrock
import HotTier

struct LedgerCounters: Sendable, Equatable {
  var received: Int64 = 0
  var stored: Int64 = 0
  var failed: Int64 = 0
  var duplicate: Int64 = 0

  var isBalanced: Bool { received == stored + failed + duplicate }

  init() {}

  init(_ bytes: [UInt8]) throws(Fault) {
    var reader = RecordReader(bytes)
    received = try reader.integer()
    stored = try reader.integer()
    failed = try reader.integer()
    duplicate = try reader.integer()
    guard isBalanced else { throw .corrupt("a line of the ledger does not balance") }
  }

  var bytes: [UInt8] {
    var writer = RecordWriter()
    for count in [received, stored, failed, duplicate] { writer.put(count) }
    return writer.bytes
  }

  static func += (a: inout LedgerCounters, b: LedgerCounters) {
    a.received += b.received
    a.stored += b.stored
    a.failed += b.failed
    a.duplicate += b.duplicate
  }
}

/// What one batch adds to the ledger.
struct LedgerChange: Sendable {
  struct Line: Hashable, Sendable {
    let minute: Int64
    let domain: String
  }
  private(set) var lines: [Line: LedgerCounters] = [:]

  /// Minutes since 1970 of a time in µs.
  static func minute(ofMicros micros: Int64) -> Int64 {
    let minute = micros / 60_000_000
    return micros % 60_000_000 < 0 ? minute - 1 : minute
  }

  mutating func count(_ domain: String, minute: Int64, _ counters: LedgerCounters) {
    lines[Line(minute: minute, domain: domain), default: LedgerCounters()] += counters
  }

  /// Counts rows whose times of receipt are `received[rows[i]]`, one dictionary access a run of one minute.
  mutating func count(_ domain: String, received: Span<Int64>, rows: [Int32], as kind: WritableKeyPath<LedgerCounters, Int64>) {
    var index = 0
    while index < rows.count {
      let minute = Self.minute(ofMicros: received[Int(rows[index])])
      var end = index + 1
      while end < rows.count && Self.minute(ofMicros: received[Int(rows[end])]) == minute { end += 1 }
      var counters = LedgerCounters()
      counters.received = Int64(end - index)
      counters[keyPath: kind] = Int64(end - index)
      count(domain, minute: minute, counters)
      index = end
    }
  }

  /// Adds the new totals to `change`.
  func save(over view: HotView, in change: inout HotWrite) throws(Fault) {
    for (line, counters) in lines {
      let key = RecordKey.ledger(minute: line.minute, domain: line.domain)
      var total = LedgerCounters()
      if let before = try view.record(key) { total = try LedgerCounters(before) }
      total += counters
      guard total.isBalanced else { throw .bug("a line of the ledger would not balance") }
      change.records.append((key: key, value: total.bytes))
    }
  }
}
