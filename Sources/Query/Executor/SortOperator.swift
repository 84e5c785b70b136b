// ORDER BY: rows are ordered by encoded keys (one memcmp a comparison, eight bytes of it in a register). With a limit
// each thread keeps only its best rows and drops early what cannot be among them.

import Bedrock
import Columnar
import Functions
import Glibc
import Kernels
import Plan
import Runtime

enum SortedRows {
  /// Row numbers in order; equal keys keep their order.
  static func order(_ columns: [Column], _ keys: [SortKey], rows: Int) -> [Int32] {
    order(RowKey.encode(columns, orders: orders(keys), rows: rows))
  }

  static func orders(_ keys: [SortKey]) -> [RowKeyOrder] {
    keys.map { RowKeyOrder(descending: $0.descending, nullsFirst: $0.nullsFirst) }
  }

  private struct Entry {
    let prefix: UInt64
    let row: Int32
  }

  static func order(_ encoded: EncodedRows) -> [Int32] {
    encoded.bytes.withUnsafeBytes { raw in
      var entries: [Entry] = []
      entries.reserveCapacity(encoded.count)
      for row in 0..<encoded.count {
        entries.append(Entry(prefix: prefix(raw, encoded.offsets[row], encoded.offsets[row + 1]), row: Int32(row)))
      }
      entries.sort { a, b in
        if a.prefix != b.prefix { return a.prefix < b.prefix }
        let order = compare(
          raw, encoded.offsets[Int(a.row)], encoded.offsets[Int(a.row) + 1], raw, encoded.offsets[Int(b.row)],
          encoded.offsets[Int(b.row) + 1])
        return order != 0 ? order < 0 : a.row < b.row
      }
      return entries.map(\.row)
    }
  }

  private static func prefix(_ raw: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UInt64 {
    if end - start >= 8 { return UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: start, as: UInt64.self)) }
    var value: UInt64 = 0
    for index in 0..<8 { value = value << 8 | (start + index < end ? UInt64(raw[start + index]) : 0) }
    return value
  }

  static func compare(
    _ a: UnsafeRawBufferPointer, _ startA: Int, _ endA: Int, _ b: UnsafeRawBufferPointer, _ startB: Int, _ endB: Int
  ) -> Int {
    let lengthA = endA - startA, lengthB = endB - startB
    let shared = min(lengthA, lengthB)
    if shared > 0, let baseA = a.baseAddress, let baseB = b.baseAddress {
      let order = memcmp(baseA + startA, baseB + startB, shared)
      if order != 0 { return Int(order) }
    }
    return lengthA - lengthB
  }
}

/// What one thread has read, with its keys; cut to the limit now and then.
// unchecked Sendable because one thread at a time uses it.
final class SortSink: @unchecked Sendable {
  private let compiled: [CompiledExpression]
  private let keys: [SortKey]
  private let limit: Int?
  private let environment: QueryEnvironment
  private var chunks: [Chunk] = []
  private var buffered = 0
  /// The encoded key of the last row that can still be among the best.
  private var bound: [UInt8]?

  init(_ keys: [SortKey], limit: Int?, _ environment: QueryEnvironment) throws(Fault) {
    self.keys = keys
    self.limit = limit
    self.environment = environment
    compiled = try CompiledExpression.compile(keys.map(\.expression), environment)
  }

  /// Keeps the chunk with its key columns appended.
  func consume(_ chunk: Chunk) throws(Fault) {
    var columns = chunk.columns
    for key in compiled { columns.append(try key.evaluate(chunk)) }
    var wide = Chunk(columns: columns, rowCount: chunk.rowCount)
    if let bound, let kept = below(bound, wide) { wide = kept }
    if wide.rowCount == 0 { return }
    try environment.memory.reserve(limit == nil ? wide.heldBytes : 0)
    chunks.append(wide)
    buffered += wide.rowCount
    if let limit, buffered > max(2 * limit, 2 * Limits.chunkRowsMax) { try cut(limit) }
  }

  /// The rows whose keys do not come after the bound; `nil`: all.
  private func below(_ bound: [UInt8], _ wide: Chunk) -> Chunk? {
    let encoded = encode(wide)
    var kept: [Int32] = []
    encoded.bytes.withUnsafeBytes { raw in
      bound.withUnsafeBytes { last in
        for row in 0..<wide.rowCount {
          let order = SortedRows.compare(raw, encoded.offsets[row], encoded.offsets[row + 1], last, 0, last.count)
          if order <= 0 { kept.append(Int32(row)) }
        }
      }
    }
    return kept.count == wide.rowCount ? nil : wide.gather(kept.span)
  }

  private func encode(_ wide: Chunk) -> EncodedRows {
    RowKey.encode(
      Array(wide.columns.suffix(keys.count)), orders: SortedRows.orders(keys), rows: wide.rowCount)
  }

  private func cut(_ limit: Int) throws(Fault) {
    guard !chunks.isEmpty else { return }
    let all = Chunk.concatenate(chunks)
    let encoded = encode(all)
    let order = Array(SortedRows.order(encoded).prefix(limit))
    if let last = order.last, order.count == limit {
      bound = Array(encoded.bytes[encoded.offsets[Int(last)]..<encoded.offsets[Int(last) + 1]])
    }
    let best = all.gather(order.span)
    chunks = [best]
    buffered = best.rowCount
  }

  func take(_ other: SortSink) {
    chunks += other.chunks
    buffered += other.buffered
  }

  /// All rows in order, without the key columns.
  func finish() throws(Fault) -> [Chunk] {
    guard !chunks.isEmpty else { return [] }
    let all = Chunk.concatenate(chunks)
    chunks = []
    try environment.memory.reserve(all.heldBytes)
    var order = SortedRows.order(encode(all))
    if let limit { order = Array(order.prefix(limit)) }
    let plain = Chunk(columns: Array(all.columns.dropLast(keys.count)), rowCount: all.rowCount)
    var pieces: [Chunk] = []
    for start in stride(from: 0, to: order.count, by: Limits.chunkRowsMax) {
      try environment.cancellation.check()
      pieces.append(plain.gather(Array(order[start..<min(start + Limits.chunkRowsMax, order.count)]).span))
    }
    return pieces
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
