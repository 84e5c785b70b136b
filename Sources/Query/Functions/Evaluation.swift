// The loops that every function shares: forms, nulls and errors are handled here, once.
//
// `lifted` reduces what a body must know: its columns are flat or constant, and when the function is strict no constant
// is null. All constants: the body runs on one row. One dictionary beside constants: it runs on the distinct values.

import Bedrock
import Columnar

typealias Body = @Sendable (_ context: FunctionContext, _ columns: [Column], _ rows: Int) throws(Fault) -> Column

extension ScalarFunction {
  /// A function whose body sees flat or constant columns only.
  static func make(
    _ name: String, _ parameters: [ParameterType], _ result: ResultType, isVariadic: Bool = false,
    isStrict: Bool = true, volatility: Volatility = .immutable, _ body: @escaping Body
  ) -> ScalarFunction {
    ScalarFunction(
      name: name, parameters: parameters, isVariadic: isVariadic, result: result, isStrict: isStrict,
      volatility: volatility
    ) { (context, columns, rows) throws(Fault) in
      let type = result.resolve(columns.map(\.type))
      return try lifted(
        columns, rows: rows, type: type, isStrict: isStrict, isVolatile: volatility == .volatile
      ) { (columns, rows) throws(Fault) in try body(context, columns, rows) }
    }
  }

  /// A function of the long tail, evaluated row after row. Strict ones never see a null.
  static func rowwise(
    _ name: String, _ parameters: [DataType], _ result: DataType, isVariadic: Bool = false, isStrict: Bool = true,
    volatility: Volatility = .immutable,
    _ body: @escaping @Sendable (Arguments, Int, inout ColumnBuilder) throws(Fault) -> Void
  ) -> ScalarFunction {
    rowwise(
      name, parameters.map { .exact($0) }, result: .fixed(result), isVariadic: isVariadic, isStrict: isStrict,
      volatility: volatility, body)
  }

  static func rowwise(
    _ name: String, _ parameters: [ParameterType], result: ResultType, isVariadic: Bool = false,
    isStrict: Bool = true, volatility: Volatility = .immutable,
    _ body: @escaping @Sendable (Arguments, Int, inout ColumnBuilder) throws(Fault) -> Void
  ) -> ScalarFunction {
    make(name, parameters, result, isVariadic: isVariadic, isStrict: isStrict, volatility: volatility) {
      (context, columns, rows) throws(Fault) in
      let type = result.resolve(columns.map(\.type))
      return try rowLoop(context, columns, rows: rows, type: type, isStrict: isStrict, body)
    }
  }
}

func rowLoop(
  _ context: FunctionContext, _ columns: [Column], rows: Int, type: DataType, isStrict: Bool,
  _ body: (Arguments, Int, inout ColumnBuilder) throws(Fault) -> Void
) throws(Fault) -> Column {
  let arguments = Arguments(context: context, columns: columns)
  let validity = isStrict ? combinedValidity(columns) : nil
  var builder = ColumnBuilder(type: type, capacity: rows)
  for row in 0..<rows {
    if let validity, !validity.isSet(row) {
      builder.appendNull()
    } else {
      try body(arguments, row, &builder)
    }
  }
  return builder.finish()
}

/// All set where every column has a value. Constants are not null here.
func combinedValidity(_ columns: [Column]) -> Bitmap? {
  var validity: Bitmap?
  for column in columns {
    if case .constant = column.form { continue }
    validity = Bitmap.and(validity, column.validity)
  }
  return validity
}

func lifted(
  _ columns: [Column], rows: Int, type: DataType, isStrict: Bool, isVolatile: Bool,
  body: ([Column], Int) throws(Fault) -> Column
) throws(Fault) -> Column {
  if rows == 0 { return ColumnBuilder(type: type).finish() }
  var dictionaryIndex: Int?
  var flatCount = 0
  for (index, column) in columns.enumerated() {
    switch column.form {
    case .constant(let one): if isStrict && one.validity != nil { return .nulls(type, count: rows) }
    case .dictionary: dictionaryIndex = index
    default: flatCount += 1
    }
    if case .dictionary = column.form { flatCount += 1 }
  }
  if flatCount == 0 && !isVolatile && rows > 1 {
    let one = try body(columns.map { resized($0, 1) }, 1).flat()
    return Column(type: one.type, count: rows, validity: nil, form: .constant(one))
  }
  if flatCount == 1, isStrict, !isVolatile, let index = dictionaryIndex,
    let dictionary = columns[index].dictionary, dictionary.count <= rows, dictionary.count > 0
  {
    var inner = columns.map { resized($0, dictionary.count) }
    inner[index] = dictionary.values.flat().retyped(columns[index].type)
    // A value that no row uses may fail; then the rows decide.
    if let values = try? body(inner, dictionary.count) { return decoded(values, codesOf: columns[index]) }
  }
  return try body(
    columns.map { column in
      if case .constant = column.form { return column }
      return column.flat()
    }, rows)
}

/// A constant column of another length; others unchanged.
func resized(_ column: Column, _ rows: Int) -> Column {
  guard case .constant(let one) = column.form else { return column }
  return Column(type: column.type, count: rows, validity: nil, form: .constant(one))
}

/// `values` has one row for each dictionary entry; the result has one for each row of `column`.
private func decoded(_ values: Column, codesOf column: Column) -> Column {
  let codes = column.codes
  guard let validity = column.validity else { return values.gather(codes) }
  let indices = Buffer.of(Int32.self, count: column.count) { out in
    for row in 0..<column.count { out[row] = validity.isSet(row) ? codes[row] : -1 }
  }
  return values.gather(indices.span(of: Int32.self))
}

/// Arguments of one call, read by row in any of the two forms a body sees.
// SAFETY: the pointers point into buffers that `columns` keeps alive as long as this object lives, and are never given
// out but as buffer pointers used before the next statement of a body.
final class Arguments {
  private struct Slot {
    let base: UnsafeRawPointer
    let offsets: UnsafePointer<Int32>?
    /// 0 for a constant, all ones for a flat column.
    let mask: Int
    let physical: PhysicalType
  }
  let context: FunctionContext
  let columns: [Column]
  private let slots: [Slot]

  init(context: FunctionContext, columns: [Column]) {
    self.context = context
    self.columns = columns
    slots = columns.map { column in
      var inner = column
      var mask = -1
      if case .constant(let one) = column.form {
        inner = one
        mask = 0
      }
      let pointer: UnsafeRawPointer
      var offsets: UnsafePointer<Int32>?
      switch inner.form {
      case .fixed(let buffer): pointer = Self.pointer(buffer)
      case .bytes(let offsetBuffer, let data):
        pointer = Self.pointer(data)
        offsets = Self.pointer(offsetBuffer).assumingMemoryBound(to: Int32.self)
      case .list(let offsetBuffer, _):
        pointer = Self.pointer(offsetBuffer)
        offsets = pointer.assumingMemoryBound(to: Int32.self)
      case .dictionary, .constant: preconditionFailure("a body sees flat and constant columns")
      }
      return Slot(base: pointer, offsets: offsets, mask: mask, physical: column.type.physical)
    }
  }

  private static func pointer(_ buffer: Buffer) -> UnsafeRawPointer {
    // A buffer is never without memory: it has padding.
    buffer.withUnsafeBytes { $0.baseAddress! }
  }

  var count: Int { columns.count }
  func isNull(_ argument: Int, _ row: Int) -> Bool { columns[argument].isNull(at: row) }
  func scalar(_ argument: Int, _ row: Int) -> Scalar { columns[argument].scalar(at: row) }

  @inline(__always)
  private func load<T: BitwiseCopyable>(_ argument: Int, _ row: Int, _ type: T.Type) -> T {
    let slot = slots[argument]
    precondition(row >= 0 && row < columns[argument].count)
    return slot.base.load(fromByteOffset: (row & slot.mask) * MemoryLayout<T>.stride, as: T.self)
  }
  func int(_ argument: Int, _ row: Int) -> Int64 {
    slots[argument].physical == .int64 ? load(argument, row, Int64.self) : Int64(load(argument, row, Int32.self))
  }
  func double(_ argument: Int, _ row: Int) -> Double {
    slots[argument].physical == .float64 ? load(argument, row, Double.self) : Double(load(argument, row, Float.self))
  }
  func bool(_ argument: Int, _ row: Int) -> Bool { load(argument, row, UInt8.self) != 0 }
  func numeric(_ argument: Int, _ row: Int) -> Numeric { load(argument, row, Numeric.self) }
  func interval(_ argument: Int, _ row: Int) -> Interval { load(argument, row, Interval.self) }
  func uuid(_ argument: Int, _ row: Int) -> UUIDValue { load(argument, row, UUIDValue.self) }
  func bytes(_ argument: Int, _ row: Int) -> UnsafeRawBufferPointer {
    let slot = slots[argument]
    precondition(row >= 0 && row < columns[argument].count && slot.physical == .bytes)
    // Every bytes column has offsets.
    let offsets = slot.offsets!
    let start = Int(offsets[row & slot.mask]), end = Int(offsets[(row & slot.mask) + 1])
    return UnsafeRawBufferPointer(start: slot.base + start, count: end - start)
  }
  func string(_ argument: Int, _ row: Int) -> String { String(decoding: bytes(argument, row), as: UTF8.self) }
}

extension ColumnBuilder {
  mutating func append(numeric value: Numeric?, overflow message: String = "value overflows numeric format")
    throws(Fault)
  {
    guard let value else { throw Fault(.numericValueOutOfRange, message) }
    append(value)
  }
}
