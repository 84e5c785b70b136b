// How to reach the broker. Plain values; the server fills them from the configuration.

package struct BrokerOptions: Sendable {
  /// `nats://host:port`, or `tls://host:port`; tried in order.
  package var servers: [String] = ["nats://127.0.0.1:4222"]
  package var user: String?
  package var password: String?
  package var token: String?
  /// A `.creds` file with JWT and seed.
  package var credentialsFile: String?
  package var tls = TLS()
  /// Shown by the broker's monitoring.
  package var connectionName = "cramped"
  package var connectTimeoutMs: Int64 = 2_000
  package var requestTimeoutMs: Int64 = 5_000

  package struct TLS: Sendable {
    /// Refuses a broker without TLS.
    package var isRequired = false
    /// PEM files.
    package var authorityFile: String?
    package var certificateFile: String?
    package var keyFile: String?
    package init() {}
  }

  package init() {}
}

/// The stream that holds events.
package struct StreamOptions: Sendable {
  package var name = "EVENTS"
  /// What subjects have before the event name, without the dot behind it.
  package var subjectPrefix = "events"
  /// The subjects of a stream that is made here.
  package var subjects: [String] { ["\(subjectPrefix).>"] }
  /// Makes the stream when there is none.
  package var createIfAbsent = true
  package var replicas: Int64 = 1
  /// How long the broker keeps events: the longest outage of this server that loses nothing. 0: for ever.
  package var maxAgeSeconds: Int64 = 7 * 86_400
  /// How long the broker recognises a repeated Nats-Msg-Id by itself.
  package var duplicateWindowSeconds: Int64 = 120

  package init() {}
}

package struct IngestOptions: Sendable {
  package var broker = BrokerOptions()
  package var stream = StreamOptions()
  package var consumer = "cramped-ingest"
  /// Messages and bytes of one fetch, and so of one synced write.
  package var batchMessagesMax = 5_000
  package var batchBytesMax: Int64 = 8 << 20
  package var ackWaitSeconds: Int64 = 60
  /// What to do when the broker has lost messages that were never fetched.
  package var onHole = HoleAction.stop

  package enum HoleAction: String, Sendable {
    /// Fetch nothing until an operator decides; the status says why.
    case stop
    /// Record the hole and go on behind it.
    case `continue`
  }

  package init() {}
}
