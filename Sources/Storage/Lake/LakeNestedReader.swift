// Reads a morsel of which some columns are nested: whole column chunks, all columns in step, no filters. What is nested
// becomes an array or JSON by the rules of ParquetColumnReader.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ParquetFormat
import StorageContract

final class LakeNestedReader: ChunkReader {
  private let columns: [TableColumn]
  /// Nil for a column that the file lacks.
  private let readers: [(any ParquetColumnReader)?]
  private let morsel: LakeMorsel
  private let deleted: DeletedRows?
  private let firstRow: Int
  private var row: Int

  init(_ morsel: LakeMorsel, _ columns: [TableColumn], _ footers: FooterCache) throws(Fault) {
    self.columns = columns
    self.morsel = morsel
    deleted = try morsel.file.deletedRows()
    firstRow = morsel.firstRow
    row = morsel.rows.lowerBound
    var readers: [(any ParquetColumnReader)?] = []
    for column in columns {
      guard let field = Self.field(morsel.footer, column) else {
        readers.append(nil)
        continue
      }
      let chunks = field.leaves.map { morsel.group.columns[$0] }
      let pieces = try footers.reads.read(morsel.file.path, chunks.map(\.byteRange))
      var sources: [ParquetChunkSource] = []
      for chunk in chunks {
        let own = pieces.filter { $0.range.overlaps(chunk.byteRange) }
        sources.append(ParquetChunkSource(pieces: own, index: nil))
      }
      let type = field.isLeaf ? column.type : nil
      let reader = try morsel.footer.columnReader(field, rowGroup: morsel.rowGroup, as: type, sources: sources)
      if row > 0 { try reader.skip(rows: row) }
      readers.append(reader)
    }
    self.readers = readers
  }

  private static func field(_ footer: ParquetFile, _ column: TableColumn) -> ParquetField? {
    if column.fieldID >= 0, let field = footer.fields.first(where: { $0.fieldID == column.fieldID }) { return field }
    return footer.fields.first { $0.name == column.name && (column.fieldID < 0 || $0.fieldID == nil) }
  }

  func next() throws(Fault) -> Chunk? {
    while row < morsel.rows.upperBound {
      let rows = row..<min(row + Limits.chunkRowsMax, morsel.rows.upperBound)
      row = rows.upperBound
      let chunk = try read(rows)
      guard let deleted,
        let live = deleted.survivors(of: (firstRow + rows.lowerBound)..<(firstRow + rows.upperBound))
      else { return chunk }
      if !live.isEmpty { return chunk.gather(live.span) }
    }
    return nil
  }

  private func read(_ rows: Range<Int>) throws(Fault) -> Chunk {
    var out: [Column] = []
    do throws(Fault) {
      for (reader, column) in zip(readers, columns) {
        guard let reader else {
          out.append(.nulls(column.type, count: rows.count))
          continue
        }
        let decoded = try reader.decode(rows: rows.count)
        guard decoded.count == rows.count else {
          throw Fault.corrupt("column \"\(column.name)\" has fewer rows than its row group")
        }
        guard decoded.type.physical == column.type.physical else {
          throw Fault.corrupt("column \"\(column.name)\" has the type \(decoded.type) in a file, not \(column.type)")
        }
        out.append(decoded.type == column.type ? decoded : decoded.retyped(column.type))
      }
    } catch {
      let place = "Lake file \"\(morsel.file.path)\", row group \(morsel.rowGroup)."
      throw Fault(
        error.state, error.message, kind: error.kind, detail: error.detail.map { "\($0) \(place)" } ?? place)
    }
    return Chunk(columns: out, rowCount: rows.count)
  }
}
