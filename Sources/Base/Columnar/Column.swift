// A column: some rows of one type in one of five forms.
//
//   fixed       values of a fixed width, one after the other
//   bytes       offsets (Int32, count + 1) into data
//   list        offsets (Int32, count + 1) into an element column
//   dictionary  codes (Int32) into a shared dictionary of distinct values, which itself is never a dictionary
//   constant    one value for every row
//
// Kernels choose their loop once per column by the form. `flat()` turns any column into fixed, bytes or list.
//
// Invariants: the offsets of a column start at 0 and never fall. A code is inside the dictionary wherever the row is
// valid; where it is null the code is 0. A dictionary has no null entries. The value of a null row in fixed form is
// zero bytes, in bytes form empty.

import Bedrock

/// Distinct values that dictionary-coded columns share. Identity (`===`) lets operators cache work per dictionary.
package final class ColumnDictionary: Sendable {
  package let values: Column
  package init(_ values: Column) {
    precondition(values.validity == nil, "a dictionary has no null entries")
    if case .dictionary = values.form { preconditionFailure("a dictionary of a dictionary") }
    self.values = values
  }
  package var count: Int { values.count }
}

package struct Column: Sendable {
  package indirect enum Form: Sendable {
    case fixed(Buffer)
    case bytes(offsets: Buffer, data: Buffer)
    case list(offsets: Buffer, elements: Column)
    case dictionary(codes: Buffer, dictionary: ColumnDictionary)
    case constant(Column)
  }

  package let type: DataType
  package let count: Int
  /// `nil`: every row has a value. Always `nil` for the constant form, whose inner column answers.
  package let validity: Bitmap?
  package let form: Form

  package init(type: DataType, count: Int, validity: Bitmap?, form: Form) {
    precondition(count >= 0)
    if let validity { precondition(validity.count == count, "one validity bit a row") }
    switch form {
    case .fixed(let buffer):
      precondition(buffer.byteCount >= count * (type.physical.width ?? .max / max(count, 1)), "a fixed column too short")
    case .bytes(let offsets, _):
      precondition(offsets.byteCount >= (count + 1) * 4 && type.physical == .bytes)
    case .list(let offsets, _):
      precondition(offsets.byteCount >= (count + 1) * 4 && type.physical == .list)
    case .dictionary(let codes, let dictionary):
      precondition(codes.byteCount >= count * 4 && dictionary.values.type.physical == type.physical)
    case .constant(let one):
      precondition(one.count == 1 && validity == nil)
    }
    self.type = type
    self.count = count
    self.validity = validity
    self.form = form
  }

  /// A fixed-width column over values that lie in `buffer`.
  package static func fixed(_ type: DataType, count: Int, validity: Bitmap? = nil, _ buffer: Buffer) -> Column {
    Column(type: type, count: count, validity: validity, form: .fixed(buffer))
  }

  /// `count` rows of one value, or of null.
  package static func constant(_ scalar: Scalar, type: DataType, count: Int) -> Column {
    var builder = ColumnBuilder(type: type, capacity: 1)
    builder.append(scalar)
    return Column(type: type, count: count, validity: nil, form: .constant(builder.finish()))
  }

  package static func nulls(_ type: DataType, count: Int) -> Column { constant(.null, type: type, count: count) }

  /// The same values under another SQL type of the same physical type.
  package func retyped(_ type: DataType) -> Column {
    precondition(type.physical == self.type.physical)
    if case .constant(let one) = form {
      return Column(type: type, count: count, validity: nil, form: .constant(one.retyped(type)))
    }
    return Column(type: type, count: count, validity: validity, form: form)
  }

  /// True when some row may be null.
  package var mayHaveNulls: Bool {
    if case .constant(let one) = form { return one.validity != nil }
    return validity != nil
  }

  package func isNull(at row: Int) -> Bool {
    precondition(row >= 0 && row < count)
    if case .constant(let one) = form { return one.isNull(at: 0) }
    guard let validity else { return false }
    return !validity.isSet(row)
  }

  package var nullCount: Int {
    if case .constant(let one) = form { return one.isNull(at: 0) ? count : 0 }
    guard let validity else { return 0 }
    return count - validity.setCount
  }

  // MARK: Spans. Each traps when the form is another: switch on `form` first, or call `flat()`.

  /// The values of a fixed column; `T` must have the width of the physical type (bool8: UInt8, int32: Int32, ...).
  @_lifetime(borrow self)
  package borrowing func values<T: BitwiseCopyable>(_ type: T.Type) -> Span<T> {
    guard case .fixed(let buffer) = form else { preconditionFailure("values of a column that is not fixed") }
    precondition(MemoryLayout<T>.stride == self.type.physical.width)
    return _overrideLifetime(buffer.span(of: T.self).extracting(0..<count), borrowing: self)
  }

  package var int32s: Span<Int32> { @_lifetime(borrow self) get { values(Int32.self) } }
  package var int64s: Span<Int64> { @_lifetime(borrow self) get { values(Int64.self) } }
  package var float64s: Span<Double> { @_lifetime(borrow self) get { values(Double.self) } }
  package var float32s: Span<Float> { @_lifetime(borrow self) get { values(Float.self) } }
  package var booleans: Span<UInt8> { @_lifetime(borrow self) get { values(UInt8.self) } }
  package var uuids: Span<UUIDValue> { @_lifetime(borrow self) get { values(UUIDValue.self) } }
  package var numerics: Span<Numeric> { @_lifetime(borrow self) get { values(Numeric.self) } }
  package var intervals: Span<Interval> { @_lifetime(borrow self) get { values(Interval.self) } }

  /// Offsets of a bytes or list column: count + 1 values.
  package var offsets: Span<Int32> {
    @_lifetime(borrow self)
    get {
      switch form {
      case .bytes(let offsets, _), .list(let offsets, _):
        return _overrideLifetime(offsets.span(of: Int32.self).extracting(0..<(count + 1)), borrowing: self)
      default: preconditionFailure("offsets of a column that has none")
      }
    }
  }

  /// The data of a bytes column.
  package var data: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      guard case .bytes(_, let data) = form else { preconditionFailure("data of a column that is not bytes") }
      return _overrideLifetime(data.span(of: UInt8.self), borrowing: self)
    }
  }

  /// Codes of a dictionary column.
  package var codes: Span<Int32> {
    @_lifetime(borrow self)
    get {
      guard case .dictionary(let codes, _) = form else { preconditionFailure("codes of a column that has none") }
      return _overrideLifetime(codes.span(of: Int32.self).extracting(0..<count), borrowing: self)
    }
  }

  package var dictionary: ColumnDictionary? {
    if case .dictionary(_, let dictionary) = form { return dictionary }
    return nil
  }

  /// One value boxed: for plans, catalogs and tests, not for loops over rows.
  package func scalar(at row: Int) -> Scalar {
    if isNull(at: row) { return .null }
    switch form {
    case .constant(let one): return one.scalar(at: 0)
    case .dictionary(_, let dictionary): return dictionary.values.scalar(at: Int(codes[row]))
    case .list(_, let elements):
      let range = Int(offsets[row])..<Int(offsets[row + 1])
      return .list(range.map { elements.scalar(at: $0) })
    case .bytes:
      let range = Int(offsets[row])..<Int(offsets[row + 1])
      let bytes = data
      return .bytes(range.map { bytes[$0] })
    case .fixed:
      switch type.physical {
      case .bool8: return .boolean(booleans[row] != 0)
      case .int32: return .integer(Int64(int32s[row]))
      case .int64: return .integer(int64s[row])
      case .float32: return .float(Double(float32s[row]))
      case .float64: return .float(float64s[row])
      case .numeric: return .numeric(numerics[row])
      case .interval: return .interval(intervals[row])
      case .uuid: return .uuid(values(UUIDValue.self)[row])
      case .bytes, .list: preconditionFailure("a variable-width type in fixed form")
      }
    }
  }
}

/// Columns of equal length: the one currency between parts.
package struct Chunk: Sendable {
  package let columns: [Column]
  package let rowCount: Int

  package init(columns: [Column], rowCount: Int) {
    for column in columns { precondition(column.count == rowCount, "columns of one chunk have equal length") }
    self.columns = columns
    self.rowCount = rowCount
  }
}
