// The distinct values of one key column, numbered in order of first appearance.
//
// Types up to 64 bits are keys of an integer table, everything else of a table of bytes. Dictionary codes are
// translated once per dictionary, so their rows cost one array access. No key is ever boxed.

import Bedrock
import Columnar
import Kernels

/// A dictionary's codes as ids, kept by whoever looks up (an index may be read by several threads).
struct KeyLookupCache {
  fileprivate var dictionary: ColumnDictionary?
  fileprivate var ids: [Int32] = []
  /// How many entries of the dictionary have no id yet.
  fileprivate var unknownCount = 0
}

/// Distinct values of one key column.
final class KeyIndex {
  let type: DataType
  private var integers = IntegerTable()
  private var strings = BytesTable()
  private var parts: [Column] = []
  private var cache = KeyLookupCache()
  private let isWord: Bool

  init(type: DataType) {
    self.type = type
    isWord = KeyWords.holds(type)
  }

  var count: Int { isWord ? integers.count : strings.count }
  var byteCount: Int { integers.byteCount + strings.byteCount + count * 16 }

  /// The distinct values in order of their ids; null among them at most once.
  func values() -> Column {
    if parts.isEmpty { return ColumnBuilder(type: type).finish() }
    if parts.count > 1 { parts = [Column.concatenate(parts)] }
    return parts[0]
  }

  // MARK: Writing

  /// The id of each row's value, new ones made as needed; null is a value.
  func assign(_ column: Column) -> [Int32] {
    switch column.form {
    case .constant(let one):
      if column.count == 0 { return [] }
      return [Int32](repeating: assignFlat(one.flat())[0], count: column.count)
    case .dictionary(_, let dictionary): return assignCodes(column, dictionary)
    default: return assignFlat(column)
    }
  }

  /// Each dictionary entry is looked up once per dictionary; new ones get their id when a row first uses them.
  private func assignCodes(_ column: Column, _ dictionary: ColumnDictionary) -> [Int32] {
    if cache.dictionary !== dictionary {
      cache.dictionary = dictionary
      cache.ids = lookupFlat(dictionary.values.flat())
      cache.unknownCount = cache.ids.reduce(0) { $0 + ($1 < 0 ? 1 : 0) }
    }
    let codes = column.codes
    if let validity = column.validity {
      if cache.unknownCount > 0 || nullID < 0 { learn(codes, validity, dictionary) }
      return cache.translate(codes, validity, null: nullID)
    }
    if cache.unknownCount > 0 { learn(codes, nil, dictionary) }
    return cache.translate(codes)
  }

  private var nullID: Int32 = -1

  /// Gives ids to the codes, and to null, that the rows use for the first time: in the order of the rows.
  private func learn(_ codes: Span<Int32>, _ validity: Bitmap?, _ dictionary: ColumnDictionary) {
    // -2 marks what is on the list already
    var fresh: [Int32] = []
    var needsNull = nullID < 0
    for row in 0..<codes.count {
      if let validity, !validity.isSet(row) {
        if needsNull { fresh.append(-1) }
        needsNull = false
        continue
      }
      let code = Int(codes[row])
      if cache.ids[code] == -1 {
        cache.ids[code] = -2
        fresh.append(Int32(code))
      }
    }
    if fresh.isEmpty { return }
    let ids = assignFlat(dictionary.values.flat().gather(fresh.span))
    for (position, code) in fresh.enumerated() {
      if code < 0 {
        nullID = ids[position]
      } else {
        cache.ids[Int(code)] = ids[position]
        cache.unknownCount -= 1
      }
    }
  }

  private func assignFlat(_ column: Column) -> [Int32] {
    let before = count
    let ids: [Int32]
    if isWord {
      let words = KeyWords.of(column)
      ids = [Int32](unsafeUninitializedCapacity: column.count) { out, written in
        written = column.count
        guard let base = out.baseAddress else { return }
        if let validity = column.validity {
          integers.insert(words.span(of: Int64.self).extracting(0..<column.count), validity: validity, into: base)
        } else {
          integers.insert(words.span(of: Int64.self).extracting(0..<column.count), into: base)
        }
      }
      nullID = integers.nullID
    } else {
      ids = assignBytes(column)
    }
    if count > before { keep(column, ids, from: before) }
    return ids
  }

  private func assignBytes(_ column: Column) -> [Int32] {
    let key = KeyBytes(column, type)
    var ids: [Int32] = []
    ids.reserveCapacity(column.count)
    key.withEach { (raw) in
      if let raw {
        ids.append(strings.insert(raw))
      } else {
        nullID = strings.insertNull()
        ids.append(nullID)
      }
    }
    return ids
  }

  /// The rows that brought the ids `from` and above.
  private func keep(_ column: Column, _ ids: [Int32], from before: Int) {
    var next = Int32(before)
    var fresh: [Int32] = []
    fresh.reserveCapacity(count - before)
    for row in ids.indices where ids[row] == next {
      fresh.append(Int32(row))
      next += 1
    }
    precondition(Int(next) == count, "ids rise in the order of the rows")
    parts.append(column.gather(fresh.span).retypedIfNeeded(type))
  }

  // MARK: Reading

  private func lookupFlat(_ column: Column) -> [Int32] {
    if isWord {
      let words = KeyWords.of(column)
      var ids = [Int32](unsafeUninitializedCapacity: column.count) { out, written in
        written = column.count
        guard let base = out.baseAddress else { return }
        integers.find(words.span(of: Int64.self).extracting(0..<column.count), into: base)
      }
      if let validity = column.validity { for row in ids.indices where !validity.isSet(row) { ids[row] = -1 } }
      return ids
    }
    let key = KeyBytes(column, type)
    var ids: [Int32] = []
    ids.reserveCapacity(column.count)
    key.withEach { (raw) in ids.append(raw.map { strings.find($0) } ?? -1) }
    return ids
  }

  /// The id of each row's value; -1 for null and for values never assigned. Changes nothing but `cache`.
  func lookup(_ column: Column, cache: inout KeyLookupCache) -> [Int32] {
    switch column.form {
    case .constant(let one):
      if column.count == 0 { return [] }
      return [Int32](repeating: lookupFlat(one.flat())[0], count: column.count)
    case .dictionary(_, let dictionary):
      if cache.dictionary !== dictionary {
        cache.dictionary = dictionary
        cache.ids = lookupFlat(dictionary.values.flat())
      }
      guard let validity = column.validity else { return cache.translate(column.codes) }
      return cache.translate(column.codes, validity, null: -1)
    default: return lookupFlat(column)
    }
  }
}

extension KeyLookupCache {
  fileprivate func translate(_ codes: Span<Int32>) -> [Int32] {
    ids.withUnsafeBufferPointer { ids in
      [Int32](unsafeUninitializedCapacity: codes.count) { out, written in
        for row in 0..<codes.count { out[row] = ids[Int(codes[row])] }
        written = codes.count
      }
    }
  }

  fileprivate func translate(_ codes: Span<Int32>, _ validity: Bitmap, null: Int32) -> [Int32] {
    let words = validity.words
    return ids.withUnsafeBufferPointer { ids in
      [Int32](unsafeUninitializedCapacity: codes.count) { out, written in
        for row in 0..<codes.count {
          out[row] = words[row >> 6] &>> UInt64(row & 63) & 1 == 1 ? ids[Int(codes[row])] : null
        }
        written = codes.count
      }
    }
  }
}

/// Values of up to 64 bits as integers that are equal when the values are.
enum KeyWords {
  static func holds(_ type: DataType) -> Bool {
    switch type.physical {
    case .bool8, .int32, .int64, .float32, .float64: true
    case .numeric, .interval, .uuid, .bytes, .list: false
    }
  }

  /// A flat column's words.
  static func of(_ column: Column) -> Buffer {
    switch column.type.physical {
    case .int64:
      if case .fixed(let buffer) = column.form { return buffer }
      preconditionFailure("words of a flat column")
    case .int32:
      let values = column.int32s
      return Buffer.of(Int64.self, count: column.count) { out in
        for row in 0..<values.count { out[row] = Int64(values[row]) }
      }
    case .bool8:
      let values = column.booleans
      return Buffer.of(Int64.self, count: column.count) { out in
        for row in 0..<values.count { out[row] = Int64(values[row]) }
      }
    case .float32:
      let values = column.float32s
      return Buffer.of(Int64.self, count: column.count) { out in
        for row in 0..<values.count { out[row] = word(Double(values[row])) }
      }
    case .float64:
      let values = column.float64s
      return Buffer.of(Int64.self, count: column.count) { out in
        for row in 0..<values.count { out[row] = word(values[row]) }
      }
    case .numeric, .interval, .uuid, .bytes, .list: preconditionFailure("no word for \(column.type)")
    }
  }

  /// -0 equals 0, and every NaN equals every other.
  @inline(__always)
  private static func word(_ value: Double) -> Int64 {
    value == 0 ? 0 : Int64(bitPattern: (value == value ? value : Double.nan).bitPattern)
  }
}

/// Values of any type as byte strings that are equal when the values are.
struct KeyBytes {
  private let column: Column
  /// `nil`: the column's own bytes are the key.
  private let encoded: EncodedRows?
  private let isBlankPadded: Bool

  init(_ column: Column, _ type: DataType) {
    self.column = column
    if case .bpchar = type { isBlankPadded = true } else { isBlankPadded = false }
    encoded =
      type.physical == .bytes ? nil : RowKey.encode([column], orders: [.equality], rows: column.count)
  }

  /// Calls `body` for each row in order, with `nil` for null.
  @inline(__always)
  func withEach(_ body: (UnsafeRawBufferPointer?) -> Void) {
    let validity = column.validity
    if let encoded {
      encoded.bytes.withUnsafeBytes { raw in
        for row in 0..<column.count {
          if let validity, !validity.isSet(row) {
            body(nil)
          } else {
            body(UnsafeRawBufferPointer(rebasing: raw[encoded.offsets[row]..<encoded.offsets[row + 1]]))
          }
        }
      }
      return
    }
    let offsets = column.offsets
    let data = column.data
    data.withUnsafeBytes { raw in
      for row in 0..<column.count {
        if let validity, !validity.isSet(row) {
          body(nil)
          continue
        }
        let start = Int(offsets[row])
        var end = Int(offsets[row + 1])
        // trailing blanks of char(n) do not count
        if isBlankPadded { while end > start && raw[end - 1] == 32 { end -= 1 } }
        body(UnsafeRawBufferPointer(rebasing: raw[start..<end]))
      }
    }
  }
}
