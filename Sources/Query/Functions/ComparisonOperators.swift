// = <> < <= > >= for all types, across integer widths, float widths and date types. Text compares bytewise
// (COLLATE "C").

import Bedrock
import Columnar
import Glibc
import Kernels

enum Comparison: String, CaseIterable, Sendable {
  case equal = "=", notEqual = "<>", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="

  @inline(__always)
  func holds(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }
}

enum ComparisonOperators {
  static let all: [ScalarFunction] = Comparison.allCases.flatMap { comparison in
    pairs.map { pair in
      ScalarFunction.make(comparison.rawValue, [.exact(pair.0), .exact(pair.1)], .fixed(.boolean)) {
        (context, columns, rows) throws(Fault) in
        compare(
          comparison, prepared(columns[0], pair.2, context), prepared(columns[1], pair.2, context), rows: rows)
      }
    } + [
      ScalarFunction.make(comparison.rawValue, [.anyArray, .anyArray], .fixed(.boolean)) {
        (_, columns, rows) throws(Fault) in compare(comparison, columns[0], columns[1], rows: rows)
      }
    ]
  }

  /// Left type, right type, and the type both are compared as.
  private static let pairs: [(DataType, DataType, DataType)] = {
    var list: [(DataType, DataType, DataType)] = []
    let same: [DataType] = [
      .boolean, .numeric, .text, .name, .bpchar(nil), .internalChar, .bytea, .date, .time, .timestamp, .timestamptz,
      .interval, .uuid, .oid, .jsonb, .oidvector, .int2vector,
    ]
    for type in same { list.append((type, type, type)) }
    let integers: [DataType] = [.int2, .int4, .int8]
    for a in integers { for b in integers { list.append((a, b, a == .int8 || b == .int8 ? .int8 : .int4)) } }
    let floats: [DataType] = [.float4, .float8]
    for a in floats { for b in floats { list.append((a, b, .float8)) } }
    list.append((.name, .text, .text))
    list.append((.text, .name, .text))
    let dates: [DataType] = [.date, .timestamp, .timestamptz]
    for (i, a) in dates.enumerated() {
      for (j, b) in dates.enumerated() where i != j { list.append((a, b, dates[max(i, j)])) }
    }
    return list
  }()

  private static func prepared(_ column: Column, _ type: DataType, _ context: FunctionContext) -> Column {
    if column.type.withoutModifier == type { return column }
    switch (column.type, type) {
    case (.date, .timestamp), (.date, .timestamptz), (.timestamp, .timestamptz):
      return DateCasts.widened(column, to: type, context: context)
    default: return ComparisonOperators.isNumber(type) ? Functions.widened(column, to: type) : column.retyped(type)
    }
  }

  private static func isNumber(_ type: DataType) -> Bool {
    switch type {
    case .int4, .int8, .float8: true
    default: false
    }
  }

  /// Both of one type, flat or constant.
  static func compare(_ op: Comparison, _ a: Column, _ b: Column, rows: Int) -> Column {
    switch a.type.physical {
    case .bool8: return ordered(op, a, b, rows, UInt8.self)
    case .int32:
      if a.type == .oid { return ordered(op, a, b, rows, UInt32.self) }
      return ordered(op, a, b, rows, Int32.self)
    case .int64: return ordered(op, a, b, rows, Int64.self)
    case .float32:
      return floats(op, Functions.widened(a, to: .float8), Functions.widened(b, to: .float8), rows)
    case .float64: return floats(op, a, b, rows)
    case .numeric:
      return zip(a, b, rows: rows, .boolean) { (x: Numeric, y: Numeric) in op.holds(Numeric.compare(x, y)) }
    case .interval:
      return zip(a, b, rows: rows, .boolean) { (x: Interval, y: Interval) in
        let left = x.comparable, right = y.comparable
        return op.holds(left < right ? -1 : (left == right ? 0 : 1))
      }
    case .uuid:
      return zip(a, b, rows: rows, .boolean) { (x: UUIDValue, y: UUIDValue) in
        let left = (x.high.bigEndian, x.low.bigEndian), right = (y.high.bigEndian, y.low.bigEndian)
        return op.holds(left < right ? -1 : (left == right ? 0 : 1))
      }
    case .bytes where a.type == .jsonb: return documents(op, a, b, rows)
    case .bytes: return bytes(op, a, b, rows, isBlankPadded: a.type.withoutModifier == .bpchar(nil))
    case .list: return lists(op, a, b, rows)
    }
  }

  /// jsonb: by kind, then by length, then by content.
  private static func documents(_ op: Comparison, _ a: Column, _ b: Column, _ rows: Int) -> Column {
    let arguments = Arguments(context: .none, columns: [a, b])
    let validity = combinedValidity([a, b])
    var builder = ColumnBuilder(type: .boolean, capacity: rows)
    for row in 0..<rows {
      if let validity, !validity.isSet(row) {
        builder.appendNull()
        continue
      }
      let left = arguments.bytes(0, row), right = arguments.bytes(1, row)
      // A value of jsonb is its normal form, so text that differs may be equal only in the spelling of numbers.
      guard let x = try? JSONReader.jsonb(left), let y = try? JSONReader.jsonb(right) else {
        // Stored text that is no JSON is compared as text.
        let isBefore = left.lexicographicallyPrecedes(right)
        builder.append(op.holds(left.elementsEqual(right) ? 0 : isBefore ? -1 : 1))
        continue
      }
      builder.append(op.holds(JSONNode.compareRoots(x, y)))
    }
    return builder.finish()
  }

  @inline(__always)
  private static func ordered<T: BitwiseCopyable & Comparable>(
    _ op: Comparison, _ a: Column, _ b: Column, _ rows: Int, _ type: T.Type
  ) -> Column {
    switch op {
    case .equal: zip(a, b, rows: rows, .boolean) { (x: T, y: T) in x == y }
    case .notEqual: zip(a, b, rows: rows, .boolean) { (x: T, y: T) in x != y }
    case .less: zip(a, b, rows: rows, .boolean) { (x: T, y: T) in x < y }
    case .lessOrEqual: zip(a, b, rows: rows, .boolean) { (x: T, y: T) in x <= y }
    case .greater: zip(a, b, rows: rows, .boolean) { (x: T, y: T) in x > y }
    case .greaterOrEqual: zip(a, b, rows: rows, .boolean) { (x: T, y: T) in x >= y }
    }
  }

  /// NaN equals NaN and is above everything.
  private static func floats(_ op: Comparison, _ a: Column, _ b: Column, _ rows: Int) -> Column {
    switch op {
    case .equal: zip(a, b, rows: rows, .boolean) { (x: Double, y: Double) in x == y || (x != x && y != y) }
    case .notEqual: zip(a, b, rows: rows, .boolean) { (x: Double, y: Double) in !(x == y || (x != x && y != y)) }
    case .less: zip(a, b, rows: rows, .boolean) { (x: Double, y: Double) in x < y || (x == x && y != y) }
    case .lessOrEqual: zip(a, b, rows: rows, .boolean) { (x: Double, y: Double) in x <= y || y != y }
    case .greater: zip(a, b, rows: rows, .boolean) { (x: Double, y: Double) in x > y || (x != x && y == y) }
    case .greaterOrEqual: zip(a, b, rows: rows, .boolean) { (x: Double, y: Double) in x >= y || x != x }
    }
  }

  private static func bytes(_ op: Comparison, _ a: Column, _ b: Column, _ rows: Int, isBlankPadded: Bool) -> Column {
    let arguments = Arguments(context: .none, columns: [a, b])
    let validity = combinedValidity([a, b])
    return makeFixed(.boolean, rows: rows, validity: validity) { (out: UnsafeMutablePointer<Bool>) in
      if isBlankPadded {
        for row in 0..<rows {
          out[row] = op.holds(order(withoutBlanks(arguments.bytes(0, row)), withoutBlanks(arguments.bytes(1, row))))
        }
      } else if op == .equal || op == .notEqual {
        let wanted = op == .equal
        for row in 0..<rows {
          let x = arguments.bytes(0, row), y = arguments.bytes(1, row)
          let same = x.count == y.count && (x.count == 0 || memcmp(x.baseAddress!, y.baseAddress!, x.count) == 0)
          out[row] = same == wanted
        }
      } else {
        for row in 0..<rows { out[row] = op.holds(order(arguments.bytes(0, row), arguments.bytes(1, row))) }
      }
    }
  }

  static func withoutBlanks(_ raw: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var end = raw.count
    while end > 0 && raw[end - 1] == 32 { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: raw[0..<end])
  }

  @inline(__always)
  static func order(_ x: UnsafeRawBufferPointer, _ y: UnsafeRawBufferPointer) -> Int {
    let shared = min(x.count, y.count)
    // Both have a base address when they have a byte.
    let prefix = shared == 0 ? 0 : Int(memcmp(x.baseAddress!, y.baseAddress!, shared))
    return prefix != 0 ? prefix : x.count - y.count
  }

  private static func lists(_ op: Comparison, _ a: Column, _ b: Column, _ rows: Int) -> Column {
    let order = [RowKeyOrder.equality]
    let x = RowKey.encode([resized(a, rows)], orders: order, rows: rows)
    let y = RowKey.encode([resized(b, rows)], orders: order, rows: rows)
    return makeFixed(.boolean, rows: rows, validity: combinedValidity([a, b])) { (out: UnsafeMutablePointer<Bool>) in
      x.bytes.withUnsafeBytes { left in
        y.bytes.withUnsafeBytes { right in
          for row in 0..<rows {
            let one = UnsafeRawBufferPointer(rebasing: left[x.offsets[row]..<x.offsets[row + 1]])
            let two = UnsafeRawBufferPointer(rebasing: right[y.offsets[row]..<y.offsets[row + 1]])
            out[row] = op.holds(Self.order(one, two))
          }
        }
      }
    }
  }
}

extension FunctionContext {
  /// For loops that never look at their context.
  static let none = FunctionContext(transactionMicros: 0, statementMicros: 0, session: NoSession())
}

/// A session that knows nothing.
struct NoSession: SessionValues {
  var userName: String { "" }
  var databaseName: String { "" }
  var searchPath: [String] { [] }
  var backendPID: Int32 { 0 }
  var serverVersion: String { "" }
  func setting(_ name: String) -> String? { nil }
  func relationOID(_ name: String) -> UInt32? { nil }
  func relationName(oid: UInt32) -> String? { nil }
  func namespaceOID(_ name: String) -> UInt32? { nil }
  func namespaceName(oid: UInt32) -> String? { nil }
  func isRelationVisible(oid: UInt32) -> Bool { true }
}
