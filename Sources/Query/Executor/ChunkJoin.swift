// Chunks put end to end, with the check that the result can exist: offsets inside a column are 32 bits. Text that comes
// in several dictionaries stays coded, over one dictionary of all values.

import Bedrock
import Columnar

extension Chunk {
  /// The rows of all `chunks` in one; refused when the text of one column would pass 2 GiB.
  static func joined(_ chunks: [Chunk]) throws(Fault) -> Chunk {
    precondition(!chunks.isEmpty)
    if chunks.count == 1 { return chunks[0] }
    var rows = 0
    for chunk in chunks { rows += chunk.rowCount }
    var isTooLarge = rows > Int(Int32.max)
    var coded: [Int: [Column]] = [:]
    for index in chunks[0].columns.indices where chunks[0].columns[index].type.physical.width == nil {
      if let columns = recoded(chunks.map { $0.columns[index] }) {
        coded[index] = columns
        continue
      }
      var bytes = 0
      for chunk in chunks { bytes += chunk.columns[index].flatDataBytes }
      isTooLarge = isTooLarge || bytes > Int(Int32.max)
    }
    if isTooLarge {
      throw Fault(.programLimitExceeded, "the rows that this statement must hold at once are too large")
    }
    let columns = chunks[0].columns.indices.map { index in
      Column.concatenate(coded[index] ?? chunks.map { $0.columns[index] })
    }
    return Chunk(columns: columns, rowCount: rows)
  }

  /// The columns over one dictionary; `nil` when some are not coded or sharing would not pay.
  private static func recoded(_ columns: [Column]) -> [Column]? {
    var entries = 0
    var rows = 0
    var last: ColumnDictionary?
    for column in columns {
      guard let dictionary = column.dictionary, column.type.physical == .bytes else { return nil }
      if dictionary !== last { entries += dictionary.count }
      last = dictionary
      rows += column.count
    }
    guard entries <= rows / 2 else { return nil }
    // bytes as text: char(n) keeps its blanks
    let index = KeyIndex(type: .text)
    let ids = columns.map { index.assign($0.retyped(.text)) }
    var values = index.values()
    // a dictionary has no null: null rows get code 0, and the entry of null becomes empty text
    if values.validity != nil { values = Column(type: .text, count: values.count, validity: nil, form: values.form) }
    let dictionary = ColumnDictionary(values.retyped(columns[0].type))
    return columns.indices.map { position in
      let column = columns[position]
      var codes = ids[position]
      if let validity = column.validity { for row in codes.indices where !validity.isSet(row) { codes[row] = 0 } }
      return Column(
        type: column.type, count: column.count, validity: column.validity,
        form: .dictionary(codes: .copying(codes), dictionary: dictionary))
    }
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
