// AND and OR under SQL's three-valued logic, over whole columns.

import Bedrock
import Columnar

/// One byte a row: 0 and 1 are known, 2 is unknown. `decisive` (0 for AND, 1 for OR) ends a row whatever follows.
struct TruthState {
  private var bytes: [UInt8]
  private let decisive: UInt8

  init(rows: Int, decisive: UInt8) {
    bytes = [UInt8](repeating: 1 - decisive, count: rows)
    self.decisive = decisive
  }

  var undecidedCount: Int {
    var count = 0
    for byte in bytes { count &+= byte == decisive ? 0 : 1 }
    return count
  }
  var undecidedRows: [Int32] { bytes.indices.compactMap { bytes[$0] == decisive ? nil : Int32($0) } }

  /// Takes in an operand's values, a flat boolean column over all rows.
  mutating func merge(_ column: Column) {
    precondition(column.count == bytes.count)
    let values = column.booleans
    let decisive = decisive
    bytes.withUnsafeMutableBufferPointer { bytes in
      if let validity = column.validity {
        let words = validity.words
        for row in 0..<values.count {
          let isValid = words[row >> 6] &>> UInt64(row & 63) & 1 == 1
          let known = values[row] == decisive ? decisive : bytes[row]
          let unknown = bytes[row] == decisive ? decisive : 2
          bytes[row] = isValid ? known : unknown
        }
      } else {
        for row in 0..<values.count { bytes[row] = values[row] == decisive ? decisive : bytes[row] }
      }
    }
  }

  /// The same for some rows only.
  mutating func merge(_ column: Column, rows: [Int32]) {
    precondition(column.count == rows.count)
    let values = column.booleans
    for (index, row) in rows.enumerated() where bytes[Int(row)] != decisive {
      if let validity = column.validity, !validity.isSet(index) {
        bytes[Int(row)] = 2
      } else if values[index] == decisive {
        bytes[Int(row)] = decisive
      }
    }
  }

  func finish() -> Column {
    if !bytes.contains(2) { return .fixed(.boolean, count: bytes.count, .copying(bytes)) }
    let validity = Bitmap.make(count: bytes.count) { bytes[$0] != 2 }
    return .boolean(bytes.count, validity: validity) { bytes[$0] == 1 }
  }
}

extension Column {
  /// A boolean column; rows that `validity` calls null become zero.
  @inline(__always)
  static func boolean(_ rows: Int, validity: Bitmap?, _ value: (Int) -> Bool) -> Column {
    let buffer = Buffer.of(UInt8.self, count: rows) { out in
      if let validity {
        let words = validity.words
        for row in 0..<rows {
          out[row] = value(row) ? UInt8(truncatingIfNeeded: words[row >> 6] &>> UInt64(row & 63) & 1) : 0
        }
      } else {
        for row in 0..<rows { out[row] = value(row) ? 1 : 0 }
      }
    }
    return .fixed(.boolean, count: rows, validity: validity, buffer)
  }

  /// Which rows have a value, for a column of any form; `nil`: all.
  var rowValidity: Bitmap? {
    if case .constant(let one) = form { return one.validity == nil ? nil : .allClear(count: count) }
    return validity
  }
}
