// Chunks put end to end, with the check that the result can exist: offsets inside a column are 32 bits.

import Bedrock
import Columnar

extension Chunk {
  /// The rows of all `chunks` in one; refused when the text of one column would pass 2 GiB.
  static func joined(_ chunks: [Chunk]) throws(Fault) -> Chunk {
    precondition(!chunks.isEmpty)
    var rows = 0
    for chunk in chunks { rows += chunk.rowCount }
    var isTooLarge = rows > Int(Int32.max)
    for index in chunks[0].columns.indices where chunks[0].columns[index].type.physical.width == nil {
      var bytes = 0
      for chunk in chunks { bytes += chunk.columns[index].flatDataBytes }
      isTooLarge = isTooLarge || bytes > Int(Int32.max)
    }
    if isTooLarge {
      throw Fault(.programLimitExceeded, "the rows that this statement must hold at once are too large")
    }
    return concatenate(chunks)
  }
}

extension Column {
  /// Bytes of data, or elements of lists, that the flat form of the column has.
  var flatDataBytes: Int {
    switch form {
    case .fixed: return 0
    case .bytes, .list: return count == 0 ? 0 : Int(offsets[count])
    case .constant(let one): return count * one.flatDataBytes
    case .dictionary(_, let dictionary):
      let values = dictionary.values.flat()
      if values.type.physical.width != nil || dictionary.count == 0 { return 0 }
      let ends = values.offsets
      let codes = self.codes
      var total = 0
      for row in 0..<count { total += Int(ends[Int(codes[row]) + 1] - ends[Int(codes[row])]) }
      return total
    }
  }
}
