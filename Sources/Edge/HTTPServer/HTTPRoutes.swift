// Which handler answers which request.
//
//   GET /iceberg/v1/namespaces/{namespace}/tables/{table}
//
// A pattern is matched segment by segment before percent-decoding, so an encoded slash stays inside its segment. A path
// that no pattern has is 404; one that only other methods have is 405 with `allow`. HEAD is a method of its own.

package import Bedrock

package struct HTTPRoute: Sendable {
  let method: String
  let segments: [String]
  /// True for a handler that neither blocks nor computes: it runs on the event loop.
  let isImmediate: Bool
  private let handler: @Sendable (HTTPCall) throws(Fault) -> HTTPAnswer

  /// - Parameter pattern: begins with a slash; a segment in braces is a parameter.
  package init(
    _ method: String, _ pattern: String, isImmediate: Bool = false,
    _ handler: @escaping @Sendable (HTTPCall) throws(Fault) -> HTTPAnswer
  ) {
    precondition(pattern.hasPrefix("/"), "a pattern begins with a slash")
    self.method = method
    segments = pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    self.isImmediate = isImmediate
    self.handler = handler
  }

  /// Runs the handler.
  package func answer(_ call: HTTPCall) throws(Fault) -> HTTPAnswer { try handler(call) }

  /// Values of the parameters when the path has this form.
  fileprivate func match(_ path: [Substring]) -> [String: String]? {
    guard path.count == segments.count else { return nil }
    var parameters: [String: String] = [:]
    for (segment, text) in zip(segments, path) {
      if segment.hasPrefix("{") && segment.hasSuffix("}") {
        guard let value = URLText.decode(text), !value.isEmpty else { return nil }
        parameters[String(segment.dropFirst().dropLast())] = value
      } else if segment != text {
        return nil
      }
    }
    return parameters
  }
}

/// A fixed set of routes.
struct HTTPRoutes: Sendable {
  enum Match {
    case route(HTTPRoute, parameters: [String: String])
    case otherMethods([String])
    case none
  }
  private let routes: [HTTPRoute]

  init(_ routes: [HTTPRoute]) { self.routes = routes }

  /// - Parameter path: as the request has it, without the query.
  func match(_ method: String, _ path: Substring) -> Match {
    guard path.hasPrefix("/") else { return .none }
    var segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    // A slash at the end is the same place.
    if segments.count > 1, segments.last?.isEmpty == true { segments.removeLast() }
    var others: [String] = []
    for route in routes {
      guard let parameters = route.match(segments) else { continue }
      if route.method == method { return .route(route, parameters: parameters) }
      others.append(route.method)
    }
    return others.isEmpty ? .none : .otherMethods(others)
  }
}

/// Text in URLs (RFC 3986) and in forms.
enum URLText {
  /// Percent-decoded; nil when an escape is broken or the result is not UTF-8.
  static func decode(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var iterator = text.utf8.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The pairs of a query; nil when an escape is broken.
  static func query(_ text: Substring) -> [String: String]? {
    var result: [String: String] = [:]
    for pair in text.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = Substring(parts[0].map { $0 == "+" ? " " : $0 })
      let value = Substring((parts.count > 1 ? parts[1] : "").map { $0 == "+" ? " " : $0 })
      guard let name = decode(name), let value = decode(value) else { return nil }
      result[name] = value
    }
    return result
  }
}
