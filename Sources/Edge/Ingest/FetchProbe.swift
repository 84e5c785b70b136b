// The broker and its client alone: what ingest is measured against.

package import Bedrock
package import Runtime

package enum FetchProbe {
  package struct Result: Sendable {
    package let messages: Int
    package let payloadBytes: Int
    package let nanos: UInt64
  }

  /// Fetches and acknowledges `messages` messages of the stream from its start, in batches as `options` say, and does
  /// nothing with them. The consumer that `options` names is made anew. Blocks. Throws 08006 when they do not come.
  package static func run(_ options: IngestOptions, messages: Int, clock: Clock = .system) throws(Fault) -> Result {
    let broker = try Broker(options.broker)
    let consumer = try PullConsumer.bind(broker, options, from: 1, reuse: false)
    let start = clock.monotonicNanos()
    var count = 0, bytes = 0, empty = 0
    while count < messages {
      let batch = try consumer.fetch(messagesMax: options.batchMessagesMax, bytesMax: options.batchBytesMax, waitMs: 500)
      var last: OpaquePointer?
      try batch.forEach { (message) throws(Fault) in
        bytes += MessageView(message).payload.count
        last = message
      }
      count += batch.count
      empty = batch.count == 0 ? empty + 1 : 0
      guard empty < 20 else { throw Fault(.connectionFailure, "only \(count) of \(messages) messages have come") }
      if let last { consumer.acknowledge(last, isAnswered: false) }
    }
    return Result(messages: count, payloadBytes: bytes, nanos: clock.monotonicNanos() - start)
  }
}
