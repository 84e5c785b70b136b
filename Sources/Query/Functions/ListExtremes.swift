// min and max over arrays: kept as encoded keys, which compare as SQL compares arrays, beside the values.

import Bedrock
import Columnar
import Kernels

final class ListExtremeState: AggregateState {
  private var best: [(key: [UInt8], value: Scalar)?] = [nil]
  private var bytes = 0
  private let type: DataType
  private let isMax: Bool

  init(_ type: DataType, isMax: Bool) {
    self.type = type
    self.isMax = isMax
  }
  var byteCount: Int { best.capacity * 40 + bytes }
  func grow(to count: Int) { Functions.grow(&best, to: count, nil) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let flat = arguments[0].flat()
    let keys = RowKey.encode([flat], orders: [.equality], rows: flat.count)
    for row in 0..<groups.count where groups[row] >= 0 && !flat.isNull(at: row) {
      let key = keys.bytes[keys.offsets[row]..<keys.offsets[row + 1]]
      take(Array(key), flat.scalar(at: row), Int(groups[row]) + 1)
    }
  }
  /// Of equal arrays the newer stays.
  private func take(_ key: [UInt8], _ value: Scalar, _ slot: Int) {
    if let current = best[slot] {
      let isWorse = isMax ? key.lexicographicallyPrecedes(current.key) : current.key.lexicographicallyPrecedes(key)
      if isWorse { return }
      bytes -= 2 * current.key.count
    }
    best[slot] = (key, value)
    bytes += 2 * key.count
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: ListExtremeState.self)
    for group in 0..<mapping.count {
      if let found = other.best[group + 1] { take(found.key, found.value, Int(mapping[group]) + 1) }
    }
  }
  func finish() throws(Fault) -> Column {
    ColumnBuilder.column(type, best.dropFirst().map { $0?.value ?? .null })
  }
}
