// Why one event cannot be applied. Becomes a row of cramped.errors; its text never contains a value of the event.

import Bedrock

/// What kind of mistake an event makes; the raw value is the code in cramped.errors.
package enum RejectionCode: String, Sendable {
  case undecodable
  case envelopeInvalid = "envelope_invalid"
  case envelopeSubjectMismatch = "envelope_subject_mismatch"
  case schemaNotFound = "schema_not_found"
  case schemaViolation = "schema_violation"
  case sizeViolation = "size_violation"

  var stage: String {
    switch self {
    case .undecodable, .sizeViolation: "decode"
    case .envelopeInvalid, .envelopeSubjectMismatch: "envelope"
    case .schemaNotFound, .schemaViolation: "schema"
    }
  }
}

struct Rejection: Error {
  let code: RejectionCode
  let path: String?
  let rule: String?
  let message: String

  init(_ code: RejectionCode, path: String? = nil, rule: String? = nil, _ message: String) {
    self.code = code
    self.path = path
    self.rule = rule
    self.message = message
  }

  static func envelope(_ path: String, _ rule: String) -> Rejection {
    Rejection(.envelopeInvalid, path: path, rule: rule, "\(path) of the envelope is not valid: expected \(rule)")
  }
}
