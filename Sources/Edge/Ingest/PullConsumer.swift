// The durable pull consumer: made so that it delivers exactly the messages from one sequence on, and fetched from.
//
// A consumer that was here before is kept only when its acknowledged floor is exactly W and nothing is outstanding: any
// other would skip messages, or hold them back until their ack wait ends.
//
//   pull request (batch, max_bytes, expires) ──► $JS.API.CONSUMER.MSG.NEXT.<stream>.<consumer>
//   messages ──► <inbox>.<number of request> ──► queue of the subscription ──► fetch
//
// At least half a batch is always asked for, so messages arrive while the batch before is written: an event that comes
// alone is there at once, and under load batches are as large as what has come during the last write. The broker ends a
// request by count without a word, or by a status message: 404 and 408 nothing came in time, 409 a limit was met or the
// consumer is gone. Whatever ends one, the next is sent; a request too many only brings messages earlier. Messages
// without acknowledgement are bounded by the consumer's MaxAckPending, so the queue is too.
//
// The client library's own fetch is not used: that of libnats 3.4 writes past its list when messages of an earlier
// request keep coming (Debian 12 has 3.4.1).

import Bedrock
import CNATS
import Runtime

/// Messages of one fetch, freed together.
struct MessageBatch: ~Copyable {
  private var messages: [OpaquePointer] = []
  private(set) var payloadBytes: Int64 = 0

  deinit { for message in messages { natsMsg_Destroy(message) } }

  var count: Int { messages.count }

  /// Takes over a message.
  mutating func add(_ message: OpaquePointer) {
    messages.append(message)
    payloadBytes += Int64(natsMsg_GetDataLength(message))
  }

  /// The messages in order, valid as long as the batch.
  func forEach(_ body: (OpaquePointer) throws(Fault) -> Void) throws(Fault) {
    for message in messages { try body(message) }
  }
}

// unchecked because it is used by the ingest thread only.
final class PullConsumer: @unchecked Sendable {
  private let broker: Broker
  private let subscription: OpaquePointer
  private let stream: String
  private let name: String
  private let inbox: String
  private let clock = Clock.system

  /// Of the newest pull request.
  private var requestNumber: UInt64 = 0
  /// Messages that open requests may still bring, as far as is known here.
  private var owed = 0
  private var requestEndsNanos: UInt64 = 0
  private var receivedSinceRequest = 0
  /// The next message alone is over the byte limit: it is asked for without one, and becomes an error row.
  private var nextIsTooLarge = false
  private static let expiresNanos: UInt64 = 5_000_000_000

  private init(broker: Broker, subscription: OpaquePointer, stream: String, name: String, inbox: String) {
    self.broker = broker
    self.subscription = subscription
    self.stream = stream
    self.name = name
    self.inbox = inbox
  }

  deinit { natsSubscription_Destroy(subscription) }

  /// Binds to the consumer, made anew unless it stands exactly at `from`.
  static func bind(_ broker: Broker, _ options: IngestOptions, from: UInt64, reuse: Bool) throws(Fault) -> PullConsumer {
    let stream = options.stream.name
    var info: UnsafeMutablePointer<jsConsumerInfo>?
    defer { jsConsumerInfo_Destroy(info) }
    var code = jsErrCode(0)
    let status = js_GetConsumerInfo(&info, broker.context, stream, options.consumer, nil, &code)
    guard status == NATS_OK || status == NATS_NOT_FOUND else {
      throw BrokerFault.make(status, "consumer \(options.consumer)", code: code)
    }
    let fits = info.map { isUsable($0.pointee, options, from: from) } ?? false
    if !(reuse && fits) {
      if info != nil {
        let deleted = js_DeleteConsumer(broker.context, stream, options.consumer, nil, &code)
        guard deleted == NATS_OK || deleted == NATS_NOT_FOUND else {
          throw BrokerFault.make(deleted, "consumer \(options.consumer) cannot be deleted", code: code)
        }
      }
      try create(broker, options, from: from)
    }
    return try subscribe(broker, options)
  }

  private static func isUsable(_ info: jsConsumerInfo, _ options: IngestOptions, from: UInt64) -> Bool {
    guard let config = info.Config?.pointee else { return false }
    let isOurs =
      config.AckPolicy == js_AckAll && config.DeliverSubject == nil && config.FilterSubject == nil
      && config.MaxDeliver == -1 && config.MaxAckPending >= 4 * Int64(options.batchMessagesMax)
    return isOurs && info.NumAckPending == 0 && info.AckFloor.Stream + 1 == from && info.Delivered.Stream + 1 == from
  }

  private static func create(_ broker: Broker, _ options: IngestOptions, from: UInt64) throws(Fault) {
    var config = jsConsumerConfig()
    jsConsumerConfig_Init(&config)
    config.AckPolicy = js_AckAll
    config.AckWait = options.ackWaitSeconds * 1_000_000_000
    config.MaxDeliver = -1
    config.DeliverPolicy = js_DeliverByStartSequence
    config.OptStartSeq = from
    config.ReplayPolicy = js_ReplayInstant
    config.MaxAckPending = 4 * Int64(options.batchMessagesMax)
    var code = jsErrCode(0)
    let status = options.consumer.withCString { name in
      config.Durable = name
      return js_AddConsumer(nil, broker.context, options.stream.name, &config, nil, &code)
    }
    guard status == NATS_OK else {
      throw BrokerFault.make(status, "consumer \(options.consumer) cannot be made", code: code)
    }
  }

  private static func subscribe(_ broker: Broker, _ options: IngestOptions) throws(Fault) -> PullConsumer {
    var raw: UnsafeMutablePointer<natsInbox>?
    let made = natsInbox_Create(&raw)
    guard made == NATS_OK, let raw else { throw BrokerFault.make(made, "inbox") }
    let inbox = String(cString: raw)
    natsInbox_Destroy(raw)
    var subscription: OpaquePointer?
    var status = natsConnection_SubscribeSync(&subscription, broker.connection, inbox + ".*")
    guard status == NATS_OK, let subscription else {
      throw BrokerFault.make(status, "consumer \(options.consumer) cannot be bound")
    }
    status = natsSubscription_SetPendingLimits(subscription, -1, -1)
    guard status == NATS_OK else {
      natsSubscription_Destroy(subscription)
      throw BrokerFault.make(status, "consumer \(options.consumer) cannot be bound")
    }
    return PullConsumer(
      broker: broker, subscription: subscription, stream: options.stream.name, name: options.consumer, inbox: inbox)
  }

  // MARK: Fetch

  /// What has come, at most `messagesMax` messages and about `bytesMax` bytes; waits up to `waitMs` for the first.
  func fetch(messagesMax: Int, bytesMax: Int64, waitMs: Int64) throws(Fault) -> MessageBatch {
    var batch = MessageBatch()
    let end = clock.monotonicNanos() + UInt64(waitMs) * 1_000_000
    while batch.count < messagesMax && batch.payloadBytes < bytesMax {
      try keepAsking(messagesMax, bytesMax)
      var left: Int64 = 0
      if batch.count == 0 {
        let now = clock.monotonicNanos()
        left = now < end ? Int64((end - now) / 1_000_000) + 1 : 0
      }
      var found: OpaquePointer?
      let status = natsSubscription_NextMsg(&found, subscription, left)
      if status == NATS_TIMEOUT {
        let now = clock.monotonicNanos()
        // A request can be lost with a broker; its end then never comes.
        if now > requestEndsNanos { owed = 0 }
        if batch.count > 0 || now >= end { break }
        continue
      }
      guard status == NATS_OK, let found else { throw BrokerFault.make(status, "fetch from consumer \(name)") }
      if natsMsg_GetReply(found) != nil {
        owed -= owed > 0 ? 1 : 0
        receivedSinceRequest += 1
        batch.add(found)
      } else {
        defer { natsMsg_Destroy(found) }
        // Messages before a bad end are delivered; a new session meets the reason again.
        do throws(Fault) { try ended(found) } catch {
          if batch.count == 0 { throw error }
          break
        }
      }
    }
    return batch
  }

  /// Sends a pull request when open ones may not bring half a batch any more.
  private func keepAsking(_ messagesMax: Int, _ bytesMax: Int64) throws(Fault) {
    if owed > messagesMax / 2 { return }
    let count = nextIsTooLarge ? 1 : messagesMax
    let limit = nextIsTooLarge ? "" : ",\"max_bytes\":\(bytesMax)"
    requestNumber += 1
    let body = "{\"batch\":\(count),\"expires\":\(Self.expiresNanos)\(limit)}"
    let status = natsConnection_PublishRequestString(
      broker.connection, "$JS.API.CONSUMER.MSG.NEXT.\(stream).\(name)", "\(inbox).\(requestNumber)", body)
    guard status == NATS_OK else { throw BrokerFault.make(status, "fetch from consumer \(name)") }
    owed = min(owed, messagesMax / 2) + (nextIsTooLarge ? messagesMax : count)
    receivedSinceRequest = 0
    nextIsTooLarge = false
    requestEndsNanos = clock.monotonicNanos() + Self.expiresNanos + 1_000_000_000
  }

  /// A status message has ended a request. Throws when it says that there will be no more.
  private func ended(_ message: OpaquePointer) throws(Fault) {
    func header(_ name: StaticString) -> String {
      MessageView.header(message, name).map { String(cString: $0) } ?? ""
    }
    let status = header("Status")
    let reason = header("Description")
    switch status {
    case "404", "408": owed = 0
    case "409" where reason.contains("Batch Completed") || reason.contains("Exceeded MaxAckPending"): owed = 0
    case "409" where reason.contains("Exceeds MaxBytes"):
      owed = 0
      nextIsTooLarge = receivedSinceRequest == 0
    case "100": break
    default:
      throw Fault(
        .connectionFailure, "consumer \(name) gives nothing: \(status) \(reason)", kind: .tryLater)
    }
  }

  /// Acknowledges everything up to this message; with `isAnswered`, waits for the broker to confirm. A lost
  /// acknowledgement costs a redelivery, never an event.
  func acknowledge(_ message: OpaquePointer, isAnswered: Bool) {
    guard let reply = natsMsg_GetReply(message) else { return }
    if isAnswered {
      var answer: OpaquePointer?
      _ = natsConnection_RequestString(&answer, broker.connection, reply, "+ACK", 2_000)
      natsMsg_Destroy(answer)
    } else {
      _ = natsConnection_PublishString(broker.connection, reply, "+ACK")
    }
  }

  /// Throws when the consumer is gone. Asked while nothing arrives: an old broker does not answer fetches of a deleted one.
  func checkAlive() throws(Fault) {
    var info: UnsafeMutablePointer<jsConsumerInfo>?
    defer { jsConsumerInfo_Destroy(info) }
    var code = jsErrCode(0)
    let status = js_GetConsumerInfo(&info, broker.context, stream, name, nil, &code)
    guard status == NATS_OK else { throw BrokerFault.make(status, "consumer \(name)", code: code) }
  }
}
