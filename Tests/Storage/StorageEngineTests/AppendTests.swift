// Exactly once into the table, whatever the log delivers.

import Bedrock
import Columnar
import EventSchema
import Runtime
import StorageContract
import Synchronization
import Testing

@testable import StorageEngine

@Suite struct AppendTests {
  @Test func restartGivesEverythingBack() throws {
    let fixture = try Fixture()
    #expect(try fixture.engine.written(shard: Fixture.shard) == nil)
    for first in stride(from: Int64(1), to: 1_000, by: 100) {
      let receipt = try fixture.engine.append(fixture.run(first, 100))
      #expect(receipt.stored == 100 && receipt.duplicates == 0 && receipt.failed == 0)
    }
    let before = try fixture.rows(fixture.table.id, Array(fixture.table.schema.columns.indices))
    let mark = try fixture.engine.written(shard: Fixture.shard)
    try fixture.reopen()
    #expect(try fixture.engine.written(shard: Fixture.shard) == mark)
    #expect(mark?.position.raw == 1_000)
    #expect(try fixture.rows(fixture.table.id, Array(fixture.table.schema.columns.indices)) == before)
    #expect(try fixture.sequences() == Array(1...1_000))
    #expect(fixture.engine.registeredTables().map(\.schema) == [fixture.table.schema])
  }

  @Test func redeliveryIsStoredOnce() throws {
    let fixture = try Fixture()
    _ = try fixture.engine.append(fixture.run(1, 100))
    let again = try fixture.engine.append(fixture.run(1, 100))
    #expect(again.stored == 0 && again.duplicates == 100)
    let overlapping = try fixture.engine.append(fixture.run(51, 100))
    #expect(overlapping.stored == 50 && overlapping.duplicates == 50)
    try fixture.reopen()
    let late = try fixture.engine.append(fixture.run(101, 60))
    #expect(late.stored == 10 && late.duplicates == 50)
    #expect(try fixture.sequences() == Array(1...160))
  }

  @Test func repeatedIdentitiesAreDuplicatesAndOtherContentIsAConflict() throws {
    let fixture = try Fixture()
    _ = try fixture.engine.append(fixture.run(1, 10))
    typealias Event = Fixture.Event
    let receipt = try fixture.engine.append(
      fixture.batch([
        Event(sequence: 5, position: 11), Event(sequence: 6, position: 12, hash: -1, value: 99),
        Event(sequence: 20, position: 13), Event(sequence: 20, position: 14),
        Event(sequence: 20, position: 15, hash: -2), Event(sequence: 11, position: 16),
      ]))
    #expect(receipt.stored == 2 && receipt.duplicates == 2 && receipt.failed == 2)
    #expect(try fixture.sequences() == Array(1...11) + [20])
    let errors = try fixture.systemRows("errors")
    #expect(errors.map { $0[4] } == [.integer(6), .integer(20)])
    #expect(errors.map { $0[5] } == [.text("sequence_conflict"), .text("sequence_conflict")])
    #expect(errors.map { $0[14] } == [.integer(12), .integer(15)])
    #expect(errors.map { $0[0] } == [.integer(1), .integer(2)])
    // The first content stays.
    let values = try fixture.rows(fixture.table.id, [SystemColumn.sequence, 8])
    #expect(values.contains([.integer(6), .float(1.5)]))
    #expect(try fixture.systemRows("gaps").map { $0[2] } == [.integer(12)])
    #expect(try fixture.systemRows("gaps").map { $0[4] } == [.integer(8)])
  }

  @Test func shuffledArrivalsGiveTheSameTable() throws {
    var random = SeededGenerator(seed: 7)
    let order = (1...2_000 as ClosedRange<Int64>).shuffled(using: &random)
    let fixture = try Fixture()
    var position: Int64 = 0
    for start in stride(from: 0, to: order.count, by: 130) {
      var events: [Fixture.Event] = []
      for sequence in order[start..<min(start + 130, order.count)] {
        position += 1
        events.append(Fixture.Event(sequence: sequence, position: position))
        if random.next() % 4 == 0 {
          position += 1
          events.append(Fixture.Event(sequence: order[Int(random.next() % UInt64(start + 1))], position: position))
        }
      }
      _ = try fixture.engine.append(fixture.batch(events))
      if start % 780 == 0 { try fixture.reopen() }
    }
    #expect(try fixture.sequences() == Array(1...2_000))
    #expect(try fixture.systemRows("gaps").isEmpty)
    #expect(try fixture.systemRows("errors").isEmpty)
  }

  @Test func theLedgerBalances() throws {
    let fixture = try Fixture()
    func error(_ position: Int64, domain: String?) -> ErrorRow {
      ErrorRow(
        position: Position(raw: position), domain: domain, code: "undecodable", stage: "decode", message: "no",
        subject: "events.x", stream: "EVENTS", receivedMicros: 1_700_000_000_000_000, sealedPayload: [1, 2])
    }
    _ = try fixture.engine.append(fixture.run(1, 100))
    _ = try fixture.engine.append(
      fixture.batch(
        (50..<150).map { Fixture.Event(sequence: $0, position: $0 + 100) },
        errors: [error(101, domain: "iot"), error(102, domain: nil)]))
    _ = try fixture.engine.append(fixture.batch([], errors: [error(102, domain: nil), error(300, domain: nil)]))
    var totals = LedgerCounters()
    for row in try fixture.systemRows("ledger") {
      let counts = row[2...5].compactMap(\.integer)
      #expect(counts[0] == counts[1] + counts[2] + counts[3])
      totals.received += counts[0]
      totals.stored += counts[1]
      totals.failed += counts[2]
      totals.duplicate += counts[3]
    }
    #expect(totals.stored == 149)
    #expect(totals.duplicate == 51)
    #expect(totals.failed == 3)
    #expect(totals.received == 203)
    #expect(try fixture.systemRows("errors").count == 3)
    #expect(try fixture.systemRows("ledger").count > 2)
  }

  @Test(arguments: [true, false])
  func aFailedWriteIsLookedUpOnDisk(written: Bool) throws {
    let fixture = try Fixture()
    let shared = Shared()
    let point: StaticString = written ? "append.written" : "append.before_write"
    try fixture.reopen { options in
      options.faultHook = { (name: StaticString) throws(Fault) in
        if name.description == point.description && shared.flag.exchange(false, ordering: .relaxed) {
          throw Fault(.ioError, "injected")
        }
      }
    }
    _ = try fixture.engine.append(fixture.run(1, 10))
    shared.flag.store(true, ordering: .relaxed)
    #expect(throws: Fault.self) { try fixture.engine.append(fixture.run(11, 10)) }
    let mark = try fixture.engine.written(shard: Fixture.shard)
    #expect(mark?.position.raw == (written ? 20 : 10))
    let receipt = try fixture.engine.append(fixture.run(11, 10))
    #expect(receipt.stored == (written ? 0 : 10))
    #expect(try fixture.sequences() == Array(1...20))
  }

  @Test func aSenselessBatchChangesNothing() throws {
    let fixture = try Fixture()
    _ = try fixture.engine.append(fixture.run(1, 10))
    let falling = fixture.batch([Fixture.Event(sequence: 50, position: 30), Fixture.Event(sequence: 51, position: 29)])
    #expect(throws: Fault.self) { try fixture.engine.append(falling) }
    let behind = fixture.batch([Fixture.Event(sequence: 50, position: 30)], mark: 20)
    #expect(throws: Fault.self) { try fixture.engine.append(behind) }
    let other = fixture.run(11, 1)
    let wrongShard = AppendBatch(
      shard: ShardID(name: "OTHER"), mark: other.mark, tables: other.tables, errors: [])
    #expect(throws: Fault.self) { try fixture.engine.append(wrongShard) }
    let unknown = AppendBatch(
      shard: Fixture.shard, mark: other.mark,
      tables: [TableAppend(table: TableID(raw: 77), schemaVersion: 1, chunk: other.tables[0].chunk)], errors: [])
    #expect(throws: Fault.self) { try fixture.engine.append(unknown) }
    #expect(try fixture.sequences() == Array(1...10))
    #expect(try fixture.engine.append(fixture.run(11, 5)).stored == 5)
  }

  @Test func largeAppendsAreSplit() throws {
    let fixture = try Fixture()
    _ = try fixture.engine.append(fixture.run(1, 20_000))
    #expect(try fixture.sequences() == Array(1...20_000))
    try fixture.reopen()
    #expect(try fixture.sequences().count == 20_000)
  }
}
