// Builds one column by appending. For decoders and for small columns; kernels fill buffers directly.

import Bedrock

/// Appends values of one type and finishes into a flat column. Not for sharing between threads while it grows.
package struct ColumnBuilder: ~Copyable {
  package let type: DataType
  package private(set) var count = 0
  private var fixed: [UInt8] = []
  private var offsets: [Int32] = []
  private var data: [UInt8] = []
  private var validity: [UInt64] = []
  private var nullCount = 0
  private var elements: [Scalar] = []
  private let physical: PhysicalType

  package init(type: DataType, capacity: Int = 0) {
    self.type = type
    physical = type.physical
    switch physical {
    case .bytes, .list:
      offsets.reserveCapacity(capacity + 1)
      offsets.append(0)
    default: fixed.reserveCapacity(capacity * physical.width!)
    }
    validity.reserveCapacity((capacity + 63) / 64)
  }

  /// Bytes held so far, for memory budgets.
  package var byteCount: Int { fixed.count + offsets.count * 4 + data.count }

  @inline(__always)
  private mutating func mark(valid: Bool) {
    if count & 63 == 0 { validity.append(0) }
    if valid { validity[count >> 6] |= 1 << UInt64(count & 63) } else { nullCount += 1 }
    count += 1
  }

  package mutating func appendNull() {
    switch physical {
    case .bytes: offsets.append(Int32(data.count))
    case .list: offsets.append(Int32(elements.count))
    default: fixed.append(contentsOf: repeatElement(0, count: physical.width!))
    }
    mark(valid: false)
  }

  /// A value of the fixed width of the type.
  @inline(__always)
  private mutating func appendFixed<T: BitwiseCopyable>(_ value: T) {
    withUnsafeBytes(of: value) { fixed.append(contentsOf: $0) }
    mark(valid: true)
  }

  package mutating func append(_ value: Bool) {
    precondition(physical == .bool8)
    fixed.append(value ? 1 : 0)
    mark(valid: true)
  }
  package mutating func append(_ value: Int64) {
    if physical == .int64 { return appendFixed(value) }
    precondition(physical == .int32)
    // oids are unsigned 32-bit values kept by bit pattern
    appendFixed(Int32(truncatingIfNeeded: value))
  }
  package mutating func append(_ value: Double) {
    if physical == .float64 { return appendFixed(value) }
    precondition(physical == .float32)
    appendFixed(Float(value))
  }
  package mutating func append(_ value: Numeric) {
    precondition(physical == .numeric)
    appendFixed(value)
  }
  package mutating func append(_ value: Interval) {
    precondition(physical == .interval)
    appendFixed(value)
  }
  package mutating func append(_ value: UUIDValue) {
    precondition(physical == .uuid)
    appendFixed(value)
  }
  package mutating func append(utf8 bytes: UnsafeRawBufferPointer) {
    precondition(physical == .bytes)
    data.append(contentsOf: bytes)
    offsets.append(Int32(data.count))
    mark(valid: true)
  }
  package mutating func append(bytes: Span<UInt8>) {
    bytes.withUnsafeBufferPointer { append(utf8: UnsafeRawBufferPointer($0)) }
  }
  package mutating func append(_ value: [UInt8]) { value.withUnsafeBytes { append(utf8: $0) } }
  package mutating func append(_ value: String) {
    var value = value
    value.withUTF8 { append(utf8: UnsafeRawBufferPointer($0)) }
  }
  package mutating func append(list: [Scalar]) {
    precondition(physical == .list)
    elements.append(contentsOf: list)
    offsets.append(Int32(elements.count))
    mark(valid: true)
  }

  /// A boxed value, which must have the form `DataType.physical` asks for.
  package mutating func append(_ scalar: Scalar) {
    switch scalar {
    case .null: appendNull()
    case .boolean(let value): append(value)
    case .integer(let value): append(value)
    case .float(let value): append(value)
    case .numeric(let value): append(value)
    case .interval(let value): append(value)
    case .uuid(let value): append(value)
    case .bytes(let value): append(value)
    case .list(let value): append(list: value)
    }
  }

  /// The column; the builder is used up.
  package consuming func finish() -> Column {
    let bitmap = nullCount == 0 ? nil : Bitmap(buffer: .copying(validity), count: count)
    let form: Column.Form
    switch physical {
    case .bytes: form = .bytes(offsets: .copying(offsets), data: .copying(data))
    case .list:
      var builder = ColumnBuilder(type: type.element ?? .text, capacity: elements.count)
      for element in elements { builder.append(element) }
      form = .list(offsets: .copying(offsets), elements: builder.finish())
    default: form = .fixed(.copying(fixed))
    }
    return Column(type: type, count: count, validity: bitmap, form: form)
  }

  /// A column of boxed values, for catalogs and tests.
  package static func column(_ type: DataType, _ scalars: [Scalar]) -> Column {
    var builder = ColumnBuilder(type: type, capacity: scalars.count)
    for scalar in scalars { builder.append(scalar) }
    return builder.finish()
  }
}
