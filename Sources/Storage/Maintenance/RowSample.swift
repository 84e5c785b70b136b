// A uniform sample of a table's rows: those whose hashed position in the log is smallest (bottom-k).
//
// Which rows are in it depends on the rows alone, not on files or on the order of looking: a row seen again after a
// compaction is the same row, and samples of parts join into the sample of the whole.

import Bedrock
import Columnar
import Kernels

/// One sampled row.
struct SampledRow: Sendable, Hashable {
  let hash: UInt64
  let published: Int64
  /// In the order of the sample's columns.
  var values: [Scalar]
}

struct RowSample: Sendable, Equatable {
  static let rowsMax = 1_000
  /// Longer text is cut: estimates need no more.
  static let textBytesMax = 64

  /// Ascending by hash, no two equal.
  private(set) var rows: [SampledRow] = []

  init() {}
  init(rows: [SampledRow]) throws(Fault) {
    for index in rows.indices.dropFirst() where rows[index].hash <= rows[index - 1].hash {
      throw .corrupt("a stored sample of rows is out of order")
    }
    self.rows = rows
  }

  /// Rows with a larger hash are not in the sample.
  private var bound: UInt64 { rows.count < Self.rowsMax ? .max : rows[rows.count - 1].hash }

  /// Looks at the rows of a chunk. `hashes` are those of their positions.
  mutating func add(_ columns: [Column], published: Column, hashes: [UInt64]) {
    var bound = self.bound
    for row in hashes.indices where hashes[row] <= bound {
      // Few rows come here: k * ln(n / k) in all.
      let place = index(of: hashes[row])
      if place < rows.count && rows[place].hash == hashes[row] { continue }
      let values = columns.map { Self.cut($0.scalar(at: row)) }
      rows.insert(
        SampledRow(hash: hashes[row], published: published.scalar(at: row).integer ?? 0, values: values), at: place)
      if rows.count > Self.rowsMax { rows.removeLast() }
      bound = self.bound
    }
  }

  /// The first row with at least that hash.
  private func index(of hash: UInt64) -> Int {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].hash < hash { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Rows published before `cutoff` have left the table.
  mutating func remove(publishedBefore cutoff: Int64) { rows.removeAll { $0.published < cutoff } }

  static func cut(_ value: Scalar) -> Scalar {
    guard case .bytes(let bytes) = value, bytes.count > textBytesMax else { return value }
    var end = textBytesMax
    // Not inside a UTF-8 sequence.
    while end > 0 && bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return .bytes(Array(bytes[..<end]))
  }
}

/// Hashes of values as sketches and samples use them. They are kept on disk: a change needs a new form of the analysis.
enum ValueHash {
  /// One well-mixed word for each row; nulls have one too.
  static func words(_ column: Column) -> [UInt64] {
    var hashes = [UInt64](repeating: 0x9E37_79B9_7F4A_7C15, count: column.count)
    KeyHash.combine(column, into: &hashes)
    for row in hashes.indices {
      // SplitMix64's finisher: every bit depends on every bit.
      var word = hashes[row]
      word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
      hashes[row] = word ^ word >> 31
    }
    return hashes
  }
}
