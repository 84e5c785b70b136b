// The loop that carries one stream into the storage (RELIABILITY.md section 1.2).
//
//   session: connect ── stream ── W and resume ── consumer ──┬─ fetch ── decode ── hash ── append (synced) ── ack ─┐
//      ▲                                                     └──────────────────────◄──────────────────────────────┘
//      └── any fault, a reconnect, or a gap: back off, then a new session, which reads W again
//
// Invariants
//   1. A message is acknowledged only after the synced write that holds it, or because it is at or below W.
//   2. Stream sequences are applied in rising order without a gap, unless the broker proves that the missing messages do
//      not exist any more; then they are counted as lost and logged.
//   3. After a failed append nothing is retried in place: its outcome is unknown until W is read again.

import Bedrock
import EventDecoding
import Logging
import Runtime
import StorageContract
import Synchronization

final class IngestLoop {
  private let options: IngestOptions
  private let shard: ShardID
  private let sink: any AppendSink
  private let applier: BatchApplier
  private let clock: Clock
  private let log: Logger
  private let stop: StopSignal
  private let board: StatusBoard
  private var random = SeededGenerator(seed: Entropy.word())
  private var backOff = BackOff()
  private var lastLogged: String?
  private var warned: Set<String> = []

  init(
    options: IngestOptions, sink: any AppendSink, applier: BatchApplier, clock: Clock, log: Logger, stop: StopSignal,
    board: StatusBoard
  ) {
    self.options = options
    shard = ShardID(name: options.stream.name)
    self.sink = sink
    self.applier = applier
    self.clock = clock
    self.log = log
    self.stop = stop
    self.board = board
  }

  /// Runs until stopped. Never gives up.
  func run() {
    while !stop.isStopped {
      do throws(Fault) { try session() } catch {
        applier.discard()
        note(.waiting, error.description, level: .warning)
        board.update { $0.restarts += 1 }
        if stop.wait(milliseconds: backOff.next(using: &random)) { break }
      }
    }
    board.update { $0.state = .stopped }
    log.info("ingest stopped", metadata: ["written": "\(board.current.written)"])
  }

  // MARK: A session

  /// What a session knows of the log.
  private struct Cursor {
    var epoch: UInt16
    /// The next stream sequence to apply.
    var next: UInt64
    var streamCreatedMicros: Int64
    /// False when the broker's memory of us belongs to another past.
    var mayReuseConsumer: Bool
    var lastAckSyncNanos: UInt64 = 0
    var rateStartNanos: UInt64
    var rateCount: UInt64 = 0
  }

  private func session() throws(Fault) {
    let broker = try Broker(options.broker)
    let reconnects = broker.events.reconnectCount.load(ordering: .relaxed)
    let report = try broker.prepareStream(options.stream)
    for warning in report.warnings where warned.insert(warning).inserted {
      log.warning("stream \(options.stream.name) \(warning)")
    }
    guard var cursor = try resume(broker, report.state) else { return }
    let consumer = try PullConsumer.bind(broker, options, from: cursor.next, reuse: cursor.mayReuseConsumer)
    note(.running, "from \(Position(epoch: cursor.epoch, sequence: cursor.next)) on \(broker.server)", level: .info)
    var idleSince = clock.monotonicNanos()
    while !stop.isStopped {
      guard broker.events.reconnectCount.load(ordering: .relaxed) == reconnects else { return }
      let batch = try consumer.fetch(
        messagesMax: options.batchMessagesMax, bytesMax: options.batchBytesMax, waitMs: 500)
      let now = clock.monotonicNanos()
      if batch.count > 0 {
        try apply(batch, &cursor, broker, consumer)
        backOff.reset()
        idleSince = now
      } else {
        updateRate(&cursor, added: 0)
        guard now - idleSince > 2_000_000_000 else { continue }
        idleSince = now
        try checkWhileIdle(broker, consumer, cursor)
      }
    }
  }

  /// Compares W with the broker. `nil`: waited at a hole; begin a new session.
  private func resume(_ broker: Broker, _ stream: StreamState) throws(Fault) -> Cursor? {
    let mark = try sink.written(shard: shard)
    let decision = try Resume(mark: mark, stream: stream) { (sequence) throws(Fault) in
      try broker.messageMark(stream: options.stream.name, sequence: sequence)
    }
    board.update { $0.written = mark?.position ?? .zero }
    let start = clock.monotonicNanos()
    func cursor(_ epoch: UInt16, _ next: UInt64, reuse: Bool) -> Cursor {
      Cursor(
        epoch: epoch, next: next, streamCreatedMicros: stream.createdMicros, mayReuseConsumer: reuse,
        rateStartNanos: start)
    }
    switch decision {
    case .from(let sequence, let epoch): return cursor(epoch, sequence, reuse: true)
    case .newEpoch(let sequence, let epoch, let reason):
      log.error(
        "\(reason.rawValue): reading it from its start as epoch \(epoch); events that are here already are recognised",
        metadata: ["stream": "\(options.stream.name)", "written": "\(board.current.written)"])
      return cursor(epoch, sequence, reuse: false)
    case .hole(let missing, let epoch):
      if options.onHole == .continue {
        log.error("messages \(missing) are lost: the broker dropped them before they were fetched; going on behind them")
        board.update { $0.lostMessages += UInt64(missing.count) }
        return cursor(epoch, missing.upperBound, reuse: false)
      }
      note(
        .stoppedAtHole,
        "messages \(missing.lowerBound) to \(missing.upperBound - 1) of stream \(options.stream.name) are lost: the broker "
          + "dropped them before they were fetched; set ingest.on_hole to continue to go on behind them", level: .error)
      _ = stop.wait(milliseconds: 10_000)
      return nil
    }
  }

  /// With nothing to fetch: is the consumer still there, and the stream not shorter than what we have?
  private func checkWhileIdle(_ broker: Broker, _ consumer: PullConsumer, _ cursor: Cursor) throws(Fault) {
    try consumer.checkAlive()
    let state = try broker.streamState(options.stream.name)
    guard state.createdMicros == cursor.streamCreatedMicros, state.last + 1 >= cursor.next else {
      throw Fault(.connectionFailure, "stream \(options.stream.name) is not the one it was", kind: .tryLater)
    }
    board.update { $0.lag = state.last + 1 - cursor.next }
  }

  // MARK: A batch

  private func apply(
    _ batch: borrowing MessageBatch, _ cursor: inout Cursor, _ broker: Broker, _ consumer: PullConsumer
  ) throws(Fault) {
    let decoder = applier.currentDecoder()
    var next = cursor.next
    var last: OpaquePointer?
    var lastApplied: (message: OpaquePointer, delivery: DeliveryMark)?
    var messages: [OpaquePointer] = []
    var pending: UInt64 = 0
    var redelivered: UInt64 = 0, applied: UInt64 = 0, lost: UInt64 = 0
    try batch.forEach { (message) throws(Fault) in
      let view = MessageView(message)
      guard let delivery = view.delivery else { throw Fault.bug("a fetched message without delivery data") }
      last = message
      pending = delivery.pending
      if delivery.streamSequence < next {
        redelivered += 1
        return
      }
      if delivery.streamSequence > next {
        try checkGap(next..<delivery.streamSequence, broker)
        lost += delivery.streamSequence - next
      }
      decoder.decode(
        IncomingEvent(
          subject: view.subject, payload: view.payload,
          position: Position(epoch: cursor.epoch, sequence: delivery.streamSequence),
          receivedMicros: delivery.timeNanos / 1_000, message: message))
      next = delivery.streamSequence + 1
      applied += 1
      messages.append(message)
      lastApplied = (message, delivery)
    }
    if let lastApplied {
      let decoded = decoder.finish()
      let mark = LogMark(
        position: Position(epoch: cursor.epoch, sequence: lastApplied.delivery.streamSequence),
        messageTimeMicros: lastApplied.delivery.timeNanos / 1_000, checksum: MessageView(lastApplied.message).checksum,
        streamCreatedMicros: cursor.streamCreatedMicros)
      let receipt = try applier.append(decoded, messages: messages, shard: shard, mark: mark)
      FaultPoint.pass("ingest.appended")
      let now = clock.nowMicros()
      board.update { status in
        status.written = mark.position
        status.stored += UInt64(receipt.stored)
        status.duplicates += UInt64(receipt.duplicates)
        status.failed += UInt64(receipt.failed)
        status.unknownFields += UInt64(decoded.unknownFields)
        status.nulledValues += UInt64(decoded.nulledValues)
        status.lastBatchMicros = now
      }
    }
    board.update { status in
      status.received += applied
      status.redelivered += redelivered
      status.lostMessages += lost
      status.batches += 1
      status.lag = pending
    }
    cursor.next = next
    if let last { acknowledge(last, &cursor, consumer) }
    updateRate(&cursor, added: applied)
  }

  /// A gap is accepted only when the broker does not have its messages any more. Messages gone from the front of the
  /// stream are a matter for `resume`, which has the policy.
  private func checkGap(_ missing: Range<UInt64>, _ broker: Broker) throws(Fault) {
    let state = try broker.streamState(options.stream.name)
    let isFront = state.first > missing.lowerBound
    let first = try broker.messageMark(stream: options.stream.name, sequence: missing.lowerBound)
    let last = try broker.messageMark(stream: options.stream.name, sequence: missing.upperBound - 1)
    guard first == nil && last == nil && !isFront else {
      throw Fault(
        .connectionFailure, "the broker skipped messages \(missing.lowerBound) to \(missing.upperBound - 1)", kind: .tryLater)
    }
    log.warning("messages \(missing) were deleted from stream \(options.stream.name) before they were fetched")
  }

  /// Acknowledges everything up to this message. Once a second with an answer, which keeps the broker's counts honest;
  /// a lost acknowledgement costs a redelivery, never an event.
  private func acknowledge(_ message: OpaquePointer, _ cursor: inout Cursor, _ consumer: PullConsumer) {
    let now = clock.monotonicNanos()
    let isDue = now - cursor.lastAckSyncNanos > 1_000_000_000
    if isDue { cursor.lastAckSyncNanos = now }
    consumer.acknowledge(message, isAnswered: isDue)
  }

  // MARK: What it tells

  private func updateRate(_ cursor: inout Cursor, added: UInt64) {
    cursor.rateCount += added
    let now = clock.monotonicNanos()
    let elapsed = now - cursor.rateStartNanos
    guard elapsed >= 1_000_000_000 else { return }
    let rate = Double(cursor.rateCount) * 1e9 / Double(elapsed)
    board.update { $0.eventsPerSecond = ($0.eventsPerSecond + rate) / 2 }
    cursor.rateCount = 0
    cursor.rateStartNanos = now
  }

  /// Sets the state and logs once per change.
  private func note(_ state: IngestStatus.State, _ text: String, level: Logger.Level) {
    let now = clock.nowMicros()
    board.update { status in
      status.state = state
      if state == .waiting || state == .stoppedAtHole {
        status.lastError = text
        status.lastErrorMicros = now
      }
    }
    let line = "\(state.rawValue): \(text)"
    if line == lastLogged { return }
    lastLogged = line
    log.log(level: level, "ingest \(state.rawValue)", metadata: ["stream": "\(options.stream.name)", "reason": "\(text)"])
  }
}
