// Faults: what went wrong, in the words a user can act on.
//
// One value type serves every module, because a fault ends at one of two places only: an ErrorResponse of the wire
// protocol or a row of cramped.errors. Both need the SQLSTATE, the sentence, and advice. Kinds are few and tell a
// caller what to do; the text is rich and tells a person why.

/// What a caller should do about a fault.
package enum FaultKind: UInt8, Sendable {
  /// The statement, event or file is wrong; repeating it gives the same answer.
  case callersMistake
  /// A resource is exhausted or away for now; the same call may succeed later.
  case tryLater
  /// The thing named does not exist any more (a vacuumed version, an expired snapshot).
  case gone
  /// Stored bytes do not decode or break an invariant.
  case corrupt
  /// The user or an operator stopped the work.
  case cancelled
  /// The construct is valid but Cramped does not offer it.
  case unsupported
  /// A defect of Cramped.
  case bug
}

/// A failure with its SQLSTATE, text and advice. Cheap to throw: one reference.
package struct Fault: Error, Sendable, CustomStringConvertible {
  private final class Body: Sendable {
    let state: SQLState
    let kind: FaultKind
    let message: String
    let detail: String?
    let hint: String?
    let position: Int?
    let context: String?
    init(
      state: SQLState, kind: FaultKind, message: String, detail: String?, hint: String?, position: Int?, context: String?
    ) {
      self.state = state
      self.kind = kind
      self.message = message
      self.detail = detail
      self.hint = hint
      self.position = position
      self.context = context
    }
  }
  private let body: Body

  /// - Parameters:
  ///   - position: 1-based offset in *characters* of the statement text, as the wire protocol reports it.
  ///   - context: where in the data it happened: `COPY t, line 3, column a: "x"`.
  package init(
    _ state: SQLState, _ message: String, kind: FaultKind? = nil, detail: String? = nil, hint: String? = nil,
    position: Int? = nil, context: String? = nil
  ) {
    body = Body(
      state: state, kind: kind ?? state.usualKind, message: message, detail: detail, hint: hint, position: position,
      context: context)
  }

  package var state: SQLState { body.state }
  package var kind: FaultKind { body.kind }
  /// One sentence in lower case without a final stop, as PostgreSQL writes its messages.
  package var message: String { body.message }
  package var detail: String? { body.detail }
  package var hint: String? { body.hint }
  package var position: Int? { body.position }
  package var context: String? { body.context }

  package var description: String {
    var text = "\(body.message) [\(body.state.code)]"
    if let detail { text += " detail: \(detail)" }
    if let hint { text += " hint: \(hint)" }
    return text
  }

  /// The same fault pointing at a place in the statement, unless it already points at one.
  package func at(position: Int?) -> Fault {
    guard self.position == nil, let position else { return self }
    return Fault(state, message, kind: kind, detail: detail, hint: hint, position: position, context: context)
  }

  /// The same fault with the place in the data where it happened.
  package func inside(_ context: String) -> Fault {
    Fault(state, message, kind: kind, detail: detail, hint: hint, position: position, context: context)
  }

  /// A defect of Cramped, found by a check that should never fail.
  package static func bug(_ message: String) -> Fault { Fault(.internalError, message, kind: .bug) }
  /// Stored bytes that do not decode.
  package static func corrupt(_ message: String, detail: String? = nil) -> Fault {
    Fault(.dataCorrupted, message, kind: .corrupt, detail: detail)
  }
  /// A construct that is valid PostgreSQL but not offered here.
  package static func unsupported(_ what: String, position: Int? = nil, hint: String? = nil) -> Fault {
    Fault(.featureNotSupported, "\(what) is not supported", kind: .unsupported, hint: hint, position: position)
  }
}
