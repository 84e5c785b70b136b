// Counts the rows with a value and folds the values to the least and the greatest, as the SQL beside it does.

import Bedrock
import Columnar
import StorageContract

struct Fold {
  private let type: DataType?
  private var count: Int64 = 0
  private var least: Int64 = .max
  private var greatest: Int64 = .min
  private var leastFloat = Double.infinity
  private var greatestFloat = -Double.infinity
  private var leastNumeric = Int128.max
  private var greatestNumeric = Int128.min
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
    switch column.type.physical {
    case .int64: integers(column)
    case .int32: smallIntegers(column)
    case .float64: floats(column)
    case .numeric: numerics(column)
    case .bool8:
      let flat = column.flat()
      let values = flat.booleans
      for row in 0..<values.count { total += Int64(values[row]) }
    case .bytes: bytes(column)
    default: fatalError("a type without a fold")
    }
  }

  private mutating func integers(_ column: Column) {
    let flat = column.flat()
    let values = flat.int64s
    var low = least, high = greatest
    if let validity = flat.validity {
      let words = validity.words
      for row in 0..<values.count where words[row >> 6] >> UInt64(row & 63) & 1 == 1 {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    } else {
      for row in 0..<values.count {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    }
    (least, greatest) = (low, high)
  }

  private mutating func smallIntegers(_ column: Column) {
    let flat = column.flat()
    let values = flat.int32s
    var low = Int32.max, high = Int32.min
    for row in 0..<values.count where !flat.isNull(at: row) {
      low = min(low, values[row])
      high = max(high, values[row])
    }
    (least, greatest) = (min(least, Int64(low)), max(greatest, Int64(high)))
  }

  private mutating func floats(_ column: Column) {
    let flat = column.flat()
    let values = flat.float64s
    var low = leastFloat, high = greatestFloat
    if let validity = flat.validity {
      let words = validity.words
      for row in 0..<values.count where words[row >> 6] >> UInt64(row & 63) & 1 == 1 {
        low = min(low, values[row])
        high = max(high, values[row])
      }
    } else {
      for row in 0..<values.count {
        low = values[row] < low ? values[row] : low
        high = values[row] > high ? values[row] : high
      }
    }
    (leastFloat, greatestFloat) = (low, high)
  }

  private mutating func numerics(_ column: Column) {
    let flat = column.flat()
    let values = flat.numerics
    var low = leastNumeric, high = greatestNumeric
    // All values of the column have one scale.
    for row in 0..<values.count where !flat.isNull(at: row) {
      low = min(low, values[row].bits)
      high = max(high, values[row].bits)
    }
    (leastNumeric, greatestNumeric) = (low, high)
  }

  private mutating func bytes(_ column: Column) {
    switch column.form {
    case .dictionary(_, let dictionary):
      let codes = column.codes, values = dictionary.values
      let offsets = values.offsets
      var sum: Int64 = 0
      if let validity = column.validity {
        for row in 0..<codes.count where validity.isSet(row) {
          sum += Int64(offsets[Int(codes[row]) + 1] - offsets[Int(codes[row])])
        }
      } else {
        for row in 0..<codes.count { sum += Int64(offsets[Int(codes[row]) + 1] - offsets[Int(codes[row])]) }
      }
      total += sum
    case .bytes:
      let offsets = column.offsets
      for row in 0..<column.count { total += Int64(offsets[row + 1] - offsets[row]) }
    default: fatalError("text in another form")
    }
  }

  /// Count, least and greatest; count, total and 0 for bool and text.
  var text: String {
    guard let type else { return "\(count)\t0\t0" }
    switch type.physical {
    case .int64, .int32: return count == 0 ? "0\t\t" : "\(count)\t\(least)\t\(greatest)"
    case .float64: return "\(count)\t\(leastFloat)\t\(greatestFloat)"
    case .numeric: return "\(count)\t\(Double(leastNumeric >> 8) / 100)\t\(Double(greatestNumeric >> 8) / 100)"
    default: return "\(count)\t\(total)\t0"
    }
  }
}
