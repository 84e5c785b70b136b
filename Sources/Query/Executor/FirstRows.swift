// DISTINCT ON without sorting all rows: each thread keeps the first row of every group, in the order asked for; the
// threads' rows are merged the same way.
//
// Rows stay where they were read: a group knows the chunk and row of its first. Chunks that hold few such rows are cut
// down to them now and then. Of rows with equal order keys the one that comes first in the input wins, however many
// threads read it: rows are numbered by part and place in it.

import Bedrock
import Columnar
import Kernels
import Plan
import Runtime

/// Appends to each chunk a column with the number of its part, so that threads can tell the input's order.
private final class NumberedSource: RowSource, Sendable {
  private let input: any RowSource
  init(_ input: any RowSource) { self.input = input }
  func prepare() throws(Fault) { try input.prepare() }
  var partCount: Int { input.partCount }
  var isOrdered: Bool { input.isOrdered }
  func open(_ part: Int) throws(Fault) -> any Cursor {
    let cursor = try input.open(part)
    return ClosureCursor { () throws(Fault) in
      guard let chunk = try cursor.next() else { return nil }
      let number = Column.constant(.integer(Int64(part)), type: .int8, count: chunk.rowCount)
      return Chunk(columns: chunk.columns + [number], rowCount: chunk.rowCount)
    }
  }
}

/// What one thread has found.
// unchecked Sendable because one thread at a time uses it: the reader, then the merger.
private final class FirstRowsSink: @unchecked Sendable {
  /// Where the first row of a group is, and its number in the input.
  private struct Place {
    var chunk: Int32
    var row: Int32
    var position: Int64
  }
  /// Rows in `kept` before it is cut down to those that are first.
  private static let keptRowsMin = 65_536

  private let keys: [CompiledExpression]
  private let order: [CompiledExpression]
  private let environment: QueryEnvironment
  private let groups: GroupTable
  private var best: BestKeys
  private var places: [Place] = []
  /// Input columns, keys, order keys, position.
  private var kept: [Chunk] = []
  private var keptRows = 0
  private var keptBytes = 0
  private var reserved = 0
  private var part: Int64 = -1
  private var nextPosition: Int64 = 0

  init(_ keys: [Expression], _ order: [SortKey], _ environment: QueryEnvironment) throws(Fault) {
    self.environment = environment
    self.keys = try CompiledExpression.compile(keys, environment)
    self.order = try CompiledExpression.compile(order.map(\.expression), environment)
    groups = GroupTable(types: keys.map(\.type))
    best = BestKeys(SortedRows.orders(order))
  }

  /// Takes a chunk whose last column is the number of its part.
  func consume(_ chunk: Chunk) throws(Fault) {
    guard let number = chunk.columns.last?.scalar(at: 0).integer else { throw Fault.bug("rows without a part") }
    if number != part {
      part = number
      nextPosition = number << 32
    }
    let start = nextPosition
    nextPosition += Int64(chunk.rowCount)
    let input = Chunk(columns: Array(chunk.columns.dropLast()), rowCount: chunk.rowCount)
    var columns = input.columns
    for expression in keys + order { columns.append(try expression.evaluate(input)) }
    let positions = Buffer.of(Int64.self, count: chunk.rowCount) { out in
      for row in 0..<out.count { out[row] = start + Int64(row) }
    }
    columns.append(.fixed(.int8, count: chunk.rowCount, positions))
    try add(Chunk(columns: columns, rowCount: chunk.rowCount))
  }

  /// Takes over what another thread has found.
  func merge(_ other: FirstRowsSink) throws(Fault) {
    try other.compact()
    for chunk in other.kept { try add(chunk) }
  }

  /// The first row of each group, with the input's columns alone.
  func finish() throws(Fault) -> [Chunk] {
    try compact()
    guard let all = kept.first else { return [] }
    let width = all.columns.count - keys.count - order.count - 1
    return Chunk(columns: Array(all.columns[..<width]), rowCount: all.rowCount).pieces()
  }

  private func add(_ wide: Chunk) throws(Fault) {
    let end = wide.columns.count - 1
    let orderColumns = Array(wide.columns[(end - order.count)..<end])
    let groupOfRow = groups.assign(
      Array(wide.columns[(end - order.count - keys.count)..<(end - order.count)]), rows: wide.rowCount)
    let index = Int32(kept.count)
    places.reserveCapacity(groups.count)
    while places.count < groups.count { places.append(Place(chunk: -1, row: 0, position: 0)) }
    best.grow(to: groups.count)
    let reader = BestKeys.Reader(orderColumns, best.orders, rows: wide.rowCount)
    let positionColumn = wide.columns[end].flat()
    let positions = positionColumn.int64s
    var winners = 0
    for row in 0..<wide.rowCount {
      let group = Int(groupOfRow[row])
      let found = places[group]
      if found.chunk >= 0 {
        let comparison = best.compare(reader, row, with: group)
        if comparison > 0 || comparison == 0 && positions[row] > found.position { continue }
        if comparison < 0 { best.set(reader, row, of: group) }
      } else {
        best.set(reader, row, of: group)
      }
      places[group] = Place(chunk: index, row: Int32(row), position: positions[row])
      winners += 1
    }
    if winners == 0 { return }
    kept.append(wide)
    keptRows += wide.rowCount
    keptBytes += wide.heldBytes
    if keptRows > max(Self.keptRowsMin, 4 * places.count) { try compact() }
    try account()
  }

  private func account() throws(Fault) {
    let held = keptBytes + groups.byteCount + best.byteCount + places.count * MemoryLayout<Place>.stride
    if held <= reserved { return }
    try environment.memory.reserve(held - reserved)
    reserved = held
  }

  /// Leaves only first rows, in one chunk.
  private func compact() throws(Fault) {
    if places.isEmpty { return }
    try environment.cancellation.check()
    var rows = [[Int32]](repeating: [], count: kept.count)
    for place in places { rows[Int(place.chunk)].append(place.row) }
    var starts: [Int32] = []
    var pieces: [Chunk] = []
    var total: Int32 = 0
    for index in kept.indices {
      starts.append(total)
      total += Int32(rows[index].count)
      let picked = rows[index]
      if !picked.isEmpty { pieces.append(kept[index].gather(picked.span)) }
    }
    for group in places.indices {
      let chunk = Int(places[group].chunk)
      places[group].chunk = 0
      places[group].row = starts[chunk]
      starts[chunk] += 1
    }
    kept = [try Chunk.joined(pieces)]
    keptRows = places.count
    keptBytes = kept[0].heldBytes
    best.compact()
  }
}

/// The least order keys of each group so far.
private struct BestKeys {
  let orders: [RowKeyOrder]
  /// One key of at most 64 bits: where it stands among nulls and values, and its word.
  private var ranks: [UInt8] = []
  private var words: [UInt64] = []
  /// Other keys: encoded, one after the other, at `starts`.
  private var bytes: [UInt8] = []
  private var starts: [Int] = []
  private var lengths: [Int] = []

  init(_ orders: [RowKeyOrder]) { self.orders = orders }

  var byteCount: Int { words.count * 9 + bytes.count + starts.count * 16 }

  /// The order keys of a chunk's rows.
  struct Reader {
    fileprivate let words: Buffer?
    fileprivate let validity: Bitmap?
    fileprivate let nullRank: UInt8
    fileprivate let encoded: EncodedRows

    init(_ columns: [Column], _ orders: [RowKeyOrder], rows: Int) {
      let first = columns[0].flat()
      words = columns.count == 1 ? RowKey.words(first, descending: orders[0].descending) : nil
      validity = first.validity
      nullRank = orders[0].nullsFirst ? 0 : 2
      encoded = words == nil ? RowKey.encode(columns, orders: orders, rows: rows) : EncodedRows()
    }

    fileprivate func rank(_ row: Int) -> UInt8 {
      guard let validity else { return 1 }
      return validity.isSet(row) ? 1 : nullRank
    }
  }

  mutating func grow(to count: Int) {
    let more = count - ranks.count
    if more <= 0 { return }
    ranks += [UInt8](repeating: 0, count: more)
    words += [UInt64](repeating: 0, count: more)
    starts += [Int](repeating: 0, count: more)
    lengths += [Int](repeating: 0, count: more)
  }

  /// Below 0 when the row's keys come before those of the group.
  func compare(_ reader: Reader, _ row: Int, with group: Int) -> Int {
    guard let buffer = reader.words else {
      let rows = reader.encoded
      return rows.bytes.withUnsafeBytes { raw in
        bytes.withUnsafeBytes { own in
          SortedRows.compare(
            raw, rows.offsets[row], rows.offsets[row + 1], own, starts[group], starts[group] + lengths[group])
        }
      }
    }
    let rank = reader.rank(row)
    if rank != ranks[group] { return rank < ranks[group] ? -1 : 1 }
    if rank != 1 { return 0 }
    let word = buffer.span(of: UInt64.self)[row]
    return word == words[group] ? 0 : word < words[group] ? -1 : 1
  }

  mutating func set(_ reader: Reader, _ row: Int, of group: Int) {
    if let buffer = reader.words {
      ranks[group] = reader.rank(row)
      words[group] = buffer.span(of: UInt64.self)[row]
      return
    }
    let range = reader.encoded.offsets[row]..<reader.encoded.offsets[row + 1]
    if range.count > lengths[group] {
      // the group's old place is lost until `compact`
      starts[group] = bytes.count
      bytes += reader.encoded.bytes[range]
    } else {
      bytes.replaceSubrange(starts[group]..<(starts[group] + range.count), with: reader.encoded.bytes[range])
    }
    lengths[group] = range.count
  }

  /// Drops bytes that belong to no group any more.
  mutating func compact() {
    let live = lengths.reduce(0, +)
    if bytes.count <= 2 * live { return }
    var packed: [UInt8] = []
    packed.reserveCapacity(live)
    for group in starts.indices {
      let range = starts[group]..<(starts[group] + lengths[group])
      starts[group] = packed.count
      packed += bytes[range]
    }
    bytes = packed
  }
}

enum FirstRowsOperator {
  /// The first row of each group of equal `keys` by `order`; groups come in no order.
  static func source(
    _ input: any RowSource, keys: [Expression], order: [SortKey], _ environment: QueryEnvironment
  ) -> any RowSource {
    let numbered = NumberedSource(input)
    return MaterializedSource(inputs: [numbered]) { () throws(Fault) in
      let sinks = try ParallelRun<FirstRowsSink>.run(
        numbered, pool: environment.pool,
        makeSink: { () throws(Fault) in try FirstRowsSink(keys, order, environment) },
        consume: { (sink, chunk) throws(Fault) in try sink.consume(chunk) })
      guard let first = sinks.first else { throw Fault.bug("first rows without a thread") }
      for other in sinks.dropFirst() { try first.merge(other) }
      return try first.finish()
    }
  }
}
