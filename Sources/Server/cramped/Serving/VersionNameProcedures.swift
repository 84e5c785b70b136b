// CALL cramped.name_version('domain.entity', 'name' [, version]) and cramped.drop_version_name('domain.entity', 'name').

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
        .init(name: "version", type: .int8, fallback: .null),
      ]
    ) { (arguments, _) throws(Fault) in
      let texts = try texts(arguments[..<2])
      let version = try tables.find(texts[0]).nameVersion(texts[1], version: arguments[2].integer)
      return ProcedureResult(notices: ["\(texts[0]): version \(version) is named \"\(texts[1])\" and kept from vacuum"])
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
