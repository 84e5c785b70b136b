import Bedrock
import Runtime
import Synchronization
import Testing

private final class Total: Sendable {
  let value = Atomic(0)
}

@Suite("Runtime")
struct RuntimeTests {
  @Test func poolRunsEverythingAndEnds() async {
    let pool = WorkerPool(name: "test", threadCount: 3)
    let sum = Total()
    for number in 1...10_000 { pool.submit { sum.value.add(number, ordering: .relaxed) } }
    let last = await state(of: pool) { () throws(Fault) -> Int in 42 }
    #expect(last == nil)
    pool.shutdown()
    #expect(sum.value.load(ordering: .relaxed) == 50_005_000)
  }

  @Test func poolPassesFaultsOn() async {
    let pool = WorkerPool(name: "test", threadCount: 1)
    let failed = await state(of: pool) { () throws(Fault) -> Int in throw Fault(.divisionByZero, "x") }
    #expect(failed == .divisionByZero)
    pool.shutdown()
    let late = await state(of: pool) { () throws(Fault) -> Int in 1 }
    #expect(late == .adminShutdown)
  }

  /// The SQLSTATE of the fault that `work` ends in, or `nil` when it succeeds.
  private func state(of pool: WorkerPool, _ work: @escaping @Sendable () throws(Fault) -> Int) async -> SQLState? {
    do {
      _ = try await pool.run(work)
      return nil
    } catch {
      return error.state
    }
  }

  @Test func budgetsCountInTheirParentToo() throws {
    let whole = MemoryBudget(name: "process", bytesMax: 100)
    let part = MemoryBudget(name: "statement", bytesMax: 80, parent: whole)
    try part.reserve(60)
    let refused = #expect(throws: Fault.self) { try part.reserve(30) }
    #expect(refused?.state == .outOfMemory)
    try whole.reserve(30)
    // The part has room, the whole has not: nothing stays reserved.
    #expect(throws: Fault.self) { try part.reserve(15) }
    #expect(part.bytesUsed == 60 && whole.bytesUsed == 90)
    part.release(60)
    #expect(part.bytesUsed == 0 && whole.bytesUsed == 30)
  }

  @Test func theFirstReasonOfACancellationStays() {
    let cancellation = Cancellation()
    #expect(!cancellation.isCancelled)
    cancellation.cancel(.statementTimeout)
    cancellation.cancel(.userRequest)
    let fault = #expect(throws: Fault.self) { try cancellation.check() }
    #expect(fault?.state == .queryCanceled && fault?.message.contains("timeout") == true)
  }

  @Test func manualClockStandsStill() {
    let (clock, set) = Clock.manual(startMicros: 7)
    #expect(clock.nowMicros() == 7)
    set(9)
    #expect(clock.nowMicros() == 9)
  }

  @Test func sameSeedSameNumbers() {
    var a = SeededGenerator(seed: 3), b = SeededGenerator(seed: 3)
    #expect((0..<100).allSatisfy { _ in a.next() == b.next() })
  }

  @Test func limitsHoldTogether() { Limits.check() }

  private func checksum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
    let span = bytes.span
    return CRC32C.checksum(span.bytes, seed: seed)
  }

  /// RFC 3720 appendix B.4 gives these.
  @Test func checksumsOfTheStandard() {
    #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
    let text = Array("123456789".utf8)
    #expect(checksum(text) == 0xE306_9283)
    #expect(checksum(Array(text[4...]), seed: checksum(Array(text[..<4]))) == 0xE306_9283)
  }

  @Test func daysAndDatesAgree() {
    #expect(CivilDate(daysSinceEpoch: 0) == CivilDate(year: 1970, month: 1, day: 1))
    #expect(CivilDate(year: 2000, month: 2, day: 29).daysSinceEpoch == 11_016)
    for day in stride(from: -800_000, through: 800_000, by: 37) {
      #expect(CivilDate(daysSinceEpoch: day).daysSinceEpoch == day)
    }
  }

  @Test func positionsKeepEpochAndSequence() {
    let position = Position(epoch: 3, sequence: 1 << 47)
    #expect(position.epoch == 3 && position.sequence == 1 << 47)
    #expect(Position(epoch: 2, sequence: (1 << 48) - 1) < Position(epoch: 3, sequence: 0))
  }
}
