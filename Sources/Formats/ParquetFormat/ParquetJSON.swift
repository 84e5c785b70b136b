// Any column as JSON, for tools that show a file.

package import Bedrock
package import Columnar

package enum ParquetJSON {
  /// One text a row, as PostgreSQL's `to_jsonb` writes the value; a jsonb value is its own text.
  package static func texts(_ column: Column) throws(Fault) -> [String] {
    let column = column.flat()
    if column.type == .jsonb {
      return column.scalarsBoxed.map { $0.text ?? "null" }
    }
    guard case .list(_, let elements) = column.form else { return strings(try JSONScalars.texts(column)) }
    let inner = strings(try JSONScalars.texts(elements))
    let offsets = column.offsets
    return (0..<column.count).map { row in
      if column.isNull(at: row) { return "null" }
      return "[" + inner[Int(offsets[row])..<Int(offsets[row + 1])].joined(separator: ", ") + "]"
    }
  }

  private static func strings(_ texts: JSONTexts) -> [String] {
    (0..<texts.count).map { row in
      String(decoding: texts.data[Int(texts.offsets[row])..<Int(texts.offsets[row + 1])], as: UTF8.self)
    }
  }

  /// One value, as `texts` would write it.
  package static func text(_ scalar: Scalar, type: DataType) throws(Fault) -> String {
    try texts(ColumnBuilder.column(type, [scalar]))[0]
  }
}

extension Column {
  fileprivate var scalarsBoxed: [Scalar] { (0..<count).map { scalar(at: $0) } }
}
