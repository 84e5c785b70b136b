// CALL cramped.name_version('domain.entity', 'name' [, version [, until]]) and
// CALL cramped.drop_version_name('domain.entity', 'name').

import Bedrock
import Columnar
import Lake
import Plan
import Session

enum VersionNameProcedures {
  static func make(_ tables: LakeTables) -> [Procedure] { [name(tables), drop(tables)] }

  private static func texts(_ arguments: ArraySlice<Scalar>) throws(Fault) -> [String] {
    var texts: [String] = []
    for argument in arguments {
      guard let text = argument.text else {
        throw Fault(.invalidParameterValue, "the table and the name of the version must not be null")
      }
      texts.append(text)
    }
    return texts
  }

  private static func name(_ tables: LakeTables) -> Procedure {
    Procedure(
      schema: "cramped", name: "name_version",
      parameters: [
        .init(name: "table", type: .text), .init(name: "name", type: .text),
        .init(name: "version", type: .int8, fallback: .null), .init(name: "until", type: .timestamptz, fallback: .null),
      ]
    ) { (arguments, _) throws(Fault) in
      let texts = try texts(arguments[..<2])
      try check(texts[1])
      let table = try tables.find(texts[0])
      let newest = try table.refresh().version
      let version = arguments[2].integer ?? newest
      guard newest >= 0 else {
        throw Fault(
          .undefinedObject, "table \(texts[0]) has no version in the lake yet",
          hint: "CALL cramped.flush('\(texts[0])') makes one.")
      }
      try table.nameVersion(texts[1], version, untilMicros: arguments[3].integer)
      return ProcedureResult(notices: ["\(texts[0]): version \(version) is named \"\(texts[1])\" and kept from vacuum"])
    }
  }

  /// A name must be able to stand behind the `@` of a table's name.
  private static func check(_ name: String) throws(Fault) {
    let isNumber = name.first == "v" && name.dropFirst().allSatisfy(\.isNumber)
    let isPlain = !name.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "@") }
    guard isPlain, !isNumber, let first = name.first, !first.isNumber else {
      throw Fault(
        .invalidParameterValue, "\"\(name.prefix(100))\" cannot name a version",
        hint: "A name begins with a letter, has no \"@\", and is not of the form v12.")
    }
  }

  private static func drop(_ tables: LakeTables) -> Procedure {
    Procedure(
      schema: "cramped", name: "drop_version_name",
      parameters: [.init(name: "table", type: .text), .init(name: "name", type: .text)]
    ) { (arguments, _) throws(Fault) in
      let texts = try texts(arguments[..<2])
      try tables.find(texts[0]).dropVersionName(texts[1])
      return ProcedureResult(notices: ["\(texts[0]): the name \"\(texts[1])\" is gone; vacuum may remove its version"])
    }
  }
}
