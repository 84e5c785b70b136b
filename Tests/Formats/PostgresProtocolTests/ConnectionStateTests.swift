// The protocol as lists of events: one line a step.

import Bedrock
import PostgresProtocol
import Testing

private let startup = FrontendMessage.Startup(minorVersion: 0, parameters: [.init(name: "user", value: "ada")])
private let parse = FrontendMessage.Parse(name: "", sql: "select 1", parameterTypes: [])
private let bind = FrontendMessage.Bind(portal: "", statement: "")
private let fault = Fault(.undefinedTable, "relation does not exist")
private let broken = Fault(.protocolViolation, "invalid message length")

private func ready() -> ConnectionState {
  var state = ConnectionState()
  #expect(state.received(.startup(startup)) == .open(startup))
  #expect(state.opened() == .ready)
  return state
}

@Suite struct ConnectionStateTests {
  @Test func startWithBothEncryptionRequests() {
    var state = ConnectionState()
    #expect(state.received(.gssEncryptionRequest) == .refuseEncryption)
    #expect(state.received(.sslRequest) == .refuseEncryption)
    #expect(state.received(.startup(startup)) == .open(startup))
    #expect(!state.takesMessages)
    #expect(state.opened() == .ready)
    #expect(state.phase == .ready)
  }

  @Test func anEncryptionRequestTwiceCloses() {
    var state = ConnectionState()
    #expect(state.received(.sslRequest) == .refuseEncryption)
    #expect(state.received(.sslRequest) == .close)
    #expect(state.phase == .closed)
  }

  @Test func cancelNeverGetsAnAnswer() {
    var state = ConnectionState()
    let key = CancelKey(process: 3, secret: 4)
    #expect(state.received(.cancelRequest(key)) == .cancel(key))
    #expect(state.phase == .closed)
  }

  @Test func aRefusedStartIsFatalWithoutReady() {
    var state = ConnectionState()
    #expect(state.received(.startup(startup)) == .open(startup))
    #expect(state.refused(fault) == .fatal(fault))
    #expect(state.phase == .closed)
    #expect(state.completed() == .none)
  }

  @Test func simpleQuery() {
    var state = ready()
    #expect(state.received(.query("select 1")) == .perform(.query("select 1")))
    #expect(!state.takesMessages)
    #expect(state.completed() == .ready)
    #expect(state.received(.query("select x")) == .perform(.query("select x")))
    #expect(state.failed(fault) == .reportThenReady(fault))
    #expect(state.phase == .ready)
  }

  @Test func extendedQuery() {
    var state = ready()
    #expect(state.received(.parse(parse)) == .perform(.parse(parse)))
    #expect(state.completed() == .none)
    #expect(state.received(.flush) == .flush)  // between Parse and Bind, as asyncpg and node-pg send it
    #expect(state.received(.describe(.statement(""))) == .perform(.describe(.statement(""))))
    #expect(state.completed() == .none)
    #expect(state.received(.bind(bind)) == .perform(.bind(bind)))
    #expect(state.completed() == .none)
    #expect(state.received(.execute(portal: "", rowsMax: 0)) == .perform(.execute(portal: "", rowsMax: 0)))
    #expect(state.completed() == .none)
    #expect(state.received(.sync) == .perform(.synchronize))
    #expect(state.completed() == .ready)
  }

  @Test func anErrorSkipsToSyncSimpleQueriesToo() {
    var state = ready()
    #expect(state.received(.parse(parse)) == .perform(.parse(parse)))
    #expect(state.failed(fault) == .report(fault))
    #expect(state.received(.bind(bind)) == .none)
    #expect(state.received(.execute(portal: "", rowsMax: 0)) == .none)
    #expect(state.received(.flush) == .none)
    #expect(state.received(.query("select 1")) == .none)  // a simple query after an unsynced error
    #expect(state.received(.malformed(type: UInt8(ascii: "B"), fault)) == .none)
    #expect(state.received(.sync) == .perform(.synchronize))
    #expect(state.completed() == .ready)  // exactly one
    #expect(state.received(.query("select 1")) == .perform(.query("select 1")))
    #expect(state.completed() == .ready)
  }

  @Test func eachSyncGetsItsOwnReady() {
    var state = ready()
    for _ in 0..<2 {
      #expect(state.received(.sync) == .perform(.synchronize))
      #expect(state.completed() == .ready)
    }
  }

  @Test func aFailedSyncStillGetsReady() {
    var state = ready()
    #expect(state.received(.sync) == .perform(.synchronize))
    #expect(state.failed(fault) == .reportThenReady(fault))
  }

  @Test func closeOfAnythingIsPerformed() {
    var state = ready()
    #expect(state.received(.close(.statement("nobody"))) == .perform(.close(.statement("nobody"))))
    #expect(state.completed() == .none)
    #expect(state.received(.close(.portal("nobody"))) == .perform(.close(.portal("nobody"))))
    #expect(state.completed() == .none)
  }

  @Test func strayCopyMessagesAreIgnored() {
    var state = ready()
    #expect(state.received(.copyData([1])) == .none)
    #expect(state.received(.copyDone) == .none)
    #expect(state.received(.copyFail("x")) == .none)
    #expect(state.phase == .ready)
  }

  @Test func malformedContent() {
    var state = ready()
    #expect(state.received(.malformed(type: UInt8(ascii: "Q"), fault)) == .reportThenReady(fault))
    #expect(state.received(.malformed(type: UInt8(ascii: "S"), fault)) == .reportThenReady(fault))
    #expect(state.received(.malformed(type: UInt8(ascii: "B"), fault)) == .report(fault))
    #expect(state.phase == .skipping)
    #expect(state.received(.sync) == .perform(.synchronize))
    #expect(state.completed() == .ready)
    #expect(state.received(.malformed(type: UInt8(ascii: "p"), fault)) == .fatal(fault))
  }

  @Test func functionCallIsRefusedByName() {
    var state = ready()
    guard case .reportThenReady(let fault) = state.received(.functionCall) else {
      Issue.record("no report")
      return
    }
    #expect(fault.state == .featureNotSupported)
  }

  @Test func terminate() {
    var state = ready()
    #expect(state.received(.terminate) == .close)
    #expect(state.phase == .closed)
    var skipping = ready()
    #expect(skipping.received(.parse(parse)) == .perform(.parse(parse)))
    #expect(skipping.failed(fault) == .report(fault))
    #expect(skipping.received(.terminate) == .close)
  }

  @Test func brokenFramingIsSilentBeforeASessionAndFatalInOne() {
    var young = ConnectionState()
    #expect(young.broken(broken) == .close)
    var version = ConnectionState()
    let unsupported = Fault(.featureNotSupported, "unsupported frontend protocol 2.0")
    #expect(version.broken(unsupported) == .fatal(unsupported))
    var state = ready()
    #expect(state.broken(broken) == .fatal(broken))
    #expect(state.broken(broken) == .none)
  }

  @Test func resultsAfterTheClientLeftAreDropped() {
    var state = ready()
    #expect(state.received(.query("select 1")) == .perform(.query("select 1")))
    state.disconnected()
    #expect(state.completed() == .none)
    #expect(state.failed(fault) == .none)
    #expect(state.opened() == .none)
  }

  @Test func anUnexpectedPasswordIsFatal() {
    var state = ready()
    guard case .fatal(let fault) = state.received(.password([1])) else {
      Issue.record("not fatal")
      return
    }
    #expect(fault.state == .protocolViolation)
  }
}
