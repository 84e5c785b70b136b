// What reads a column of a row group, whatever its shape: a flat leaf, a leaf inside of structs, or a nested value.

package import Bedrock
package import Columnar

/// A forward cursor over the rows of one column of a row group. Not for two threads at once.
package protocol ParquetColumnReader: AnyObject {
  /// The SQL type of the columns it returns.
  var type: DataType { get }
  /// Rows not yet decoded or skipped.
  var rowsRemaining: Int { get }
  /// The next `rows` rows, or all that remain.
  func decode(rows: Int) throws(Fault) -> Column
  /// Passes over the next `rows` rows, or all that remain.
  func skip(rows: Int) throws(Fault)
}

extension ColumnChunkDecoder: ParquetColumnReader {}

/// The bytes of one column chunk: all of it, or the parts that a page index names.
package struct ParquetChunkSource: Sendable {
  package let pieces: [ParquetPiece]
  package let index: ParquetOffsetIndex?

  /// - Parameters:
  ///   - pieces: the dictionary page (everything before the first data page) and those data pages that will be decoded.
  ///   - index: where the pages lie; needed when `pieces` are not the whole chunk.
  package init(pieces: [ParquetPiece], index: ParquetOffsetIndex?) {
    self.pieces = pieces
    self.index = index
  }

  /// The whole chunk: the bytes `chunk.byteRange` of the file.
  package init(chunk: ParquetColumnChunk, bytes: Buffer) {
    self.init(pieces: [ParquetPiece(fileOffset: chunk.byteRange.lowerBound, bytes: bytes)], index: nil)
  }
}

extension ParquetFile {
  /// A reader of `field` in one row group. `field` is a top-level node, or one that `field(path:)` found under structs.
  /// - Parameters:
  ///   - type: what to return; `nil`: `field.type`. Scalars may be widened; nested values have their natural type only.
  ///   - shape: names and types below a nested node; `nil`: those of the file.
  ///   - sources: the bytes of each leaf of `field.leaves`, in that order.
  package func columnReader(
    _ field: ParquetField, rowGroup: Int, as type: DataType? = nil, shape: ParquetShape? = nil,
    sources: [ParquetChunkSource]
  ) throws(Fault) -> any ParquetColumnReader {
    precondition(sources.count == field.leaves.count, "one source a leaf")
    let group = rowGroups[rowGroup]
    if field.isLeaf, let index = field.leaves.first, leaves[index].isPlain {
      return try ColumnChunkDecoder(
        leaf: leaves[index], chunk: group.columns[index], as: type, pieces: sources[0].pieces, index: sources[0].index)
    }
    return try NestedColumnReader(file: self, field: field, rowGroup: group, as: type, shape: shape, sources: sources)
  }
}
