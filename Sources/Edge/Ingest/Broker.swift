// A connection to NATS with its JetStream context, and the calls that Ingest needs, each with its failure as a Fault.
//
// libnats keeps the connection and reconnects for ever by itself; `reconnectCount` tells that it did, since then the stream
// may be another one. Calls block for at most the request timeout. C callbacks touch only atomics.

import Bedrock
import CNATS
import Glibc
import Synchronization

/// What the callbacks of a connection report.
final class BrokerEvents: Sendable {
  /// Answers to asynchronous publishing; unused by the ingest loop.
  let acks = PublishAcks()
  let reconnectCount = Atomic<Int>(0)
  let isDisconnected = Atomic<Bool>(false)
}

// unchecked because libnats locks its own objects, and the pointers are set once, in `init`.
final class Broker: @unchecked Sendable {
  let connection: OpaquePointer
  let context: OpaquePointer
  let events: BrokerEvents

  init(_ options: BrokerOptions, publishing: ((inout jsOptions, BrokerEvents) -> Void)? = nil) throws(Fault) {
    let events = BrokerEvents()
    self.events = events
    let raw = try Self.rawOptions(options, events)
    defer { natsOptions_Destroy(raw) }
    let held = Unmanaged.passRetained(events)  // released when the connection is closed for good
    natsOptions_SetClosedCB(raw, { _, closure in closure.map { Unmanaged<BrokerEvents>.fromOpaque($0).release() } }, held.toOpaque())
    var connection: OpaquePointer?
    let status = natsConnection_Connect(&connection, raw)
    guard status == NATS_OK, let connection else {
      held.release()
      throw BrokerFault.make(status, "cannot connect to \(options.servers.joined(separator: ", "))")
    }
    var js = jsOptions()
    jsOptions_Init(&js)
    js.Wait = options.requestTimeoutMs
    publishing?(&js, events)
    var context: OpaquePointer?
    let made = natsConnection_JetStream(&context, connection, &js)
    guard made == NATS_OK, let context else {
      natsConnection_Destroy(connection)
      throw BrokerFault.make(made, "no JetStream context")
    }
    self.connection = connection
    self.context = context
  }

  deinit {
    jsCtx_Destroy(context)
    natsConnection_Destroy(connection)
  }

  /// Name and version of the server connected to.
  var server: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard natsConnection_GetConnectedUrl(connection, &buffer, buffer.count) == NATS_OK else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func rawOptions(_ options: BrokerOptions, _ events: BrokerEvents) throws(Fault) -> OpaquePointer {
    var raw: OpaquePointer?
    guard natsOptions_Create(&raw) == NATS_OK, let raw else { throw Fault(.outOfMemory, "no memory for NATS options") }
    var failure: Fault?
    func set(_ what: String, _ status: natsStatus) {
      if status != NATS_OK && failure == nil {
        failure = Fault(
          .configFileError, "the broker option \(what) is not valid", detail: BrokerFault.text(status))
      }
    }
    var servers = options.servers.map { strdup($0).map { UnsafePointer($0) } }
    defer { for server in servers { free(UnsafeMutableRawPointer(mutating: server)) } }
    set("servers", natsOptions_SetServers(raw, &servers, Int32(servers.count)))
    set("connectTimeoutMs", natsOptions_SetTimeout(raw, options.connectTimeoutMs))
    set("connectionName", natsOptions_SetName(raw, options.connectionName))
    set("reconnect", natsOptions_SetMaxReconnect(raw, -1))
    set("reconnect", natsOptions_SetReconnectWait(raw, 250))
    set("reconnect", natsOptions_SetReconnectJitter(raw, 250, 500))
    set("ping", natsOptions_SetPingInterval(raw, 20_000))
    set("requests", natsOptions_SetFailRequestsOnDisconnect(raw, true))
    if let user = options.user { set("user", natsOptions_SetUserInfo(raw, user, options.password ?? "")) }
    if let token = options.token { set("token", natsOptions_SetToken(raw, token)) }
    if let file = options.credentialsFile {
      set("credentialsFile", natsOptions_SetUserCredentialsFromFiles(raw, file, nil))
    }
    if options.tls.isRequired { set("tls", natsOptions_SetSecure(raw, true)) }
    if let file = options.tls.authorityFile { set("tls.authorityFile", natsOptions_LoadCATrustedCertificates(raw, file)) }
    if let file = options.tls.certificateFile {
      set("tls.certificateFile", natsOptions_LoadCertificatesChain(raw, file, options.tls.keyFile ?? file))
    }
    // `events` outlives the connection: the closed callback holds a reference until the last callback has run.
    let closure = Unmanaged.passUnretained(events).toOpaque()
    natsOptions_SetReconnectedCB(
      raw,
      { _, closure in
        guard let closure else { return }
        let events = Unmanaged<BrokerEvents>.fromOpaque(closure).takeUnretainedValue()
        events.isDisconnected.store(false, ordering: .relaxed)
        events.reconnectCount.add(1, ordering: .relaxed)
      }, closure)
    natsOptions_SetDisconnectedCB(
      raw,
      { _, closure in
        guard let closure else { return }
        Unmanaged<BrokerEvents>.fromOpaque(closure).takeUnretainedValue().isDisconnected.store(true, ordering: .relaxed)
      }, closure)
    // Without a handler libnats prints asynchronous errors to stderr; they surface as failed calls anyway.
    natsOptions_SetErrorHandler(raw, { _, _, _, _ in }, nil)
    if let failure {
      natsOptions_Destroy(raw)
      throw failure
    }
    return raw
  }
}

enum BrokerFault {
  static func text(_ status: natsStatus) -> String { String(cString: natsStatus_GetText(status)) }

  static func make(_ status: natsStatus, _ what: String, code: jsErrCode = jsErrCode(0)) -> Fault {
    let last = nats_GetLastError(nil).map { String(cString: $0) } ?? ""
    let detail = last.isEmpty ? nil : last + (code.rawValue == 0 ? "" : " (JetStream error \(code.rawValue))")
    return Fault(.connectionFailure, "\(what): \(text(status))", kind: .tryLater, detail: detail)
  }
}
