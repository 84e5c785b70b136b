import Bedrock
import Runtime
import Synchronization
import Testing

@Suite struct RateTests {
  @Test func aBucketHoldsItsRateWhateverTheSteps() {
    var bucket = TokenBucket(perSecond: 1_000, nowNanos: 0)
    // A second's worth is there at the start; a large step goes into debt and says how long.
    #expect(bucket.take(1_000, nowNanos: 0) == 0)
    #expect(bucket.take(5_000, nowNanos: 0) == 5_000_000)
    #expect(bucket.take(0, nowNanos: 2_000_000_000) == 3_000_000)
    #expect(bucket.take(0, nowNanos: 5_000_000_000) == 0)
    // Idle time saves up no more than a second's worth.
    #expect(bucket.take(1_001, nowNanos: 100_000_000_000) == 1_000)
    // A clock that stands still or seems to go back gives nothing.
    #expect(bucket.take(1, nowNanos: 99_000_000_000) == 2_000)
  }

  @Test func noRateIsNoLimit() {
    var bucket = TokenBucket(perSecond: 0, nowNanos: 0)
    #expect(bucket.take(1e15, nowNanos: 0) == 0)
  }

  @Test func overTimeTheRateHolds() {
    var bucket = TokenBucket(perSecond: 250_000, nowNanos: 0)
    var now: UInt64 = 0
    var taken = 0.0
    var generator = SeededGenerator(seed: 7)
    while now < 60_000_000_000 {
      let step = Double(Int.random(in: 1...100_000, using: &generator))
      taken += step
      now += UInt64(bucket.take(step, nowNanos: now)) * 1_000 + 1_000
    }
    let seconds = Double(now) / 1e9
    #expect(taken <= 250_000 * (seconds + 1.5) && taken >= 250_000 * (seconds - 1))
  }

  @Test func waitersOfTheLoadGoOnWhenItEndsOrTheyAreDisturbed() {
    let load = QueryLoad()
    load.waitUntilIdle(timeoutMicros: 60_000_000) { false }
    var share: QueryLoadShare? = QueryLoadShare(load)
    #expect(load.count == 1)
    let isDone = Monitor(0)
    let disturbed = Atomic<Bool>(false)
    withExtendedLifetime(share) {
      let waiter = WorkerThread { load.waitUntilIdle(timeoutMicros: 60_000_000) { disturbed.load(ordering: .relaxed) } }
      disturbed.store(true, ordering: .relaxed)
      load.poke()
      waiter.join()
    }
    let second = WorkerThread {
      load.waitUntilIdle(timeoutMicros: 60_000_000) { false }
      isDone.change { $0 += 1 }
    }
    share = nil
    second.join()
    #expect(isDone.wait { $0 } == 1 && load.count == 0 && share == nil)
  }
}
