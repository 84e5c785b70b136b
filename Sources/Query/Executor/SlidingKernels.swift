// Loops over frames whose starts and ends never fall within a partition.

import Columnar
import Kernels
import Plan

/// Values as words that order as SQL does.
enum OrderWords {
  static func of(_ flat: Column, rows: Int) -> [UInt64] {
    if let words = RowKey.words(flat, descending: false) {
      let span = words.span(of: UInt64.self)
      return [UInt64](unsafeUninitializedCapacity: rows) { out, count in
        for row in 0..<rows { out[row] = span[row] }
        count = rows
      }
    }
    // Types without words: the rank of the value among all.
    let encoded = RowKey.encode([flat], orders: [.equality], rows: rows)
    let order = SortedRows.order(encoded)
    var ranks = [UInt64](repeating: 0, count: rows)
    var rank: UInt64 = 0
    encoded.bytes.withUnsafeBytes { raw in
      for place in order.indices.dropFirst() {
        let (a, b) = (Int(order[place - 1]), Int(order[place]))
        let difference = SortedRows.compare(
          raw, encoded.offsets[a], encoded.offsets[a + 1], raw, encoded.offsets[b], encoded.offsets[b + 1])
        if difference != 0 { rank += 1 }
        ranks[b] = rank
      }
    }
    return ranks
  }
}

enum SlidingExtreme {
  /// The row with the best value of each frame, the last of equal ones; -1 when the frame has no value.
  ///
  /// A queue holds the rows of the frame that no later row beats, best first: each row enters and leaves once.
  static func rows(_ words: [UInt64], _ validity: Bitmap?, _ range: FrameRanges, isMax: Bool) -> [Int32] {
    let count = words.count
    let flip: UInt64 = isMax ? .max : 0
    var picks = [Int32](repeating: -1, count: count)
    var queue = [Int32](repeating: 0, count: count)
    var head = 0, tail = 0, next = 0
    words.withUnsafeBufferPointer { words in
      queue.withUnsafeMutableBufferPointer { queue in
        for row in 0..<count {
          let start = Int(range.starts[row]), end = Int(range.ends[row])
          if next < start { next = start }
          while next < end {
            if validity?.isSet(next) ?? true {
              let word = words[next] ^ flip
              while tail > head && words[Int(queue[tail &- 1])] ^ flip >= word { tail &-= 1 }
              queue[tail] = Int32(truncatingIfNeeded: next)
              tail &+= 1
            }
            next &+= 1
          }
          while head < tail && Int(queue[head]) < start { head &+= 1 }
          if head < tail && Int(queue[head]) < end { picks[row] = queue[head] }
        }
      }
    }
    return picks
  }
}

/// Sums of floats over ranges: whole blocks of 64 rows, whole blocks of 64 blocks, and single rows at the edges, always
/// from the left to the right.
struct BlockSums {
  private let values: [Double]
  private let blocks: [Double]
  private let large: [Double]

  init(_ values: [Double]) {
    self.values = values
    blocks = Self.summed(values)
    large = Self.summed(blocks)
  }

  private static func summed(_ values: [Double]) -> [Double] {
    stride(from: 0, to: values.count, by: 64).map { start in
      var sum = 0.0
      for index in start..<min(start + 64, values.count) { sum += values[index] }
      return sum
    }
  }

  func sums(over ranges: [FrameRanges]) -> [Double] {
    (0..<values.count).map { row in
      var sum = 0.0
      for range in ranges { add(Int(range.starts[row]), Int(range.ends[row]), to: &sum) }
      return sum
    }
  }

  private func add(_ start: Int, _ end: Int, to sum: inout Double) {
    var place = start
    while place < end {
      if place & 4095 == 0 && place + 4096 <= end {
        sum += large[place >> 12]
        place += 4096
      } else if place & 63 == 0 && place + 64 <= end {
        sum += blocks[place >> 6]
        place += 64
      } else {
        sum += values[place]
        place += 1
      }
    }
  }
}
