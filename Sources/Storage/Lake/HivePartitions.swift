// `key=value` folders in the paths of files: columns with one value a file.
//
// Their type is the narrowest that all values have: bigint, date, else text. `__HIVE_DEFAULT_PARTITION__` is null.

import Bedrock
import Columnar
import DeltaFormat
import ObjectStore

struct HivePartitions {
  private static let nullText = "__HIVE_DEFAULT_PARTITION__"
  private(set) var fields: [DeltaField] = []
  /// Of each field, the value of each file; nil is NULL.
  private(set) var values: [[String?]] = []

  /// - Parameter isWanted: true: the files must have the same keys; false: no partition columns; nil: if they have.
  init(_ files: [ExternalFile], isWanted: Bool?) throws(Fault) {
    if isWanted == false { return }
    let pairs = files.map { Self.pairs($0.path.text) }
    guard let keys = pairs.first?.map(\.key), !keys.isEmpty, Set(keys).count == keys.count,
      pairs.allSatisfy({ $0.map(\.key) == keys })
    else {
      guard isWanted == true, pairs.contains(where: { !$0.isEmpty }) else { return }
      throw Fault(
        .invalidParameterValue, "the files do not have the same key=value folders",
        hint: "Leave the option hive_partitioning out, or name the files of one kind.")
    }
    for (index, key) in keys.enumerated() {
      let texts = pairs.map { pairs -> String? in pairs[index].value == Self.nullText ? nil : pairs[index].value }
      add(key, values: texts, type: Self.type(texts))
    }
  }

  mutating func add(_ name: String, values: [String?]) { add(name, values: values, type: .string) }

  private mutating func add(_ name: String, values: [String?], type: DeltaType) {
    fields.append(DeltaField(name: name, type: type, isNullable: true))
    self.values.append(values)
  }

  /// The keys and values of a path's folders, percent signs decoded.
  static func pairs(_ path: String) -> [(key: String, value: String)] {
    path.split(separator: "/").dropLast().compactMap { part in
      guard let sign = part.firstIndex(of: "="), sign > part.startIndex else { return nil }
      return (decoded(part[..<sign]), decoded(part[part.index(after: sign)...]))
    }
  }

  private static func decoded(_ text: Substring) -> String {
    guard text.contains("%") else { return String(text) }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self) ?? String(text)
  }

  private static func type(_ texts: [String?]) -> DeltaType {
    let known = texts.compactMap(\.self)
    if known.isEmpty { return .string }
    // A number with a leading zero would not come back as it was written.
    if known.allSatisfy({ text in Int64(text).map { String($0) == text } ?? false }) { return .long }
    if known.allSatisfy(isDate) { return .date }
    return .string
  }

  private static func isDate(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } }) else {
      return false
    }
    do throws(Fault) { return try !DeltaPartitionValue.scalar(text, .date).isNull } catch { return false }
  }
}
