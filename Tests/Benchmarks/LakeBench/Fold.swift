// Counts the rows with a value and folds all values to one, as the SQL beside it does: integers by exclusive or, floats
// and decimals by their sum, booleans by how many are true, text by its bytes. Kept lean: the bench is of the reader.

import Bedrock
import Columnar
import StorageContract

struct Fold {
  private let type: DataType?
  private var count: Int64 = 0
  private var bits: Int64 = 0
  private var sum = 0.0
  private var wideSum: Int128 = 0
  private var total: Int64 = 0

  init(type: DataType?) { self.type = type }

  /// - Parameter rowsPassing: conditions of the scan; all of them must have been applied by it.
  mutating func add(_ chunk: Chunk, rowsPassing: [ColumnPredicate]) {
    guard let column = chunk.columns.first else {
      count += Int64(chunk.rowCount)
      return
    }
    count += Int64(rowsPassing.isEmpty ? chunk.rowCount - column.nullCount : chunk.rowCount)
    if column.nullCount == chunk.rowCount { return }
    // A null row is zero or empty, which changes none of these.
    let flat = column.type.physical == .bytes ? column : column.flat()
    switch column.type.physical {
    case .int64:
      let values = flat.int64s
      var folded = bits
      for row in 0..<values.count { folded ^= values[row] }
      bits = folded
    case .int32:
      let values = flat.int32s
      var folded: Int32 = 0
      for row in 0..<values.count { folded ^= values[row] }
      bits ^= Int64(folded)
    case .float64: floats(flat)
    case .float32:
      let values = flat.float32s
      var sums = SIMD4<Double>()
      var row = 0
      while row + 4 <= values.count {
        sums += SIMD4(Double(values[row]), Double(values[row + 1]), Double(values[row + 2]), Double(values[row + 3]))
        row += 4
      }
      while row < values.count {
        sums[0] += Double(values[row])
        row += 1
      }
      sum += sums.sum()
    case .uuid:
      // The version is the high half of the seventh byte.
      let values = flat.uuids
      var folded: Int64 = 0
      for row in 0..<values.count { folded &+= Int64(values[row].high.bigEndian >> 12 & 15) }
      total += folded
    case .numeric:
      let values = flat.numerics
      var folded: Int128 = 0
      for row in 0..<values.count { folded &+= values[row].coefficient }
      wideSum += folded
    case .bool8:
      let values = flat.booleans
      var folded = 0
      for row in 0..<values.count { folded &+= Int(values[row]) }
      total += Int64(folded)
    case .bytes: bytes(column)
    default: fatalError("a type without a fold")
    }
  }

  private mutating func floats(_ column: Column) {
    let values = column.float64s
    var sums = SIMD4<Double>()
    var row = 0
    while row + 4 <= values.count {
      sums += SIMD4(values[row], values[row + 1], values[row + 2], values[row + 3])
      row += 4
    }
    while row < values.count {
      sums[0] += values[row]
      row += 1
    }
    sum += sums.sum()
  }

  private mutating func bytes(_ column: Column) {
    switch column.form {
    case .dictionary(_, let dictionary):
      let codes = column.codes, values = dictionary.values
      let offsets = values.offsets
      var sum: Int64 = 0
      if let validity = column.validity {
        let words = validity.words
        for row in 0..<codes.count {
          let length = Int64(offsets[Int(codes[row]) + 1] - offsets[Int(codes[row])])
          sum &+= length & (0 &- Int64(bitPattern: words[row >> 6] >> UInt64(row & 63) & 1))
        }
      } else {
        for row in 0..<codes.count { sum &+= Int64(offsets[Int(codes[row]) + 1] - offsets[Int(codes[row])]) }
      }
      total += sum
    case .bytes: total += Int64(column.offsets[column.count])
    default: fatalError("text in another form")
    }
  }

  /// Count and the folded value; a third field that is always 0.
  var text: String {
    guard let type else { return "\(count)\t0\t0" }
    let scale = if case .numeric(let modifier?) = type, modifier.scale == 4 { 10_000.0 } else { 100.0 }
    switch type.physical {
    case .int64, .int32: return count == 0 ? "0\t\t0" : "\(count)\t\(bits)\t0"
    case .float64, .float32: return count == 0 ? "0\t\t0" : "\(count)\t\(sum)\t0"
    case .numeric: return "\(count)\t\(Double(wideSum) / scale)\t0"
    default: return "\(count)\t\(total)\t0"
    }
  }
}
