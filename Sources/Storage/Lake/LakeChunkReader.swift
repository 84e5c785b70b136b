// Reads one row group, all columns in step: whole, or the runs of rows that the page indexes left over.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
import StorageContract

final class LakeChunkReader: ChunkReader {
  private let columns: [TableColumn]
  /// Nil for a column that the file lacks.
  private let decoders: [ColumnChunkDecoder?]
  private let place: String
  /// Rows still to be returned, in ascending runs; the first may have been begun.
  private var runs: ArraySlice<Range<Int>>
  /// Rows of the row group passed so far.
  private var row = 0
  /// Rows of the file that are deleted, and the row of the file with which the row group begins.
  private let deleted: DeletedRows?
  private let firstRow: Int

  init(
    _ morsel: LakeMorsel, columns: [TableColumn], conditions: [LakeScan.Condition], store: any ObjectStore
  ) throws(Fault) {
    let group = morsel.footer.rowGroups[morsel.rowGroup]
    self.columns = columns
    deleted = try morsel.file.deletedRows()
    firstRow = morsel.footer.rowGroups[..<morsel.rowGroup].reduce(0) { $0 + $1.rowCount }
    place = "Lake file \"\(morsel.file.path)\", row group \(morsel.rowGroup)."
    let selected = try RowSelection.runs(morsel, conditions, store: store)
    runs = (selected ?? [0..<group.rowCount])[...]
    var decoders: [ColumnChunkDecoder?] = []
    for column in columns {
      guard let index = LakeScan.leafIndex(morsel.footer, column) else {
        decoders.append(nil)
        continue
      }
      decoders.append(
        try Self.decoder(
          morsel.file, morsel.footer.leaves[index], group.columns[index], as: column.type, selected,
          rowCount: group.rowCount, store))
    }
    self.decoders = decoders
  }

  private static func decoder(
    _ file: LakeDataFile, _ leaf: ParquetLeaf, _ chunk: ParquetColumnChunk, as type: DataType, _ runs: [Range<Int>]?,
    rowCount: Int, _ store: any ObjectStore
  ) throws(Fault) -> ColumnChunkDecoder {
    if let runs, let index = try RowSelection.offsetIndex(file, chunk, store) {
      var pieces: [ParquetPiece] = []
      for range in RowSelection.pieces(runs, chunk, index, rowCount: rowCount) {
        pieces.append(ParquetPiece(fileOffset: range.lowerBound, bytes: try LakeScan.read(file, range, store)))
      }
      return try ColumnChunkDecoder(leaf: leaf, chunk: chunk, as: type, pieces: pieces, index: index)
    }
    let bytes = try LakeScan.read(file, chunk.byteRange, store)
    return try ColumnChunkDecoder(leaf: leaf, chunk: chunk, as: type, bytes: bytes)
  }

  func next() throws(Fault) -> Chunk? {
    while true {
      let start = max(row, runs.first?.lowerBound ?? row)
      guard let chunk = try nextStored() else { return nil }
      guard let deleted else { return chunk }
      guard let live = deleted.survivors(of: (firstRow + start)..<(firstRow + start + chunk.rowCount)) else { return chunk }
      if !live.isEmpty { return chunk.gather(live.span) }
    }
  }

  /// The next rows as the file has them.
  private func nextStored() throws(Fault) -> Chunk? {
    guard let run = runs.first else { return nil }
    let gap = max(0, run.lowerBound - row)
    let start = row + gap
    let rows = min(run.upperBound - start, Limits.chunkRowsMax)
    precondition(rows > 0, "a run has rows left")
    var out: [Column] = []
    out.reserveCapacity(columns.count)
    for (decoder, column) in zip(decoders, columns) {
      guard let decoder else {
        out.append(.nulls(column.type, count: rows))
        continue
      }
      do throws(Fault) {
        if gap > 0 { try decoder.skip(rows: gap) }
        let decoded = try decoder.decode(rows: rows)
        guard decoded.count == rows else {
          throw Fault.corrupt("column \"\(column.name)\" has fewer rows than its row group")
        }
        out.append(decoded)
      } catch {
        throw Fault(
          error.state, error.message, kind: error.kind, detail: error.detail.map { "\($0) \(place)" } ?? place)
      }
    }
    row = start + rows
    if row == run.upperBound { runs.removeFirst() }
    return Chunk(columns: out, rowCount: rows)
  }
}
