// A page once it is decompressed and checked: what a cache keeps between scans.
//
// The decoder asks nobody for pages. Its caller looks into the cache before it reads bytes, gives the pages it finds, and
// hands in a keeper for those that are decompressed on the way.

import Bedrock
package import Columnar

/// A page of one column chunk. Immutable, so that any number of decoders may read it at once.
package struct ParquetPage: Sendable {
  enum Content: Sendable {
    case dictionary(ColumnDictionary, longest: Int, DataType)
    /// The values, and where the definition levels lie.
    case data(Buffer, Range<Int>, levels: (bytes: Buffer, range: Range<Int>)?)
  }
  let header: PageHeader
  let content: Content

  /// True when a decoder that returns `type` can use the page: a dictionary holds values, not bytes.
  package func serves(_ type: DataType) -> Bool {
    if case .dictionary(_, _, let own) = content { return own == type }
    return true
  }

  /// About how many bytes of memory the page holds.
  package var byteCount: Int {
    switch content {
    case .dictionary(let dictionary, _, _):
      switch dictionary.values.form {
      case .fixed(let values): return 128 + values.byteCount
      case .bytes(let offsets, let data): return 128 + offsets.byteCount + data.byteCount
      default: return 128
      }
    case .data(let bytes, _, let levels):
      guard let levels, levels.bytes !== bytes else { return 256 + bytes.byteCount }
      return 256 + bytes.byteCount + levels.bytes.byteCount
    }
  }
}

/// Takes pages as they are made. Called on the decoder's thread.
package protocol ParquetPageKeeper: Sendable {
  /// - Parameter offset: of the page's header in the file.
  func keep(_ page: ParquetPage, at offset: Int)
}
