// CALL cramped.flush('domain.entity'): hot rows to the lake now.

import Bedrock
import Columnar
import EventSchema
import Plan
import Session
import StorageContract
import StorageEngine

enum FlushProcedure {
  static func make(_ engine: StorageEngine) -> Procedure {
    Procedure(
      schema: "cramped", name: "flush", parameters: [.init(name: "table", type: .text)]
    ) { (arguments, _) throws(Fault) in
      guard let name = arguments[0].text else {
        throw Fault(.invalidParameterValue, "the table to flush must not be null")
      }
      guard let table = engine.registeredTables().first(where: { $0.schema.name == name }) else {
        throw Fault(
          .undefinedTable, "event table \"\(name)\" does not exist",
          hint: "The name has the form domain.entity; cramped.tables lists them.")
      }
      let receipt = try engine.flush(table: table.schema.name)
      guard let version = receipt.deltaVersion else {
        return ProcedureResult(notices: ["\(name): nothing to flush"])
      }
      return ProcedureResult(notices: [
        "\(name): \(receipt.rows) rows flushed to \(receipt.files) files of \(receipt.bytes) bytes, Delta version \(version)"
      ])
    }
  }
}
