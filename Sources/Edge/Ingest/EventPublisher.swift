// Publishes events to the stream and knows which of them the broker has taken.
//
//   publish ── at most `inFlightMax` without an answer ── ack: counted
//                                                      └─ failure or no answer in time: sent again, same Nats-Msg-Id
//
// A message counts as published once the broker has acknowledged it. Repeats inside the broker's duplicate window are
// recognised there, later ones by sequence in the storage; so sending twice never doubles an event.

package import Bedrock
import CNATS
import Runtime

/// An event ready to be sent.
package struct OutgoingEvent: Sendable {
  /// `<prefix>.<domain>.<entity>.<name>`.
  package var subject: String
  /// `<domain>/<entity>/<sequence>`: the same for the same event.
  package var messageID: String?
  package var payload: [UInt8]
  /// `nil`: JSON.
  package var contentType: String?

  package init(subject: String, messageID: String?, payload: [UInt8], contentType: String? = nil) {
    self.subject = subject
    self.messageID = messageID
    self.payload = payload
    self.contentType = contentType
  }
}

package struct PublishTotals: Sendable, Equatable {
  /// Acknowledged by the broker, duplicates among them.
  package var acknowledged: UInt64 = 0
  /// Acknowledged as seen before.
  package var duplicates: UInt64 = 0
  /// Sent again after a failure or silence.
  package var retries: UInt64 = 0
}

/// What the acknowledgement callback keeps.
final class PublishAcks: Sendable {
  // unchecked because a message belongs to whoever took it out of the list, under the mutex.
  struct State: @unchecked Sendable {
    var totals = PublishTotals()
    /// Messages to be sent again.
    var failed: [OpaquePointer] = []
    var lastError: String?
  }
  let state = Monitor(State())

  func takeFailed() -> [OpaquePointer] {
    state.change { state in
      let taken = state.failed
      state.failed = []
      return taken
    }
  }

  static let handler: jsPubAckHandler = { _, message, ack, failure, closure in
    guard let closure else { return }
    let acks = Unmanaged<PublishAcks>.fromOpaque(closure).takeUnretainedValue()
    if let ack {
      acks.state.change { state in
        state.totals.acknowledged += 1
        if ack.pointee.Duplicate { state.totals.duplicates += 1 }
      }
      natsMsg_Destroy(message)
    } else {
      let text = failure?.pointee.ErrText.map { String(cString: $0) }
      let status = failure.map { BrokerFault.text($0.pointee.Err) }
      nonisolated(unsafe) let returned = message  // handed over to the list; nobody else has it
      acks.state.change { state in
        state.lastError = text ?? status
        if let returned { state.failed.append(returned) }
      }
    }
  }
}

/// For one thread.
package final class EventPublisher {
  private let broker: Broker
  private let acks: PublishAcks
  private var sent: UInt64 = 0
  /// What subjects of the stream have before the event name, without the dot.
  let subjectPrefix: String
  /// How long to go on without a single acknowledgement before giving up.
  private let patienceSeconds: UInt64

  /// Connects, and makes the stream when `stream` allows and there is none.
  package init(
    broker options: BrokerOptions, stream: StreamOptions, inFlightMax: Int = 4_000, patienceSeconds: Int = 60
  ) throws(Fault) {
    precondition(inFlightMax >= 1 && patienceSeconds >= 1)
    broker = try Broker(options) { js, events in
      js.PublishAsync.MaxPending = Int64(inFlightMax)
      js.PublishAsync.StallWait = 1_000
      js.PublishAsync.AckHandler = PublishAcks.handler
      js.PublishAsync.AckHandlerClosure = Unmanaged.passUnretained(events.acks).toOpaque()
    }
    acks = broker.events.acks
    self.patienceSeconds = UInt64(patienceSeconds)
    subjectPrefix = stream.subjectPrefix
    _ = try broker.prepareStream(stream)
  }

  deinit { for message in acks.takeFailed() { natsMsg_Destroy(message) } }

  package var totals: PublishTotals { acks.state.change { $0.totals } }

  /// Sends an event; blocks while too many are unanswered. Throws 54000 for a payload over the limit, 08006 when the
  /// broker acknowledges nothing for the whole of the patience.
  package func publish(_ event: OutgoingEvent) throws(Fault) {
    guard event.payload.count <= Limits.eventBytesMax else {
      throw Fault(.programLimitExceeded, "an event of \(event.payload.count) bytes is over \(Limits.eventBytesMax)")
    }
    try resendFailed()
    var message: OpaquePointer?
    let made = event.payload.withUnsafeBytes { bytes in
      natsMsg_Create(
        &message, event.subject, nil, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
    }
    guard made == NATS_OK else { throw BrokerFault.make(made, "message for \(event.subject)") }
    var status = NATS_OK
    if let id = event.messageID { status = natsMsgHeader_Set(message, "Nats-Msg-Id", id) }
    if status == NATS_OK, let type = event.contentType { status = natsMsgHeader_Set(message, "Content-Type", type) }
    guard status == NATS_OK else {
      natsMsg_Destroy(message)
      throw BrokerFault.make(status, "headers for \(event.subject)")
    }
    try send(&message)
    sent += 1
  }

  /// Waits until the broker has acknowledged everything.
  package func finish() throws(Fault) -> PublishTotals {
    var patience = Patience(acks, seconds: patienceSeconds)
    let sent = self.sent
    while true {
      try resendFailed()
      _ = acks.state.wait(timeoutMicros: 500_000) { state -> Bool? in
        state.totals.acknowledged >= sent || !state.failed.isEmpty ? true : nil
      }
      if totals.acknowledged >= sent { return totals }
      try patience.check("waiting for acknowledgements")
      if patience.isSilent() { reclaim() }
    }
  }

  private func resendFailed() throws(Fault) {
    let failed = acks.takeFailed()
    if failed.isEmpty { return }
    acks.state.change { $0.totals.retries += UInt64(failed.count) }
    Pause.micros(Self.backOffMicros)
    for (index, pointer) in failed.enumerated() {
      var message: OpaquePointer? = pointer
      do throws(Fault) { try send(&message) } catch {
        for rest in failed[(index + 1)...] { natsMsg_Destroy(rest) }
        throw error
      }
    }
  }

  /// Takes back what was sent and never answered, to be sent again: acknowledgements die with a connection.
  private func reclaim() {
    var list = natsMsgList()
    guard js_PublishAsyncGetPendingList(&list, broker.context) == NATS_OK else { return }  // NATS_NOT_FOUND: nothing is
    for index in 0..<Int(list.Count) {
      guard let message = list.Msgs[index] else { continue }
      list.Msgs[index] = nil
      nonisolated(unsafe) let returned = message  // handed over to the list; nobody else has it
      acks.state.change { $0.failed.append(returned) }
    }
    natsMsgList_Destroy(&list)
  }

  /// Hands the message to libnats, or destroys it and throws.
  private func send(_ message: inout OpaquePointer?) throws(Fault) {
    var patience = Patience(acks, seconds: patienceSeconds)
    var options = jsPubOptions()
    jsPubOptions_Init(&options)
    options.MaxWait = 1_000
    while true {
      let status = js_PublishMsgAsync(broker.context, &message, &options)
      if status == NATS_OK { return }
      do throws(Fault) { try patience.check(BrokerFault.text(status)) } catch {
        natsMsg_Destroy(message)
        message = nil
        throw error
      }
      // A timeout is the stall on too many unanswered: it has waited already.
      if status != NATS_TIMEOUT { Pause.micros(Self.backOffMicros) }
      if patience.isSilent() { reclaim() }
    }
  }

  /// A broker without a quorum refuses at once: thousands of tries a second would not help it.
  private static let backOffMicros: Int64 = 100_000

  /// Tells when nothing was acknowledged for too long.
  private struct Patience {
    private let acks: PublishAcks
    private let nanosMax: UInt64
    private var seen: UInt64
    private var since: UInt64
    private var reclaimed: UInt64
    private static let silenceNanos: UInt64 = 5_000_000_000

    init(_ acks: PublishAcks, seconds: UInt64) {
      self.acks = acks
      nanosMax = seconds * 1_000_000_000
      seen = acks.state.change { $0.totals.acknowledged }
      since = Self.now()
      reclaimed = since
    }

    /// Throws at the end of the patience.
    mutating func check(_ what: String) throws(Fault) {
      let (acknowledged, last) = acks.state.change { ($0.totals.acknowledged, $0.lastError) }
      if acknowledged != seen {
        seen = acknowledged
        since = Self.now()
        reclaimed = since
      } else if Self.now() - since > nanosMax {
        throw Fault(
          .connectionFailure, "the broker acknowledges nothing for \(nanosMax / 1_000_000_000) s: \(what)", detail: last)
      }
    }

    /// True once in five seconds without an acknowledgement.
    mutating func isSilent() -> Bool {
      guard Self.now() - reclaimed > Self.silenceNanos else { return false }
      reclaimed = Self.now()
      return true
    }

    private static func now() -> UInt64 { clock.monotonicNanos() }
    private static let clock = Clock.system
  }
}
