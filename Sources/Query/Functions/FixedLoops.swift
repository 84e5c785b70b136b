// Loops over values of fixed width: one or two columns in, one out, chosen by form once and free of branches inside.
//
// Null rows hold zero, so a loop may compute on them; what comes out is set back to zero. A checked loop gathers a
// failure flag and looks for the failing row only afterwards, because a null row must not fail.

import Bedrock
import Columnar

/// A column of `rows` values set by `fill`; rows that `validity` calls null become zero.
@inline(__always)
func makeFixed<R: BitwiseCopyable>(
  _ type: DataType, rows: Int, validity: Bitmap?, fill: (UnsafeMutablePointer<R>) -> Void
) -> Column {
  let buffer = Buffer(uninitializedByteCount: rows * MemoryLayout<R>.stride) { raw in
    let out = raw.bindMemory(to: R.self)
    guard let base = out.baseAddress else { return }
    fill(base)
    guard let validity else { return }
    let words = validity.words
    for index in 0..<Bitmap.wordCount(rows) {
      var missing = ~words[index]
      while missing != 0 {
        let row = index * 64 + missing.trailingZeroBitCount
        if row >= rows { break }
        UnsafeMutableRawPointer(base + row).initializeMemory(
          as: UInt8.self, repeating: 0, count: MemoryLayout<R>.stride)
        missing &= missing - 1
      }
    }
  }
  return .fixed(type, count: rows, validity: validity, buffer)
}

@inline(__always)
func map<A: BitwiseCopyable, R: BitwiseCopyable>(_ column: Column, _ type: DataType, _ f: (A) -> R) -> Column {
  let flat = column.flat()
  let values = flat.values(A.self)
  return makeFixed(type, rows: flat.count, validity: flat.validity) { (out: UnsafeMutablePointer<R>) in
    for row in 0..<values.count { out[row] = f(values[row]) }
  }
}

/// `f` gives the value and whether it failed.
@inline(__always)
func mapChecked<A: BitwiseCopyable, R: BitwiseCopyable>(
  _ column: Column, _ type: DataType, _ fault: @autoclosure () -> Fault, _ f: (A) -> (R, Bool)
) throws(Fault) -> Column {
  let flat = column.flat()
  let values = flat.values(A.self)
  var failed = false
  let result = makeFixed(type, rows: flat.count, validity: flat.validity) { (out: UnsafeMutablePointer<R>) in
    for row in 0..<values.count {
      let (value, bad) = f(values[row])
      out[row] = value
      failed = failed || bad
    }
  }
  if failed { for row in 0..<values.count where !flat.isNull(at: row) && f(values[row]).1 { throw fault() } }
  return result
}

/// Two columns, flat or constant.
@inline(__always)
func zip<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
  _ left: Column, _ right: Column, rows: Int, _ type: DataType, _ f: (A, B) -> R
) -> Column {
  let validity = combinedValidity([left, right])
  switch (left.form, right.form) {
  case (.constant(let one), .fixed):
    let a = one.values(A.self)[0]
    let b = right.values(B.self)
    return makeFixed(type, rows: rows, validity: validity) { (out: UnsafeMutablePointer<R>) in
      for row in 0..<rows { out[row] = f(a, b[row]) }
    }
  case (.fixed, .constant(let one)):
    let a = left.values(A.self)
    let b = one.values(B.self)[0]
    return makeFixed(type, rows: rows, validity: validity) { (out: UnsafeMutablePointer<R>) in
      for row in 0..<rows { out[row] = f(a[row], b) }
    }
  default:
    let leftFlat = left.flat(), rightFlat = right.flat()
    let a = leftFlat.values(A.self), b = rightFlat.values(B.self)
    return makeFixed(type, rows: rows, validity: validity) { (out: UnsafeMutablePointer<R>) in
      for row in 0..<rows { out[row] = f(a[row], b[row]) }
    }
  }
}

/// The same where `f` may fail; `fault` is made from the first failing row's values.
@inline(__always)
func zipChecked<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
  _ left: Column, _ right: Column, rows: Int, _ type: DataType, _ fault: (A, B) -> Fault, _ f: (A, B) -> (R, Bool)
) throws(Fault) -> Column {
  var failed = false
  let result: Column = zip(left, right, rows: rows, type) { (a: A, b: B) -> R in
    let (value, bad) = f(a, b)
    failed = failed || bad
    return value
  }
  if failed {
    let leftFlat = left.flat(), rightFlat = right.flat()
    let a = leftFlat.values(A.self), b = rightFlat.values(B.self)
    for row in 0..<rows where !leftFlat.isNull(at: row) && !rightFlat.isNull(at: row) && f(a[row], b[row]).1 {
      throw fault(a[row], b[row])
    }
  }
  return result
}

/// int2, int4, int8 and float columns in the width a cross-type operator computes in.
func widened(_ column: Column, to type: DataType) -> Column {
  if case .constant(let one) = column.form {
    return Column(type: type, count: column.count, validity: nil, form: .constant(widened(one.flat(), to: type)))
  }
  switch (column.type.physical, type.physical) {
  case (.int32, .int64): return map(column, type) { (a: Int32) in Int64(a) }
  case (.float32, .float64): return map(column, type) { (a: Float) in Double(a) }
  case (.int32, .float64): return map(column, type) { (a: Int32) in Double(a) }
  case (.int64, .float64): return map(column, type) { (a: Int64) in Double(a) }
  default: return column.retyped(type)
  }
}
