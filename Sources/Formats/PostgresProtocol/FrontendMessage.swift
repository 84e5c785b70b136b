// What a client can say: PostgreSQL 15 manual, section 55.7 (protocol 3.0).

package import Bedrock

/// A message of a client, copied out of the receive buffer.
package enum FrontendMessage: Sendable, Equatable {
  // Before the session exists: packets without a type byte.
  case sslRequest
  case gssEncryptionRequest
  case cancelRequest(CancelKey)
  case startup(Startup)

  // In a session: packets with a type byte.
  case password([UInt8])
  case query(String)
  case parse(Parse)
  case bind(Bind)
  case describe(Target)
  case execute(portal: String, rowsMax: Int)
  case close(Target)
  case flush
  case sync
  case terminate
  case copyData([UInt8])
  case copyDone
  case copyFail(String)
  case functionCall
  /// A well-framed message whose content is wrong: the connection stays usable.
  case malformed(type: UInt8, Fault)

  package static func == (a: FrontendMessage, b: FrontendMessage) -> Bool {
    String(reflecting: a) == String(reflecting: b)
  }

  /// The first packet of a session.
  package struct Startup: Sendable, Equatable {
    package var minorVersion: Int
    /// In the order of the packet; `user`, `database` and settings.
    package var parameters: [Parameter]

    package struct Parameter: Sendable, Equatable {
      package var name: String
      package var value: String
      package init(name: String, value: String) {
        self.name = name
        self.value = value
      }
    }

    package init(minorVersion: Int, parameters: [Parameter]) {
      self.minorVersion = minorVersion
      self.parameters = parameters
    }

    /// The value of the last parameter of that name.
    package func value(of name: String) -> String? { parameters.last { $0.name == name }?.value }

    /// Protocol options (`_pq_.*`) that Cramped does not know: all of them.
    package var unknownOptions: [String] { parameters.map(\.name).filter { $0.hasPrefix("_pq_.") } }

    /// True when the client must be told what version and options it will get.
    package var needsNegotiation: Bool { minorVersion > 0 || !unknownOptions.isEmpty }
  }

  package struct Parse: Sendable, Equatable {
    package var name: String
    package var sql: String
    /// Declared parameter types; 0 asks the server to infer one.
    package var parameterTypes: [UInt32]
    package init(name: String, sql: String, parameterTypes: [UInt32]) {
      self.name = name
      self.sql = sql
      self.parameterTypes = parameterTypes
    }
  }

  package struct Bind: Sendable, Equatable {
    package var portal: String
    package var statement: String
    /// None, one for all, or one per parameter.
    package var parameterFormats: [Int16]
    /// `nil` is null.
    package var parameters: [[UInt8]?]
    /// None, one for all, or one per result column.
    package var resultFormats: [Int16]
    package init(
      portal: String, statement: String, parameterFormats: [Int16] = [], parameters: [[UInt8]?] = [],
      resultFormats: [Int16] = []
    ) {
      self.portal = portal
      self.statement = statement
      self.parameterFormats = parameterFormats
      self.parameters = parameters
      self.resultFormats = resultFormats
    }
  }

  /// What Describe and Close point at.
  package enum Target: Sendable, Equatable {
    case statement(String)
    case portal(String)
  }
}

/// Names a session to cancel: the numbers of its BackendKeyData.
package struct CancelKey: Sendable, Hashable {
  package var process: Int32
  package var secret: Int32
  package init(process: Int32, secret: Int32) {
    self.process = process
    self.secret = secret
  }
}

/// How values travel: as text or in the type's binary form.
package enum WireFormat: Int16, Sendable {
  case text = 0
  case binary = 1

  /// The format of each of `count` columns from the codes of a Bind: none, one for all, or one each.
  ///
  /// Throws 08P01 for another number of codes, 22023 for a code that is neither 0 nor 1.
  package static func expand(_ codes: [Int16], count: Int, of what: String) throws(Fault) -> [WireFormat] {
    guard codes.count <= 1 || codes.count == count else {
      throw Fault(
        .protocolViolation, "bind message has \(codes.count) \(what) formats but \(count) \(what)s")
    }
    var formats: [WireFormat] = []
    formats.reserveCapacity(codes.count)
    for code in codes {
      guard let format = WireFormat(rawValue: code) else {
        throw Fault(.invalidParameterValue, "unsupported format code: \(code)")
      }
      formats.append(format)
    }
    if formats.count == count && count != 1 { return formats }
    return Array(repeating: formats.first ?? .text, count: count)
  }
}
