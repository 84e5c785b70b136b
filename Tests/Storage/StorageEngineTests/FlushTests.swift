// Hot to lake: every committed event exactly once at every moment, also when the process dies between two steps.

import Bedrock
import Columnar
import EventSchema
import Foundation
import HotTier
import Runtime
import StorageContract
import Synchronization
import Testing

@testable import StorageEngine

@Suite struct FlushTests {
  @Test func flushedRowsAreReadFromTheLake() throws {
    let fixture = try Fixture()
    #expect(try fixture.engine.flush(table: "iot.measurement").deltaVersion == nil)
    _ = try fixture.engine.append(fixture.run(1, 500))
    var old: (any StorageSnapshot)? = try fixture.engine.snapshot()
    let receipt = try fixture.engine.flush(table: "iot.measurement")
    #expect(receipt.rows == 500 && receipt.files == 1 && receipt.deltaVersion == 0)
    _ = try fixture.engine.append(fixture.run(501, 100))
    #expect(try fixture.sequences() == Array(1...600))
    let before = try Fixture.rows(of: #require(old), fixture.table.id, [0]).compactMap { $0[0].integer }
    old = nil
    #expect(before.sorted() == Array(1...500))
    let tables = try fixture.systemRows("tables")
    #expect(tables[0][3...6].map { $0.integer } == [100, 1, tables[0][5].integer, 500])
    #expect(tables[0][10...12].map { $0.integer } == [600, 500, 500])
    // Duplicates of flushed rows are still known.
    #expect(try fixture.engine.append(fixture.batch([Fixture.Event(sequence: 3, position: 601)])).duplicates == 1)
    try fixture.reopen()
    #expect(try fixture.sequences() == Array(1...600))
    #expect(try fixture.engine.append(fixture.batch([Fixture.Event(sequence: 4, position: 602)])).duplicates == 1)
    #expect(throws: Fault.self) { try fixture.engine.flush(table: "iot.nothing") }
  }

  @Test(arguments: ["flush.files_written", "flush.committed", "flush.marked", "flush.deleted"])
  func aCrashAtAnyStepIsFinishedAtOpen(step: String) throws {
    let shared = Shared()
    let fixture = try Fixture()
    let folder = fixture.folder
    let cold = fixture.cold
    try fixture.reopen { options in
      options.faultHook = { (name: StaticString) throws(Fault) in
        guard name.description == step else { return }
        do {
          let image = try Fixture.crashImage(folder: folder, cold: cold)
          shared.images.withLock { $0.append(image) }
        } catch { throw Fault(.ioError, "no image: \(error)") }
      }
    }
    for first in stride(from: Int64(1), to: 300, by: 100) {
      _ = try fixture.engine.append(fixture.run(first, 100))
    }
    _ = try fixture.engine.flush(table: "iot.measurement")
    let taken = shared.images.withLock { $0 }
    #expect(taken.count == 1)
    for image in taken {
      let crashed = try Fixture(folder: image.folder, cold: image.cold)
      #expect(try crashed.sequences() == Array(1...300))
      let tables = try crashed.systemRows("tables")
      #expect(tables[0][3].integer == (step == "flush.files_written" ? 300 : 0))
      _ = try crashed.engine.append(crashed.run(301, 50))
      _ = try crashed.engine.flush(table: "iot.measurement")
      #expect(try crashed.sequences() == Array(1...350))
      try crashed.reopen()
      #expect(try crashed.sequences() == Array(1...350))
      #expect(try crashed.systemRows("tables")[0][3].integer == 0)
    }
  }

  @Test func aStepThatFailsIsRepeatedWithoutDoubling() throws {
    for step in ["flush.files_written", "flush.committed", "flush.marked", "flush.deleted"] {
      let shared = Shared()
      let fixture = try Fixture()
      try fixture.reopen { options in
        options.faultHook = { (name: StaticString) throws(Fault) in
          if name.description == step && !shared.flag.exchange(true, ordering: .relaxed) {
            throw Fault(.ioError, "injected at \(step)")
          }
        }
      }
      _ = try fixture.engine.append(fixture.run(1, 100))
      #expect(throws: Fault.self) { try fixture.engine.flush(table: "iot.measurement") }
      #expect(try fixture.sequences() == Array(1...100))
      _ = try fixture.engine.append(fixture.run(101, 100))
      _ = try fixture.engine.flush(table: "iot.measurement")
      #expect(try fixture.sequences() == Array(1...200), "\(step)")
    }
  }

  @Test func unknownCommitsAreLookedUp() throws {
    let fixture = try Fixture()
    _ = try fixture.engine.append(fixture.run(1, 100))
    fixture.cold.misbehaviour.withLock { $0 = .failBeforeCommit }
    #expect(throws: Fault.self) { try fixture.engine.flush(table: "iot.measurement") }
    #expect(try fixture.sequences() == Array(1...100))
    fixture.cold.misbehaviour.withLock { $0 = .failAfterCommit }
    #expect(try fixture.engine.flush(table: "iot.measurement").rows == 100)
    #expect(try fixture.sequences() == Array(1...100))
    #expect(try fixture.systemRows("tables")[0][3].integer == 0)
  }

  @Test func aLakeThatLostRowsIsRefused() throws {
    let fixture = try Fixture()
    _ = try fixture.engine.append(fixture.run(1, 100))
    _ = try fixture.engine.flush(table: "iot.measurement")
    fixture.cold.removeAll()
    #expect(throws: Fault.self) { try fixture.reopen() }
  }

  @Test func aForeignLakeTableIsRefused() throws {
    let first = try Fixture()
    _ = try first.engine.append(first.run(1, 100))
    _ = try first.engine.flush(table: "iot.measurement")
    #expect(throws: Fault.self) { try Fixture(cold: first.cold) }
  }

  @Test func policiesDecideWhen() throws {
    let (clock, set) = Clock.manual(startMicros: 1_000)
    let fixture = try Fixture()
    func reopen(_ policy: FlushPolicy) throws {
      try fixture.reopen { options in
        options = StorageEngine.Options(
          hot: options.hot, clock: clock, log: options.log,
          flush: FlushSettings(domains: ["iot": policy], checkIntervalMicros: 0))
      }
    }
    try reopen(FlushPolicy(ageMicrosMax: 10_000, rowsMax: 1_000, bytesMax: 1 << 30))
    _ = try fixture.engine.append(fixture.run(1, 10))
    fixture.engine.runDueWork()
    #expect(try fixture.systemRows("tables")[0][3].integer == 10)
    set(11_000)
    fixture.engine.runDueWork()
    #expect(try fixture.systemRows("tables")[0][3].integer == 0)
    _ = try fixture.engine.append(fixture.run(11, 1_000))
    fixture.engine.runDueWork()
    #expect(try fixture.systemRows("tables")[0][3].integer == 0)
    #expect(try fixture.systemRows("tables")[0][6].integer == 1_010)
  }

  @Test func smallChunksAreMerged() throws {
    let fixture = try Fixture()
    for first in 1...200 as ClosedRange<Int64> { _ = try fixture.engine.append(fixture.run(first * 2, 2)) }
    var old: (any StorageSnapshot)? = try fixture.engine.snapshot()
    try fixture.engine.mergeSmallChunks(fixture.table.id)
    #expect(try fixture.systemRows("tables")[0][4].integer == 1)
    #expect(try fixture.sequences() == Array(2...401))
    #expect(try Fixture.rows(of: #require(old), fixture.table.id, [0]).count == 400)
    old = nil
    try fixture.reopen()
    #expect(try fixture.sequences() == Array(2...401))
    _ = try fixture.engine.append(fixture.run(500, 5))
    #expect(try fixture.engine.flush(table: "iot.measurement").rows == 405)
    #expect(try fixture.sequences() == Array(2...401) + Array(500...504))
  }

  @Test func newSchemaVersionsReadOldChunks() throws {
    let fixture = try Fixture()
    _ = try fixture.engine.append(fixture.run(1, 10))
    let generation = fixture.engine.generation
    var bound: (any StorageSnapshot)? = try fixture.engine.snapshot()
    let published = try fixture.engine.publish(Fixture.events(withNote: true))
    #expect(fixture.engine.generation > generation)
    #expect(published[0].id == fixture.table.id && published[0].schema.version == 2)
    let note = published[0].schema.columns.count - 1
    #expect(try fixture.rows(fixture.table.id, [0, note]).allSatisfy { $0[1] == .null })
    #expect(try Fixture.rows(of: #require(bound), fixture.table.id, [0, note]).count == 10)
    bound = nil
    // A decoder that has not looked yet still writes under version 1.
    #expect(try fixture.engine.append(fixture.run(11, 10)).stored == 10)
    try fixture.reopen()
    #expect(fixture.engine.registeredTables()[0].schema == published[0].schema)
    #expect(try fixture.engine.publish(Fixture.events(withNote: true))[0].schema == published[0].schema)
    #expect(try fixture.engine.flush(table: "iot.measurement").rows == 20)
    #expect(try fixture.rows(fixture.table.id, [0, note]).count == 20)
    #expect(try fixture.systemRows("schemas").count == 7)
    let view = fixture.engine.tables().first { $0.name == "measurement" }?.views.first
    #expect(view?.name == "measurement_recorded" && view?.eventName == "recorded")
    #expect(view?.columns == [0, 1, 2, 3, 4, 7, 8, 9, 10])
  }

  @Test func aCountingReaderNeverWavers() throws {
    let fixture = try Fixture()
    let engine = fixture.engine
    let id = fixture.table.id
    let shared = Shared()
    let reader = WorkerThread {
      var last = 0
      while !shared.flag.load(ordering: .relaxed) {
        do throws(Fault) {
          let sequences = try Fixture.rows(of: engine.snapshot(), id, [0]).compactMap { $0[0].integer }
          let count = sequences.count
          // Sequences 1...n arrive in order, so any prefix has this sum and a size that never falls.
          let sum = sequences.reduce(0, +)
          if sum != Int64(count) * Int64(count + 1) / 2 || count < last || count % 20 != 0 {
            shared.complaints.withLock { $0.append("count \(count), sum \(sum), last \(last)") }
          }
          last = count
        } catch { shared.complaints.withLock { $0.append("\(error)") } }
        shared.count.add(1, ordering: .relaxed)
      }
    }
    let flusher = WorkerThread {
      while !shared.flag.load(ordering: .relaxed) {
        do throws(Fault) {
          _ = try engine.flush(table: "iot.measurement")
          try engine.mergeSmallChunks(id)
        } catch { shared.complaints.withLock { $0.append("\(error)") } }
      }
    }
    for first in 0..<150 as Range<Int64> {
      do { _ = try engine.append(fixture.run(first * 20 + 1, 20)) } catch {
        shared.complaints.withLock { $0.append("\(error)") }
      }
    }
    shared.flag.store(true, ordering: .relaxed)
    reader.join()
    flusher.join()
    #expect(shared.complaints.withLock { $0 } == [])
    #expect(shared.count.load(ordering: .relaxed) > 3)
    #expect(try fixture.sequences() == Array(1...3_000))
  }

  @Test func closingWaitsForReadersAndThenRefusesWork() throws {
    let fixture = try Fixture { $0.closeTimeoutMicros = 1_000 }
    let engine = fixture.engine
    var snapshot: (any StorageSnapshot)? = try engine.snapshot()
    #expect(throws: Fault.self) { try engine.close() }
    #expect(snapshot != nil)
    snapshot = nil
    #expect(throws: Fault.self) { try engine.snapshot() }
    #expect(throws: Fault.self) { try engine.append(fixture.run(1, 1)) }
    #expect(engine.tables().isEmpty)
  }
}
