// array_agg and string_agg: values kept in the order they come.

import Bedrock
import Columnar

final class CollectState: AggregateState {
  private var lists: [[Scalar]] = [[]]
  private var kept = 0
  /// `nil`: array_agg. Otherwise the separator of each value is the element after it.
  private let isText: Bool
  private let type: DataType
  init(_ type: DataType, isText: Bool) {
    self.type = type
    self.isText = isText
  }
  var byteCount: Int { lists.capacity * 8 + kept }
  func grow(to count: Int) { Functions.grow(&lists, to: count, []) }

  private func size(_ scalar: Scalar) -> Int {
    if case .bytes(let bytes) = scalar { return 48 + bytes.count }
    return 48
  }
  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    for row in 0..<groups.count where groups[row] >= 0 {
      let value = arguments[0].scalar(at: row)
      if isText && value.isNull { continue }
      let slot = Int(groups[row]) + 1
      lists[slot].append(value)
      kept += size(value)
      if isText { lists[slot].append(arguments[1].scalar(at: row)) }
    }
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: CollectState.self)
    for group in 0..<mapping.count { lists[Int(mapping[group]) + 1] += other.lists[group + 1] }
    kept += other.kept
  }
  func finish() throws(Fault) -> Column {
    var builder = ColumnBuilder(type: isText ? type : .array(type), capacity: lists.count)
    for list in lists.dropFirst() {
      if list.isEmpty {
        builder.appendNull()
      } else if isText {
        builder.append(joined(list))
      } else {
        builder.append(list: list)
      }
    }
    return builder.finish()
  }
  /// value, its separator, value ...: the separator of the first value is not used, as in PostgreSQL.
  private func joined(_ list: [Scalar]) -> [UInt8] {
    var out: [UInt8] = []
    for index in stride(from: 0, to: list.count, by: 2) {
      if index > 0, case .bytes(let separator) = list[index + 1] { out.append(contentsOf: separator) }
      if case .bytes(let value) = list[index] { out.append(contentsOf: value) }
    }
    return out
  }
}
