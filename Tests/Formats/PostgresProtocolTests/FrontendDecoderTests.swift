// Client messages from bytes: whole, in pieces, and hostile.

import Bedrock
import PostgresProtocol
import Testing

/// Builds client messages byte by byte.
enum Client {
  static func int32(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
  static func int16(_ value: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)] }
  static func string(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
  static func packet(_ code: Int, _ content: [UInt8] = []) -> [UInt8] { int32(8 + content.count) + int32(code) + content }
  static func message(_ type: Character, _ content: [UInt8] = []) -> [UInt8] {
    [type.asciiValue ?? 0] + int32(4 + content.count) + content
  }
  static let startup = packet(196_608, string("user") + string("ada") + string("database") + string("db") + [0])
}

private func decoder(_ phase: FrontendDecoder.Phase = .session) -> FrontendDecoder {
  var decoder = FrontendDecoder()
  if phase != .startup { decoder.startupAccepted() }
  if phase == .session { decoder.authenticated() }
  return decoder
}

private func decode(_ bytes: [UInt8], _ phase: FrontendDecoder.Phase = .session) throws -> [FrontendMessage] {
  var decoder = decoder(phase)
  bytes.withUnsafeBytes { decoder.receive($0) }
  var messages: [FrontendMessage] = []
  while let message = try decoder.next() { messages.append(message) }
  return messages
}

private func state(_ bytes: [UInt8], _ phase: FrontendDecoder.Phase = .session) -> String? {
  do {
    _ = try decode(bytes, phase)
    return nil
  } catch let fault as Fault { return fault.state.text } catch { return "?" }
}

@Suite struct FrontendDecoderTests {
  @Test func startupPackets() throws {
    #expect(try decode(Client.packet(80_877_103), .startup) == [.sslRequest])
    #expect(try decode(Client.packet(80_877_104), .startup) == [.gssEncryptionRequest])
    #expect(
      try decode(Client.packet(80_877_102, Client.int32(7) + Client.int32(-9)), .startup) == [
        .cancelRequest(CancelKey(process: 7, secret: -9))
      ])
    guard case .startup(let startup)? = try decode(Client.startup, .startup).first else {
      Issue.record("no startup message")
      return
    }
    #expect(startup.value(of: "user") == "ada")
    #expect(startup.value(of: "database") == "db")
    #expect(!startup.needsNegotiation)
  }

  @Test func newerMinorVersionsAndOptionsAreNegotiated() throws {
    let content = Client.string("user") + Client.string("a") + Client.string("_pq_.x") + Client.string("1") + [0]
    guard case .startup(let startup)? = try decode(Client.packet(3 << 16 | 9_999, content), .startup).first else {
      Issue.record("no startup message")
      return
    }
    #expect(startup.minorVersion == 9_999)
    #expect(startup.needsNegotiation)
    #expect(startup.unknownOptions == ["_pq_.x"])
  }

  @Test func startupPacketsThatAreRefused() {
    #expect(state(Client.packet(2 << 16), .startup) == "0A000")
    #expect(state(Client.packet(4 << 16), .startup) == "0A000")
    #expect(state(Client.int32(7) + Client.int32(196_608), .startup) == "08P01")
    #expect(state(Client.int32(10_001) + Client.int32(196_608), .startup) == "08P01")
    #expect(state(Client.int32(-1), .startup) == "08P01")
    #expect(state(Array("GET / HTTP/1.1\r\n".utf8), .startup) == "08P01")
    #expect(state(Client.packet(196_608, Client.string("user")), .startup) == "08P01")
    #expect(state(Client.packet(196_608, Client.string("user") + Client.string("a") + [0, 0]), .startup) == "08P01")
    #expect(state(Client.packet(196_608, [0x75, 0xFF, 0, 0x61, 0, 0]), .startup) == "22021")
    #expect(state(Client.packet(80_877_102, [1]), .startup) == "08P01")
  }

  @Test func sessionMessages() throws {
    let bind =
      Client.string("p") + Client.string("s") + Client.int16(1) + Client.int16(1) + Client.int16(3) + Client.int32(2)
      + [1, 2] + Client.int32(-1) + Client.int32(0) + Client.int16(2) + Client.int16(0) + Client.int16(1)
    let bytes =
      Client.message("Q", Client.string("select 'ü'"))
      + Client.message("P", Client.string("s") + Client.string("select $1") + Client.int16(2) + Client.int32(23) + Client.int32(0))
      + Client.message("B", bind) + Client.message("D", [0x53] + Client.string("s"))
      + Client.message("D", [0x50] + Client.string("p")) + Client.message("E", Client.string("p") + Client.int32(10))
      + Client.message("E", Client.string("") + Client.int32(-5)) + Client.message("C", [0x53] + Client.string("s"))
      + Client.message("H") + Client.message("S") + Client.message("d", [9]) + Client.message("c")
      + Client.message("f", Client.string("why")) + Client.message("F", [0, 0]) + Client.message("p", [1])
      + Client.message("X")
    let expected: [FrontendMessage] = [
      .query("select 'ü'"), .parse(.init(name: "s", sql: "select $1", parameterTypes: [23, 0])),
      .bind(
        .init(
          portal: "p", statement: "s", parameterFormats: [1], parameters: [[1, 2], nil, []], resultFormats: [0, 1])),
      .describe(.statement("s")), .describe(.portal("p")), .execute(portal: "p", rowsMax: 10),
      .execute(portal: "", rowsMax: 0), .close(.statement("s")), .flush, .sync, .copyData([9]), .copyDone,
      .copyFail("why"), .functionCall, .password([1]), .terminate,
    ]
    #expect(try decode(bytes) == expected)
    // The same bytes one by one give the same messages.
    var decoder = decoder()
    var messages: [FrontendMessage] = []
    for byte in bytes {
      [byte].withUnsafeBytes { decoder.receive($0) }
      while let message = try decoder.next() { messages.append(message) }
    }
    #expect(messages == expected)
    #expect(decoder.pendingBytes == 0)
  }

  @Test func wrongFramingThrows() {
    #expect(state(Client.message("z")) == "08P01")
    #expect(state([0]) == "08P01")
    #expect(state([UInt8(ascii: "Q")] + Client.int32(3)) == "08P01")
    #expect(state([UInt8(ascii: "Q")] + Client.int32(-1)) == "08P01")
    #expect(state([UInt8(ascii: "S")] + Client.int32(1 << 30)) == "08P01")
    #expect(state([UInt8(ascii: "B")] + Client.int32(Limits.wireMessageBytesMax + 1)) == "08P01")
    #expect(state([UInt8(ascii: "Q")] + Client.int32(100_000), .authentication) == "08P01")
  }

  @Test func wrongContentIsMalformed() throws {
    func fault(_ bytes: [UInt8]) throws -> String? {
      let messages = try decode(bytes + Client.message("S"))
      #expect(messages.last == .sync, "the next message is still found")
      guard case .malformed(_, let fault)? = messages.first else { return nil }
      return fault.state.text
    }
    #expect(try fault(Client.message("Q", Array("no end".utf8))) == "08P01")
    #expect(try fault(Client.message("Q", [0x61, 0, 0x62, 0])) == "08P01")
    #expect(try fault(Client.message("Q", [0xC3, 0x28, 0])) == "22021")
    #expect(try fault(Client.message("P", Client.string("") + Client.string("") + Client.int16(-1))) == "08P01")
    #expect(try fault(Client.message("B", Client.string("") + Client.string("") + Client.int16(0) + Client.int16(1) + Client.int32(-2) + Client.int16(0))) == "08P01")
    #expect(try fault(Client.message("B", Client.string("") + Client.string("") + Client.int16(0) + Client.int16(1) + Client.int32(0x7FFF_FFFF))) == "08P01")
    #expect(try fault(Client.message("D", [0x51, 0])) == "08P01")
    #expect(try fault(Client.message("E", Client.string("p"))) == "08P01")
    #expect(try fault(Client.message("S", [1])) == "08P01")
  }
}
