// Rows that wait to be put in order, and the memory they take until they are written.
//
//   held      the chunks as they came
//   work      what ordering and encoding take beside them: 48 bytes a row for the sort, and for each encoding thread one
//             column twice (put together, then in order); the largest columns count
//
// Both are upper bounds of what is allocated, reckoned from lengths before anything is.

import Bedrock
import Columnar

struct RowGathering {
  /// Two arrays of (key, row), row numbers, sorted keys.
  private static let sortBytesPerRow = 48
  /// Bytes of the texts of one column, so that offsets stay inside 31 bits when the column is put together.
  private static let columnBytesMax = 1_024 * 1_048_576

  private(set) var chunks: [Chunk] = []
  private(set) var rowCount = 0
  private(set) var heldBytes = 0
  private let threadCount: Int
  /// Bytes of each column once put together; of texts as if none were coded.
  private var columnBytes: [Int]
  /// Dictionaries whose bytes are counted.
  private var met: Set<ObjectIdentifier> = []

  /// - Parameter threadCount: columns that are encoded at once.
  init(columnCount: Int, threadCount: Int) {
    precondition(columnCount > 0 && threadCount > 0)
    columnBytes = [Int](repeating: 0, count: columnCount)
    self.threadCount = threadCount
  }

  var isEmpty: Bool { chunks.isEmpty }

  /// What the rows take until they are written.
  var budgetBytes: Int { heldBytes + Self.work(columnBytes, rowCount, threadCount) }

  private static func work(_ columnBytes: [Int], _ rowCount: Int, _ threadCount: Int) -> Int {
    let largest = columnBytes.sorted(by: >).prefix(threadCount).reduce(0, +)
    return rowCount * sortBytesPerRow + 2 * largest
  }

  /// True when `chunk` fits into `budget` beside what is gathered.
  func hasRoom(for chunk: Chunk, budget: Int) -> Bool {
    precondition(chunk.columns.count == columnBytes.count, "every chunk has the same columns")
    var met = met
    let held = chunk.columns.reduce(heldBytes) { $0 + GatheredRows.memoryBytes($1, &met) }
    let columns = zip(columnBytes, chunk.columns).map { $0 + Self.joinedBytes($1) }
    return held + Self.work(columns, rowCount + chunk.rowCount, threadCount) <= budget
      && columns.allSatisfy { $0 <= Self.columnBytesMax }
  }

  mutating func append(_ chunk: Chunk) {
    count(chunk)
    chunks.append(chunk)
  }

  /// Counts a chunk that is not kept.
  mutating func count(_ chunk: Chunk) {
    precondition(chunk.columns.count == columnBytes.count, "every chunk has the same columns")
    for (index, column) in chunk.columns.enumerated() {
      heldBytes += GatheredRows.memoryBytes(column, &met)
      columnBytes[index] += Self.joinedBytes(column)
    }
    rowCount += chunk.rowCount
  }

  /// Lets the rows go; they stay counted.
  mutating func dropRows() { chunks = [] }

  mutating func removeAll() { self = RowGathering(columnCount: columnBytes.count, threadCount: threadCount) }

  private static func joinedBytes(_ column: Column) -> Int {
    if case .list(_, let elements) = column.form { return column.count * 4 + joinedBytes(elements) }
    if let width = column.type.physical.width { return column.count * width }
    return column.count * 4 + GatheredRows.flatByteCount(column)
  }

  /// `chunk` in parts each of which, alone, fits into `budget`, but for single rows that do not.
  static func parts(of chunk: Chunk, budget: Int, threadCount: Int) -> [Chunk] {
    if chunk.rowCount <= 1 { return [chunk] }
    let empty = RowGathering(columnCount: chunk.columns.count, threadCount: threadCount)
    if empty.hasRoom(for: chunk, budget: budget) { return [chunk] }
    let middle = chunk.rowCount / 2
    return parts(of: chunk.slice(0..<middle), budget: budget, threadCount: threadCount)
      + parts(of: chunk.slice(middle..<chunk.rowCount), budget: budget, threadCount: threadCount)
  }
}
