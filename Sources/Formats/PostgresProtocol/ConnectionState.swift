// The server's side of a connection as a value: one event in, one action out. No I/O, no clock, no promises.
//
//   startup ──startup packet──► opening ──opened──► ready ◄──────────────────┐
//      │ SSL/GSS request: 'N'      │ refused           │ message             │ completed / failed of a simple query, sync
//      └─► closed ◄────────────────┘                   ▼                     │
//                                          busy(simple | extended | sync) ───┤
//                                             │ copyBegan    ▲ copyData, copyDone, copyFail │
//                                             ▼              │ performed  │
//                                          copying ──────────┘            │
//                                                      │ failed(extended)    │
//                                                      ▼                     │
//                                                   skipping ──Sync──► busy(sync)
//
// Invariants:
//  1. While busy or opening no message is given to the machine: the driver keeps them queued, in order.
//  2. After an error in the extended protocol everything but Sync and Terminate is dropped, simple queries too.
//  3. Each Query and each Sync gets exactly one ReadyForQuery; nothing gets one after a failed start.
//  4. While copying, Flush and Sync are ignored and anything but the messages of COPY ends it with an error.
//  5. Each encryption request may come once, before the startup packet.

package import Bedrock

/// One connection's place in the protocol.
package struct ConnectionState: Sendable {
  /// What a worker is asked to do for a message.
  package enum Request: Sendable, Equatable {
    case query(String)
    case parse(FrontendMessage.Parse)
    case bind(FrontendMessage.Bind)
    case describe(FrontendMessage.Target)
    case execute(portal: String, rowsMax: Int)
    case close(FrontendMessage.Target)
    /// End the implicit transaction; `completed` then sends ReadyForQuery.
    case synchronize
    /// Data of COPY FROM STDIN; report `copyBegan` when more may come, or `failed`.
    case copyData([UInt8])
    /// All data came: the request goes on.
    case copyDone
  }

  package enum Action: Sendable, Equatable {
    /// Nothing to do; take the next message.
    case none
    /// Answer one byte `N`: no encryption.
    case refuseEncryption
    /// Cancel the statement of that session if it runs, then close without a word.
    case cancel(CancelKey)
    /// Check the client and make its session; report `opened` or `refused`.
    case open(FrontendMessage.Startup)
    /// Run on a worker; report `completed` or `failed`.
    case perform(Request)
    /// ReadyForQuery and flush.
    case ready
    /// ErrorResponse, nothing else until Sync.
    case report(Fault)
    /// The client ended the copy: the request fails with this; report `failed`.
    case failCopy(Fault)
    /// ErrorResponse, ReadyForQuery, flush.
    case reportThenReady(Fault)
    /// Send what is buffered.
    case flush
    /// FATAL ErrorResponse, then close.
    case fatal(Fault)
    /// Close without a word.
    case close

    package static func == (a: Action, b: Action) -> Bool { String(reflecting: a) == String(reflecting: b) }
  }

  package enum Work: Sendable, Equatable {
    case simple, extended, synchronize
  }

  package enum Phase: Sendable, Equatable {
    case startup(sslAsked: Bool, gssAsked: Bool)
    case opening
    case ready
    case busy(Work)
    /// The client sends the data of COPY FROM STDIN, inside of a request.
    case copying(Work)
    case skipping
    case closed
  }

  package private(set) var phase = Phase.startup(sslAsked: false, gssAsked: false)

  package init() {}

  /// True when the machine takes the next message.
  package var takesMessages: Bool {
    switch phase {
    case .startup, .ready, .copying, .skipping: true
    case .opening, .busy, .closed: false
    }
  }

  // MARK: Messages

  /// The next message of the client; only while `takesMessages`.
  package mutating func received(_ message: FrontendMessage) -> Action {
    precondition(takesMessages, "a message while the connection is \(phase)")
    switch phase {
    case .startup(let sslAsked, let gssAsked): return startup(message, sslAsked, gssAsked)
    case .ready: return dispatch(message)
    case .copying(let work): return copy(message, work)
    case .skipping: return skip(message)
    case .opening, .busy, .closed: preconditionFailure("guarded above")
    }
  }

  private mutating func startup(_ message: FrontendMessage, _ sslAsked: Bool, _ gssAsked: Bool) -> Action {
    switch message {
    case .sslRequest where !sslAsked:
      phase = .startup(sslAsked: true, gssAsked: gssAsked)
      return .refuseEncryption
    case .gssEncryptionRequest where !gssAsked:
      phase = .startup(sslAsked: sslAsked, gssAsked: true)
      return .refuseEncryption
    case .cancelRequest(let key):
      phase = .closed
      return .cancel(key)
    case .startup(let startup):
      phase = .opening
      return .open(startup)
    default:
      phase = .closed
      return .close
    }
  }

  private mutating func copy(_ message: FrontendMessage, _ work: Work) -> Action {
    switch message {
    case .copyData(let bytes): return perform(work, .copyData(bytes))
    case .copyDone: return perform(work, .copyDone)
    case .copyFail(let reason):
      phase = .busy(work)
      return .failCopy(Fault(.queryCanceled, "COPY from stdin failed: \(reason)"))
    case .flush, .sync: return .none
    case .terminate:
      phase = .closed
      return .close
    default:
      phase = .busy(work)
      return .failCopy(Fault(.protocolViolation, "unexpected message type during COPY from stdin"))
    }
  }

  private mutating func perform(_ work: Work, _ request: Request) -> Action {
    phase = .busy(work)
    return .perform(request)
  }

  private mutating func dispatch(_ message: FrontendMessage) -> Action {
    switch message {
    case .query(let sql): return perform(.simple, .query(sql))
    case .parse(let parse): return perform(.extended, .parse(parse))
    case .bind(let bind): return perform(.extended, .bind(bind))
    case .describe(let target): return perform(.extended, .describe(target))
    case .execute(let portal, let rowsMax):
      return perform(.extended, .execute(portal: portal, rowsMax: rowsMax))
    case .close(let target): return perform(.extended, .close(target))
    case .sync: return perform(.synchronize, .synchronize)
    case .flush: return .flush
    case .terminate:
      phase = .closed
      return .close
    case .copyData, .copyDone, .copyFail:
      // Left over from a copy that failed: PostgreSQL ignores them.
      return .none
    case .functionCall: return .reportThenReady(.unsupported("the function call message"))
    case .malformed(let type, let fault): return malformed(type, fault)
    case .password, .sslRequest, .gssEncryptionRequest, .cancelRequest, .startup:
      phase = .closed
      return .fatal(Fault(.protocolViolation, "unexpected message in an open session"))
    }
  }

  private mutating func malformed(_ type: UInt8, _ fault: Fault) -> Action {
    switch type {
    case UInt8(ascii: "P"), UInt8(ascii: "B"), UInt8(ascii: "D"), UInt8(ascii: "E"), UInt8(ascii: "C"),
      UInt8(ascii: "H"):
      phase = .skipping
      return .report(fault)
    case UInt8(ascii: "Q"), UInt8(ascii: "F"), UInt8(ascii: "S"): return .reportThenReady(fault)
    case UInt8(ascii: "X"):
      phase = .closed
      return .close
    default:
      phase = .closed
      return .fatal(fault)
    }
  }

  private mutating func skip(_ message: FrontendMessage) -> Action {
    switch message {
    case .sync, .malformed(type: UInt8(ascii: "S"), _): return perform(.synchronize, .synchronize)
    case .terminate, .malformed(type: UInt8(ascii: "X"), _):
      phase = .closed
      return .close
    default: return .none
    }
  }

  // MARK: Results

  /// The session exists and its greeting is written.
  package mutating func opened() -> Action {
    switch phase {
    case .opening:
      phase = .ready
      return .ready
    case .closed: return .none
    case .startup, .ready, .busy, .copying, .skipping: preconditionFailure("a session opened while \(phase)")
    }
  }

  /// The client may not have a session.
  package mutating func refused(_ fault: Fault) -> Action {
    switch phase {
    case .opening:
      phase = .closed
      return .fatal(fault)
    case .closed: return .none
    case .startup, .ready, .busy, .copying, .skipping: preconditionFailure("a session refused while \(phase)")
    }
  }

  /// The client was asked for the data of COPY FROM STDIN, or for more of it.
  package mutating func copyBegan() {
    switch phase {
    case .busy(let work): phase = .copying(work)
    case .copying, .closed: break
    case .startup, .opening, .ready, .skipping: preconditionFailure("a copy began while \(phase)")
    }
  }

  /// The request was performed and its answers are written.
  package mutating func completed() -> Action {
    switch phase {
    case .busy(.simple), .busy(.synchronize):
      phase = .ready
      return .ready
    case .busy(.extended):
      phase = .ready
      return .none
    case .closed: return .none
    case .startup, .opening, .ready, .copying, .skipping: preconditionFailure("a request completed while \(phase)")
    }
  }

  /// The request failed; answers written before the failure stay.
  package mutating func failed(_ fault: Fault) -> Action {
    switch phase {
    case .busy(.simple), .busy(.synchronize):
      phase = .ready
      return .reportThenReady(fault)
    case .busy(.extended):
      phase = .skipping
      return .report(fault)
    case .closed: return .none
    case .startup, .opening, .ready, .copying, .skipping: preconditionFailure("a request failed while \(phase)")
    }
  }

  /// The bytes of the client cannot be framed, or the server ends the connection.
  package mutating func broken(_ fault: Fault) -> Action {
    switch phase {
    case .closed: return .none
    case .startup where fault.state != .featureNotSupported && fault.state != .tooManyConnections:
      // Not a PostgreSQL client, or one with a damaged packet: say nothing.
      phase = .closed
      return .close
    default:
      phase = .closed
      return .fatal(fault)
    }
  }

  /// The socket is gone.
  package mutating func disconnected() { phase = .closed }
}
