// One checked value into its column.
//
// Readers of both encodings turn what they find into a `WireValue`; here it meets the field's rule. `put` returns false
// when the value breaks the rule; nothing has been written then.

import Bedrock
import Columnar
import EventSchema

/// A value as the wire has it, by its kind only. Pointers live as long as the message.
enum WireValue {
  case bool(Bool)
  case integer(Int64)
  /// Over Int64.max.
  case unsigned(UInt64)
  case double(Double)
  case text(UnsafeBufferPointer<UInt8>)
  case data(UnsafeBufferPointer<UInt8>)
  /// Cap'n Proto only: the coefficient of a decimal.
  case coefficient(Int64)
}

struct ValueStore {
  /// Base64 is decoded here; as long as the longest event.
  private let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Limits.eventBytesMax)

  func deallocate() { scratch.deallocate() }

  func put(_ value: WireValue, _ field: FieldPlan, _ table: TableBuffers) -> Bool {
    switch field.rule {
    case .boolean:
      guard case .bool(let flag) = value else { return false }
      store(UInt8(flag ? 1 : 0), field.target, table)
    case .integer(let min, let max):
      guard let number = integer(value), number >= min && number <= max else { return false }
      storeInteger(number, field.target, table)
    case .unsigned64:
      guard let number = unsigned(value), let numeric = Numeric(coefficient: Int128(number), scale: 0) else { return false }
      store(numeric, field.target, table)
    case .float32:
      guard let number = double(value) else { return false }
      let narrow = Float(number)
      guard narrow.isFinite || !number.isFinite else { return false }
      store(narrow, field.target, table)
    case .float64:
      guard let number = double(value) else { return false }
      store(number, field.target, table)
    case .text:
      guard case .text(let text) = value, !text.contains(0) else { return false }
      storeBytes(text, field.target, table)
    case .enumerant(let names): return putEnumerant(value, names, field.target, table)
    case .bytes: return putData(value, field.target, table)
    case .timestamp:
      guard let micros = timestamp(value) else { return false }
      store(micros, field.target, table)
    case .date:
      guard let day = date(value) else { return false }
      store(Int32(truncatingIfNeeded: day), field.target, table)
    case .uuid:
      guard case .text(let text) = value, let uuid = TimeText.uuid(text) else { return false }
      storeUUID(uuid, text, field.target, table)
    case .decimal(let modifier):
      guard let numeric = decimal(value, modifier) else { return false }
      store(numeric, field.target, table)
    }
    return true
  }

  func putNull(_ target: FieldTarget, _ table: TableBuffers) {
    if case .column(let column) = target { table.columns[column].appendNull(row: table.rowCount) }
  }

  // MARK: Rules

  /// Integral doubles count, since some producers know one kind of number only; so do digits in a text, as 64-bit
  /// integers do not survive JavaScript otherwise.
  private func integer(_ value: WireValue) -> Int64? {
    switch value {
    case .integer(let number): number
    case .double(let number): number.magnitude <= 0x1p53 ? Int64(exactly: number) : nil
    case .text(let text): digits(text).flatMap { Int64(exactly: $0) }
    default: nil
    }
  }

  private func unsigned(_ value: WireValue) -> UInt64? {
    switch value {
    case .unsigned(let number): number
    case .integer(let number): UInt64(exactly: number)
    case .double(let number): number.magnitude <= 0x1p53 ? UInt64(exactly: number) : nil
    case .text(let text): digits(text).flatMap { UInt64(exactly: $0) }
    default: nil
    }
  }

  private func digits(_ text: UnsafeBufferPointer<UInt8>) -> Int128? {
    let isNegative = text.first == UInt8(ascii: "-")
    let start = isNegative ? 1 : 0
    guard text.count > start && text.count <= 20 else { return nil }
    var number: Int128 = 0
    for index in start..<text.count {
      guard text[index] >= 0x30 && text[index] <= 0x39 else { return nil }
      number = number * 10 + Int128(text[index] - 0x30)
    }
    return isNegative ? -number : number
  }

  private func double(_ value: WireValue) -> Double? {
    switch value {
    case .double(let number): number
    case .integer(let number): Double(number)
    case .unsigned(let number): Double(number)
    default: nil
    }
  }

  private func timestamp(_ value: WireValue) -> Int64? {
    switch value {
    case .text(let text): TimeText.micros(text)
    case .integer(let number): TimeText.microsRange.contains(number) ? number : nil
    default: nil
    }
  }

  private func date(_ value: WireValue) -> Int64? {
    switch value {
    case .text(let text): TimeText.day(text)
    case .integer(let number): TimeText.dayRange.contains(number) ? number : nil
    default: nil
    }
  }

  private func decimal(_ value: WireValue, _ modifier: DataType.NumericModifier) -> Numeric? {
    switch value {
    case .coefficient(let number): DecimalText.scaled(Int128(number), modifier)
    case .integer(let number): DecimalText.integer(Int128(number), modifier)
    case .unsigned(let number): DecimalText.integer(Int128(number), modifier)
    case .double(let number): DecimalText.exactly(number, modifier)
    case .text(let text): DecimalText.parse(text, modifier)
    default: nil
    }
  }

  private func putEnumerant(
    _ value: WireValue, _ names: [[UInt8]], _ target: FieldTarget, _ table: TableBuffers
  ) -> Bool {
    var index: Int?
    switch value {
    case .integer(let number): index = Int(exactly: number)
    case .text(let text): index = names.firstIndex { $0.count == text.count && $0.elementsEqual(text) }
    default: return false
    }
    guard let index, names.indices.contains(index) else { return false }
    names[index].withUnsafeBufferPointer { storeBytes($0, target, table) }
    return true
  }

  private func putData(_ value: WireValue, _ target: FieldTarget, _ table: TableBuffers) -> Bool {
    switch value {
    case .data(let bytes): storeBytes(bytes, target, table)
    case .text(let text):
      guard let count = Base64.decode(text, into: scratch) else { return false }
      storeBytes(UnsafeBufferPointer(rebasing: scratch[..<count]), target, table)
    default: return false
    }
    return true
  }

  // MARK: Stores

  @inline(__always)
  private func store<T: BitwiseCopyable>(_ value: T, _ target: FieldTarget, _ table: TableBuffers) {
    if case .column(let column) = target { table.columns[column].append(value, row: table.rowCount) }
  }

  private func storeInteger(_ value: Int64, _ target: FieldTarget, _ table: TableBuffers) {
    switch target {
    case .column(let column):
      if table.columns[column].type.physical == .int64 {
        table.columns[column].append(value, row: table.rowCount)
      } else {
        table.columns[column].append(Int32(truncatingIfNeeded: value), row: table.rowCount)
      }
    case .hashed(let side):
      var digits = String(value)
      digits.withUTF8 { table.sides[side].append($0, row: table.rowCount) }
    case .discarded: break
    }
  }

  private func storeBytes(_ bytes: UnsafeBufferPointer<UInt8>, _ target: FieldTarget, _ table: TableBuffers) {
    switch target {
    case .column(let column): table.columns[column].append(bytes: bytes, row: table.rowCount)
    case .hashed(let side): table.sides[side].append(bytes, row: table.rowCount)
    case .discarded: break
    }
  }

  /// A hash is taken over the lower-case text, so that equal UUIDs hash alike.
  private func storeUUID(
    _ uuid: UUIDValue, _ text: UnsafeBufferPointer<UInt8>, _ target: FieldTarget, _ table: TableBuffers
  ) {
    guard case .hashed(let side) = target else { return store(uuid, target, table) }
    let lower = text.map { $0 >= 0x41 && $0 <= 0x46 ? $0 | 0x20 : $0 }
    lower.withUnsafeBufferPointer { table.sides[side].append($0, row: table.rowCount) }
  }
}
