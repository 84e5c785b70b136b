// Who asks. A secret is never part of a text: not of a description, a dump, a fault or a log line.

package import Bedrock
import Glibc
import Synchronization

/// A key pair, with a token when it is a temporary one.
package struct S3Credentials: Sendable, Equatable {
  let keyID: String
  let secret: String
  let sessionToken: String?

  /// Throws 28000 when a part is empty or cannot stand in a header.
  package init(keyID: String, secret: String, sessionToken: String? = nil) throws(Fault) {
    func isHeaderText(_ text: String) -> Bool { text.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
    guard !keyID.isEmpty, !secret.isEmpty, isHeaderText(keyID), isHeaderText(secret), isHeaderText(sessionToken ?? ""),
      !keyID.contains("/"), keyID.utf8.count <= 256, secret.utf8.count <= 1_024, (sessionToken ?? "").utf8.count <= 8_192
    else {
      throw Fault(
        .invalidAuthorization, "the S3 credentials are empty or hold characters that no credentials have",
        hint: "Look for line breaks, quotation marks and spaces around the access key, the secret key and the token.")
    }
    self.keyID = keyID
    self.secret = secret
    self.sessionToken = (sessionToken ?? "").isEmpty ? nil : sessionToken
  }

  /// `text` from a server without anything secret that it may repeat, on one line, at most 300 characters.
  func redacted(_ text: String) -> String {
    var out = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    for hidden in [secret, sessionToken ?? "", keyID] where !hidden.isEmpty {
      // Without Foundation: split by the hidden text and join.
      var parts: [Substring] = []
      var rest = out[...]
      while let found = rest.firstRange(of: hidden) {
        parts.append(rest[..<found.lowerBound])
        rest = rest[found.upperBound...]
      }
      if !parts.isEmpty { out = (parts + [rest]).joined(separator: "***") }
    }
    return String(out.prefix(300))
  }
}

extension S3Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "S3Credentials(hidden)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Where credentials come from.
package enum S3CredentialSource: Sendable {
  /// Given once: from variables of the environment.
  case fixed(S3Credentials)
  /// A file in the form of AWS's `credentials`, and the name of a section in it. Read again when the store refuses what
  /// it held before, so that keys can be rotated without a restart.
  case file(path: String, profile: String)
}

/// The credentials in use. Any thread.
final class S3CredentialHolder: Sendable {
  private let source: S3CredentialSource
  private let held: Mutex<S3Credentials>

  init(_ source: S3CredentialSource) throws(Fault) {
    self.source = source
    switch source {
    case .fixed(let credentials): held = Mutex(credentials)
    case .file(let path, let profile): held = Mutex(try S3CredentialsFile.read(path: path, profile: profile))
    }
  }

  var current: S3Credentials { held.withLock { $0 } }

  /// After a refusal of `refused`: true when the source now has others.
  func reload(refused: S3Credentials) throws(Fault) -> Bool {
    guard case .file(let path, let profile) = source else { return current != refused }
    let fresh = try S3CredentialsFile.read(path: path, profile: profile)
    held.withLock { $0 = fresh }
    return fresh != refused
  }
}

/// The file that AWS's tools keep keys in:
///
///     [default]
///     aws_access_key_id = ...
///     aws_secret_access_key = ...
///     aws_session_token = ...
enum S3CredentialsFile {
  static let bytesMax = 65_536

  static func read(path: String, profile: String) throws(Fault) -> S3Credentials {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw Fault(
        .configFileError, "cannot read the credentials file \(path): \(String(cString: strerror(errno)))")
    }
    defer { _ = close(file) }
    var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + count, $0.count - count) }  // not empty
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else {
        throw Fault(.configFileError, "cannot read the credentials file \(path): \(String(cString: strerror(errno)))")
      }
      if got == 0 { break }
      count += got
    }
    guard count <= bytesMax else {
      throw Fault(.configFileError, "the credentials file \(path) has over \(bytesMax) bytes")
    }
    return try parse(String(decoding: bytes[..<count], as: UTF8.self), path: path, profile: profile)
  }

  static func parse(_ text: String, path: String, profile: String) throws(Fault) -> S3Credentials {
    var values: [String: String] = [:]
    var isInside = false
    var isFound = false
    for line in text.split(whereSeparator: \.isNewline) {
      let line = trimmed(line)
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
      if line.hasPrefix("[") {
        isInside = trimmed(line.dropFirst().prefix { $0 != "]" }) == profile
        isFound = isFound || isInside
        continue
      }
      guard isInside, let equals = line.firstIndex(of: "=") else { continue }
      values[String(trimmed(line[..<equals])).lowercased()] = String(trimmed(line[line.index(after: equals)...]))
    }
    guard isFound else {
      throw Fault(.configFileError, "the credentials file \(path) has no section [\(profile)]")
    }
    guard let keyID = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else {
      throw Fault(
        .configFileError,
        "section [\(profile)] of the credentials file \(path) lacks aws_access_key_id or aws_secret_access_key")
    }
    return try S3Credentials(keyID: keyID, secret: secret, sessionToken: values["aws_session_token"])
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
