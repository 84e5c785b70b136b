// Every cast. Contexts follow pg_cast: implicit widens, assignment narrows or prints, explicit does the rest.

import Bedrock
import Columnar
import Kernels

extension CastFunction {
  /// A strict cast whose body sees flat or constant columns.
  static func make(
    _ from: DataType, _ to: DataType, _ context: CastContext, volatility: Volatility = .immutable,
    _ body: @escaping @Sendable (FunctionContext, Column, DataType, Bool) throws(Fault) -> Column
  ) -> CastFunction {
    CastFunction(from: from, to: to, context: context, volatility: volatility) {
      (functions, column, target, explicit) throws(Fault) in
      try lifted([column], rows: column.count, type: target, isStrict: true, isVolatile: false) {
        (columns, _) throws(Fault) in try body(functions, columns[0], target, explicit)
      }
    }
  }

  static func rowwise(
    _ from: DataType, _ to: DataType, _ context: CastContext, volatility: Volatility = .immutable,
    _ body: @escaping @Sendable (Arguments, Int, inout ColumnBuilder) throws(Fault) -> Void
  ) -> CastFunction {
    make(from, to, context, volatility: volatility) { (functions, column, target, _) throws(Fault) in
      try rowLoop(functions, [column], rows: column.count, type: target, isStrict: true, body)
    }
  }
}

enum Casts {
  static let all: [CastFunction] = same + numbers + textual + toText + fromText + DateCasts.all + objects + arrays

  // MARK: Lengths and precisions of one type

  private static let same: [CastFunction] = [
    .make(.numeric, .numeric, .implicit) { (_, column, target, _) throws(Fault) in try constrained(column, target) },
    .make(.varchar(nil), .varchar(nil), .implicit) { (_, column, target, explicit) throws(Fault) in
      try fitted(column, target, explicit)
    },
    .make(.bpchar(nil), .bpchar(nil), .implicit) { (_, column, target, explicit) throws(Fault) in
      try fitted(column, target, explicit)
    },
  ]

  static func constrain(_ value: Numeric, _ modifier: DataType.NumericModifier) throws(Fault) -> Numeric {
    if value.isNaN { return value }
    guard let rounded = value.rounded(toScale: modifier.scale),
      rounded.coefficient.magnitude < PowerOfTen.table[min(modifier.precision, 38)].magnitude
    else {
      let (precision, scale) = (modifier.precision, modifier.scale)
      let bound = precision == scale ? "1" : "10^\(precision - scale)"
      throw Fault(
        .numericValueOutOfRange, "numeric field overflow",
        detail: "A field with precision \(precision), scale \(scale) must round to an absolute value less than "
          + "\(bound).")
    }
    return rounded
  }

  private static func constrained(_ column: Column, _ target: DataType) throws(Fault) -> Column {
    guard case .numeric(.some(let modifier)) = target else { return column.retyped(target) }
    return try rowLoop(.none, [column], rows: column.count, type: target, isStrict: true) {
      (a, row, out) throws(Fault) in
      out.append(try constrain(a.numeric(0, row), modifier))
    }
  }

  /// varchar(n) and char(n): explicit casts cut, others refuse what is too long unless only blanks are lost.
  static func fitted(_ column: Column, _ target: DataType, _ explicit: Bool) throws(Fault) -> Column {
    let length: Int
    let isPadded: Bool
    switch target {
    case .varchar(.some(let n)): (length, isPadded) = (n, false)
    case .bpchar(.some(let n)): (length, isPadded) = (n, true)
    default: return column.retyped(target)
    }
    return try rowLoop(.none, [column], rows: column.count, type: target, isStrict: true) {
      (a, row, out) throws(Fault) in
      let raw = a.bytes(0, row)
      let characters = Characters.count(raw)
      if characters <= length {
        if isPadded && characters < length {
          out.append(Array(raw) + [UInt8](repeating: 32, count: length - characters))
        } else {
          out.append(utf8: raw)
        }
        return
      }
      let cut = Characters.offset(of: length, in: raw)
      if !explicit && raw[cut...].contains(where: { $0 != 32 }) {
        let name = isPadded ? "character(\(length))" : "character varying(\(length))"
        throw Fault(.stringDataRightTruncation, "value too long for type \(name)")
      }
      out.append(utf8: UnsafeRawBufferPointer(rebasing: raw[0..<cut]))
    }
  }

  // MARK: Numbers

  private static let integers: [DataType] = [.int2, .int4, .int8]

  static func narrowed(_ value: Int64, _ type: DataType) throws(Fault) -> Int64 {
    switch type {
    case .int2 where Int64(Int16(truncatingIfNeeded: value)) != value,
      .int4 where Int64(Int32(truncatingIfNeeded: value)) != value:
      throw ArithmeticOperators.outOfRange(type)
    default: return value
    }
  }

  private static let numbers: [CastFunction] =
    integers.flatMap { from in
      integers.compactMap { to -> CastFunction? in
        if from == to { return nil }
        let widens = from == .int2 || (from == .int4 && to == .int8)
        if widens {
          return .make(from, to, .implicit) { (_, column, target, _) throws(Fault) in
            Functions.widened(column, to: target)
          }
        }
        return .rowwise(from, to, .assignment) { (a, row, out) throws(Fault) in
          out.append(try narrowed(a.int(0, row), to))
        }
      }
        + ([.float4, .float8] as [DataType]).map { to in
          .rowwise(from, to, .implicit) { (a, row, out) throws(Fault) in out.append(Double(a.int(0, row))) }
        } + [
          .make(from, .numeric, .implicit) { (_, column, target, _) throws(Fault) in
            let wide = Functions.widened(column.flat(), to: .int8)
            return try constrained(map(wide, .numeric) { (value: Int64) in Numeric(value) }, target)
          }
        ]
    }
    + ([.float4, .float8] as [DataType]).flatMap { from in
      integers.map { to in
        .rowwise(from, to, .assignment) { (a, row, out) throws(Fault) in
          let value = a.double(0, row).rounded(.toNearestOrEven)
          guard let whole = Int64(exactly: value) else { throw ArithmeticOperators.outOfRange(to) }
          out.append(try narrowed(whole, to))
        }
      } + [
        .rowwise(from, .numeric, .assignment) { (a, row, out) throws(Fault) in
          let value = a.double(0, row)
          if value.isInfinite { throw Fault.unsupported("infinity as numeric") }
          guard let number = numeric(value, digits: from == .float4 ? 6 : 15) else {
            throw ArithmeticOperators.numericOverflow
          }
          if case .numeric(.some(let modifier)) = out.type {
            out.append(try constrain(number, modifier))
          } else {
            out.append(number)
          }
        }
      ]
    }
    + integers.map { to in
      .rowwise(.numeric, to, .assignment) { (a, row, out) throws(Fault) in
        let value = a.numeric(0, row)
        if value.isNaN { throw Fault(.featureNotSupported, "cannot convert NaN to \(TypeNames.sqlName(to))") }
        guard let whole = value.roundedInt64 else { throw ArithmeticOperators.outOfRange(to) }
        out.append(try narrowed(whole, to))
      }
    } + [
      .make(.float4, .float8, .implicit) { (_, column, target, _) throws(Fault) in Functions.widened(column, to: target)
      },
      .make(.float8, .float4, .assignment) { (_, column, target, _) throws(Fault) in
        try mapChecked(column, target, ArithmeticOperators.floatOverflow) { (value: Double) in
          let narrow = Float(value)
          return (narrow, narrow.isInfinite && value.isFinite)
        }
      },
      .rowwise(.numeric, .float8, .implicit) { (a, row, out) throws(Fault) in out.append(double(a.numeric(0, row))) },
      .rowwise(.numeric, .float4, .implicit) { (a, row, out) throws(Fault) in out.append(double(a.numeric(0, row))) },
      .rowwise(.boolean, .int4, .explicit) { (a, row, out) throws(Fault) in out.append(a.bool(0, row) ? Int64(1) : 0) },
      .rowwise(.int4, .boolean, .explicit) { (a, row, out) throws(Fault) in out.append(a.int(0, row) != 0) },
    ]

  /// The float nearest to the number.
  static func double(_ value: Numeric) -> Double {
    if value.isNaN { return .nan }
    let coefficient = value.coefficient
    if value.scale == 0 && coefficient.magnitude < 1 << 53 { return Double(Int64(coefficient)) }
    if coefficient.magnitude < 1 << 53 && value.scale <= 22 {
      // both exact: one rounding
      return Double(Int64(coefficient)) / Double(PowerOfTen.table[value.scale])
    }
    var text: [UInt8] = []
    ValueText.appendNumeric(value, to: &text)
    return Double(String(decoding: text, as: UTF8.self)) ?? .nan
  }

  /// As `%.*g` with so many digits, which is how PostgreSQL casts floats to numeric.
  static func numeric(_ value: Double, digits: Int) -> Numeric? {
    if value.isNaN { return .nan }
    if value == 0 { return .zero }
    let text = FloatDigits.general(value, digits: digits)
    // These digits always parse; what fails is a number of more than 120 bits, and the caller names it.
    return text.withUnsafeBufferPointer { try? ValueText.numeric(UnsafeRawBufferPointer($0)) }
  }

  // MARK: Text family

  private static let texts: [DataType] = [.text, .varchar(nil), .bpchar(nil), .name, .unknown]

  private static let textual: [CastFunction] =
    texts.flatMap { from in
      texts.compactMap { to -> CastFunction? in
        if from == to || to == .unknown { return nil }
        let context: CastContext = to == .name && from != .unknown ? .assignment : .implicit
        return .make(from, to, context) { (_, column, target, explicit) throws(Fault) in
          if case .bpchar = column.type {
            // char(n) loses its blanks on the way to text
            return try rowLoop(.none, [column], rows: column.count, type: target, isStrict: true) {
              (a, row, out) throws(Fault) in out.append(utf8: ComparisonOperators.withoutBlanks(a.bytes(0, row)))
            }
          }
          if target == .name {
            return try rowLoop(.none, [column], rows: column.count, type: target, isStrict: true) {
              (a, row, out) throws(Fault) in
              out.append(utf8: UnsafeRawBufferPointer(rebasing: a.bytes(0, row).prefix(Limits.identifierBytesMax)))
            }
          }
          return try fitted(column, target, explicit)
        }
      }
    } + [
      .rowwise(.internalChar, .text, .implicit) { (a, row, out) throws(Fault) in out.append(utf8: a.bytes(0, row)) },
      .rowwise(.text, .internalChar, .assignment) { (a, row, out) throws(Fault) in
        out.append(utf8: UnsafeRawBufferPointer(rebasing: a.bytes(0, row).prefix(1)))
      },
      .rowwise(.internalChar, .int4, .explicit) { (a, row, out) throws(Fault) in
        out.append(Int64(a.bytes(0, row).first.map { Int8(bitPattern: $0) } ?? 0))
      },
      .rowwise(.json, .jsonb, .explicit) { (a, row, out) throws(Fault) in
        out.append(json: try JSONReader.jsonb(a.bytes(0, row)))
      },
      jsonbTo(.boolean), jsonbTo(.numeric), jsonbTo(.int2), jsonbTo(.int4), jsonbTo(.int8), jsonbTo(.float4),
      jsonbTo(.float8),
      .rowwise(.jsonb, .json, .explicit) { (a, row, out) throws(Fault) in out.append(utf8: a.bytes(0, row)) },
    ]

  /// A scalar of jsonb as a SQL value; numbers by way of numeric.
  private static func jsonbTo(_ to: DataType) -> CastFunction {
    .make(.jsonb, to, .explicit) { (functions, column, target, isExplicit) throws(Fault) in
      let read = try rowLoop(
        functions, [column], rows: column.count, type: to == .boolean ? .boolean : .numeric, isStrict: true
      ) { (a, row, out) throws(Fault) in
        switch (try a.node(0, row), to) {
        case (.boolean(let value), .boolean): out.append(value)
        case (.number(let number), _) where to != .boolean: out.append(try number.numeric())
        case (let node, _):
          throw Fault(
            .invalidParameterValue, "cannot cast jsonb \(node.typeName) to type \(TypeNames.sqlName(to))")
        }
      }
      if to == .boolean { return read }
      if to == .numeric { return try constrained(read, target) }
      guard let cast = FunctionCatalog.cast(from: .numeric, to: to) else { throw Fault.bug("numeric has no such cast") }
      return try cast.evaluate(functions, read, target, isExplicit)
    }
  }

  /// Types with text forms of their own.
  private static let scalars: [DataType] = [
    .boolean, .int2, .int4, .int8, .float4, .float8, .numeric, .bytea, .date, .time, .timestamp, .timestamptz,
    .interval, .uuid, .json, .jsonb, .oid, .regclass, .regtype, .regproc, .regnamespace, .internalChar, .int2vector,
    .oidvector,
  ]

  /// Whether the text depends on the session.
  private static func volatility(_ type: DataType) -> Volatility {
    switch type {
    case .timestamptz, .date, .timestamp, .time, .regclass, .regtype, .regproc, .regnamespace: .stable
    case .array(let element): volatility(element)
    default: .immutable
    }
  }

  private static let toText: [CastFunction] = scalars.flatMap { from in
    ([.text, .varchar(nil), .bpchar(nil), .name] as [DataType]).compactMap { to in
      from == .internalChar && to == .text ? nil : printing(from, to)
    }
  }

  private static func printing(_ from: DataType, _ to: DataType) -> CastFunction {
    .make(from, to, .assignment, volatility: volatility(from)) { (context, column, target, explicit) throws(Fault) in
      let printed = try rowLoop(context, [column], rows: column.count, type: .text, isStrict: true) {
        (a, row, out) throws(Fault) in
        if from == .boolean { return out.append(a.bool(0, row) ? "true" : "false") }
        var bytes: [UInt8] = []
        ValueText.append(a.scalar(0, row), type: column.type, context: a.context, to: &bytes)
        out.append(bytes)
      }
      return try fitted(printed, target, explicit)
    }
  }

  private static let fromText: [CastFunction] =
    texts.flatMap { from in
      scalars.compactMap { to -> CastFunction? in
        if from == .text && to == .internalChar { return nil }
        return reading(from, to, from == .unknown ? .implicit : .explicit)
      }
    } + [reading(.unknown, .void, .explicit)]

  private static func reading(_ from: DataType, _ to: DataType, _ context: CastContext) -> CastFunction {
    .make(from, to, context, volatility: volatility(to)) { (functions, column, target, _) throws(Fault) in
      let read = try rowLoop(functions, [column], rows: column.count, type: target.withoutModifier, isStrict: true) {
        (a, row, out) throws(Fault) in
        out.append(try ValueText.input(a.bytes(0, row), type: to, context: a.context))
      }
      if case .numeric(.some) = target { return try constrained(read, target) }
      return read
    }
  }

  // MARK: Object identifiers

  private static let objects: [CastFunction] =
    ([.regclass, .regtype, .regproc, .regnamespace] as [DataType]).flatMap { type -> [CastFunction] in
      [
        retyping(type, .oid, .implicit), retyping(.oid, type, .implicit), retyping(.int4, type, .implicit),
        retyping(type, .int4, .assignment), unsigned(type), signed(type),
      ]
    } + [
      retyping(.int4, .oid, .implicit), retyping(.oid, .int4, .assignment), unsigned(.oid), signed(.oid),
      .rowwise(.int2, .oid, .implicit) { (a, row, out) throws(Fault) in out.append(a.int(0, row)) },
      .make(.text, .regclass, .implicit, volatility: .stable) { (context, column, target, _) throws(Fault) in
        try rowLoop(context, [column], rows: column.count, type: target, isStrict: true) {
          (a, row, out) throws(Fault) in
          out.append(try ValueText.input(a.bytes(0, row), type: .regclass, context: a.context))
        }
      },
    ]

  private static func retyping(_ from: DataType, _ to: DataType, _ context: CastContext) -> CastFunction {
    .make(from, to, context) { (_, column, target, _) throws(Fault) in column.retyped(target) }
  }
  private static func unsigned(_ from: DataType) -> CastFunction {
    .rowwise(from, .int8, from == .oid ? .assignment : .assignment) { (a, row, out) throws(Fault) in
      out.append(Int64(UInt32(truncatingIfNeeded: a.int(0, row))))
    }
  }
  private static func signed(_ to: DataType) -> CastFunction {
    .rowwise(.int8, to, .implicit) { (a, row, out) throws(Fault) in
      guard let value = UInt32(exactly: a.int(0, row)) else {
        throw Fault(.numericValueOutOfRange, "OID out of range")
      }
      out.append(Int64(Int32(bitPattern: value)))
    }
  }

  // MARK: Arrays

  private static let elements: [DataType] = scalars + [.text, .varchar(nil), .bpchar(nil), .name]

  private static let arrays: [CastFunction] = elements.flatMap { element -> [CastFunction] in
    let type = DataType.array(element)
    var list: [CastFunction] = [.text, .varchar(nil)].map { printing(type, $0) }
    for from in texts { list.append(reading(from, type, from == .unknown ? .implicit : .explicit)) }
    for to in elements where to != element {
      list.append(elementwise(type, .array(to)))
    }
    return list
  }

  /// An array cast casts its elements; in the context of the element cast.
  private static func elementwise(_ from: DataType, _ to: DataType) -> CastFunction {
    let pair = (from.element ?? .text, to.element ?? .text)
    return .make(from, to, arrayContext(pair.0, pair.1)) { (context, column, target, explicit) throws(Fault) in
      let flat = column.flat()
      guard case .list(let offsets, let elements) = flat.form else { preconditionFailure("arrays are lists") }
      guard let cast = FunctionCatalog.cast(from: pair.0, to: pair.1) else {
        throw Fault(
          .cannotCoerce, "cannot cast type \(TypeNames.sqlName(from)) to \(TypeNames.sqlName(to))")
      }
      let inner = try cast.evaluate(context, elements, target.element ?? pair.1, explicit).flat()
      return Column(
        type: target, count: flat.count, validity: flat.validity, form: .list(offsets: offsets, elements: inner))
    }
  }

  private static func arrayContext(_ from: DataType, _ to: DataType) -> CastContext {
    let order: [DataType] = [.int2, .int4, .int8, .numeric, .float4, .float8]
    if let a = order.firstIndex(of: from), let b = order.firstIndex(of: to) { return a < b ? .implicit : .assignment }
    if from.isTextual && to.isTextual { return .implicit }
    return .explicit
  }
}
