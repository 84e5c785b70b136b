// `f(a, VARIADIC array)`: the elements of an array as the last arguments.

import Bedrock
import Columnar
import Functions
import Plan
import SQLSyntax

extension Binder {
  func bindVariadic(
    _ call: FunctionCallSyntax, _ name: String, in scope: SelectScope
  ) throws(Fault) -> Expression {
    var arguments = try bindAll(call.arguments.map(\.value), in: scope)
    guard let last = arguments.popLast() else { throw Fault.bug("VARIADIC without an argument") }
    var list = last.value
    guard let element = list.type.element else {
      throw Fault(.datatypeMismatch, "VARIADIC argument must be an array", position: last.location.position)
    }
    let types = arguments.map(\.value.type) + [element]
    let candidates = library.scalars(name).filter(\.isVariadic).compactMap { function in
      FunctionLibrary.expand(function.parameters, isVariadic: true, count: types.count).flatMap {
        FunctionLibrary.candidate(function, $0, for: types, library: library)
      }
    }
    guard case .found(let candidate) = library.choose(candidates, types) else {
      throw missing(name, arguments.map(\.value.type) + [list.type], at: call.location)
    }
    var values = try convert(arguments, to: Array(candidate.types.dropLast()))
    if let wanted = candidate.types.last.flatMap({ $0 }), !wanted.isSameType(as: element) {
      list = try coerce(list, to: .array(wanted), .implicit, at: last.location)
    }
    values.append(list)
    let result = candidate.function.result.resolve(values.dropLast().map(\.type) + [list.type.element ?? element])
    return .call(candidate.function.takingList(of: result), values, result)
  }
}

extension ScalarFunction {
  /// The function with its last arguments in one list; a null list gives null.
  fileprivate func takingList(of result: DataType) -> ScalarFunction {
    let function = self
    return ScalarFunction(
      name: name, parameters: parameters.dropLast() + [.anyArray], result: .fixed(result), isStrict: false,
      volatility: volatility
    ) { (context, columns, rows) throws(Fault) in
      guard let last = columns.last, let element = last.type.element else {
        throw Fault.bug("VARIADIC over something that is no list")
      }
      var builder = ColumnBuilder(type: result, capacity: rows)
      for row in 0..<rows {
        guard case .list(let items) = last.scalar(at: row) else {
          builder.appendNull()
          continue
        }
        let fixed = columns.dropLast().map { Column.constant($0.scalar(at: row), type: $0.type, count: 1) }
        let listed = items.map { Column.constant($0, type: element, count: 1) }
        builder.append(try function.evaluate(context, fixed + listed, 1).scalar(at: 0))
      }
      return builder.finish()
    }
  }
}
