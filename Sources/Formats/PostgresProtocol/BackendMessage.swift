// What the server says: PostgreSQL 15 manual, sections 55.7 and 55.8. Each message is one method that appends it.

package import Bedrock
package import Columnar

/// How grave a report to the client is.
package enum Severity: String, Sendable {
  case error = "ERROR"
  case fatal = "FATAL"
  case warning = "WARNING"
  case notice = "NOTICE"
  case info = "INFO"
}

/// The transaction state that ReadyForQuery tells.
package enum TransactionStatus: UInt8, Sendable {
  case idle = 0x49  // I
  case inBlock = 0x54  // T
  case failed = 0x45  // E
}

/// One column as RowDescription tells it.
package struct ResultField: Sendable, Equatable {
  package var name: String
  package var type: DataType
  /// `pg_class.oid` and `attnum` of a plain table column, else 0.
  package var tableOID: UInt32
  package var attribute: Int16
  package init(name: String, type: DataType, tableOID: UInt32 = 0, attribute: Int16 = 0) {
    self.name = name
    self.type = type
    self.tableOID = tableOID
    self.attribute = attribute
  }
}

extension WireBuffer {
  package mutating func authenticationOK() {
    let mark = begin(message: UInt8(ascii: "R"))
    append(0 as Int32)
    end(message: mark)
  }

  package mutating func parameterStatus(_ name: String, _ value: String) {
    let mark = begin(message: UInt8(ascii: "S"))
    append(terminated: name)
    append(terminated: value)
    end(message: mark)
  }

  package mutating func backendKeyData(_ key: CancelKey) {
    let mark = begin(message: UInt8(ascii: "K"))
    append(key.process)
    append(key.secret)
    end(message: mark)
  }

  package mutating func readyForQuery(_ status: TransactionStatus) {
    let mark = begin(message: UInt8(ascii: "Z"))
    append(status.rawValue)
    end(message: mark)
  }

  /// Tells a client of a newer minor version, or of unknown options, that it gets 3.0 without them.
  package mutating func negotiateProtocolVersion(unknownOptions: [String]) {
    let mark = begin(message: UInt8(ascii: "v"))
    append(196_608 as Int32)
    append(Int32(clamping: unknownOptions.count))
    for option in unknownOptions { append(terminated: option) }
    end(message: mark)
  }

  package mutating func parseComplete() { empty(UInt8(ascii: "1")) }
  package mutating func bindComplete() { empty(UInt8(ascii: "2")) }
  package mutating func closeComplete() { empty(UInt8(ascii: "3")) }
  package mutating func noData() { empty(UInt8(ascii: "n")) }
  package mutating func portalSuspended() { empty(UInt8(ascii: "s")) }
  package mutating func emptyQueryResponse() { empty(UInt8(ascii: "I")) }
  package mutating func copyDone() { empty(UInt8(ascii: "c")) }

  private mutating func empty(_ type: UInt8) {
    let mark = begin(message: type)
    end(message: mark)
  }

  package mutating func commandComplete(_ tag: String) {
    let mark = begin(message: UInt8(ascii: "C"))
    append(terminated: tag)
    end(message: mark)
  }

  package mutating func parameterDescription(_ types: [UInt32]) {
    precondition(types.count <= FrontendDecoder.parametersMax)
    let mark = begin(message: UInt8(ascii: "t"))
    append(UInt16(types.count))
    for type in types { append(type) }
    end(message: mark)
  }

  /// - Parameter formats: one per field, or empty for text (the answer to Describe of a statement).
  package mutating func rowDescription(_ fields: [ResultField], formats: [WireFormat] = []) {
    precondition(formats.isEmpty || formats.count == fields.count)
    precondition(fields.count <= Int(Int16.max))
    let mark = begin(message: UInt8(ascii: "T"))
    append(Int16(fields.count))
    for (index, field) in fields.enumerated() {
      append(terminated: field.name)
      append(field.tableOID)
      append(field.attribute)
      // An untyped literal reaches a client as text.
      append(field.type == .unknown ? DataType.text.oid : field.type.oid)
      append(field.type == .unknown ? DataType.text.typeLength : field.type.typeLength)
      append(field.type.typeModifier)
      append(formats.isEmpty ? 0 : formats[index].rawValue)
    }
    end(message: mark)
  }

  /// ErrorResponse: severity, state, message, and what else the fault knows.
  package mutating func errorResponse(_ fault: Fault, severity: Severity = .error) {
    report(
      type: UInt8(ascii: "E"), severity: severity, state: fault.state, message: fault.message, detail: fault.detail,
      hint: fault.hint, position: fault.position, context: fault.context)
  }

  package mutating func noticeResponse(
    _ severity: Severity, _ state: SQLState, _ message: String, detail: String? = nil, hint: String? = nil
  ) {
    report(
      type: UInt8(ascii: "N"), severity: severity, state: state, message: message, detail: detail, hint: hint,
      position: nil, context: nil)
  }

  private mutating func report(
    type: UInt8, severity: Severity, state: SQLState, message: String, detail: String?, hint: String?, position: Int?,
    context: String?
  ) {
    let mark = begin(message: type)
    field(UInt8(ascii: "S"), severity.rawValue)
    field(UInt8(ascii: "V"), severity.rawValue)
    field(UInt8(ascii: "C"), state.text)
    field(UInt8(ascii: "M"), message)
    if let detail { field(UInt8(ascii: "D"), detail) }
    if let hint { field(UInt8(ascii: "H"), hint) }
    if let position { field(UInt8(ascii: "P"), String(position)) }
    if let context { field(UInt8(ascii: "W"), context) }
    append(0 as UInt8)
    end(message: mark)
  }

  private mutating func field(_ code: UInt8, _ text: String) {
    append(code)
    append(terminated: text)
  }
}
