// Expressions over chunks. Compiled once per cursor from the plan's expressions: parameters and subqueries become
// constants, and a call over one dictionary column keeps what it computed for the dictionary's values.
//
// CASE, COALESCE, AND and OR evaluate an operand only on the rows that reach it when the operand may fail, so an error
// in an unreached branch is never raised.

import Bedrock
import Columnar
import Functions
import Kernels

final class CompiledExpression {
  enum Kind {
    case column(Int)
    case constant(Column)
    case call(ScalarFunction, [CompiledExpression])
    case cast(CastFunction, CompiledExpression, explicit: Bool)
    case and([CompiledExpression])
    case or([CompiledExpression])
    case not(CompiledExpression)
    case isNull(CompiledExpression, negated: Bool)
    case isTruth(CompiledExpression, Bool, negated: Bool)
    case isDistinct(CompiledExpression, CompiledExpression, ScalarFunction, negated: Bool)
    case caseWhen([(CompiledExpression, CompiledExpression)], CompiledExpression?)
    case coalesce([CompiledExpression])
    case inList(CompiledExpression, ValueSet, negated: Bool)
    case arrayComparison(CompiledExpression, ScalarFunction, CompiledExpression, all: Bool)
    case array([CompiledExpression])
    case correlated(CorrelatedRun, [CompiledExpression])
  }
  let kind: Kind
  let type: DataType
  /// False when evaluation can never raise a fault.
  let mayFail: Bool
  let columnsRead: Set<Int>
  private let context: FunctionContext
  /// Results by dictionary value, for the dictionary met last.
  private var cachedDictionary: ColumnDictionary?
  private var cachedValues: Column?

  init(_ kind: Kind, _ type: DataType, mayFail: Bool, columnsRead: Set<Int>, context: FunctionContext) {
    self.kind = kind
    self.type = type
    self.mayFail = mayFail
    self.columnsRead = columnsRead
    self.context = context
  }

  func evaluate(_ chunk: Chunk) throws(Fault) -> Column {
    let rows = chunk.rowCount
    switch kind {
    case .column(let index): return chunk.columns[index]
    case .constant(let one): return Column(type: type, count: rows, validity: nil, form: .constant(one))
    case .call(let function, let arguments):
      var columns: [Column] = []
      columns.reserveCapacity(arguments.count)
      for argument in arguments { columns.append(try argument.evaluate(chunk)) }
      if function.isStrict && function.volatility != .volatile {
        let context = context
        let cached = try onDictionary(columns, rows) { (inner, count) throws(Fault) in
          try function.evaluate(context, inner, count)
        }
        if let cached { return cached }
      }
      return try function.evaluate(context, columns, rows).retypedIfNeeded(type)
    case .cast(let cast, let operand, let explicit):
      let column = try operand.evaluate(chunk)
      let (context, type) = (context, type)
      let cached = try onDictionary([column], rows) { (inner, _) throws(Fault) in
        try cast.evaluate(context, inner[0], type, explicit)
      }
      if let cached { return cached }
      return try cast.evaluate(context, column, type, explicit)
    case .and(let operands): return try logical(chunk, operands, decides: false)
    case .or(let operands): return try logical(chunk, operands, decides: true)
    case .not(let operand):
      let column = try operand.evaluate(chunk).flat()
      let values = column.booleans
      return .boolean(rows, validity: column.validity) { values[$0] == 0 }
    case .isNull(let operand, let negated):
      let column = try operand.evaluate(chunk)
      guard let validity = column.rowValidity else {
        return .constant(.boolean(negated), type: .boolean, count: rows)
      }
      let words = validity.words
      let wanted: UInt64 = negated ? 1 : 0
      return .boolean(rows, validity: nil) { words[$0 >> 6] &>> UInt64($0 & 63) & 1 == wanted }
    case .isTruth(let operand, let wanted, let negated):
      let column = try operand.evaluate(chunk).flat()
      let values = column.booleans
      guard let validity = column.validity else {
        return .boolean(rows, validity: nil) { ((values[$0] != 0) == wanted) != negated }
      }
      return .boolean(rows, validity: nil) { (validity.isSet($0) && (values[$0] != 0) == wanted) != negated }
    case .isDistinct(let left, let right, let equals, let negated):
      let a = try left.evaluate(chunk), b = try right.evaluate(chunk)
      let same = try equals.evaluate(context, [a, b], rows).flat()
      let values = same.booleans
      let validA = a.rowValidity, validB = b.rowValidity
      return .boolean(rows, validity: nil) { row in
        let isDistinct: Bool
        switch (validA?.isSet(row) ?? true, validB?.isSet(row) ?? true) {
        case (false, false): isDistinct = false
        case (true, true): isDistinct = values[row] == 0
        default: isDistinct = true
        }
        return isDistinct != negated
      }
    case .caseWhen(let branches, let otherwise): return try choose(chunk, branches, otherwise)
    case .coalesce(let operands): return try coalesce(chunk, operands)
    case .inList(let operand, let set, let negated):
      let column = try operand.evaluate(chunk)
      if let cached = try onDictionary(
        [column], rows,
        { (inner, count) throws(Fault) in
          try set.contains(inner[0], count, negated: negated)
        })
      {
        return cached
      }
      return try set.contains(column, rows, negated: negated)
    case .arrayComparison(let operand, let function, let array, let all):
      return try compareWithArray(chunk, operand, function, array, all: all)
    case .correlated(let run, let operands):
      var columns: [Column] = []
      for operand in operands { columns.append(try operand.evaluate(chunk)) }
      return try run.evaluate(columns, rows)
    case .array(let elements):
      var columns: [Column] = []
      for element in elements { columns.append(try element.evaluate(chunk)) }
      var builder = ColumnBuilder(type: type, capacity: rows)
      for row in 0..<rows { builder.append(list: columns.map { $0.scalar(at: row) }) }
      return builder.finish()
    }
  }

  // MARK: Dictionaries

  /// The call over the distinct values of the only dictionary among constants, spread over the rows; `nil` when the
  /// columns are not so, or when some distinct value fails (the rows then decide).
  private func onDictionary(
    _ columns: [Column], _ rows: Int, _ call: ([Column], Int) throws(Fault) -> Column
  ) throws(Fault) -> Column? {
    var index = -1
    for (position, column) in columns.enumerated() {
      switch column.form {
      case .constant: continue
      case .dictionary:
        if index >= 0 { return nil }
        index = position
      default: return nil
      }
    }
    guard index >= 0, let dictionary = columns[index].dictionary, dictionary.count > 0 else { return nil }
    if cachedDictionary !== dictionary {
      // A large dictionary pays only when chunks keep coming; a chunk or two of its size are the limit.
      if dictionary.count > 4 * Limits.chunkRowsMax && cachedDictionary == nil { return nil }
      let inner = columns.enumerated().map { (position, column) -> Column in
        if position == index { return dictionary.values.flat().retyped(column.type) }
        guard case .constant(let one) = column.form else { return column }
        return Column(type: column.type, count: dictionary.count, validity: nil, form: .constant(one))
      }
      // The fault may belong to a value that no row uses; evaluating row by row will raise it if it is real.
      guard let values = try? call(inner, dictionary.count) else { return nil }
      cachedDictionary = dictionary
      cachedValues = values.flat().retypedIfNeeded(type)
    }
    guard let values = cachedValues else { return nil }
    return values.spread(over: columns[index])
  }

  // MARK: AND, OR

  /// Kleene logic: `decides` (false for AND, true for OR) ends it; unknown stays unless decided.
  private func logical(_ chunk: Chunk, _ operands: [CompiledExpression], decides: Bool) throws(Fault) -> Column {
    var state = TruthState(rows: chunk.rowCount, decisive: decides ? 1 : 0)
    for (position, operand) in operands.enumerated() {
      if position > 0 {
        let undecided = state.undecidedCount
        if undecided == 0 { break }
        if operand.mayFail && undecided < chunk.rowCount {
          let rows = state.undecidedRows
          state.merge(try operand.evaluate(chunk.subset(rows, reading: operand.columnsRead)).flat(), rows: rows)
          continue
        }
      }
      state.merge(try operand.evaluate(chunk).flat())
    }
    return state.finish()
  }

  // MARK: CASE, COALESCE

  /// Puts together what was computed for some of the rows each time.
  private struct Pieces {
    var parts: [Column] = []
    var picks: [Int32]
    private var total = 0
    init(rows: Int) { picks = [Int32](repeating: -1, count: rows) }
    mutating func add(_ column: Column, rows: [Int32]) {
      for (index, row) in rows.enumerated() { picks[Int(row)] = Int32(total + index) }
      total += column.count
      parts.append(column)
    }
    func column(_ type: DataType) -> Column {
      if parts.isEmpty { return .nulls(type, count: picks.count) }
      return Column.concatenate(parts.map { $0.retypedIfNeeded(type) }).gather(picks.span)
    }
  }

  private func choose(
    _ chunk: Chunk, _ branches: [(CompiledExpression, CompiledExpression)], _ otherwise: CompiledExpression?
  ) throws(Fault) -> Column {
    var remaining = (0..<Int32(chunk.rowCount)).map { $0 }
    var pieces = Pieces(rows: chunk.rowCount)
    for (condition, value) in branches {
      if remaining.isEmpty { break }
      let asked = chunk.subset(remaining, reading: condition.columnsRead)
      let truth = try condition.evaluate(asked).flat()
      let values = truth.booleans
      var taken: [Int32] = []
      var left: [Int32] = []
      for (index, row) in remaining.enumerated() {
        if !truth.isNull(at: index) && values[index] != 0 { taken.append(row) } else { left.append(row) }
      }
      if !taken.isEmpty {
        pieces.add(try value.evaluate(chunk.subset(taken, reading: value.columnsRead)), rows: taken)
      }
      remaining = left
    }
    if let otherwise, !remaining.isEmpty {
      pieces.add(try otherwise.evaluate(chunk.subset(remaining, reading: otherwise.columnsRead)), rows: remaining)
    }
    return pieces.column(type)
  }

  private func coalesce(_ chunk: Chunk, _ operands: [CompiledExpression]) throws(Fault) -> Column {
    let first = try operands[0].evaluate(chunk)
    if !first.mayHaveNulls { return first.retypedIfNeeded(type) }
    var pieces = Pieces(rows: chunk.rowCount)
    pieces.add(first, rows: (0..<Int32(chunk.rowCount)).map { $0 })
    var remaining = (0..<Int32(chunk.rowCount)).filter { first.isNull(at: Int($0)) }
    for operand in operands.dropFirst() {
      if remaining.isEmpty { break }
      let column = try operand.evaluate(chunk.subset(remaining, reading: operand.columnsRead))
      pieces.add(column, rows: remaining)
      let rows = remaining
      remaining = rows.indices.filter { column.isNull(at: $0) }.map { rows[$0] }
    }
    return pieces.column(type)
  }

  // MARK: ANY, ALL

  private func compareWithArray(
    _ chunk: Chunk, _ operand: CompiledExpression, _ function: ScalarFunction, _ array: CompiledExpression, all: Bool
  ) throws(Fault) -> Column {
    let rows = chunk.rowCount
    let left = try operand.evaluate(chunk)
    let lists = try array.evaluate(chunk).flat()
    guard case .list(_, let elements) = lists.form else { throw Fault.bug("ANY over something that is no array") }
    let offsets = lists.offsets
    var repeated: [Int32] = []
    repeated.reserveCapacity(elements.count)
    for row in 0..<rows { for _ in offsets[row]..<offsets[row + 1] { repeated.append(Int32(row)) } }
    let wide = left.gather(repeated.span)
    let compared = try function.evaluate(context, [wide, elements], elements.count).flat()
    let values = compared.booleans
    let decisive: UInt8 = all ? 0 : 1
    var state = [UInt8](repeating: 1 - decisive, count: rows)
    for (index, row) in repeated.enumerated() where state[Int(row)] != decisive {
      if compared.isNull(at: index) {
        state[Int(row)] = 2
      } else if values[index] == decisive {
        state[Int(row)] = decisive
      }
    }
    for row in 0..<rows where lists.isNull(at: row) { state[row] = 2 }
    let validity = state.contains(2) ? Bitmap.make(count: rows) { state[$0] != 2 } : nil
    return .boolean(rows, validity: validity) { state[$0] == 1 }
  }
}

extension Column {
  func retypedIfNeeded(_ type: DataType) -> Column {
    self.type == type || self.type.physical != type.physical ? self : retyped(type)
  }

  /// This column has a row for each entry of the dictionary of `coded`; the result has one for each of its rows.
  func spread(over coded: Column) -> Column {
    let codes = coded.codes
    guard let validity = coded.validity else { return gather(codes) }
    let indices = Buffer.of(Int32.self, count: coded.count) { out in
      for row in 0..<coded.count { out[row] = validity.isSet(row) ? codes[row] : -1 }
    }
    return gather(indices.span(of: Int32.self))
  }
}

extension Chunk {
  /// Some rows, with values only in the columns that will be read.
  func subset(_ rows: [Int32], reading columnsRead: Set<Int>) -> Chunk {
    if rows.count == rowCount { return self }
    let kept = columns.enumerated().map { index, column in
      columnsRead.contains(index) ? column.gather(rows.span) : Column.nulls(column.type, count: rows.count)
    }
    return Chunk(columns: kept, rowCount: rows.count)
  }
}
