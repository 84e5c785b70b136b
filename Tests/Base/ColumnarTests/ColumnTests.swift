// Every way to take rows out of a column gives what taking boxed values one by one gives.

import Bedrock
import Columnar
import Runtime
import Testing

@Suite("Columns")
struct ColumnTests {
  static let types: [DataType] = [
    .boolean, .int4, .int8, .float4, .float8, .numeric, .interval, .uuid, .text, .array(.int4),
  ]

  static func value(of type: DataType, _ random: inout SeededGenerator) -> Scalar {
    let word = random.next()
    if word % 5 == 0 { return .null }
    switch type.physical {
    case .bool8: return .boolean(word & 8 == 0)
    case .int32: return .integer(Int64(Int32(truncatingIfNeeded: word >> 8)))
    case .int64: return .integer(Int64(bitPattern: word))
    case .float32: return .float(Double(Float(Int32(truncatingIfNeeded: word >> 8))))
    case .float64: return .float(Double(Int64(bitPattern: word)) / 7)
    case .numeric: return .numeric(Numeric(coefficient: Int128(Int64(bitPattern: word)), scale: Int(word % 7))!)
    case .interval: return .interval(Interval(months: Int32(word % 100), days: 3, micros: Int64(word % 1_000)))
    case .uuid: return .uuid(UUIDValue(high: word, low: random.next()))
    case .bytes: return .text(String(repeating: "é\(word % 10)", count: Int(word >> 4 % 4)))
    case .list: return .list((0..<Int(word >> 8 % 4)).map { .integer(Int64($0)) })
    }
  }

  /// The same rows in every form that can hold them.
  static func forms(_ type: DataType, _ rows: [Scalar]) -> [Column] {
    let flat = ColumnBuilder.column(type, rows)
    var forms = [flat]
    let distinct = Array(Set(rows.filter { !$0.isNull }))
    if type.physical != .list {
      let codes = rows.map { row in Int32(distinct.firstIndex(of: row) ?? 0) }
      forms.append(
        Column(
          type: type, count: rows.count, validity: flat.validity,
          form: .dictionary(
            codes: .copying(codes), dictionary: ColumnDictionary(ColumnBuilder.column(type, distinct)))))
    }
    return forms
  }

  static func rows(_ column: Column) -> [Scalar] { (0..<column.count).map { column.scalar(at: $0) } }

  @Test(arguments: types)
  func gatherSliceFlattenAndConcatenate(_ type: DataType) {
    var random = SeededGenerator(seed: 11)
    for size in [1, 2, 63, 64, 65, 300] {
      let rows = (0..<size).map { _ in Self.value(of: type, &random) }
      for column in Self.forms(type, rows) {
        #expect(Self.rows(column) == rows)
        #expect(Self.rows(column.flat()) == rows)
        #expect(column.nullCount == rows.count { $0.isNull })
        let indices = (0..<(size + 5)).map { _ in Int32(random.next() % UInt64(size + 1)) - 1 }
        #expect(Self.rows(column.gather(indices.span)) == indices.map { $0 < 0 ? .null : rows[Int($0)] })
        let low = Int(random.next() % UInt64(size)), high = low + Int(random.next() % UInt64(size - low + 1))
        #expect(Self.rows(column.slice(low..<high)) == Array(rows[low..<high]))
        let parts = [column.slice(0..<low), column.slice(low..<size), column]
        #expect(Self.rows(Column.concatenate(parts)) == rows + rows)
      }
    }
  }

  @Test(arguments: types)
  func constants(_ type: DataType) {
    var random = SeededGenerator(seed: 5)
    for value in [Scalar.null, Self.value(of: type, &random), Self.value(of: type, &random)] {
      let column = Column.constant(value, type: type, count: 70)
      #expect(Self.rows(column) == Array(repeating: value, count: 70))
      #expect(Self.rows(column.flat()) == Self.rows(column))
      #expect(Self.rows(column.gather([3, -1, 69].span)) == [value, .null, value])
      #expect(Self.rows(column.slice(60..<70)).count == 10)
    }
  }

  @Test func concatenationKeepsOneSharedDictionary() {
    let column = Self.forms(.text, [.text("a"), .text("b"), .null, .text("a")])[1]
    let joined = Column.concatenate([column, column.slice(1..<3)])
    #expect(joined.dictionary === column.dictionary)
  }

  @Test func bitmaps() {
    #expect(Bitmap.make(count: 100) { _ in true } == nil)
    let odd = Bitmap.make(count: 130) { $0 % 2 == 1 }!
    let third = Bitmap.make(count: 130) { $0 % 3 == 0 }!
    #expect(odd.setCount == 65)
    let both = Bitmap.and(odd, third)!
    #expect((0..<130).allSatisfy { both.isSet($0) == ($0 % 2 == 1 && $0 % 3 == 0) })
    #expect(Bitmap.and(nil, odd)!.setCount == 65)
  }

  @Test func numericsHoldTheirScale() {
    let price = Numeric(coefficient: -12_345, scale: 2)!
    #expect(price.coefficient == -12_345 && price.scale == 2 && !price.isNaN)
    #expect(Numeric(coefficient: 1 << 119, scale: 0) == nil)
    #expect(Numeric(coefficient: 1, scale: 101) == nil)
    #expect(Numeric.nan.isNaN)
  }

  @Test func aGatherOutsideTheColumnTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = ColumnBuilder.column(.int8, [.integer(1)]).gather([1].span)
    }
  }
}
