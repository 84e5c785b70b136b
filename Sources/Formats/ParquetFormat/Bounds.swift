// Smallest and largest values of pages and column chunks while a file is written, and their forms in the file.
//
// Rules: NaN takes no part, and a float column chunk that has one gets no bounds at all (SQL sorts NaN last, other
// readers sort it nowhere). A zero minimum is written as -0.0 and a zero maximum as +0.0. Strings are cut to 64 bytes at
// a character: a minimum stays a lower bound, a maximum has its last character raised. Columns marked personal have none.

import Bedrock
package import Columnar

/// One end of a range of values, in the order of its column.
enum Bound: Equatable {
  case integer(Int64)
  case floating(Double)
  case bytes([UInt8])
  case wide(Int128)

  /// Only the beginning of a long value: equal ones may stand for different values.
  var isCut: Bool {
    if case .bytes(let value) = self { return value.count > ParquetLimits.statisticBytesMax }
    return false
  }

  static func < (a: Bound, b: Bound) -> Bool {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): a < b
    case (.floating(let a), .floating(let b)): a < b
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    case (.wide(let a), .wide(let b)): a < b
    default: preconditionFailure("bounds of two columns")
    }
  }
}

/// The range of some values; both ends or none.
struct Bounds {
  private(set) var min: Bound?
  private(set) var max: Bound?
  var nanCount = 0

  init() {}
  init(min: Bound, max: Bound) {
    self.min = min
    self.max = max
  }

  mutating func merge(_ other: Bounds) {
    nanCount += other.nanCount
    guard let otherMin = other.min, let otherMax = other.max else { return }
    if let mine = min, !(otherMin < mine) {} else { min = otherMin }
    if let mine = max, !(mine < otherMax) {} else { max = otherMax }
  }

  /// Raw statistics for the file, or `nil` where the rules above allow none.
  func statistics(_ layout: ColumnLayout, nullCount: Int) -> ParquetStatistics {
    var statistics = ParquetStatistics()
    statistics.nullCount = nullCount
    if layout.isFloating { statistics.nanCount = nanCount }
    guard nanCount == 0, let min, let max else { return statistics }
    let low = layout.encode(min, upper: false), high = layout.encode(max, upper: true)
    statistics.min = low?.bytes
    statistics.isMinExact = low?.isExact ?? false
    statistics.max = high?.bytes
    statistics.isMaxExact = high?.isExact ?? false
    return statistics
  }
}

extension ColumnLayout {
  /// The plain form of a bound; `nil` when a string can not be cut and raised.
  func encode(_ bound: Bound, upper: Bool) -> (bytes: [UInt8], isExact: Bool)? {
    var bytes: [UInt8] = []
    switch (bound, physical) {
    case (.integer(let value), .boolean): bytes.append(UInt8(truncatingIfNeeded: value))
    case (.integer(let value), .int32): bytes.append(littleEndian: Int32(truncatingIfNeeded: value))
    case (.integer(let value), _): bytes.append(littleEndian: value)
    case (.floating(let value), .float):
      bytes.append(littleEndian: Float(Self.signedZero(value, upper: upper)).bitPattern)
    case (.floating(let value), _): bytes.append(littleEndian: Self.signedZero(value, upper: upper).bitPattern)
    case (.wide(let value), _):
      for index in 0..<typeLength {
        bytes.append(UInt8(truncatingIfNeeded: value >> Int128((typeLength - 1 - index) * 8)))
      }
    case (.bytes(let value), _): return cut(value, upper: upper)
    }
    return (bytes, true)
  }

  private static func signedZero(_ value: Double, upper: Bool) -> Double {
    value == 0 ? (upper ? 0.0 : -0.0) : value
  }

  private func cut(_ value: [UInt8], upper: Bool) -> (bytes: [UInt8], isExact: Bool)? {
    let limit = ParquetLimits.statisticBytesMax
    if value.count <= limit { return (value, true) }
    var end = limit
    if isText { while end > 0 && value[end] & 0xC0 == 0x80 { end -= 1 } }
    var head = Array(value[..<end])
    if !upper { return (head, false) }
    return (isText ? Self.raiseText(&head) : Self.raiseBytes(&head)) ? (head, false) : nil
  }

  /// Raises the last byte that can be raised and drops what follows it.
  private static func raiseBytes(_ bytes: inout [UInt8]) -> Bool {
    while let last = bytes.popLast() {
      if last < 0xFF {
        bytes.append(last + 1)
        return true
      }
    }
    return false
  }

  /// Raises the last character; UTF-8 keeps the order of code points.
  private static func raiseText(_ bytes: inout [UInt8]) -> Bool {
    while !bytes.isEmpty {
      var start = bytes.count - 1
      while start > 0 && bytes[start] & 0xC0 == 0x80 { start -= 1 }
      let character = String(decoding: bytes[start...], as: UTF8.self).unicodeScalars.first?.value ?? 0x10FFFF
      bytes.removeSubrange(start...)
      let next = character == 0xD7FF ? 0xE000 : character + 1
      if let scalar = Unicode.Scalar(next) {
        bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
        return true
      }
    }
    return false
  }

  /// The value of a bound under the SQL type of the column, cut as in the file.
  func scalar(_ bound: Bound, upper: Bool) -> (value: Scalar, isExact: Bool)? {
    switch bound {
    case .integer(let value):
      switch type {
      case .boolean: return (.boolean(value != 0), true)
      case .numeric: return Numeric(coefficient: Int128(value), scale: scale).map { (.numeric($0), true) }
      default: return (.integer(value), true)
      }
    case .floating(let value): return (.float(Self.signedZero(value, upper: upper)), true)
    case .wide(let value): return Numeric(coefficient: value, scale: scale).map { (.numeric($0), true) }
    case .bytes(let value): return cut(value, upper: upper).map { (.bytes($0.bytes), $0.isExact) }
    }
  }
}

extension ParquetLeaf {
  /// The least and greatest value of a statistic as values of `type`; `nil` where nothing is known. Strings may be cut:
  /// min is a lower bound, max an upper bound. NaN may exist beside the bounds of a float column unless `nanCount` is 0.
  package func bounds(
    _ statistics: ParquetStatistics, as type: DataType? = nil
  ) -> (min: Scalar?, max: Scalar?) {
    guard isFlat else { return (nil, nil) }
    let target = type ?? Conversion.naturalType(self)
    guard let conversion = try? Conversion.plan(self, target: target) else { return (nil, nil) }  // no plan, no bounds
    return (
      statistics.min.flatMap { bound($0, conversion, target) }, statistics.max.flatMap { bound($0, conversion, target) }
    )
  }

  private func bound(_ bytes: [UInt8], _ conversion: Conversion, _ target: DataType) -> Scalar? {
    let raw: Column
    switch physical {
    case .boolean:
      guard bytes.count == 1 else { return nil }
      raw = .fixed(.boolean, count: 1, .copying([bytes[0] & 1]))
    case .int32, .float:
      guard bytes.count == 4 else { return nil }
      raw = .fixed(rawType, count: 1, .copying(bytes))
    case .int64, .double:
      guard bytes.count == 8 else { return nil }
      raw = .fixed(rawType, count: 1, .copying(bytes))
    case .byteArray, .fixedLenByteArray:
      if let width = fixedByteCount, bytes.count != width { return nil }
      if target.physical == .bytes { return .bytes(bytes) }
      raw = Column(
        type: .bytea, count: 1, validity: nil, form: .bytes(offsets: .copying([0, Int32(bytes.count)]), data: .copying(bytes)))
    case .int96: return nil
    }
    // A statistic that does not convert says nothing; the values themselves will be reported when they are read.
    guard let column = try? conversion.apply(raw, target: target) else { return nil }
    let scalar = column.scalar(at: 0)
    if case .float(let value) = scalar, value.isNaN { return nil }
    return scalar
  }
}
