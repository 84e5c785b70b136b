// One call with all its tries.
//
//   start ─► try ─► answer ─► done
//             ▲        │ 5xx, 429, lost connection, time-out: pause, then again
//             └────────┤ keys refused: read the credentials file again, once
//                      │ clocks differ: take the store's time, once
//                      └► anything else: a fault
//
// Bounds: `S3Client.triesMax` tries and `S3Options.callMicrosMax`, whichever comes first. Several calls can be started
// before the first is finished; each is then under way while its starter waits for another.
//
// A try whose answer is lost may have been acted on, and may still be: only requests for which that is harmless, or whose
// caller finds out afterwards (`S3ObjectStore.putIfAbsent`), are sent through here.

import Bedrock
import Logging
import NIOHTTP1
import Runtime

/// One thread at a time.
final class S3Call {
  private let client: S3Client
  private let request: S3Request
  private let deadlineNanos: UInt64
  private var exchange: HTTPExchange?
  private var used: S3Credentials
  private var tries = 0
  private var hasReloaded = false
  private var hasCorrectedClock = false

  init(_ client: S3Client, _ request: S3Request) {
    self.client = client
    self.request = request
    used = client.credentials.current
    let micros = client.options.callMicrosMax + client.options.transferMicros(request.transferBytes)
    deadlineNanos = client.clock.monotonicNanos() &+ UInt64(micros) * 1_000
  }

  deinit { exchange?.cancel() }

  private var microsLeft: Int64 {
    let now = client.clock.monotonicNanos()
    return now >= deadlineNanos ? 0 : Int64((deadlineNanos - now) / 1_000)
  }

  /// Sends the first try.
  func start() {
    precondition(exchange == nil && tries == 0, "a call is started once")
    begin()
  }

  private func begin() {
    tries += 1
    used = client.credentials.current
    let bound = client.options.attemptMicrosMax + client.options.transferMicros(request.transferBytes)
    exchange = client.exchange(request, credentials: used, timeoutMicros: max(1_000, min(bound, microsLeft)))
  }

  /// Gives up; nothing is written to a sink afterwards.
  func cancel() {
    exchange?.cancel()
    exchange = nil
  }

  /// Blocks until the call has its answer. Throws what the last try failed with.
  func finish() throws(Fault) -> HTTPAnswer {
    defer { cancel() }
    while true {
      guard let exchange else { throw Fault.bug("a call was finished before its start") }
      let answer: HTTPAnswer
      do throws(HTTPLoss) { answer = try exchange.wait() } catch {
        try pause(afterLoss: error)
        begin()
        continue
      }
      let refusal = S3Refusal(answer, used)
      if isWanted(answer, refusal) { return answer }
      try prepareNextTry(answer, refusal)
      begin()
    }
  }

  private func isWanted(_ answer: HTTPAnswer, _ refusal: S3Refusal) -> Bool {
    if (200...299).contains(answer.status) { return !request.mayFailInBody || refusal.code.isEmpty }
    guard request.accepted.contains(answer.status) else { return false }
    // "There is no such object" is believed only in S3's own words: a wrong address also answers 404. HEAD has no words.
    if answer.status == 404 && request.method != .HEAD { return ["NoSuchKey", "NoSuchVersion"].contains(refusal.code) }
    return true
  }

  /// Does what the refusal asks for; throws its fault when trying again is no use.
  private func prepareNextTry(_ answer: HTTPAnswer, _ refusal: S3Refusal) throws(Fault) {
    let fault = refusal.fault(request.what, endpoint: client.endpoint, region: client.options.region)
    switch refusal.advice {
    case .giveUp: throw fault
    case .tryAgain:
      let seconds = answer.header("retry-after").flatMap { Int64($0) } ?? 0
      let reason = refusal.code.isEmpty ? "status \(refusal.status)" : refusal.code
      try pause(fault, reason: reason, atLeastMicros: min(max(seconds, 0), 30) * 1_000_000)
    case .reloadCredentials:
      guard !hasReloaded else { throw fault }
      hasReloaded = true
      guard try client.credentials.reload(refused: used) else { throw fault }
      client.log.info("the object store's credentials were read again")
    case .correctClock:
      guard !hasCorrectedClock else { throw fault }
      hasCorrectedClock = true
      guard client.correctClock(from: answer) else { throw fault }
    }
  }

  private func pause(afterLoss loss: HTTPLoss) throws(Fault) {
    let fault = Fault(
      .ioError, "could not \(request.what): \(loss.reason)", detail: "The store is \(client.endpoint.description).",
      hint: loss.hint ?? (loss.isFinal ? nil : "Look first whether the store is up and \"lake.s3.endpoint\" is its address."))
    if loss.isTooLong {
      throw Fault(.programLimitExceeded, "could not \(request.what): \(loss.reason)", kind: .corrupt)
    }
    if loss.isFinal { throw fault }
    try pause(fault, reason: loss.reason, atLeastMicros: 0)
  }

  /// Waits before the next try; throws `fault` when there is none.
  private func pause(_ fault: Fault, reason: String, atLeastMicros: Int64) throws(Fault) {
    let pauseMicros = max(atLeastMicros, client.backoffMicros(afterTry: tries))
    guard tries < request.triesMax ?? S3Client.triesMax, pauseMicros < microsLeft else { throw fault }
    client.log.debug(
      "an object store request is repeated",
      metadata: ["request": "\(request.what)", "try": "\(tries)", "reason": "\(reason)"])
    Pause.micros(pauseMicros)
  }
}
