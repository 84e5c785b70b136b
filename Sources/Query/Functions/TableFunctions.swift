// Functions in FROM: generate_series, unnest.

import Bedrock
import Columnar
import Kernels

enum TableFunctions {
  static let all: [TableFunction] =
    integers + stamps + [numericSeries, unnest] + subscripts + catalogs + RegularExpressionTableFunctions.all
    + JSONParts.tableFunctions + JSONPathFunctions.tableFunctions

  /// Chunks of a column made from scalars by `next`.
  private static func chunks(_ type: DataType, _ next: @escaping () throws(Fault) -> Scalar?) -> () throws(Fault) ->
    Chunk?
  {
    { () throws(Fault) -> Chunk? in
      var builder = ColumnBuilder(type: type)
      while builder.count < Limits.chunkRowsMax, let value = try next() { builder.append(value) }
      if builder.count == 0 { return nil }
      let column = builder.finish()
      return Chunk(columns: [column], rowCount: column.count)
    }
  }

  /// Chunks of one column with these values.
  static func chunks(of values: [Scalar], _ type: DataType) -> () throws(Fault) -> Chunk? {
    var index = 0
    return chunks(type) { () throws(Fault) in
      if index == values.count { return nil }
      index += 1
      return values[index - 1]
    }
  }

  /// Chunks of rows of these types.
  static func chunks(of rows: [[Scalar]], _ types: [DataType]) -> () throws(Fault) -> Chunk? {
    var index = 0
    return { () throws(Fault) in
      if index == rows.count { return nil }
      let stop = min(rows.count, index + Limits.chunkRowsMax)
      let columns = types.indices.map { place in
        ColumnBuilder.column(types[place], rows[index..<stop].map { $0[place] })
      }
      defer { index = stop }
      return Chunk(columns: columns, rowCount: stop - index)
    }
  }

  private static func series(
    _ parameters: [DataType], _ type: DataType,
    _ open: @escaping @Sendable (FunctionContext, [Scalar]) throws(Fault) -> () throws(Fault) -> Scalar?
  ) -> TableFunction {
    TableFunction(
      name: "generate_series", parameters: parameters.map { .exact($0) },
      columns: { _ in [(name: "generate_series", type: type)] }
    ) { (context, arguments, _) throws(Fault) in
      if arguments.contains(where: \.isNull) { return { () throws(Fault) in nil } }
      return chunks(type, try open(context, arguments))
    }
  }

  private static let zeroStep = Fault(.invalidParameterValue, "step size cannot equal zero")

  private static let integers: [TableFunction] = ([.int4, .int8] as [DataType]).flatMap { type in
    [2, 3].map { count in
      series(Array(repeating: type, count: count), type) { (_, arguments) throws(Fault) in
        var next = arguments[0].integer
        let stop = arguments[1].integer ?? 0
        let step = count == 3 ? arguments[2].integer ?? 1 : 1
        if step == 0 { throw zeroStep }
        return { () throws(Fault) in
          guard let value = next, step > 0 ? value <= stop : value >= stop else { return nil }
          let (sum, overflow) = value.addingReportingOverflow(step)
          next = overflow ? nil : sum
          return .integer(value)
        }
      }
    }
  }

  private static let stamps: [TableFunction] = ([.timestamp, .timestamptz] as [DataType]).map { type in
    series([type, type, .interval], type) { (context, arguments) throws(Fault) in
      guard case .interval(let step) = arguments[2], let start = arguments[0].integer, let stop = arguments[1].integer
      else {
        throw Fault.bug("generate_series over arguments of other types")
      }
      let length = step.comparable
      if length == 0 { throw zeroStep }
      var value = start
      var isDone = false
      return { () throws(Fault) in
        if isDone || (length > 0 ? value > stop : value < stop) { return nil }
        let current = value
        value = try DateArithmetic.add(current, step, zone: type == .timestamptz ? context.timeZone : .utc)
        isDone = value == current
        return .integer(current)
      }
    }
  }

  private static let numericSeries: TableFunction = series([.numeric, .numeric, .numeric], .numeric) {
    (_, arguments) throws(Fault) in
    guard case .numeric(let start) = arguments[0], case .numeric(let stop) = arguments[1],
      case .numeric(let step) = arguments[2]
    else { throw Fault.bug("generate_series over arguments of other types") }
    if step.coefficient == 0 { throw zeroStep }
    var value = start
    return { () throws(Fault) in
      let order = Numeric.compare(value, stop)
      if step.coefficient > 0 ? order > 0 : order < 0 { return nil }
      let current = value
      guard let next = Numeric.add(value, step) else { throw ArithmeticOperators.numericOverflow }
      value = next
      return .numeric(current)
    }
  }

  private static let unnest = TableFunction(
    name: "unnest", parameters: [.anyArray], columns: { [(name: "unnest", type: $0[0].element ?? .text)] }
  ) { (_, arguments, types) throws(Fault) in
    guard case .list(let values) = arguments[0] else { return { () throws(Fault) in nil } }
    return chunks(of: values, types[0].element ?? .text)
  }

  private static let subscripts: [TableFunction] = [
    TableFunction(
      name: "generate_subscripts", parameters: [.anyArray, .exact(.int4)],
      columns: { _ in [(name: "generate_subscripts", type: .int4)] }
    ) { (_, arguments, types) throws(Fault) in
      guard case .list(let values) = arguments[0], arguments[1].integer == 1 else { return { () throws(Fault) in nil } }
      let isVector = if case .array = types[0] { false } else { true }
      var index: Int64 = 0
      return chunks(.int4) { () throws(Fault) in
        if index == Int64(values.count) { return nil }
        index += 1
        return .integer(isVector ? index - 1 : index)
      }
    }
  ]

  // MARK: Of catalogs

  /// No table is partitioned.
  private static let catalogs: [TableFunction] = [
    empty("pg_partition_ancestors", [.regclass], [("relid", .regclass)]),
    empty(
      "pg_partition_tree", [.regclass],
      [("relid", .regclass), ("parentrelid", .regclass), ("isleaf", .boolean), ("level", .int4)]),
    optionsToTable,
  ]

  /// `name=value` texts as two columns.
  private static let optionsToTable = TableFunction(
    name: "pg_options_to_table", parameters: [.exact(.array(.text))],
    columns: { _ in [(name: "option_name", type: .text), (name: "option_value", type: .text)] }
  ) { (_, arguments, _) throws(Fault) in
    var names = ColumnBuilder(type: .text)
    var values = ColumnBuilder(type: .text)
    if case .list(let options) = arguments[0] {
      for option in options {
        let parts = (option.text ?? "").split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        names.append(parts.first.map { .text(String($0)) } ?? .null)
        values.append(parts.count == 2 ? .text(String(parts[1])) : .null)
      }
    }
    let columns = [names.finish(), values.finish()]
    var pending = columns[0].count == 0 ? nil : Chunk(columns: columns, rowCount: columns[0].count)
    return { () throws(Fault) in
      defer { pending = nil }
      return pending
    }
  }

  private static func empty(
    _ name: String, _ parameters: [DataType], _ columns: [(name: String, type: DataType)]
  ) -> TableFunction {
    TableFunction(name: name, parameters: parameters.map { .exact($0) }, columns: { _ in columns }) {
      (_, _, _) throws(Fault) in
      { () throws(Fault) in nil }
    }
  }
}
