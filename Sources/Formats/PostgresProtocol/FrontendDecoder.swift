// From bytes to client messages.
//
//   before the session   length (Int32, counts itself)  code (Int32)  content
//   in the session       type (1 byte)  length (Int32, counts itself)  content
//
// Rules: a length is compared with the limit of its phase and type before one byte is kept for it; a field inside a
// message is compared with what the message still holds; arithmetic on lengths is in 64 bits. Wrong framing throws and
// the connection must close, because nothing after it can be trusted; wrong content becomes `.malformed`, because the
// next message is where the length says.

package import Bedrock

/// Collects received bytes and gives whole messages.
package struct FrontendDecoder: Sendable {
  package enum Phase: Sendable {
    /// SSLRequest, GSSENCRequest, CancelRequest or the startup packet.
    case startup
    /// Typed messages of a client that is not known yet: small ones only.
    case authentication
    case session
  }

  package private(set) var phase = Phase.startup
  private var buffer: [UInt8] = []
  private var head = 0

  /// Bytes of a message before the client is known.
  package static let authenticationBytesMax = 65_536
  /// Bytes of a message that only names something, as PostgreSQL's PQ_SMALL_MESSAGE_LIMIT.
  package static let smallMessageBytesMax = 10_000
  /// Values of one Bind, types of one Parse: the count is an Int16 on the wire, read unsigned.
  package static let parametersMax = 65_535

  package init() {}

  /// Bytes received and not yet given as messages.
  package var pendingBytes: Int { buffer.count - head }

  /// Takes received bytes. The caller stops reading when `pendingBytes` is high.
  package mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    if head > 0 && (head == buffer.count || head >= 65_536) {
      buffer.removeSubrange(0..<head)
      head = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// Typed messages follow, small until `authenticated()`.
  package mutating func startupAccepted() {
    precondition(phase == .startup)
    phase = .authentication
  }

  /// The client is known: messages up to the limits of a session are taken.
  package mutating func authenticated() { phase = .session }

  /// The next whole message, or `nil` when more bytes are needed.
  ///
  /// Throws 08P01 or 0A000 when the framing is wrong: close the connection.
  package mutating func next() throws(Fault) -> FrontendMessage? {
    phase == .startup ? try nextStartup() : try nextTyped()
  }

  private func bigEndian32(at offset: Int) -> Int32 {
    var value: UInt32 = 0
    for index in offset..<(offset + 4) { value = value << 8 | UInt32(buffer[index]) }
    return Int32(bitPattern: value)
  }

  // MARK: Packets without type

  private static let protocolMajor: Int32 = 3
  private static let cancelCode: Int32 = 80_877_102
  private static let sslCode: Int32 = 80_877_103
  private static let gssCode: Int32 = 80_877_104

  private mutating func nextStartup() throws(Fault) -> FrontendMessage? {
    guard pendingBytes >= 4 else { return nil }
    let length = Int(bigEndian32(at: head))
    guard length >= 8 && length <= Limits.startupPacketBytesMax else {
      throw Fault(.protocolViolation, "invalid length of startup packet")
    }
    guard pendingBytes >= length else { return nil }
    let code = bigEndian32(at: head + 4)
    let start = head + 8
    head += length
    switch code {
    case Self.sslCode where length == 8: return .sslRequest
    case Self.gssCode where length == 8: return .gssEncryptionRequest
    case Self.cancelCode:
      guard length == 16 else { throw Fault(.protocolViolation, "invalid length of cancel request packet") }
      return .cancelRequest(CancelKey(process: bigEndian32(at: start), secret: bigEndian32(at: start + 4)))
    default: return try startup(version: code, content: start..<(start + length - 8))
    }
  }

  private func startup(version: Int32, content: Range<Int>) throws(Fault) -> FrontendMessage {
    let major = version >> 16
    let minor = Int(version & 0xFFFF)
    guard major == Self.protocolMajor else {
      throw Fault(
        .featureNotSupported,
        "unsupported frontend protocol \(UInt32(bitPattern: version) >> 16).\(minor): server supports 3.0 to 3.0")
    }
    var reader = MessageReader(buffer[content])
    var parameters: [FrontendMessage.Startup.Parameter] = []
    while true {
      let name = try reader.string()
      if name.isEmpty { break }
      parameters.append(.init(name: name, value: try reader.string()))
    }
    guard reader.isAtEnd else {
      throw Fault(.protocolViolation, "invalid startup packet layout: expected terminator as last byte")
    }
    return .startup(FrontendMessage.Startup(minorVersion: minor, parameters: parameters))
  }

  // MARK: Packets with type

  private mutating func nextTyped() throws(Fault) -> FrontendMessage? {
    guard pendingBytes >= 1 else { return nil }
    let type = buffer[head]
    guard let typeLimit = Self.limit(of: type) else {
      throw Fault(.protocolViolation, "invalid frontend message type \(type)")
    }
    guard pendingBytes >= 5 else { return nil }
    let length = Int(bigEndian32(at: head + 1))
    let limit = phase == .authentication ? min(typeLimit, Self.authenticationBytesMax) : typeLimit
    guard length >= 4 && length <= limit else {
      throw Fault(.protocolViolation, "invalid message length")
    }
    guard pendingBytes >= 1 + length else { return nil }
    var reader = MessageReader(buffer[(head + 5)..<(head + 1 + length)])
    head += 1 + length
    do throws(Fault) {
      let message = try Self.decode(type, &reader)
      guard reader.isAtEnd else { throw Fault(.protocolViolation, "invalid message format") }
      return message
    } catch {
      return .malformed(type: type, error)
    }
  }

  /// The longest message of a type in bytes; `nil` for an unknown type.
  private static func limit(of type: UInt8) -> Int? {
    switch type {
    case UInt8(ascii: "Q"), UInt8(ascii: "P"): Limits.statementBytesMax + smallMessageBytesMax
    case UInt8(ascii: "B"), UInt8(ascii: "F"): Limits.wireMessageBytesMax
    case UInt8(ascii: "d"): Limits.eventBytesMax + smallMessageBytesMax
    case UInt8(ascii: "p"): authenticationBytesMax
    case UInt8(ascii: "D"), UInt8(ascii: "E"), UInt8(ascii: "C"), UInt8(ascii: "H"), UInt8(ascii: "S"),
      UInt8(ascii: "X"), UInt8(ascii: "c"), UInt8(ascii: "f"):
      smallMessageBytesMax
    default: nil
    }
  }

  private static func decode(_ type: UInt8, _ reader: inout MessageReader) throws(Fault) -> FrontendMessage {
    switch type {
    case UInt8(ascii: "Q"): return .query(try reader.string())
    case UInt8(ascii: "P"): return .parse(try parse(&reader))
    case UInt8(ascii: "B"): return .bind(try bind(&reader))
    case UInt8(ascii: "D"): return .describe(try target(&reader, of: "DESCRIBE"))
    case UInt8(ascii: "C"): return .close(try target(&reader, of: "CLOSE"))
    case UInt8(ascii: "E"):
      let portal = try reader.string()
      // Zero and less mean "all rows", as in PostgreSQL.
      return .execute(portal: portal, rowsMax: max(0, Int(try reader.int32())))
    case UInt8(ascii: "H"): return .flush
    case UInt8(ascii: "S"): return .sync
    case UInt8(ascii: "X"): return .terminate
    case UInt8(ascii: "d"): return .copyData(reader.rest())
    case UInt8(ascii: "c"): return .copyDone
    case UInt8(ascii: "f"): return .copyFail(try reader.string())
    case UInt8(ascii: "p"): return .password(reader.rest())
    case UInt8(ascii: "F"):
      _ = reader.rest()
      return .functionCall
    default: preconditionFailure("a type without a limit")
    }
  }

  private static func parse(_ reader: inout MessageReader) throws(Fault) -> FrontendMessage.Parse {
    let name = try reader.string()
    let sql = try reader.string()
    let count = Int(UInt16(bitPattern: try reader.int16()))
    try reader.require(count * 4)
    var types: [UInt32] = []
    types.reserveCapacity(count)
    for _ in 0..<count { types.append(UInt32(bitPattern: try reader.int32())) }
    return FrontendMessage.Parse(name: name, sql: sql, parameterTypes: types)
  }

  private static func bind(_ reader: inout MessageReader) throws(Fault) -> FrontendMessage.Bind {
    let portal = try reader.string()
    let statement = try reader.string()
    let parameterFormats = try reader.formats()
    let count = Int(UInt16(bitPattern: try reader.int16()))
    try reader.require(count * 4)
    var parameters: [[UInt8]?] = []
    parameters.reserveCapacity(count)
    for _ in 0..<count {
      let length = try reader.int32()
      if length == -1 {
        parameters.append(nil)
      } else {
        guard length >= 0 else { throw Fault(.protocolViolation, "invalid length of a bind parameter") }
        parameters.append(try reader.bytes(Int(length)))
      }
    }
    return FrontendMessage.Bind(
      portal: portal, statement: statement, parameterFormats: parameterFormats, parameters: parameters,
      resultFormats: try reader.formats())
  }

  private static func target(
    _ reader: inout MessageReader, of what: String
  ) throws(Fault) -> FrontendMessage.Target {
    let kind = try reader.byte()
    let name = try reader.string()
    switch kind {
    case UInt8(ascii: "S"): return .statement(name)
    case UInt8(ascii: "P"): return .portal(name)
    default: throw Fault(.protocolViolation, "invalid \(what) message subtype \(kind)")
    }
  }
}

/// Reads the fields of one message; every read is checked against what is left.
struct MessageReader {
  private let content: ArraySlice<UInt8>
  private var at: Int

  init(_ content: ArraySlice<UInt8>) {
    self.content = content
    at = content.startIndex
  }

  var isAtEnd: Bool { at == content.endIndex }

  func require(_ count: Int) throws(Fault) {
    guard count >= 0 && content.endIndex - at >= count else {
      throw Fault(.protocolViolation, "insufficient data left in message")
    }
  }

  mutating func byte() throws(Fault) -> UInt8 {
    try require(1)
    defer { at += 1 }
    return content[at]
  }

  mutating func int16() throws(Fault) -> Int16 {
    try require(2)
    defer { at += 2 }
    return Int16(bitPattern: UInt16(content[at]) << 8 | UInt16(content[at + 1]))
  }

  mutating func int32() throws(Fault) -> Int32 {
    try require(4)
    defer { at += 4 }
    var value: UInt32 = 0
    for index in at..<(at + 4) { value = value << 8 | UInt32(content[index]) }
    return Int32(bitPattern: value)
  }

  mutating func bytes(_ count: Int) throws(Fault) -> [UInt8] {
    try require(count)
    defer { at += count }
    return Array(content[at..<(at + count)])
  }

  mutating func rest() -> [UInt8] {
    defer { at = content.endIndex }
    return Array(content[at...])
  }

  mutating func formats() throws(Fault) -> [Int16] {
    let count = Int(UInt16(bitPattern: try int16()))
    try require(count * 2)
    var formats: [Int16] = []
    formats.reserveCapacity(count)
    for _ in 0..<count { formats.append(try int16()) }
    return formats
  }

  /// A string up to its NUL. Throws 08P01 without one, 22021 when it is not UTF-8.
  mutating func string() throws(Fault) -> String {
    guard let end = content[at...].firstIndex(of: 0) else {
      throw Fault(.protocolViolation, "invalid string in message")
    }
    let utf8 = content[at..<end]
    at = end + 1
    guard let string = String(validating: utf8, as: UTF8.self) else {
      throw Fault(.characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"")
    }
    return string
  }
}
