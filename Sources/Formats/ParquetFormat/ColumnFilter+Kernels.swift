// The loops of a filter. Each writes every row number and moves on only where the row passes, so that no loop branches
// on data.

import Bedrock
package import Columnar

@inline(__always)
private func bit(_ condition: Bool) -> Int { Int(unsafeBitCast(condition, to: UInt8.self)) }

extension ColumnFilter {
  /// The rows of `column` that pass. Any form of column; a dictionary is tested once an entry.
  package func pick(_ column: Column) -> PickedRows {
    precondition(column.type.physical == type.physical, "a filter of the column's type")
    let rows = column.count
    switch test {
    case .isNull: return Self.nulls(column)
    case .isNotNull: return Self.valid(column)
    case .nothing: return PickedRows(capacity: 0) { _ in 0 }
    default: break
    }
    switch column.form {
    case .constant(let one):
      if one.isNull(at: 0) || pick(one).count == 0 { return PickedRows(capacity: 0) { _ in 0 } }
      return Self.pick(rows) { _ in true }
    case .dictionary(_, let dictionary):
      let mask = self.mask(dictionary), codes = column.codes, flags = mask.span(of: UInt8.self)
      if dictionary.count == 0 { return PickedRows(capacity: 0) { _ in 0 } }
      return Self.dropNulls(column, PickedRows(capacity: rows) { out in
        var kept = 0
        for row in 0..<rows {
          out[kept] = Int32(truncatingIfNeeded: row)
          kept += Int(flags[Int(codes[row])])
        }
        return kept
      })
    case .fixed, .bytes, .list: return Self.dropNulls(column, pickFlat(column))
    }
  }

  /// One byte an entry: 1 where it passes.
  func mask(_ dictionary: ColumnDictionary) -> Buffer {
    let passing = pickFlat(dictionary.values.flat())
    let rows = passing.rows
    return Buffer(byteCount: dictionary.count) { raw in
      for index in 0..<rows.count { raw[Int(rows[index])] = 1 }
    }
  }

  @inline(__always)
  private static func pick(_ rows: Int, _ passes: (Int) -> Bool) -> PickedRows {
    PickedRows(capacity: rows) { out in
      var kept = 0
      for row in 0..<rows {
        out[kept] = Int32(truncatingIfNeeded: row)
        kept += bit(passes(row))
      }
      return kept
    }
  }

  /// The same for cheap tests that few rows pass: eight rows are tested together, and written one by one only if one of
  /// them passes.
  @inline(__always)
  private static func pickRare(_ rows: Int, _ passes: (Int) -> Bool) -> PickedRows {
    PickedRows(capacity: rows) { out in
      var kept = 0
      var row = 0
      while row + 8 <= rows {
        let low = bit(passes(row)) | bit(passes(row + 1)) | bit(passes(row + 2)) | bit(passes(row + 3))
        let high = bit(passes(row + 4)) | bit(passes(row + 5)) | bit(passes(row + 6)) | bit(passes(row + 7))
        if low | high != 0 {
          for place in row..<(row + 8) {
            out[kept] = Int32(truncatingIfNeeded: place)
            kept += bit(passes(place))
          }
        }
        row += 8
      }
      while row < rows {
        out[kept] = Int32(truncatingIfNeeded: row)
        kept += bit(passes(row))
        row += 1
      }
      return kept
    }
  }

  private static func nulls(_ column: Column) -> PickedRows {
    if let validity = column.validity { return PickedRows(setIn: validity, inverted: true) }
    // Only a constant says it in another way.
    return pick(column.mayHaveNulls ? column.count : 0) { _ in true }
  }

  private static func valid(_ column: Column) -> PickedRows {
    guard column.mayHaveNulls else { return pick(column.count) { _ in true } }
    if let validity = column.validity { return PickedRows(setIn: validity) }
    return PickedRows(capacity: 0) { _ in 0 }
  }

  private static func dropNulls(_ column: Column, _ picked: PickedRows) -> PickedRows {
    guard let validity = column.validity else { return picked }
    let words = validity.words, rows = picked.rows
    return PickedRows(capacity: rows.count) { out in
      var kept = 0
      for index in 0..<rows.count {
        let row = rows[index]
        out[kept] = row
        kept += Int(truncatingIfNeeded: words[Int(row) >> 6] &>> UInt64(row & 63) & 1)
      }
      return kept
    }
  }

  /// Ignores nulls: their values are zero or empty.
  private func pickFlat(_ column: Column) -> PickedRows {
    let rows = column.count
    switch test {
    case .isNull, .nothing: return PickedRows(capacity: 0) { _ in 0 }
    case .isNotNull: return Self.pick(rows) { _ in true }
    case .integers(let low, let high, let negated): return Self.integers(column, low, high, negated)
    case .integerSet(let set): return Self.integerSet(column, set)
    case .floats(let low, let high, let nan, let negated): return Self.floats(column, low, high, nan, negated)
    case .floatSet(let set, let nan): return Self.floatSet(column, set, nan)
    case .numerics(let low, let high, let scale, let negated):
      let values = column.values(Int128.self)
      precondition(scale >= 0)
      return Self.pick(rows) { ((values[$0] >= low) == (values[$0] <= high)) != negated }
    case .numericSet(let set, _):
      let values = column.values(Int128.self)
      return Self.pick(rows) { contains(set.span, values[$0]) }
    case .uuids(let low, let high, let negated):
      let values = column.values(UUIDValue.self)
      return Self.pick(rows) { row in
        let value = Self.key(values[row])
        return (value >= low && value <= high) != negated
      }
    case .uuidSet(let set):
      let values = column.values(UUIDValue.self)
      return Self.pick(rows) { contains(set.span, Self.key(values[$0])) }
    case .bytes(let value, let less, let equal, let greater):
      return Self.bytes(column, value, less: less, equal: equal, greater: greater)
    case .bytesSet(let set): return Self.bytesSet(column, set)
    }
  }

  private static func integers(_ column: Column, _ low: Int64, _ high: Int64, _ negated: Bool) -> PickedRows {
    let rows = column.count
    switch column.type.physical {
    case .int64:
      let values = column.int64s
      // One comparison: below `low` wraps around to above the width of the range.
      let width = UInt64(bitPattern: high &- low)
      if low == high && !negated { return pickRare(rows) { values[$0] == low } }
      return pick(rows) { (UInt64(bitPattern: values[$0] &- low) <= width) != negated }
    case .int32:
      let values = column.int32s
      guard low <= Int64(Int32.max), high >= Int64(Int32.min) else { return pick(rows) { _ in negated } }
      let least = Int32(clamping: low)
      let width = UInt32(bitPattern: Int32(clamping: high) &- least)
      if low == high && !negated { return pickRare(rows) { values[$0] == least } }
      return pick(rows) { (UInt32(bitPattern: values[$0] &- least) <= width) != negated }
    default:
      let values = column.booleans
      return pick(rows) { (Int64(values[$0]) >= low && Int64(values[$0]) <= high) != negated }
    }
  }

  private static func integerSet(_ column: Column, _ set: [Int64]) -> PickedRows {
    let rows = column.count, set = set.span
    switch column.type.physical {
    case .int64:
      let values = column.int64s
      return pick(rows) { contains(set, values[$0]) }
    case .int32:
      let values = column.int32s
      return pick(rows) { contains(set, Int64(values[$0])) }
    default:
      let values = column.booleans
      return pick(rows) { contains(set, Int64(values[$0])) }
    }
  }

  private static func floats(
    _ column: Column, _ low: Double, _ high: Double, _ nan: Bool, _ negated: Bool
  ) -> PickedRows {
    let rows = column.count
    // With `negated`, low and high are one number and NaN is another: it passes by being outside.
    if column.type.physical == .float64 {
      let values = column.float64s
      return PickedRows(capacity: rows) { out in
        var kept = 0
        let flip = bit(negated), nanBit = bit(nan)
        for row in 0..<rows {
          let value = values[row]
          out[kept] = Int32(truncatingIfNeeded: row)
          kept += (bit(value >= low) & bit(value <= high) | bit(value != value) & nanBit) ^ flip
        }
        return kept
      }
    }
    let values = column.float32s
    return PickedRows(capacity: rows) { out in
      var kept = 0
      let flip = bit(negated), nanBit = bit(nan)
      for row in 0..<rows {
        let value = Double(values[row])
        out[kept] = Int32(truncatingIfNeeded: row)
        kept += (bit(value >= low) & bit(value <= high) | bit(value != value) & nanBit) ^ flip
      }
      return kept
    }
  }

  private static func floatSet(_ column: Column, _ set: [Double], _ nan: Bool) -> PickedRows {
    let rows = column.count, set = set.span
    if column.type.physical == .float64 {
      let values = column.float64s
      return pick(rows) { values[$0].isNaN ? nan : contains(set, values[$0]) }
    }
    let values = column.float32s
    return pick(rows) { values[$0].isNaN ? nan : contains(set, Double(values[$0])) }
  }

  private static func bytes(
    _ column: Column, _ value: [UInt8], less: Bool, equal: Bool, greater: Bool
  ) -> PickedRows {
    let rows = column.count, offsets = column.offsets
    guard case .bytes(_, let data) = column.form else { preconditionFailure("text in another form") }
    let onlyEqual = equal && !less && !greater
    return value.withUnsafeBytes { wanted in
      data.withUnsafeBytes { all in
        if onlyEqual {
          return pick(rows) { row in
            let start = Int(offsets[row]), length = Int(offsets[row + 1]) - start
            if length != wanted.count { return false }
            return ByteOrder.compare(UnsafeRawBufferPointer(rebasing: all[start..<(start + length)]), wanted) == 0
          }
        }
        return pick(rows) { row in
          let range = Int(offsets[row])..<Int(offsets[row + 1])
          let order = ByteOrder.compare(UnsafeRawBufferPointer(rebasing: all[range]), wanted)
          return order < 0 ? less : order == 0 ? equal : greater
        }
      }
    }
  }

  private static func bytesSet(_ column: Column, _ set: [[UInt8]]) -> PickedRows {
    let rows = column.count, offsets = column.offsets
    guard case .bytes(_, let data) = column.form else { preconditionFailure("text in another form") }
    return data.withUnsafeBytes { all in
      pick(rows) { row in
        let value = UnsafeRawBufferPointer(rebasing: all[Int(offsets[row])..<Int(offsets[row + 1])])
        var low = 0, high = set.count
        while low < high {
          let middle = (low + high) / 2
          let order = set[middle].withUnsafeBytes { ByteOrder.compare($0, value) }
          if order == 0 { return true }
          if order < 0 { low = middle + 1 } else { high = middle }
        }
        return false
      }
    }
  }
}

/// Whether a sorted set has the value: few by looking at all of them, many by halving.
@inline(__always)
private func contains<T: Comparable & BitwiseCopyable>(_ set: Span<T>, _ value: T) -> Bool {
  if set.count <= 8 {
    var found = false
    for index in 0..<set.count { found = found || set[index] == value }
    return found
  }
  var low = 0, high = set.count
  while low < high {
    let middle = (low + high) / 2
    if set[middle] < value { low = middle + 1 } else { high = middle }
  }
  return low < set.count && set[low] == value
}
