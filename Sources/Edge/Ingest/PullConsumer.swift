// The durable pull consumer: made so that it delivers exactly the messages from one sequence on, and fetched from.
//
// A consumer that was here before is kept only when its acknowledged floor is exactly W and nothing is outstanding: any
// other would skip messages, or hold them back until their ack wait ends.

import Bedrock
import CNATS

/// Messages of one fetch, freed together.
struct MessageBatch: ~Copyable {
  private var lists: [natsMsgList] = []

  deinit {
    for list in lists {
      var list = list
      natsMsgList_Destroy(&list)
    }
  }

  var count: Int { lists.reduce(0) { $0 + Int($1.Count) } }

  /// Takes over a list that libnats filled.
  mutating func add(_ list: natsMsgList) { lists.append(list) }

  /// The messages in order, valid as long as the batch.
  func forEach(_ body: (OpaquePointer) throws(Fault) -> Void) throws(Fault) {
    for list in lists {
      for index in 0..<Int(list.Count) {
        guard let message = list.Msgs[index] else { continue }
        try body(message)
      }
    }
  }
}

// unchecked because it is used by the ingest thread only.
final class PullConsumer: @unchecked Sendable {
  private let broker: Broker
  private let subscription: OpaquePointer
  private let stream: String
  private let name: String
  /// The last fetch was full: there is a backlog, and the next will fill as quickly.
  private var hasBacklog = false

  private init(broker: Broker, subscription: OpaquePointer, stream: String, name: String) {
    self.broker = broker
    self.subscription = subscription
    self.stream = stream
    self.name = name
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
    var binding = jsSubOptions()
    jsSubOptions_Init(&binding)
    var subscription: OpaquePointer?
    var code = jsErrCode(0)
    let status = options.stream.name.withCString { stream in
      options.consumer.withCString { name in
        binding.Stream = stream
        binding.Consumer = name
        return js_PullSubscribe(&subscription, broker.context, nil, name, nil, &binding, &code)
      }
    }
    guard status == NATS_OK, let subscription else {
      throw BrokerFault.make(status, "consumer \(options.consumer) cannot be bound", code: code)
    }
    return PullConsumer(
      broker: broker, subscription: subscription, stream: options.stream.name, name: options.consumer)
  }

  /// What is there now, at most `messagesMax`; when there is nothing, waits up to `waitMs` for a message and takes what has
  /// come by then. An event that arrives alone is so delivered at once, and a backlog in large batches.
  ///
  /// A broker answers "nothing there" at once, but does not say when it has sent less than was asked for: such a fetch
  /// ends by time, 20 ms unless the last one was full.
  func fetch(messagesMax: Int, bytesMax: Int64, waitMs: Int64) throws(Fault) -> MessageBatch {
    var batch = MessageBatch()
    let settleMs: Int64 = hasBacklog ? 250 : 20
    if let list = try request(messages: messagesMax, bytes: bytesMax, waitMs: settleMs, noWait: true) {
      hasBacklog = Int(list.Count) >= messagesMax / 2
      batch.add(list)
      return batch
    }
    hasBacklog = false
    guard let first = try request(messages: 1, bytes: bytesMax, waitMs: waitMs, noWait: false) else { return batch }
    batch.add(first)
    if messagesMax > 1, let rest = try request(messages: messagesMax - 1, bytes: bytesMax, waitMs: 20, noWait: true) {
      batch.add(rest)
    }
    return batch
  }

  private func request(messages: Int, bytes: Int64, waitMs: Int64, noWait: Bool) throws(Fault) -> natsMsgList? {
    var request = jsFetchRequest()
    jsFetchRequest_Init(&request)
    request.Batch = Int32(messages)
    request.MaxBytes = bytes
    request.Expires = waitMs * 1_000_000
    request.NoWait = noWait
    for _ in 0..<Self.triesMax {
      var list = natsMsgList()
      let status = natsSubscription_FetchRequest(&list, subscription, &request)
      if list.Count > 0 { return list }  // whatever ended the fetch, these messages are here
      natsMsgList_Destroy(&list)
      switch status {
      case NATS_OK, NATS_TIMEOUT, NATS_NOT_FOUND: return nil
      default: break
      }
      let fault = BrokerFault.make(status, "fetch from consumer \(name)")
      if fault.detail?.contains("Batch Completed") == true {
        // Newer brokers end a full request with this word, which may come behind the last message, so to the next fetch.
        continue
      }
      guard fault.detail?.contains("Exceeds MaxBytes") == true, request.MaxBytes > 0 else { throw fault }
      // The next message alone is over the byte limit: it becomes an error row, once it is here.
      request.MaxBytes = 0
      request.Batch = 1
    }
    return nil
  }
  private static let triesMax = 8

  /// Throws when the consumer is gone. Asked while nothing arrives: an old broker does not answer fetches of a deleted one.
  func checkAlive() throws(Fault) {
    var info: UnsafeMutablePointer<jsConsumerInfo>?
    defer { jsConsumerInfo_Destroy(info) }
    var code = jsErrCode(0)
    let status = js_GetConsumerInfo(&info, broker.context, stream, name, nil, &code)
    guard status == NATS_OK else { throw BrokerFault.make(status, "consumer \(name)", code: code) }
  }
}
