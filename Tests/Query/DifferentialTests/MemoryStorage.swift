// Storage for tests: tables in memory, cut into chunks of uneven lengths, every second chunk with dictionary texts.

import Bedrock
import Columnar
import EventSchema
import StorageContract

final class MemoryStorage: StorageReader, StorageSnapshot {
  private let descriptions: [TableDescription]
  private let chunks: [TableID: [Chunk]]

  init(_ tables: [SampleTable]) {
    descriptions = tables.map(\.description)
    chunks = Dictionary(uniqueKeysWithValues: tables.map { ($0.description.id, Self.chunks(of: $0)) })
  }

  private static func chunks(of table: SampleTable) -> [Chunk] {
    var result: [Chunk] = []
    var start = 0
    let lengths = [257, 64, 1, 300]
    while start < table.rows.count {
      let end = min(start + lengths[result.count % lengths.count], table.rows.count)
      let rows = table.rows[start..<end]
      let usesDictionary = result.count % 2 == 1
      let columns = table.description.columns.enumerated().map { index, column in
        let scalars = rows.map { $0[index] }
        return usesDictionary && column.type.physical == .bytes
          ? dictionaryColumn(column.type, scalars) : ColumnBuilder.column(column.type, scalars)
      }
      result.append(Chunk(columns: columns, rowCount: rows.count))
      start = end
    }
    return result
  }

  private static func dictionaryColumn(_ type: DataType, _ scalars: [Scalar]) -> Column {
    var codes: [Scalar: Int64] = [:]
    var values: [Scalar] = []
    var builder = ColumnBuilder(type: .int4, capacity: scalars.count)
    for scalar in scalars {
      if scalar.isNull {
        builder.appendNull()
        continue
      }
      if codes[scalar] == nil {
        codes[scalar] = Int64(values.count)
        values.append(scalar)
      }
      builder.append(codes[scalar] ?? 0)
    }
    let coded = builder.finish()
    guard case .fixed(let buffer) = coded.form else { preconditionFailure("codes are fixed") }
    return Column(
      type: type, count: scalars.count, validity: coded.validity,
      form: .dictionary(codes: buffer, dictionary: ColumnDictionary(ColumnBuilder.column(type, values))))
  }

  func tables() -> [TableDescription] { descriptions }
  func snapshot() throws(Fault) -> any StorageSnapshot { self }

  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    guard let chunks = chunks[request.table] else { throw .bug("no such table") }
    return MemoryScan(chunks: chunks, columns: request.columns)
  }
}

/// One morsel a chunk.
private struct MemoryScan: TableScan {
  let chunks: [Chunk]
  let columns: [Int]
  var morselCount: Int { chunks.count }
  var tiers: [TierScanSummary] {
    let rows = chunks.reduce(0) { $0 + Int64($1.rowCount) }
    return [TierScanSummary(tier: "hot", units: [("chunks", chunks.count, chunks.count)], rows: rows, bytes: 0)]
  }
  func open(morsel: Int) throws(Fault) -> any ChunkReader {
    let chunk = chunks[morsel]
    return MemoryReader(Chunk(columns: columns.map { chunk.columns[$0] }, rowCount: chunk.rowCount))
  }
}

private final class MemoryReader: ChunkReader {
  private var chunk: Chunk?
  init(_ chunk: Chunk) { self.chunk = chunk }
  func next() throws(Fault) -> Chunk? {
    defer { chunk = nil }
    return chunk
  }
}
