// The worker's half of a connection: requests to the session, results to bytes.
//
// A result is pulled a chunk at a time and written a row at a time. When the client is slow the conversation rests
// between two rows and goes on later on any worker; nothing is pulled meanwhile. Bytes go out when 32 KiB have come
// together, at ReadyForQuery, at Flush and with every error.

import Bedrock
import Columnar
import Plan
import PostgresProtocol
import Session

final class Conversation {
  /// How a request ended.
  enum Outcome {
    case completed
    case failed(Fault)
  }
  enum Progress {
    case done(Outcome)
    /// The client shall send data of COPY FROM STDIN.
    case copying
    /// The client must catch up first; `resume` will be called.
    case resting
  }
  /// What is being sent.
  private enum Running {
    case simple(SimpleQuery)
    case portal(PortalRun, formats: [Int16])
    /// Done at once; the outcome is waiting to be taken.
    case ended(Outcome)
  }

  /// Bytes that are gathered before they are sent.
  private static let sendBytes = 32 << 10

  private let session: Session
  private let outbox: Outbox
  private var out = WireBuffer(capacity: 4_096)
  private var running: Running?
  /// Between CopyInResponse and the end of the data.
  private var waitsForData = false
  private var rows: RowEncoder?
  private var copied: CopyEncoder?
  /// The format of the COPY TO STDOUT that is being sent.
  private var copyOut: CopyFormat?
  private var formats: [WireFormat] = []
  private var style = TextStyle()

  init(session: Session, outbox: Outbox) {
    self.session = session
    self.outbox = outbox
  }

  // MARK: Greeting and protocol actions

  /// AuthenticationOk, parameters and the cancel key; ReadyForQuery follows.
  func greet(_ key: CancelKey, negotiating unknownOptions: [String]?) {
    if let unknownOptions { out.negotiateProtocolVersion(unknownOptions: unknownOptions) }
    out.authenticationOK()
    for (name, value) in session.takeChangedSettings() { out.parameterStatus(name, value) }
    out.backendKeyData(key)
  }

  func ready(_ action: ConnectionState.Action) { act(action) }

  /// Performs what the state machine decided; everything but `perform`.
  func act(_ action: ConnectionState.Action) {
    switch action {
    case .none: break
    case .ready: sayReady()
    case .report(let fault):
      out.errorResponse(fault)
      flush()
    case .reportThenReady(let fault):
      out.errorResponse(fault)
      sayReady()
    case .flush: flush()
    case .fatal(let fault):
      out.errorResponse(fault, severity: .fatal)
      flush(thenClose: true)
    case .close:
      flush()
      outbox.close()
    case .perform, .open, .cancel, .refuseEncryption, .failCopy: preconditionFailure("not an action of an open session")
    }
  }

  private func sayReady() {
    sayNotices()
    for (name, value) in session.takeChangedSettings() { out.parameterStatus(name, value) }
    let status: TransactionStatus =
      switch session.blockStatus {
      case .idle: .idle
      case .inBlock: .inBlock
      case .failed: .failed
      }
    out.readyForQuery(status)
    flush()
  }

  private func sayNotices() {
    for notice in session.takeNotices() {
      let severity: Severity =
        switch notice.level {
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        }
      out.noticeResponse(severity, notice.state, notice.message)
    }
  }

  private func flush(thenClose: Bool = false) {
    if out.count > 0 || thenClose { out.withUnsafeBytes { outbox.send($0, thenClose: thenClose) } }
    out.removeAll()
  }

  /// The session ends with its connection.
  func end() {
    running = nil
    dropRows()
    session.close()
  }

  // MARK: Requests

  private func dropRows() {
    rows = nil
    copied = nil
    copyOut = nil
  }

  /// Begins a request, or goes on with a copy; `proceed` carries it on.
  func begin(_ request: ConnectionState.Request) {
    switch request {
    case .copyData(let bytes): return receive(bytes)
    case .copyDone:
      waitsForData = false
      return
    default: break
    }
    precondition(running == nil)
    do throws(Fault) {
      switch request {
      case .query(let sql): running = .simple(try session.simpleQuery(sql))
      case .execute(let portal, let rowsMax):
        running = .portal(
          try session.execute(portal: portal, rowsMax: rowsMax), formats: session.formats(ofPortal: portal))
      default:
        try perform(request)
        running = .ended(.completed)
      }
    } catch {
      session.fail()
      running = .ended(.failed(error))
    }
  }

  /// Data of COPY FROM STDIN.
  private func receive(_ bytes: [UInt8]) {
    do throws(Fault) { try session.receive(copyData: bytes) } catch { failCopy(error) }
  }

  /// The copy, and with it its request, fails.
  func failCopy(_ fault: Fault) {
    waitsForData = false
    dropRows()
    session.fail()
    running = .ended(.failed(fault))
  }

  /// The requests that are done at once.
  private func perform(_ request: ConnectionState.Request) throws(Fault) {
    switch request {
    case .parse(let parse):
      try session.parse(name: parse.name, sql: parse.sql, declaredTypes: parse.parameterTypes)
      out.parseComplete()
    case .bind(let bind):
      try self.bind(bind)
      out.bindComplete()
    case .describe(.statement(let name)):
      let description = try session.describe(statement: name)
      out.parameterDescription(description.parameterTypes.map(\.oid))
      describe(description.columns, formats: [])
    case .describe(.portal(let name)):
      let (columns, codes) = try session.describe(portal: name)
      describe(columns, formats: try WireFormat.expand(codes, count: columns?.count ?? 0, of: "result"))
    case .close(let target):
      switch target {
      case .statement(let name): session.close(statement: name)
      case .portal(let name): session.close(portal: name)
      }
      out.closeComplete()
    case .synchronize: try session.synchronize()
    case .query, .execute, .copyData, .copyDone: preconditionFailure("requests with results are begun elsewhere")
    }
  }

  private func bind(_ bind: FrontendMessage.Bind) throws(Fault) {
    let types = try session.parameterTypes(ofStatement: bind.statement)
    guard bind.parameters.count == types.count else {
      throw Fault(
        .protocolViolation,
        "bind message supplies \(bind.parameters.count) parameters, but prepared statement \"\(bind.statement)\" "
          + "requires \(types.count)")
    }
    let formats = try WireFormat.expand(bind.parameterFormats, count: types.count, of: "parameter")
    var values: [BoundParameter] = []
    values.reserveCapacity(types.count)
    for (index, bytes) in bind.parameters.enumerated() {
      guard let bytes else {
        values.append(.value(.null))
        continue
      }
      switch formats[index] {
      case .text: values.append(.text(bytes))
      case .binary: values.append(.value(try BinaryForm.decode(bytes, as: types[index])))
      }
    }
    _ = try WireFormat.expand(
      bind.resultFormats, count: try session.columnCount(ofStatement: bind.statement), of: "result")
    try session.bind(
      portal: bind.portal, statement: bind.statement, parameters: values, formats: bind.resultFormats)
  }

  private func describe(_ columns: [OutputColumn]?, formats: [WireFormat]) {
    guard let columns else { return out.noData() }
    out.rowDescription(Self.fields(columns), formats: formats)
  }

  private static func fields(_ columns: [OutputColumn]) -> [ResultField] {
    columns.map {
      ResultField(name: $0.name, type: $0.type, tableOID: $0.tableOID, attribute: $0.attributeNumber)
    }
  }

  // MARK: Results

  /// Carries the begun request on to its end or until the client must catch up; `nil` when nothing was begun.
  func proceed(resume: @escaping @Sendable () -> Void) -> Progress? {
    guard let running else { return nil }
    if case .ended(let outcome) = running {
      self.running = nil
      return .done(outcome)
    }
    if waitsForData { return .copying }
    do throws(Fault) {
      while true {
        if try writeRows() {
          if outbox.mustRest(resume: resume) { return .resting }
          continue
        }
        guard let event = try next(running) else { break }
        try write(event, of: running)
        if waitsForData { return .copying }
      }
      if case .simple = running { try session.synchronize() }
      self.running = nil
      return .done(.completed)
    } catch {
      dropRows()
      self.running = nil
      session.fail()
      return .done(.failed(error))
    }
  }

  private func next(_ running: Running) throws(Fault) -> ResultEvent? {
    switch running {
    case .simple(let query): try query.next()
    case .portal(let run, _): try run.next()
    case .ended: nil
    }
  }

  /// Writes rows of the chunk at hand up to one packet; false when there are none left.
  private func writeRows() throws(Fault) -> Bool {
    if copied != nil {
      if try copied?.write(into: &out, bytesMax: Self.sendBytes) == 0 {
        copied = nil
        return false
      }
      if out.count >= Self.sendBytes { flush() }
      return true
    }
    guard rows != nil else { return false }
    if try rows?.write(into: &out, rowsMax: .max, bytesMax: Self.sendBytes) == 0 {
      rows = nil
      return false
    }
    if out.count >= Self.sendBytes { flush() }
    return true
  }

  private func write(_ event: ResultEvent, of running: Running) throws(Fault) {
    switch event {
    case .columns(let columns):
      style = Self.style(of: session, columns.map(\.type))
      formats = []
      out.rowDescription(Self.fields(columns))
    case .copyOut(let format, let columns):
      style = Self.style(of: session, columns.map(\.type))
      copyOut = format
      out.copyResponse(isIn: false, format, columnCount: columns.count)
      if let bytes = CopyEncoder.preamble(format, names: columns.map(\.name)) { out.copyData(bytes) }
    case .copyIn(let format, let columnCount):
      waitsForData = true
      out.copyResponse(isIn: true, format, columnCount: columnCount)
      flush()
    case .rows(let chunk) where copyOut != nil:
      if let copyOut { copied = try CopyEncoder(chunk, format: copyOut, style: style) }
    case .rows(let chunk):
      if case .portal(_, let codes) = running {
        formats = try WireFormat.expand(codes, count: chunk.columns.count, of: "result")
        style = Self.style(of: session, chunk.columns.map(\.type))
      }
      rows = try RowEncoder(chunk, formats: formats, style: style)
    case .complete(let tag):
      if let format = copyOut {
        if let bytes = CopyEncoder.ending(format) { out.copyData(bytes) }
        out.copyDone()
        copyOut = nil
      }
      sayNotices()
      out.commandComplete(tag)
    case .suspended: out.portalSuspended()
    case .empty: out.emptyQueryResponse()
    }
  }

  /// How the session wants values to look; the catalog is asked only when a column shows names.
  private static func style(of session: Session, _ types: [DataType]) -> TextStyle {
    var style = TextStyle()
    let zone = session.zoneOffsets
    style.zone = ZoneOffsets(transitions: zone.transitions, offsets: zone.offsets)
    style.extraFloatDigits = session.extraFloatDigits
    style.byteaEscape = session.isByteaEscaped
    let showsNames = types.contains { type in
      switch type {
      case .regclass, .regtype, .regnamespace, .array(.regclass), .array(.regtype), .array(.regnamespace): true
      default: false
      }
    }
    if showsNames { style.nameOf = session.nameOfOID() }
    return style
  }
}
