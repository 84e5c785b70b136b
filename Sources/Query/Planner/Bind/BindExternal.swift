// read_parquet and read_delta: functions in FROM whose columns are known only once their place is opened.
//
//   read_parquet('place or glob' | ARRAY[...], filename => boolean, hive_partitioning => boolean)
//   read_delta('place', version => bigint | as_of => timestamptz)
//
// The place is opened while the statement is bound, so its arguments must be constants by then; they may be computed
// (`as_of => now() - interval '1 day'`), but they can be neither parameters nor columns.

import Bedrock
import Columnar
import EventSchema
import Functions
import Plan
import SQLSyntax
import StorageContract

enum ExternalFunction: String {
  case readParquet = "read_parquet"
  case readDelta = "read_delta"

  /// The types of its options.
  var options: [String: DataType] {
    switch self {
    case .readParquet: ["filename": .boolean, "hive_partitioning": .boolean]
    case .readDelta: ["version": .int8, "as_of": .timestamptz]
    }
  }

  var signature: String {
    switch self {
    case .readParquet:
      "read_parquet(location text or text[], filename => boolean, hive_partitioning => boolean)"
    case .readDelta: "read_delta(location text, version => bigint or as_of => timestamptz)"
    }
  }
}

extension ExternalSource.Place {
  /// As EXPLAIN names it.
  fileprivate var text: String {
    switch self {
    case .delta(let location): location
    case .parquet(let locations): locations.joined(separator: "', '")
    case .lake(let table): "\(table.raw)"
    }
  }
}

extension Binder {
  func bindExternal(
    _ function: ExternalFunction, _ call: FunctionCallSyntax, _ alias: AliasSyntax?, in scope: SelectScope
  ) throws(Fault) -> BoundTable {
    let source = try externalSource(function, call, in: scope)
    let table: any ExternalTable
    do throws(Fault) { table = try catalog.open(source) } catch { throw error.at(position: call.location.position) }
    let name = "\(function.rawValue)('\(source.place.text)')"
    estimates[name] = table.estimatedRows
    let shown = table.columns.indices.filter { !table.columns[$0].isHidden }
    let plan = PlanNode.scan(
      relation: name, request: ScanRequest(table: TableID(raw: 0), columns: shown, external: table),
      types: shown.map { table.columns[$0].type }, filter: nil)
    let columns = shown.map { BoundColumn(name: table.columns[$0].name, type: table.columns[$0].type) }
    return try offered(plan, columns, alias: alias, name: function.rawValue, at: call.location)
  }

  private func externalSource(
    _ function: ExternalFunction, _ call: FunctionCallSyntax, in scope: SelectScope
  ) throws(Fault) -> ExternalSource {
    let isPlain =
      call.over == nil && call.filter == nil && call.orderBy.isEmpty && !call.isStar && !call.isDistinct
      && !call.isVariadic
    guard isPlain else { throw wrongCall(function, call) }
    var locations: [String]?
    var options: [String: Scalar] = [:]
    for argument in call.arguments {
      guard let name = argument.name else {
        guard locations == nil, options.isEmpty else { throw wrongCall(function, call) }
        locations = try self.locations(function, argument.value, in: scope)
        continue
      }
      guard let type = function.options[name] else {
        throw Fault(
          .invalidParameterValue, "\(function.rawValue) has no option \"\(name)\"",
          hint: "It is called as \(function.signature).", position: argument.value.location.position)
      }
      guard options[name] == nil else {
        throw Fault(
          .syntaxError, "argument name \"\(name)\" used more than once", position: argument.value.location.position)
      }
      let value = try constant(argument.value, type, of: function, in: scope)
      guard !value.isNull else {
        throw Fault(
          .invalidParameterValue, "option \"\(name)\" of \(function.rawValue) must not be null",
          position: argument.value.location.position)
      }
      options[name] = value
    }
    guard let locations, let first = locations.first else { throw wrongCall(function, call) }
    switch function {
    case .readParquet:
      return ExternalSource(
        .parquet(locations: locations), hasFileName: options["filename"]?.boolean ?? false,
        hasHivePartitions: options["hive_partitioning"]?.boolean)
    case .readDelta:
      guard locations.count == 1, options.count <= 1 else { throw wrongCall(function, call) }
      var version = TableVersion.newest
      if let number = options["version"]?.integer { version = .number(number) }
      if let micros = options["as_of"]?.integer { version = .asOf(micros: micros) }
      return ExternalSource(.delta(location: first), version: version)
    }
  }

  private func locations(
    _ function: ExternalFunction, _ syntax: ExpressionSyntax, in scope: SelectScope
  ) throws(Fault) -> [String] {
    let value: Scalar
    if case .array = syntax.kind, function == .readParquet {
      value = try constant(syntax, .array(.text), of: function, in: scope)
    } else {
      value = try constant(syntax, .text, of: function, in: scope)
    }
    let found: [String?]
    if case .list(let values) = value { found = values.map(\.text) } else { found = [value.text] }
    let locations = found.compactMap(\.self).filter { !$0.isEmpty }
    guard !locations.isEmpty, locations.count == found.count else {
      throw Fault(
        .invalidParameterValue, "the location of \(function.rawValue) must not be null or empty",
        position: syntax.location.position)
    }
    return locations
  }

  /// The value of an argument, now.
  private func constant(
    _ syntax: ExpressionSyntax, _ type: DataType, of function: ExternalFunction, in scope: SelectScope
  ) throws(Fault) -> Scalar {
    // No columns are in sight: the place is opened before any row is read.
    let empty = SelectScope(parent: nil, sight: scope.sight)
    empty.clauseWithoutAggregates = "functions in FROM"
    let bound = try coerce(try bind(syntax, in: empty), to: type, .assignment, at: syntax.location)
    let folded = Folding(context: context, foldsStable: true).fold(bound)
    guard case .constant(let value, _) = folded else {
      throw Fault(
        .featureNotSupported, "an argument of \(function.rawValue) that is not a constant is not supported",
        hint: "The columns of the table must be known before the statement runs, so its location cannot be a parameter.",
        position: syntax.location.position)
    }
    return value
  }

  private func wrongCall(_ function: ExternalFunction, _ call: FunctionCallSyntax) -> Fault {
    Fault(
      .undefinedFunction, "\(function.rawValue) cannot be called with these arguments",
      hint: "It is called as \(function.signature).", position: call.location.position)
  }
}
