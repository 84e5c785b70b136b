// A client that sends bytes and reads messages, to say things that no driver would.

import Glibc

struct WireFailure: Error, CustomStringConvertible {
  let description: String
}

final class RawClient {
  struct Message: Equatable {
    let type: Character
    let content: [UInt8]
    /// The fields of an ErrorResponse or NoticeResponse.
    var fields: [Character: String] {
      var found: [Character: String] = [:]
      for field in content.split(separator: 0) where field.count > 0 {
        found[Character(UnicodeScalar(field[field.startIndex]))] = String(decoding: field.dropFirst(), as: UTF8.self)
      }
      return found
    }
    var text: String { String(decoding: content.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw WireFailure(description: "cannot connect to \(port)") }
    // A server that does not answer fails the test instead of hanging it.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func disconnect() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw WireFailure(description: "send failed: errno \(errno)") }
      sent += count
    }
  }

  /// So many bytes; fewer at the end of the stream.
  func receive(_ count: Int) throws -> [UInt8] {
    while buffer.count < count {
      var block = [UInt8](repeating: 0, count: 65_536)
      let received = recv(descriptor, &block, block.count, 0)
      guard received >= 0 else { throw WireFailure(description: "nothing received: errno \(errno)") }
      if received == 0 { break }
      buffer += block[..<received]
    }
    let taken = Array(buffer.prefix(count))
    buffer.removeFirst(taken.count)
    return taken
  }

  /// True once something can be received; waits so long for it.
  func hasInput(withinMs limit: Int32) -> Bool {
    if !buffer.isEmpty { return true }
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, limit) > 0
  }

  /// The next message; `nil` when the server closed.
  func message() throws -> Message? {
    let head = try receive(5)
    guard head.count == 5 else { return nil }
    let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
    return Message(type: Character(UnicodeScalar(head[0])), content: try receive(length - 4))
  }

  /// Messages up to and with the next ReadyForQuery, or to the end of the stream.
  func untilReady() throws -> [Message] {
    var messages: [Message] = []
    while let message = try message() {
      messages.append(message)
      if message.type == "Z" { break }
    }
    return messages
  }

  // MARK: Messages of a client

  static func int32(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
  static func int16(_ value: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)] }
  static func string(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
  static func packet(_ code: Int, _ content: [UInt8] = []) -> [UInt8] { int32(8 + content.count) + int32(code) + content }
  static func message(_ type: Character, _ content: [UInt8] = []) -> [UInt8] {
    [type.asciiValue ?? 0] + int32(4 + content.count) + content
  }
  static func query(_ sql: String) -> [UInt8] { message("Q", string(sql)) }
  static func parse(_ sql: String, name: String = "", types: [Int] = []) -> [UInt8] {
    message("P", string(name) + string(sql) + int16(types.count) + types.flatMap { int32($0) })
  }
  static func bind(
    portal: String = "", statement: String = "", formats: [Int] = [], values: [[UInt8]?] = [], results: [Int] = []
  ) -> [UInt8] {
    let parameters = values.flatMap { $0.map { int32($0.count) + $0 } ?? int32(-1) }
    return message(
      "B", string(portal) + string(statement) + int16(formats.count) + formats.flatMap { int16($0) } + int16(values.count)
        + parameters + int16(results.count) + results.flatMap { int16($0) })
  }
  static func execute(_ portal: String = "", rowsMax: Int = 0) -> [UInt8] {
    message("E", string(portal) + int32(rowsMax))
  }
  static func startup(user: String = "ada", _ more: [(String, String)] = []) -> [UInt8] {
    packet(196_608, string("user") + string(user) + more.flatMap { string($0.0) + string($0.1) } + [0])
  }
  static let sync = message("S")
  static let flush = message("H")

  /// A client that has been greeted.
  static func open(port: Int) throws -> RawClient {
    let client = try RawClient(port: port)
    try client.send(startup())
    let greeting = try client.untilReady()
    guard greeting.last?.type == "Z" else { throw WireFailure(description: "no greeting: \(greeting)") }
    return client
  }

  /// The types of the answer to some bytes, up to ReadyForQuery.
  func types(_ bytes: [UInt8]) throws -> String {
    try send(bytes)
    return String(try untilReady().map(\.type))
  }
}
