// What the ingest loop says of itself: the row of cramped.ingest.

package import Bedrock
import StorageContract
import Synchronization

package struct IngestStatus: Sendable {
  package enum State: String, Sendable {
    case starting, running
    /// The broker or the storage is in trouble; tried again with growing pauses.
    case waiting
    /// The broker lost messages that were never fetched, and `onHole` is `stop`.
    case stoppedAtHole = "stopped_at_hole"
    case stopped
  }
  package var state = State.starting
  package var stream: String
  package var consumer: String
  /// W as this loop last saw it.
  package var written = Position.zero
  /// Messages behind W on the broker, when last heard.
  package var lag: UInt64 = 0
  /// Messages per second over about the last two seconds.
  package var eventsPerSecond = 0.0
  /// Since the start of the server.
  package var batches: UInt64 = 0
  package var received: UInt64 = 0
  package var stored: UInt64 = 0
  package var duplicates: UInt64 = 0
  package var failed: UInt64 = 0
  /// Messages that the broker delivered again although they were written.
  package var redelivered: UInt64 = 0
  package var unknownFields: UInt64 = 0
  package var nulledValues: UInt64 = 0
  /// Messages lost by the broker before they were fetched.
  package var lostMessages: UInt64 = 0
  package var restarts: UInt64 = 0
  package var lastError: String?
  /// µs since 1970.
  package var lastErrorMicros: Int64?
  package var lastBatchMicros: Int64?

  init(stream: String, consumer: String) {
    self.stream = stream
    self.consumer = consumer
  }
}

/// The status, shared between the loop and whoever asks.
final class StatusBoard: Sendable {
  private let status: Mutex<IngestStatus>
  init(_ status: IngestStatus) { self.status = Mutex(status) }
  var current: IngestStatus { status.withLock { $0 } }
  func update(_ change: (inout sending IngestStatus) -> Void) { status.withLock { change(&$0) } }
}
