// Functions, operators and casts over columns that the bytes choose, one on top of the other.
//
//   byte 0   rows, 1 to 8
//   then, until the bytes end, one step each:
//     2 bytes   which function, operator or cast
//     for each argument 1 byte: bit 7 set: a column that an earlier step gave, if one has the type; else a new one of
//     values picked by a byte a row: nulls, extremes, and what the bytes spell
//
// A function gives each row what it would give it alone, whatever form the columns have: the whole chunk, its rows one
// by one, and the chunk as dictionaries must agree, and a fault is a fault of some row. Only immutable functions are
// asked. Nothing may trap; a fault is no bug of ours (XX000).

import Bedrock
import Columnar
import Functions

package enum FunctionExercise {
  private enum Step {
    case function(ScalarFunction)
    case cast(CastFunction)
  }
  private static let steps: [Step] =
    (FunctionCatalog.allScalars + FunctionCatalog.allOperators).filter { $0.volatility == .immutable }.map { .function($0) }
    + FunctionCatalog.allCasts.filter { $0.volatility == .immutable }.map { .cast($0) }
  private static let stepsMax = 8
  /// Values that grow beyond this are left behind: their cost says nothing about the functions.
  private static let valueBytesMax = 65_536

  package static func run(_ bytes: [UInt8]) {
    var source = ByteSource(bytes)
    let rows = Int(source.next() % 8) + 1
    var made: [Column] = []
    var count = 0
    while !source.isAtEnd, count < stepsMax {
      count += 1
      let step = steps[(Int(source.next()) << 8 | Int(source.next())) % steps.count]
      guard let column = run(step, rows, &source, made) else { continue }
      made.append(column)
    }
  }

  private static func run(_ step: Step, _ rows: Int, _ source: inout ByteSource, _ made: [Column]) -> Column? {
    switch step {
    case .function(let function):
      var element: DataType?
      var arguments: [Column] = []
      let repeats = function.isVariadic ? Int(source.next() % 3) : 0
      let parameters = function.parameters + [ParameterType](repeating: function.parameters.last ?? .any, count: function.parameters.isEmpty ? 0 : repeats)
      for parameter in parameters {
        arguments.append(argument(type(parameter, &element, &source), rows, &source, made))
      }
      let result = function.result.resolve(arguments.map(\.type))
      return evaluate(arguments, rows, result, name: "\(function.name)\(arguments.map(\.type))") {
        (columns, rows) throws(Fault) in try function.evaluate(ExerciseCatalog.context, columns, rows)
      }
    case .cast(let cast):
      let argument = argument(cast.from, rows, &source, made)
      let isExplicit = source.next() & 1 == 0
      return evaluate([argument], rows, cast.to, name: "\(cast.from) to \(cast.to)") { (columns, _) throws(Fault) in
        try cast.evaluate(ExerciseCatalog.context, columns[0], cast.to, isExplicit)
      }
    }
  }

  private static func type(_ parameter: ParameterType, _ element: inout DataType?, _ source: inout ByteSource) -> DataType {
    if case .exact(let type) = parameter { return type }
    let all: [DataType] = [.int4, .text, .numeric(nil), .float8, .timestamptz, .uuid, .boolean, .bytea]
    let picked = all[Int(source.next()) % all.count]
    switch parameter {
    case .exact(let type): return type
    case .any: return picked
    case .anyElement:
      element = element ?? picked
      return element ?? picked
    case .anyArray:
      element = element ?? picked
      return .array(element ?? picked)
    }
  }

  private static func argument(
    _ type: DataType, _ rows: Int, _ source: inout ByteSource, _ made: [Column]
  ) -> Column {
    let choice = source.next()
    if choice & 0x80 != 0, let column = made.last(where: { $0.type == type }) { return column }
    return ColumnBuilder.column(type, (0..<rows).map { _ in ExerciseValue.of(type, &source) })
  }

  // MARK: Agreement

  private typealias Body = ([Column], Int) throws(Fault) -> Column

  private static func outcome(_ columns: [Column], _ rows: Int, _ body: Body) -> Result<Column, Fault> {
    do throws(Fault) {
      let column = try body(columns, rows)
      precondition(column.count == rows, "a result has as many rows as its arguments")
      return .success(column)
    } catch {
      precondition(error.kind != .bug, "\(error)")
      return .failure(error)
    }
  }

  private static func evaluate(
    _ columns: [Column], _ rows: Int, _ type: DataType, name: String, _ body: Body
  ) -> Column? {
    let whole = outcome(columns, rows, body)
    var failed = false
    for row in 0..<rows {
      switch outcome(columns.map { $0.slice(row..<(row + 1)) }, 1, body) {
      case .failure: failed = true
      case .success(let one):
        guard case .success(let all) = whole else { continue }
        let (alone, among) = (text(one.scalar(at: 0), type), text(all.scalar(at: row), type))
        precondition(alone == among, "\(name), row \(row): \(alone ?? "NULL") alone, \(among ?? "NULL") among others")
      }
    }
    guard case .success(let all) = whole else {
      precondition(failed, "\(name) fails although no row does: \(whole)")
      return nil
    }
    precondition(!failed, "\(name) succeeds although a row fails")
    let constants = columns.map { Column.constant($0.scalar(at: 0), type: $0.type, count: rows) }
    if case .success(let same) = outcome(constants, rows, body) {
      precondition(text(same.scalar(at: rows - 1), type) == text(all.scalar(at: 0), type), "\(name) of constants")
    } else {
      preconditionFailure("\(name) of constants fails")
    }
    let size = (0..<rows).reduce(0) { $0 + (text(all.scalar(at: $1), type)?.utf8.count ?? 0) }
    return size <= valueBytesMax ? all : nil
  }

  private static func text(_ scalar: Scalar, _ type: DataType) -> String? {
    ValueText.output(scalar, type: type, context: ExerciseCatalog.context)
  }
}
