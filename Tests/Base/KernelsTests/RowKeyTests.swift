// Encoded row keys, sort words and key hashes against a plain comparison of values.

import Bedrock
import Columnar
import Kernels
import Runtime
import Testing

/// Values that are easy to get wrong, and some at random.
enum Sample {
  static let types: [DataType] = [
    .boolean, .int4, .oid, .int8, .float4, .float8, .numeric, .interval, .uuid, .text, .bytea, .array(.int4),
  ]

  static func values(_ type: DataType, _ generator: inout SeededGenerator) -> [Scalar] {
    var list: [Scalar] = [.null]
    switch type {
    case .boolean: list += [.boolean(false), .boolean(true)]
    case .int4: list += [Int64(Int32.min), -1, 0, 1, 255, 256, Int64(Int32.max)].map { .integer($0) }
    case .oid: list += [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF].map { .integer($0) }
    case .int8: list += [Int64.min, -256, -1, 0, 1, 1 << 40, .max].map { .integer($0) }
    case .float4, .float8:
      list += [-Double.infinity, -1.5, -0.0, 0, 0.25, 1e10, .infinity, .nan].map { .float($0) }
    case .numeric:
      let texts = ["-1000", "-10.0", "-1", "-0.010", "0", "0.00", "0.001", "0.10", "0.1", "1", "1.00", "99", "NaN"]
      list += texts.compactMap { numeric($0).map { .numeric($0) } }
    case .interval:
      list += [(0, 0, 0), (1, 0, 0), (0, 30, 0), (0, 29, 0), (0, -1, 5), (0, 0, -1), (-2, 0, 0)].map {
        .interval(Interval(months: $0.0, days: $0.1, micros: $0.2))
      }
    case .uuid:
      list += (0..<5).map { _ in .uuid(UUIDValue(high: generator.next(), low: generator.next())) }
    case .text, .bytea:
      let texts: [[UInt8]] = [[], [0], [0, 0], [0, 255], [1], [97], [97, 0], [97, 0, 98], [97, 98], [255], [255, 255]]
      list += texts.map { .bytes($0) }
    default:
      list += [.list([]), .list([.integer(1)]), .list([.integer(1), .integer(2)]), .list([.integer(2)])]
      list += [.list([.integer(1), .null]), .list([.null])]
    }
    return list
  }

  /// SQL's order of two values that are not null: below, equal or above zero.
  static func compare(_ a: Scalar, _ b: Scalar, _ type: DataType) -> Int {
    func sign<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : (x == y ? 0 : 1) }
    switch (a, b) {
    case (.boolean(let x), .boolean(let y)): return sign(x ? 1 : 0, y ? 1 : 0)
    case (.integer(let x), .integer(let y)):
      return type == .oid ? sign(UInt32(truncatingIfNeeded: x), UInt32(truncatingIfNeeded: y)) : sign(x, y)
    case (.float(let x), .float(let y)):
      if x.isNaN || y.isNaN { return sign(x.isNaN ? 1 : 0, y.isNaN ? 1 : 0) }
      return sign(x, y)
    case (.numeric(let x), .numeric(let y)): return Numeric.compare(x, y)
    case (.interval(let x), .interval(let y)): return sign(x.comparable, y.comparable)
    case (.uuid(let x), .uuid(let y)):
      return x.high == y.high
        ? sign(x.low.bigEndian, y.low.bigEndian) : sign(x.high.bigEndian, y.high.bigEndian)
    case (.bytes(let x), .bytes(let y)):
      return x == y ? 0 : (x.lexicographicallyPrecedes(y) ? -1 : 1)
    case (.list(let x), .list(let y)):
      for (one, two) in zip(x, y) {
        if one.isNull || two.isNull {
          if one.isNull != two.isNull { return one.isNull ? 1 : -1 }
          continue
        }
        let order = compare(one, two, type.element ?? .int4)
        if order != 0 { return order }
      }
      return sign(x.count, y.count)
    default: return 0
    }
  }

  static func compare(_ a: Scalar, _ b: Scalar, _ type: DataType, _ order: RowKeyOrder) -> Int {
    if a.isNull || b.isNull {
      if a.isNull && b.isNull { return 0 }
      return a.isNull == order.nullsFirst ? -1 : 1
    }
    return order.descending ? -compare(a, b, type) : compare(a, b, type)
  }

  static let orders: [RowKeyOrder] = [false, true].flatMap { descending in
    [false, true].map { RowKeyOrder(descending: descending, nullsFirst: $0) }
  }
}

extension EncodedRows {
  func row(_ index: Int) -> [UInt8] { Array(bytes[offsets[index]..<offsets[index + 1]]) }
}

func sign(_ a: [UInt8], _ b: [UInt8]) -> Int { a == b ? 0 : (a.lexicographicallyPrecedes(b) ? -1 : 1) }

@Suite struct RowKeyTests {
  @Test(arguments: Sample.types) func oneColumnOrdersAsSQL(_ type: DataType) {
    var generator = SeededGenerator(seed: 3)
    let values = Sample.values(type, &generator)
    let column = ColumnBuilder.column(type, values)
    for order in Sample.orders {
      let encoded = RowKey.encode([column], orders: [order], rows: values.count)
      for a in values.indices {
        for b in values.indices {
          let expected = Sample.compare(values[a], values[b], type, order)
          #expect(sign(encoded.row(a), encoded.row(b)) == expected.signum(), "\(values[a]) \(values[b]) \(order)")
        }
      }
    }
  }

  @Test func severalColumnsOrderFromTheFirst() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<40 {
      let types = (0..<3).map { _ in Sample.types[Int(generator.next() % UInt64(Sample.types.count))] }
      let orders = types.map { _ in Sample.orders[Int(generator.next() % 4)] }
      let pools = types.map { Sample.values($0, &generator) }
      let rows = (0..<30).map { _ in pools.map { $0[Int(generator.next() % UInt64($0.count))] } }
      let columns = types.indices.map { index in ColumnBuilder.column(types[index], rows.map { $0[index] }) }
      let encoded = RowKey.encode(columns, orders: orders, rows: rows.count)
      for a in rows.indices {
        for b in rows.indices {
          let orderings = types.indices.map { Sample.compare(rows[a][$0], rows[b][$0], types[$0], orders[$0]) }
          let expected = (orderings.first { $0 != 0 } ?? 0).signum()
          #expect(sign(encoded.row(a), encoded.row(b)) == expected, "\(rows[a]) \(rows[b])")
        }
      }
    }
  }

  @Test(arguments: Sample.types, [false, true]) func wordsOrderAsSQL(_ type: DataType, _ descending: Bool) {
    var generator = SeededGenerator(seed: 3)
    let values = Sample.values(type, &generator).filter { !$0.isNull }
    let column = ColumnBuilder.column(type, values)
    guard let buffer = RowKey.words(column, descending: descending) else {
      #expect((type.physical.width ?? 16) > 8)
      return
    }
    let words = buffer.span(of: UInt64.self)
    for a in values.indices {
      for b in values.indices {
        let expected = Sample.compare(values[a], values[b], type) * (descending ? -1 : 1)
        #expect((words[a] < words[b] ? -1 : (words[a] == words[b] ? 0 : 1)) == expected.signum())
      }
    }
  }

  @Test func dictionariesAndConstantsEncodeAsTheirValues() {
    let dictionary = ColumnDictionary(ColumnBuilder.column(.text, [.text("b"), .text("a")]))
    let coded = Column(
      type: .text, count: 3, validity: Bitmap.make(count: 3) { $0 != 1 },
      form: .dictionary(codes: .copying([Int32(0), 0, 1]), dictionary: dictionary))
    let constant = Column.constant(.integer(7), type: .int8, count: 3)
    let flat = [
      ColumnBuilder.column(.text, [.text("b"), .null, .text("a")]),
      ColumnBuilder.column(.int8, [.integer(7), .integer(7), .integer(7)]),
    ]
    let orders = [RowKeyOrder.equality, .equality]
    let one = RowKey.encode([coded, constant], orders: orders, rows: 3)
    let two = RowKey.encode(flat, orders: orders, rows: 3)
    #expect(one.bytes == two.bytes)
    #expect(one.offsets == two.offsets)
    #expect(RowKey.encode([], orders: [], rows: 2).offsets == [0, 0, 0])
  }
}

@Suite struct KeyHashTests {
  private func hashes(_ columns: [Column]) -> [UInt64] {
    var hashes = [UInt64](repeating: 0, count: columns[0].count)
    for column in columns { KeyHash.combine(column, into: &hashes) }
    return hashes
  }

  @Test(arguments: Sample.types) func equalValuesHashAlikeAndOthersDoNot(_ type: DataType) {
    var generator = SeededGenerator(seed: 9)
    let values = Sample.values(type, &generator)
    let hashed = hashes([ColumnBuilder.column(type, values)])
    for a in values.indices {
      for b in values.indices {
        let isEqual = Sample.compare(values[a], values[b], type, .equality) == 0
        #expect((hashed[a] == hashed[b]) == isEqual, "\(values[a]) \(values[b])")
      }
    }
  }

  @Test func formsHashAlike() {
    let values: [Scalar] = (0..<50).map { $0 % 7 == 3 ? .null : .text("k\($0 % 5)") }
    let flat = ColumnBuilder.column(.text, values)
    let dictionary = ColumnDictionary(ColumnBuilder.column(.text, (0..<5).map { .text("k\($0)") }))
    let codes = (0..<50).map { $0 % 7 == 3 ? Int32(0) : Int32($0 % 5) }
    let coded = Column(
      type: .text, count: 50, validity: Bitmap.make(count: 50) { $0 % 7 != 3 },
      form: .dictionary(codes: .copying(codes), dictionary: dictionary))
    #expect(hashes([flat]) == hashes([coded]))
    let one = Column.constant(.text("k1"), type: .text, count: 2)
    #expect(hashes([one]) == hashes([ColumnBuilder.column(.text, [.text("k1"), .text("k1")])]))
  }

  @Test func manyKeysSpread() {
    let rows = 100_000
    let keys = hashes([ColumnBuilder.column(.int8, (0..<rows).map { .integer(Int64($0) * 60_000_000) })])
    #expect(Set(keys).count == rows)
    #expect(Set(keys.map { $0 & 0xFFFF }).count > 48_000, "the low bits choose the slot")
  }
}

@Suite struct SelectionTests {
  @Test(arguments: [0, 1, 63, 64, 65, 1_000]) func keepsTrueRows(_ rows: Int) {
    var generator = SeededGenerator(seed: UInt64(rows))
    let values = (0..<rows).map { _ -> Scalar in
      switch generator.next() % 3 {
      case 0: .null
      case 1: .boolean(false)
      default: .boolean(true)
      }
    }
    let selection = Selection(condition: ColumnBuilder.column(.boolean, values))
    let selected = selection.rows
    #expect((0..<selection.count).map { Int(selected[$0]) } == values.indices.filter { values[$0] == .boolean(true) })
    #expect(Selection(condition: .constant(.boolean(true), type: .boolean, count: rows)).count == rows)
    #expect(Selection(condition: .nulls(.boolean, count: rows)).count == 0)
  }
}
