// Every sequence that a table has ever accepted, as sorted intervals that neither touch nor overlap.
//
//   pages:  [ 1-500 | 502-502 | ... ]  [ ... ]  [ ... ]      at most 512 intervals a page
//
// A dense sequence is one interval; 10^6 scattered ones take about 16 MB. The holes are cramped.gaps. A value type:
// a copy taken by a reader shares pages until the writer changes them.

import Bedrock

struct SeenSet: Sendable {
  private static let pageMax = 512

  private struct Page: Sendable {
    var lows: [Int64]
    var highs: [Int64]
  }
  private var pages: [Page] = []
  private(set) var intervalCount = 0

  /// Bytes held, spare room in arrays included.
  var byteCount: Int {
    pages.reduce(pages.capacity * MemoryLayout<Page>.stride) { $0 + ($1.lows.capacity + $1.highs.capacity) * 8 + 64 }
  }

  /// Calls `body` with each interval, ascending.
  func forEach<E: Error>(_ body: (ClosedRange<Int64>) throws(E) -> Void) throws(E) {
    for page in pages {
      for index in page.lows.indices { try body(page.lows[index]...page.highs[index]) }
    }
  }

  /// False when `value` is in the set already.
  mutating func insert(_ value: Int64) -> Bool {
    if pages.isEmpty {
      pages.append(Page(lows: [value], highs: [value]))
      intervalCount = 1
      return true
    }
    // Read by index: a copy of the page would share its arrays, and the write below would have to copy them.
    let page = pages.count - 1
    let last = pages[page].lows.count - 1
    let top = pages[page].highs[last]
    if value > top {
      // The usual case: the next sequence.
      if value == top + 1 {
        pages[page].highs[last] = value
      } else {
        append(value, value)
      }
      return true
    }
    if value >= pages[page].lows[last] { return false }
    return insertInside(value)
  }

  /// Adds every value of an interval, some of which may be there already.
  mutating func insert(low: Int64, high: Int64) {
    precondition(low <= high)
    guard let last = pages.last, let top = last.highs.last, low <= top else {
      if let last = pages.last, let top = last.highs.last, low == top + 1 {
        pages[pages.count - 1].highs[last.highs.count - 1] = high
      } else {
        append(low, high)
      }
      return
    }
    for value in low...high { _ = insert(value) }
  }

  /// Adds an interval above all others; used by `insert` and by the reader of stored sets.
  mutating func append(_ low: Int64, _ high: Int64) {
    precondition(low <= high)
    if pages.isEmpty || pages[pages.count - 1].lows.count >= Self.pageMax { pages.append(Page(lows: [], highs: [])) }
    let page = pages.count - 1
    pages[page].lows.append(low)
    pages[page].highs.append(high)
    intervalCount += 1
  }

  /// `value` lies below the lowest value of the last interval.
  private mutating func insertInside(_ value: Int64) -> Bool {
    // The last page that begins at or below the value; the first page when there is none.
    var low = 0
    var high = pages.count
    while low < high {
      let middle = (low + high) / 2
      if pages[middle].lows[0] <= value { low = middle + 1 } else { high = middle }
    }
    let page = max(low - 1, 0)
    low = 0
    high = pages[page].lows.count
    while low < high {
      let middle = (low + high) / 2
      if pages[page].lows[middle] <= value { low = middle + 1 } else { high = middle }
    }
    let index = low - 1
    if index >= 0 && value <= pages[page].highs[index] { return false }
    // The interval after the value lies in this page or begins the next one; there always is one.
    let next = index + 1 < pages[page].lows.count ? (page: page, index: index + 1) : (page: page + 1, index: 0)
    let touchesNext = pages[next.page].lows[next.index] == value + 1
    if index >= 0 && pages[page].highs[index] + 1 == value {
      pages[page].highs[index] = touchesNext ? pages[next.page].highs[next.index] : value
      if touchesNext { remove(next.page, next.index) }
    } else if touchesNext {
      pages[next.page].lows[next.index] = value
    } else {
      pages[page].lows.insert(value, at: index + 1)
      pages[page].highs.insert(value, at: index + 1)
      intervalCount += 1
      if pages[page].lows.count > Self.pageMax { split(page) }
    }
    return true
  }

  private mutating func remove(_ page: Int, _ index: Int) {
    pages[page].lows.remove(at: index)
    pages[page].highs.remove(at: index)
    intervalCount -= 1
    if pages[page].lows.isEmpty { pages.remove(at: page) }
  }

  private mutating func split(_ page: Int) {
    let half = pages[page].lows.count / 2
    let upper = Page(lows: Array(pages[page].lows[half...]), highs: Array(pages[page].highs[half...]))
    pages[page].lows.removeSubrange(half...)
    pages[page].highs.removeSubrange(half...)
    pages.insert(upper, at: page + 1)
  }
}

/// Runs of sequences in the order they were accepted.
struct SequenceRuns: Sendable {
  private(set) var runs: [(low: Int64, high: Int64)] = []

  var isEmpty: Bool { runs.isEmpty }

  mutating func append(_ value: Int64) {
    if let last = runs.last, last.high < .max, last.high + 1 == value {
      runs[runs.count - 1].high = value
    } else {
      runs.append((value, value))
    }
  }

  mutating func append(low: Int64, high: Int64) { runs.append((low, high)) }
}
