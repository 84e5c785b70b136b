// A plain table in memory: temporary tables, and the rows that RETURNING reads.
//
// A version is a list of chunks, each with its own rows; a change keeps the chunks that it does not touch. An address is
// the chunk's place, then 32 bits of the row's place in it. All sessions share one budget for what they hold.

import Bedrock
import Columnar
import EventSchema
import Runtime
import StorageContract

/// A chunk whose bytes are counted for as long as a version has it.
final class HeldChunk: Sendable {
  let chunk: Chunk
  private let bytes: Int
  private let budget: MemoryBudget

  /// Throws 53200 when the budget is spent.
  init(_ chunk: Chunk, _ budget: MemoryBudget) throws(Fault) {
    var flat: [Column] = []
    // Shared dictionaries and constants would hold on to more than these rows.
    for column in chunk.columns { flat.append(column.flat()) }
    self.chunk = Chunk(columns: flat, rowCount: chunk.rowCount)
    self.budget = budget
    let bytes = flat.reduce(64) { $0 + Self.byteCount($1) }
    try budget.reserve(bytes)
    self.bytes = bytes
  }

  deinit { budget.release(bytes) }

  private static func byteCount(_ column: Column) -> Int {
    let validity = column.validity == nil ? 0 : column.count / 8
    switch column.form {
    case .bytes(_, let data): return validity + column.count * 4 + data.byteCount
    case .list(_, let elements): return validity + column.count * 4 + byteCount(elements)
    default: return validity + column.count * (column.type.physical.width ?? 16)
    }
  }
}

final class MemoryVersion: ReferenceTableVersion {
  static let rowBits: Int64 = 32
  let definition: ReferenceTableDefinition
  let chunks: [HeldChunk]
  let budget: MemoryBudget

  init(_ definition: ReferenceTableDefinition, _ chunks: [HeldChunk] = [], budget: MemoryBudget) {
    self.definition = definition
    self.chunks = chunks
    self.budget = budget
  }

  var estimatedRows: Int64 { chunks.reduce(0) { $0 + Int64($1.chunk.rowCount) } }
  var label: String { "table \(definition.name) in memory" }
  func change() throws(Fault) -> any ReferenceTableChange { MemoryChange(self) }
  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan { MemoryScan(version: self, columns: request.columns) }

  /// The same rows with one more column of nulls or a constant at the end.
  func adding(_ definition: ReferenceTableDefinition, _ column: (Int) -> Column) throws(Fault) -> MemoryVersion {
    var held: [HeldChunk] = []
    for chunk in chunks {
      held.append(
        try HeldChunk(
          Chunk(columns: chunk.chunk.columns + [column(chunk.chunk.rowCount)], rowCount: chunk.chunk.rowCount), budget))
    }
    return MemoryVersion(definition, held, budget: budget)
  }
}

struct MemoryScan: TableScan {
  let version: MemoryVersion
  let columns: [Int]

  var morselCount: Int { version.chunks.count }
  var tiers: [TierScanSummary] {
    [TierScanSummary(tier: "memory", units: [], rows: version.estimatedRows, bytes: 0)]
  }
  func open(morsel: Int) throws(Fault) -> any ChunkReader { Reader(version, morsel, columns) }

  private final class Reader: ChunkReader {
    private let version: MemoryVersion
    private let place: Int
    private let columns: [Int]
    private var row = 0

    init(_ version: MemoryVersion, _ place: Int, _ columns: [Int]) {
      self.version = version
      self.place = place
      self.columns = columns
    }

    func next() throws(Fault) -> Chunk? {
      let chunk = version.chunks[place].chunk
      guard row < chunk.rowCount else { return nil }
      let rows = row..<min(row + Limits.chunkRowsMax, chunk.rowCount)
      row = rows.upperBound
      let first = Int64(place) << MemoryVersion.rowBits | Int64(rows.lowerBound)
      let parts = columns.map { index in
        index < chunk.columns.count ? chunk.columns[index].slice(rows) : Self.addresses(from: first, count: rows.count)
      }
      return Chunk(columns: parts, rowCount: rows.count)
    }

    private static func addresses(from first: Int64, count: Int) -> Column {
      let buffer = Buffer.of(Int64.self, count: count) { out in
        for row in 0..<count { out[row] = first + Int64(row) }
      }
      return .fixed(.int8, count: count, buffer)
    }
  }
}

final class MemoryChange: ReferenceTableChange {
  /// Rows that are put into one chunk, so that many small inserts stay quick to scan.
  private static let joinedRowsMax = 4_096
  private let before: MemoryVersion
  private var added: [HeldChunk] = []
  private var removed: [Int: [Bool]] = [:]
  private var isEmptied = false

  init(_ before: MemoryVersion) { self.before = before }

  func append(_ chunk: Chunk) throws(Fault) {
    if chunk.rowCount > 0 { added.append(try HeldChunk(chunk, before.budget)) }
  }

  func remove(_ addresses: Column) throws(Fault) -> [Int32] {
    let column = addresses.flat()
    let values = column.int64s
    let mask = Int64(1) << MemoryVersion.rowBits - 1
    var fresh: [Int32] = []
    var row = 0
    while row < values.count {
      let place = Int(values[row] >> MemoryVersion.rowBits)
      guard before.chunks.indices.contains(place) else { throw .bug("an address of another version") }
      var marks =
        removed.removeValue(forKey: place) ?? [Bool](repeating: false, count: before.chunks[place].chunk.rowCount)
      while row < values.count, Int(values[row] >> MemoryVersion.rowBits) == place {
        let index = Int(values[row] & mask)
        guard index < marks.count else { throw .bug("an address behind the end of its chunk") }
        if !marks[index] {
          marks[index] = true
          fresh.append(Int32(truncatingIfNeeded: row))
        }
        row += 1
      }
      removed[place] = marks
    }
    return fresh
  }

  func removeAll() throws(Fault) { isEmptied = true }
  func abandon() { added = [] }

  func finish() throws(Fault) -> any ReferenceTableVersion {
    var chunks: [HeldChunk] = []
    if !isEmptied {
      for (place, held) in before.chunks.enumerated() {
        guard let marks = removed[place] else {
          chunks.append(held)
          continue
        }
        var kept: [Int32] = []
        for row in marks.indices where !marks[row] { kept.append(Int32(truncatingIfNeeded: row)) }
        if !kept.isEmpty { chunks.append(try HeldChunk(held.chunk.gather(kept.span), before.budget)) }
      }
    }
    for held in added {
      if let last = chunks.last, last.chunk.rowCount + held.chunk.rowCount <= Self.joinedRowsMax {
        chunks[chunks.count - 1] = try HeldChunk(.concatenate([last.chunk, held.chunk]), before.budget)
      } else {
        chunks.append(held)
      }
    }
    return MemoryVersion(before.definition, chunks, budget: before.budget)
  }
}
