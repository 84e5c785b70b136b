// The column writer for BOOLEAN: one bit a value, always plain.

import Bedrock
import Columnar

final class BooleanColumnWriter: ColumnChunkWriter {
  private var pending: [UInt8] = []

  override func take(_ column: Column, from start: Int, to end: Int) -> Int {
    mode = .plain
    let values = column.booleans
    var taken = pending
    pending = []
    taken.append(values, from: start, to: end, present: column.validity)
    pending = taken
    return end
  }

  override func choose(_ trial: inout EncodingTrial, isAll: Bool) { mode = .plain }

  override func encode(_ values: Range<Int>, to body: inout [UInt8]) -> EncodedPage {
    var sum = 0
    pending.withUnsafeBufferPointer { pending in
      let values = UnsafeBufferPointer(rebasing: pending[values])
      for value in values { sum += Int(value) }
      BitPacker.append(values, paddedCount: (values.count + 7) & ~7, width: 1, to: &body)
    }
    if values.isEmpty || !hasBounds { return EncodedPage(encoding: .plain, bounds: Bounds()) }
    let bounds = Bounds(min: .integer(sum == values.count ? 1 : 0), max: .integer(sum == 0 ? 0 : 1))
    return EncodedPage(encoding: .plain, bounds: bounds)
  }

  override func drop(_ count: Int) { pending.removeFirst(count) }

  override var valuesHeldByteCount: Int { pending.capacity }

  override func resetValues() { precondition(pending.isEmpty) }
}
