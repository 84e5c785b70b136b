// bit_and, bit_or and bit_xor over integers.

import Bedrock
import Columnar

enum BitOperation: String, CaseIterable, Sendable {
  case and = "bit_and", or = "bit_or", xor = "bit_xor"

  @inline(__always)
  func combine(_ a: Int64, _ b: Int64) -> Int64 {
    switch self {
    case .and: a & b
    case .or: a | b
    case .xor: a ^ b
    }
  }
  /// The value that changes nothing.
  var neutral: Int64 { self == .and ? -1 : 0 }
}

final class BitState: AggregateState {
  private var values: [Int64]
  private var seen: [Bool] = [false]
  private let type: DataType
  private let operation: BitOperation

  init(_ type: DataType, _ operation: BitOperation) {
    self.type = type
    self.operation = operation
    values = [operation.neutral]
  }
  var byteCount: Int { values.capacity * 9 }
  func grow(to count: Int) {
    Functions.grow(&values, to: count, operation.neutral)
    Functions.grow(&seen, to: count, false)
  }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = widened(arguments[0].flat(), to: .int8)
    let operands = flat.int64s
    forEachSlot(groups, flat.validity) { slot, row in
      values[slot] = operation.combine(values[slot], operands[row])
      seen[slot] = true
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: BitState.self)
    for group in 0..<mapping.count where other.seen[group + 1] {
      let slot = Int(mapping[group]) + 1
      values[slot] = operation.combine(values[slot], other.values[group + 1])
      seen[slot] = true
    }
  }
  func finish() throws(Fault) -> Column {
    if type.physical == .int64 { return finished(type, values) { seen[$0] } }
    return finished(type, values.map { Int32(truncatingIfNeeded: $0) }) { seen[$0] }
  }
}
