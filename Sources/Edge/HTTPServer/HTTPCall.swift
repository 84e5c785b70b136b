// A request and its answer as values: what route handlers see of HTTP. Sockets and framing are HTTPServer's.

package import Bedrock
import JSONTape

/// One request, its body read whole.
package struct HTTPCall: Sendable {
  /// In capitals: `GET`.
  package let method: String
  /// Decoded segments of the path that the route's `{names}` stand for.
  package let parameters: [String: String]
  /// Decoded; the last one of equal names.
  package let query: [String: String]
  /// By lower-case name.
  package let headers: [String: String]
  package let body: [UInt8]

  package init(
    method: String, parameters: [String: String] = [:], query: [String: String] = [:],
    headers: [String: String] = [:], body: [UInt8] = []
  ) {
    self.method = method
    self.parameters = parameters
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// A parameter of the route. Traps when the route has none of that name.
  package func parameter(_ name: String) -> String {
    guard let value = parameters[name] else { preconditionFailure("the route has no parameter \(name)") }
    return value
  }
}

package struct HTTPAnswer: Sendable {
  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    precondition(status >= 200 && status <= 599, "a final status")
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// An answer that is JSON text.
  package static func json(_ status: Int = 200, _ body: [UInt8]) -> HTTPAnswer {
    HTTPAnswer(status: status, headers: [("content-type", "application/json")], body: body)
  }

  package static let noContent = HTTPAnswer(status: 204)

  /// `{"error":{"message":...,"type":...,"code":...}}`, the form of the Iceberg REST specification, for every route.
  package static func error(_ status: Int, _ type: String, _ message: String) -> HTTPAnswer {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("error")
    writer.beginObject()
    writer.key("message")
    writer.value(message)
    writer.key("type")
    writer.value(type)
    writer.key("code")
    writer.value(Int64(status))
    writer.endObject()
    writer.endObject()
    return .json(status, writer.bytes)
  }

  /// The answer to a request that failed.
  package static func fault(_ fault: Fault) -> HTTPAnswer {
    let text = [fault.message, fault.detail, fault.hint].compactMap { $0 }.joined(separator: "; ")
    switch fault.kind {
    case .callersMistake: return error(400, "BadRequestException", text)
    case .gone: return error(404, "NotFoundException", text)
    case .unsupported: return error(501, "UnsupportedOperationException", text)
    case .tryLater, .cancelled: return error(503, "ServiceUnavailableException", text)
    case .corrupt, .bug: return error(500, "InternalServerError", text)
    }
  }
}
