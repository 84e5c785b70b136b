// ORDER BY: all rows are kept and put in order at the end. With a limit each thread keeps only its best rows and drops
// early what cannot be among them.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan
import Runtime

/// What one thread has read, with its keys; cut to the limit now and then.
// unchecked Sendable because one thread at a time uses it.
final class SortSink: @unchecked Sendable {
  private let compiled: [CompiledExpression]
  private let keys: [SortKey]
  private let limit: Int?
  private let environment: QueryEnvironment
  private var chunks: [Chunk] = []
  private var buffered = 0
  private var held = 0
  private var reserved = 0
  /// With a limit: rows behind this one cannot be among the best.
  private var bound: SortBound?

  init(_ keys: [SortKey], limit: Int?, _ environment: QueryEnvironment) throws(Fault) {
    self.keys = keys
    // a limit that no memory could hold limits nothing
    self.limit = limit.flatMap { $0 <= Int(Int32.max) ? $0 : nil }
    self.environment = environment
    compiled = try CompiledExpression.compile(keys.map(\.expression), environment)
  }

  /// Keeps the chunk with its key columns appended.
  func consume(_ chunk: Chunk) throws(Fault) {
    var columns = chunk.columns
    for key in compiled { columns.append(try key.evaluate(chunk)) }
    var wide = Chunk(columns: columns, rowCount: chunk.rowCount)
    if let bound, let kept = bound.keeping(wide, columns: Array(wide.columns.suffix(keys.count))) { wide = kept }
    if wide.rowCount == 0 { return }
    chunks.append(wide)
    held += wide.heldBytes
    try account()
    buffered += wide.rowCount
    if let limit, buffered > max(2 * limit, 2 * Limits.chunkRowsMax) { try cut(limit) }
  }

  private func account() throws(Fault) {
    if held <= reserved { return }
    try environment.memory.reserve(held - reserved)
    reserved = held
  }

  private func cut(_ limit: Int) throws(Fault) {
    guard !chunks.isEmpty else { return }
    let all = try Chunk.joined(chunks)
    let columns = Array(all.columns.suffix(keys.count))
    let order = Array(SortedRows.order(columns, keys, rows: all.rowCount).prefix(limit))
    if let last = order.last, order.count == limit { bound = SortBound(columns, keys, row: Int(last)) }
    let best = all.gather(order.span)
    chunks = [best]
    buffered = best.rowCount
    held = best.heldBytes
  }

  func take(_ other: SortSink) {
    chunks += other.chunks
    buffered += other.buffered
  }

  /// All rows in order, without the key columns.
  func finish() throws(Fault) -> [Chunk] {
    guard !chunks.isEmpty else { return [] }
    let all = try Chunk.joined(chunks)
    chunks = []
    try environment.memory.reserve(all.heldBytes)
    var order = SortedRows.order(Array(all.columns.suffix(keys.count)), keys, rows: all.rowCount)
    if let limit { order = Array(order.prefix(limit)) }
    let plain = Chunk(columns: Array(all.columns.dropLast(keys.count)), rowCount: all.rowCount)
    var pieces: [Chunk] = []
    for start in stride(from: 0, to: order.count, by: Limits.chunkRowsMax) {
      try environment.cancellation.check()
      let rows = order.span.extracting(start..<min(start + Limits.chunkRowsMax, order.count))
      pieces.append(plain.gather(rows))
    }
    return pieces
  }
}

/// The keys of one row, to tell what comes after it.
struct SortBound {
  private let orders: [RowKeyOrder]
  /// The first key as a word, when it fits one and is not null: then it alone is compared.
  private let word: UInt64?
  private let encoded: [UInt8]

  init(_ columns: [Column], _ keys: [SortKey], row: Int) {
    orders = SortedRows.orders(keys)
    let rows = [Int32(row)]
    let one = columns.map { $0.gather(rows.span).flat() }
    let isNull = one[0].isNull(at: 0)
    // its words have a name, so that their span has something to borrow
    let words = isNull ? nil : RowKey.words(one[0], descending: orders[0].descending)
    word = words.map { (words) in words.span(of: UInt64.self)[0] }
    encoded = RowKey.encode(one, orders: orders, rows: 1).bytes
  }

  /// The rows of `chunk` that do not come after the bound; `nil`: all. Ties stay, and more where only the first key
  /// is compared.
  func keeping(_ chunk: Chunk, columns: [Column]) -> Chunk? {
    var kept: [Int32] = []
    let first = columns[0].flat()
    if let word, let words = RowKey.words(first, descending: orders[0].descending) {
      let nullsStay = orders[0].nullsFirst
      let values = words.span(of: UInt64.self)
      if let validity = first.validity {
        for row in 0..<chunk.rowCount where validity.isSet(row) ? values[row] <= word : nullsStay {
          kept.append(Int32(row))
        }
      } else {
        for row in 0..<chunk.rowCount where values[row] <= word { kept.append(Int32(row)) }
      }
    } else {
      let rows = RowKey.encode(columns, orders: orders, rows: chunk.rowCount)
      rows.bytes.withUnsafeBytes { raw in
        encoded.withUnsafeBytes { last in
          for row in 0..<chunk.rowCount {
            let order = SortedRows.compare(raw, rows.offsets[row], rows.offsets[row + 1], last, 0, last.count)
            if order <= 0 { kept.append(Int32(row)) }
          }
        }
      }
    }
    return kept.count == chunk.rowCount ? nil : chunk.gather(kept.span)
  }
}

enum SortOperator {
  static func source(
    _ input: any RowSource, _ keys: [SortKey], limit: Int?, _ environment: QueryEnvironment
  ) -> any RowSource {
    MaterializedSource(inputs: [input]) { () throws(Fault) in
      // an ordered input keeps its order among equal keys
      let sinks = try ParallelRun<SortSink>.run(
        input, pool: environment.pool, isSerial: input.isOrdered,
        makeSink: { () throws(Fault) in try SortSink(keys, limit: limit, environment) },
        consume: { (sink, chunk) throws(Fault) in try sink.consume(chunk) })
      guard let first = sinks.first else { throw Fault.bug("a sort without a thread") }
      for other in sinks.dropFirst() { first.take(other) }
      return try first.finish()
    }
  }
}
