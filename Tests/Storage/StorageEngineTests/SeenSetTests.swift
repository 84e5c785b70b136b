// The seen-set against a plain Set, its size, and its records.

import Bedrock
import Runtime
import Testing

@testable import StorageEngine

@Suite struct SeenSetTests {
  private func intervals(_ set: SeenSet) -> [ClosedRange<Int64>] {
    var out: [ClosedRange<Int64>] = []
    set.forEach { out.append($0) }
    return out
  }

  @Test(arguments: [10, 300, 20_000] as [Int64])
  func agreesWithAPlainSet(range: Int64) {
    for seed in 1...5 as ClosedRange<UInt64> {
      var random = SeededGenerator(seed: seed)
      var set = SeenSet()
      var model = Set<Int64>()
      for _ in 0..<6_000 {
        let value = Int64(random.next() % UInt64(range)) - range / 2
        let inserted = set.insert(value)
        #expect(inserted == model.insert(value).inserted)
      }
      var rebuilt: [Int64] = []
      var previous: Int64?
      for interval in intervals(set) {
        if let previous { #expect(interval.lowerBound > previous + 1) }
        previous = interval.upperBound
        rebuilt.append(contentsOf: interval)
      }
      #expect(rebuilt == model.sorted())
      #expect(intervals(set).count == set.intervalCount)
    }
  }

  @Test func extremesAreSequencesToo() {
    var set = SeenSet()
    for value in [Int64.max, .min, 0, .max - 1, .min + 1] {
      let first = set.insert(value)
      let second = set.insert(value)
      #expect(first && !second)
    }
    #expect(intervals(set) == [.min ... .min + 1, 0...0, .max - 1 ... .max])
  }

  @Test func millionsStaySmall() {
    var dense = SeenSet()
    for value in 1...1_000_000 as ClosedRange<Int64> { _ = dense.insert(value) }
    #expect(dense.intervalCount == 1)
    #expect(dense.byteCount < 1_024)
    var random = SeededGenerator(seed: 3)
    var scattered = SeenSet()
    for _ in 0..<1_000_000 { _ = scattered.insert(Int64(bitPattern: random.next())) }
    #expect(scattered.intervalCount > 999_000)
    #expect(scattered.byteCount < 40 << 20)
  }

  @Test func recordsComeBack() throws {
    var random = SeededGenerator(seed: 11)
    var runs = SequenceRuns()
    runs.append(low: .min, high: .min)
    runs.append(low: .max, high: .max)
    for _ in 0..<500 {
      let low = Int64(bitPattern: random.next()) / 2
      runs.append(low: low, high: low + Int64(random.next() % 100))
    }
    let bytes = SeenRecords.encode(runs.runs)
    var back: [Int64] = []
    try SeenRecords.decode(bytes) { (low, high) throws(Fault) in back += [low, high] }
    #expect(back == runs.runs.flatMap { [$0.low, $0.high] })
    for length in 0..<bytes.count {
      #expect(throws: Fault.self) {
        try SeenRecords.decode(Array(bytes[..<length])) { (_, _) throws(Fault) in }
      }
    }
  }
}
