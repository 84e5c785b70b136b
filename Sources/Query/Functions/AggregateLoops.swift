// What the loops of aggregates share.
//
// Group g lives in slot g + 1. Slot 0 takes what must not count (group -1, null values), so the loops have no branch.

import Bedrock
import Columnar

/// Calls `body(slot, row)` for every row.
@inline(__always)
func forEachSlot(_ groups: Span<Int32>, _ validity: Bitmap?, _ body: (Int, Int) -> Void) {
  if let validity {
    let words = validity.words
    for row in 0..<groups.count {
      let valid = Int32(truncatingIfNeeded: words[row >> 6] &>> UInt64(row & 63) & 1)
      body(Int((groups[row] &+ 1) &* valid), row)
    }
  } else {
    for row in 0..<groups.count { body(Int(groups[row] &+ 1), row) }
  }
}

/// Makes `list` hold `count` groups besides slot 0.
func grow<T>(_ list: inout [T], to count: Int, _ empty: T) {
  let wanted = count + 1
  if list.count < wanted {
    if list.capacity < wanted { list.reserveCapacity(max(wanted, list.capacity * 2)) }
    list.append(contentsOf: repeatElement(empty, count: wanted - list.count))
  }
}

/// The groups' values as a column; groups without a value are null.
func finished<T: BitwiseCopyable>(_ type: DataType, _ values: [T], isPresent: (Int) -> Bool) -> Column {
  let count = max(values.count - 1, 0)
  let validity = Bitmap.make(count: count) { isPresent($0 + 1) }
  return makeFixed(type, rows: count, validity: validity) { (out: UnsafeMutablePointer<T>) in
    for group in 0..<count { out[group] = values[group + 1] }
  }
}

/// The state of the same class; a plan never merges others.
func sibling<S: AggregateState>(_ other: any AggregateState, of type: S.Type) -> S {
  guard let same = other as? S else { preconditionFailure("states of one aggregate are of one class") }
  return same
}
