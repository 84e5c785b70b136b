// What an answer other than success means: try again, look at something first, or a fault in words a user can act on.

import Bedrock

/// Status, code and message of a refused request.
struct S3Refusal: Sendable {
  let status: Int
  /// `AccessDenied`; empty when the answer had no body, as after HEAD.
  let code: String
  /// The server's own words, without anything secret.
  let message: String
  /// Region or endpoint that the server names instead.
  let region: String?
  let requestID: String?

  init(_ answer: HTTPAnswer, _ credentials: S3Credentials) {
    status = answer.status
    // A body that is not S3's XML (a proxy's page) leaves just the status.
    let document = answer.body.isEmpty ? nil : Self.document(answer.body)
    code = String((document?.text("Code") ?? "").filter { $0.isLetter || $0.isNumber }.prefix(64))
    message = credentials.redacted(document?.text("Message") ?? "")
    region = (answer.header("x-amz-bucket-region") ?? document?.text("Region")).map { credentials.redacted($0) }
    requestID = answer.header("x-amz-request-id").map { credentials.redacted($0) }
  }

  private static func document(_ body: [UInt8]) -> XMLElement? {
    do throws(Fault) {
      let element = try XMLElement(parsing: body)
      return element.name == "Error" ? element : nil
    } catch { return nil }
  }

  enum Advice: Equatable {
    case tryAgain
    /// The credentials may have been rotated.
    case reloadCredentials
    /// The clocks differ.
    case correctClock
    case giveUp
  }

  var advice: Advice {
    switch code {
    case "RequestTimeTooSkewed", "RequestExpired": return .correctClock
    case "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired", "SignatureDoesNotMatch":
      return .reloadCredentials
    case "RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalError",
      "ServiceUnavailable", "OperationAborted", "ConditionalRequestConflict", "BadDigest",
      "XAmzContentSHA256Mismatch", "IncompleteBody":
      return .tryAgain
    default: break
    }
    switch status {
    case 408, 425, 429, 500, 502, 503, 504: return .tryAgain
    case 409 where code.isEmpty: return .tryAgain
    default: return .giveUp
    }
  }

  private var reason: String {
    let text = code.isEmpty ? "status \(status)" : code
    return message.isEmpty ? text : "\(text): \(message)"
  }

  /// The fault of `what` ("read \"a/b\"") on `place`.
  func fault(_ what: String, endpoint: S3Endpoint, region usedRegion: String) -> Fault {
    let text = "could not \(what): \(reason)"
    let detail = requestID.map { "Status \(status), request \($0)." } ?? "Status \(status)."
    func fault(_ state: SQLState, kind: FaultKind? = nil, hint: String? = nil) -> Fault {
      Fault(state, text, kind: kind, detail: detail, hint: hint)
    }
    switch code {
    case "NoSuchBucket":
      return fault(
        .undefinedFile, kind: .callersMistake,
        hint: "Make the bucket \"\(endpoint.bucket)\", or correct the name in \"lake.s3.bucket\".")
    case "NoSuchKey", "NoSuchVersion", "NoSuchUpload": return fault(.undefinedFile, kind: .gone)
    case "RequestTimeTooSkewed", "RequestExpired":
      return fault(.insufficientPrivilege, hint: "The clocks of this machine and of the store differ. Set them by NTP.")
    case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
      return fault(.insufficientPrivilege, hint: "The session token has expired. Provide a new one.")
    case "InvalidAccessKeyId":
      return fault(.insufficientPrivilege, hint: "The store does not know this access key.")
    case "SignatureDoesNotMatch":
      return fault(
        .insufficientPrivilege,
        hint: "The secret key does not belong to the access key, or something between here and the store changes requests.")
    case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
      return fault(.invalidParameterValue, hint: regionHint(usedRegion))
    case "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull":
      return fault(.diskFull, hint: "Free space in the bucket, or raise its quota.")
    case "EntityTooLarge": return fault(.programLimitExceeded)
    case "NotImplemented": return fault(.featureNotSupported, hint: "This store lacks a part of S3 that a lake needs.")
    default: break
    }
    switch status {
    case 301, 302, 307, 308: return fault(.invalidParameterValue, hint: regionHint(usedRegion))
    case 401, 403:
      return fault(
        .insufficientPrivilege,
        hint: "The credentials must allow s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket and "
          + "s3:AbortMultipartUpload on this bucket and prefix.")
    case 404:
      // Not in S3's words, so no proof that an object is missing.
      return fault(.ioError, kind: .callersMistake, hint: "\"lake.s3.endpoint\" may be the address of something else.")
    case 501: return fault(.featureNotSupported, hint: "This store lacks a part of S3 that a lake needs.")
    case 507: return fault(.diskFull, hint: "Free space in the bucket, or raise its quota.")
    case 408, 425, 429, 500...599: return fault(.ioError, hint: "The store is overloaded or away. Try again later.")
    default: return fault(.ioError, kind: .callersMistake)
    }
  }

  private func regionHint(_ used: String) -> String {
    guard let region, region != used else { return "\"lake.s3.endpoint\" or \"lake.s3.region\" is not the bucket's." }
    return "The bucket is in another region: set \"lake.s3.region\" to \(region)."
  }
}
