// Hash aggregation: each thread groups what it reads, then the threads' groups are merged.

import Bedrock
import Columnar
import Functions
import Kernels
import Plan
import Runtime

/// Groups and accumulators of one thread.
// unchecked Sendable because one thread at a time uses it: the reader, then the merger.
final class AggregateSink: @unchecked Sendable {
  private let groups: GroupTable
  private let keys: [CompiledExpression]
  private let calls: [AggregateCall]
  private var inputs: [Input] = []
  private let environment: QueryEnvironment
  private var reserved = 0
  private let hasKeys: Bool

  /// One aggregate call.
  fileprivate struct Input {
    let arguments: [CompiledExpression]
    let filter: CompiledExpression?
    let state: any AggregateState
    /// DISTINCT: (group, arguments) met so far, without the group when there is only one; the state sees them at the
    /// end only.
    let distinct: GroupTable?
    /// ORDER BY: all rows as (group, arguments, keys), sorted at the end.
    let orderKeys: [CompiledExpression]
    var kept: [Chunk] = []
  }

  init(groups: [Expression], calls: [AggregateCall], _ environment: QueryEnvironment) throws(Fault) {
    self.groups = GroupTable(types: groups.map(\.type))
    self.calls = calls.map(AggregateOperator.withDefaultOrder)
    self.environment = environment
    hasKeys = !groups.isEmpty
    keys = try CompiledExpression.compile(groups, environment)
    for call in self.calls {
      let types = call.arguments.map(\.type)
      let unordered = call.unorderedState(types)
      shareRows(of: unordered, call)
      inputs.append(
        Input(
          arguments: try CompiledExpression.compile(call.arguments, environment),
          filter: try call.filter.map { (filter) throws(Fault) in try CompiledExpression.compile(filter, environment) },
          state: unordered ?? call.function.makeState(types),
          distinct: call.isDistinct && call.orderBy.isEmpty
            ? GroupTable(types: (groups.isEmpty ? [] : [.int4]) + types) : nil,
          orderKeys: unordered == nil
            ? try CompiledExpression.compile(call.orderBy.map(\.expression), environment) : []))
    }
  }

  /// Percentiles of one value keep it once.
  private func shareRows(of state: (any AggregateState)?, _ call: AggregateCall) {
    guard let state = state as? any SharedInputState else { return }
    for index in inputs.indices where calls[index].reads(sameRowsAs: call) {
      if state.share(inputs[index].state) { return }
    }
  }

  func consume(_ chunk: Chunk) throws(Fault) {
    var columns: [Column] = []
    for key in keys { columns.append(try key.evaluate(chunk)) }
    let rows = groups.assign(columns, rows: chunk.rowCount)
    for index in inputs.indices { try update(&inputs[index], chunk, rows) }
    try account()
  }

  private func update(_ input: inout Input, _ chunk: Chunk, _ groupOfRow: [Int32]) throws(Fault) {
    input.state.grow(to: groups.count)
    var rows = groupOfRow
    var asked = chunk
    if let filter = input.filter {
      // Rows that fail the filter must not even be evaluated: an argument may fail on them.
      let kept = Selection(condition: try filter.evaluate(chunk))
      if kept.count == 0 { return }
      if kept.count < chunk.rowCount {
        let selected = kept.rows
        var picked: [Int32] = []
        for index in 0..<kept.count { picked.append(groupOfRow[Int(selected[index])]) }
        rows = picked
        asked = chunk.gather(selected)
      }
    }
    var arguments: [Column] = []
    for argument in input.arguments { arguments.append(try argument.evaluate(asked)) }
    if input.distinct == nil && input.orderKeys.isEmpty {
      return try input.state.update(groups: rows.span, arguments: arguments)
    }
    let group = Column.fixed(.int4, count: rows.count, .copying(rows))
    if let distinct = input.distinct {
      _ = distinct.assign((hasKeys ? [group] : []) + arguments, rows: rows.count)
      return
    }
    for key in input.orderKeys { arguments.append(try key.evaluate(asked)) }
    let kept = Chunk(columns: [group] + arguments, rowCount: rows.count)
    try environment.memory.reserve(kept.heldBytes)
    input.kept.append(kept)
  }

  private func account() throws(Fault) {
    var held = hasKeys ? groups.byteCount : 0
    for input in inputs { held += input.state.byteCount + (input.distinct?.byteCount ?? 0) }
    if held > reserved {
      // a little ahead, so that small growth costs nothing
      let wanted = held + held / 4
      try environment.memory.reserve(wanted - reserved)
      reserved = wanted
    }
  }

  /// Takes over all groups of another thread, or of a finer grouping.
  /// - Parameter keys: which of the other's keys are the keys here; nil: all.
  func merge(_ other: AggregateSink, keys: [Int]? = nil) throws(Fault) {
    let theirs = other.groups.keyColumns()
    let mapping = groups.assign(
      keys.map { $0.map { theirs[$0] } } ?? theirs, rows: other.hasKeys ? other.groups.count : 1)
    for index in inputs.indices {
      inputs[index].state.grow(to: groups.count)
      // A thread that came too late for any chunk has groups that its states have not heard of.
      other.inputs[index].state.grow(to: mapping.count)
      try inputs[index].state.merge(other.inputs[index].state, mapping: mapping.span)
      if let distinct = inputs[index].distinct, let theirs = other.inputs[index].distinct, theirs.count > 0 {
        let columns = theirs.keyColumns()
        let values = other.hasKeys ? Array(columns.dropFirst()) : columns
        _ = distinct.assign((hasKeys ? [remapped(columns[0], mapping)] : []) + values, rows: theirs.count)
      }
      for chunk in other.inputs[index].kept {
        inputs[index].kept.append(
          Chunk(columns: [remapped(chunk.columns[0], mapping)] + chunk.columns.dropFirst(), rowCount: chunk.rowCount))
      }
    }
    try account()
  }

  private func remapped(_ groups: Column, _ mapping: [Int32]) -> Column {
    let old = groups.flat()
    let values = old.int32s
    return .fixed(.int4, count: old.count, .copying((0..<old.count).map { mapping[Int(values[$0])] }))
  }

  /// One row a group: keys, then aggregates.
  func finish() throws(Fault) -> Chunk {
    let count = hasKeys ? groups.count : 1
    var columns = groups.keyColumns()
    for index in inputs.indices {
      let input = inputs[index]
      input.state.grow(to: count)
      if let distinct = input.distinct, distinct.count > 0 {
        let values = distinct.keyColumns()
        if hasKeys {
          try input.state.update(groups: values[0].flat().int32s, arguments: Array(values.dropFirst()))
        } else {
          let group = [Int32](repeating: 0, count: distinct.count)
          try input.state.update(groups: group.span, arguments: values)
        }
      } else if !input.kept.isEmpty {
        try addSorted(input, calls[index])
      } else if calls[index].function.directCount == 1, case .constant? = calls[index].arguments.first {
        // A direct argument that is wrong is wrong without rows too.
        try checkDirectArgument(input)
      }
      columns.append(try input.state.finish().retypedIfNeeded(calls[index].type))
    }
    return Chunk(columns: columns, rowCount: count)
  }

  private func checkDirectArgument(_ input: Input) throws(Fault) {
    let one = Chunk(columns: [], rowCount: 1)
    let columns = [try input.arguments[0].evaluate(one), .nulls(input.arguments[1].type, count: 1)]
    let none: [Int32] = [-1]
    try input.state.update(groups: none.span, arguments: columns)
  }

  private func addSorted(_ input: Input, _ call: AggregateCall) throws(Fault) {
    let all = try Chunk.joined(input.kept)
    let argumentCount = call.arguments.count
    let order = SortedRows.order(
      Array(all.columns[(1 + argumentCount)...]), call.orderBy, rows: all.rowCount)
    let sorted = Chunk(columns: Array(all.columns[0...argumentCount]), rowCount: all.rowCount).gather(order.span)
    if call.function.isHypothetical { return try addHypothetical(input, call, all.gather(order.span)) }
    let flat = sorted.columns[0].flat()
    let groupOfRow = flat.int32s
    var rows = (0..<sorted.rowCount).map { groupOfRow[$0] }
    if call.isDistinct {
      let table = GroupTable(types: sorted.columns.map(\.type))
      let ids = table.assign(sorted.columns, rows: sorted.rowCount)
      var seen: Int32 = -1
      for row in rows.indices {
        // ids come in order of first appearance
        if ids[row] > seen { seen = ids[row] } else { rows[row] = -1 }
      }
    }
    try input.state.update(groups: rows.span, arguments: Array(sorted.columns.dropFirst()))
  }
}

extension AggregateSink {
  /// Gives the state how each row, in order, compares with the row of its direct arguments, and a number for its keys.
  fileprivate func addHypothetical(_ input: Input, _ call: AggregateCall, _ sorted: Chunk) throws(Fault) {
    let orders = SortedRows.orders(call.orderBy), rows = sorted.rowCount, width = orders.count
    let asked = RowKey.encode(Array(sorted.columns[1..<(1 + width)]), orders: orders, rows: rows)
    let keys = RowKey.encode(Array(sorted.columns[(1 + width)...]), orders: orders, rows: rows)
    var comparisons = [Int32](repeating: 0, count: rows)
    var numbers = [Int32](repeating: 0, count: rows)
    keys.bytes.withUnsafeBytes { raw in
      asked.bytes.withUnsafeBytes { wanted in
        for row in 0..<rows {
          let order = SortedRows.compare(
            raw, keys.offsets[row], keys.offsets[row + 1], wanted, asked.offsets[row], asked.offsets[row + 1])
          comparisons[row] = order < 0 ? -1 : order > 0 ? 1 : 0
          if row == 0 { continue }
          let step = SortedRows.compare(
            raw, keys.offsets[row - 1], keys.offsets[row], raw, keys.offsets[row], keys.offsets[row + 1])
          numbers[row] = numbers[row - 1] + (step == 0 ? 0 : 1)
        }
      }
    }
    let groups = sorted.columns[0].flat()
    try input.state.update(
      groups: groups.int32s,
      arguments: [
        .fixed(.int4, count: rows, .copying(comparisons)), .fixed(.int4, count: rows, .copying(numbers)),
      ])
  }
}

enum AggregateOperator {
  /// array_agg and string_agg without ORDER BY keep the order of their input: one thread.
  private static let orderedNames: Set<String> = ["array_agg", "string_agg"]

  /// DISTINCT sorts what an order-keeping aggregate takes in, as PostgreSQL's does.
  static func withDefaultOrder(_ call: AggregateCall) -> AggregateCall {
    guard call.isDistinct && call.orderBy.isEmpty && orderedNames.contains(call.function.name) else { return call }
    let keys = call.arguments.map { SortKey(expression: $0, descending: false, nullsFirst: false) }
    return AggregateCall(
      function: call.function, arguments: call.arguments, isDistinct: true, filter: call.filter, orderBy: keys,
      type: call.type)
  }

  /// Whether some call must see the rows in the input's order.
  static func keepsOrder(_ calls: [AggregateCall]) -> Bool {
    calls.contains { orderedNames.contains($0.function.name) && $0.orderBy.isEmpty }
  }

  static func source(
    _ input: any RowSource, groups: [Expression], calls: [AggregateCall], _ environment: QueryEnvironment
  ) -> any RowSource {
    let isSerial = keepsOrder(calls)
    return MaterializedSource(inputs: [input]) { () throws(Fault) in
      let sinks = try ParallelRun<AggregateSink>.run(
        input, pool: environment.pool, isSerial: isSerial,
        makeSink: { () throws(Fault) in try AggregateSink(groups: groups, calls: calls, environment) },
        consume: { (sink, chunk) throws(Fault) in try sink.consume(chunk) })
      guard let first = sinks.first else { throw Fault.bug("an aggregation without a thread") }
      for other in sinks.dropFirst() {
        try environment.cancellation.check()
        try first.merge(other)
      }
      let result = try first.finish()
      try environment.memory.reserve(result.heldBytes)
      return result.pieces()
    }
  }
}

extension AggregateCall {
  /// A state for rows in any order, when the call's order is that of its own value.
  fileprivate func unorderedState(_ types: [DataType]) -> (any AggregateState)? {
    guard let make = function.makeUnorderedState, !isDistinct, orderBy.count == 1, let key = orderBy.first,
      let value = arguments.last, key.expression.isSame(as: value)
    else { return nil }
    return make(types, key.descending)
  }

  /// Whether both take the same value of the same rows, whatever they make of it.
  fileprivate func reads(sameRowsAs other: AggregateCall) -> Bool {
    guard let value = arguments.last, let theirs = other.arguments.last, value.isSame(as: theirs)
    else { return false }
    switch (filter, other.filter) {
    case (nil, nil): return true
    case (let own?, let their?): return own.isSame(as: their)
    default: return false
    }
  }
}
