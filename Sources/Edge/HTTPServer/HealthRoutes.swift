// Probes for those who run the server.
//
//   GET /health/live    200 while the process answers at all
//   GET /health/ready   200 when it can do its work, 503 with the reason when not

import JSONTape

package enum HealthRoutes {
  /// - Parameter notReady: why the server cannot do its work, nil when it can.
  package static func routes(notReady: @escaping @Sendable () -> String?) -> [HTTPRoute] {
    ["GET", "HEAD"].flatMap { method in
      [
        HTTPRoute(method, "/health/live", isImmediate: true) { _ in status("live") },
        HTTPRoute(method, "/health/ready", isImmediate: true) { _ in
          if let reason = notReady() { return .error(503, "ServiceUnavailableException", reason) }
          return status("ready")
        },
      ]
    }
  }

  private static func status(_ word: String) -> HTTPAnswer {
    var writer = JSONWriter(capacity: 32)
    writer.beginObject()
    writer.key("status")
    writer.value(word)
    writer.endObject()
    return .json(200, writer.bytes)
  }
}
