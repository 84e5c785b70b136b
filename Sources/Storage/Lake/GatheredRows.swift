// The rows of a file to write: chunks as they came, and the order in which they shall lie. Columns are put together one
// by one when the Parquet writer asks for them, so that no second copy of all rows exists.

import Bedrock
import Columnar
import ParquetFormat

struct GatheredRows: ParquetRowSource {
  /// Rows of a column that are put together at once.
  private static let partRows = 65_536

  let chunks: [Chunk]
  let rowCount: Int
  /// Row numbers over all chunks; `nil`: as they came.
  let order: [Int32]?

  init(_ chunks: [Chunk], order: [Int32]?) {
    self.chunks = chunks
    let count = chunks.reduce(0) { $0 + $1.rowCount }
    precondition(order.map { $0.count == count } ?? true)
    rowCount = count
    self.order = order
  }

  func columns(_ index: Int, rows: Range<Int>) throws(Fault) -> [Column] {
    var parts: [Column] = []
    if let order {
      let all = Self.joined(chunks.map { $0.columns[index] })
      var row = rows.lowerBound
      while row < rows.upperBound {
        let end = min(rows.upperBound, row + Self.partRows)
        parts.append(all.gather(order.span.extracting(row..<end)))
        row = end
      }
      return parts
    }
    var first = 0
    for chunk in chunks {
      let overlap = rows.clamped(to: first..<(first + chunk.rowCount))
      if !overlap.isEmpty {
        parts.append(chunk.columns[index].slice((overlap.lowerBound - first)..<(overlap.upperBound - first)))
      }
      first += chunk.rowCount
    }
    return parts
  }

  /// All rows of a column.
  static func joined(_ parts: [Column]) -> Column {
    if parts.count == 1 { return parts[0] }
    return joinedCodes(parts) ?? Column.concatenate(parts)
  }

  /// Dictionary columns of text stay coded although each has a dictionary of its own: the entries of all lie behind each
  /// other. `nil` when a part is not coded.
  private static func joinedCodes(_ parts: [Column]) -> Column? {
    guard parts[0].type.physical == .bytes else { return nil }
    var dictionaries: [Column] = []
    var bases: [ObjectIdentifier: Int32] = [:]
    var entryCount = 0
    for part in parts {
      guard case .dictionary(_, let dictionary) = part.form else { return nil }
      if bases[ObjectIdentifier(dictionary)] != nil { continue }
      bases[ObjectIdentifier(dictionary)] = Int32(entryCount)
      entryCount += dictionary.count
      dictionaries.append(dictionary.values)
    }
    guard entryCount > 0, entryCount < Int(Int32.max) else { return nil }
    let count = parts.reduce(0) { $0 + $1.count }
    let codes = Buffer.of(Int32.self, count: count) { out in
      var row = 0
      for part in parts {
        guard case .dictionary(_, let dictionary) = part.form, let base = bases[ObjectIdentifier(dictionary)] else {
          preconditionFailure("every part was looked at")
        }
        let source = part.codes
        // The code of a null row is 0 in every dictionary column.
        for index in 0..<part.count { out[row + index] = part.isNull(at: index) ? 0 : base + source[index] }
        row += part.count
      }
    }
    var validity: Bitmap?
    if parts.contains(where: { $0.validity != nil }) {
      var words = [UInt64](repeating: 0, count: Bitmap.wordCount(count))
      var row = 0
      for part in parts {
        for index in 0..<part.count {
          if !part.isNull(at: index) { words[row >> 6] |= 1 << UInt64(row & 63) }
          row += 1
        }
      }
      validity = Bitmap(buffer: .copying(words), count: count)
    }
    return Column(
      type: parts[0].type, count: count, validity: validity,
      form: .dictionary(codes: codes, dictionary: ColumnDictionary(Column.concatenate(dictionaries.map { $0.flat() }))))
  }

  // MARK: Memory

  /// Bytes that a column holds; a dictionary counts where it is met for the first time.
  static func memoryBytes(_ column: Column, _ met: inout Set<ObjectIdentifier>) -> Int {
    switch column.form {
    case .fixed: return column.count * (column.type.physical.width ?? 16)
    case .bytes: return column.count * 4 + Int(column.offsets[column.count])
    case .list(_, let elements): return column.count * 4 + memoryBytes(elements, &met)
    case .constant(let one): return memoryBytes(one, &met)
    case .dictionary(_, let dictionary):
      let own = met.insert(ObjectIdentifier(dictionary)).inserted ? memoryBytes(dictionary.values, &met) : 0
      return column.count * 4 + own
    }
  }

  /// Bytes of the texts of a column once every row has its own.
  static func flatByteCount(_ column: Column) -> Int {
    switch column.form {
    case .bytes: return Int(column.offsets[column.count])
    case .constant(let one): return flatByteCount(one) * column.count
    case .dictionary(_, let dictionary):
      guard case .bytes = dictionary.values.form, dictionary.count > 0 else { return 0 }
      let values = dictionary.values
      let codes = column.codes, offsets = values.offsets
      var bytes = 0
      for row in 0..<codes.count {
        let code = Int(codes[row])
        bytes += Int(offsets[code + 1] - offsets[code])
      }
      return bytes
    default: return 0
    }
  }
}
