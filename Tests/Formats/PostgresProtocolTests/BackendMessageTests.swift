// Server messages as bytes: PostgreSQL 15 manual, section 55.7.

import Bedrock
import Columnar
import PostgresProtocol
import Testing

private func written(_ write: (inout WireBuffer) -> Void) -> [UInt8] {
  var buffer = WireBuffer(capacity: 1)
  write(&buffer)
  return buffer.bytes
}

@Suite struct BackendMessageTests {
  @Test func fixedMessages() {
    #expect(written { $0.authenticationOK() } == [0x52, 0, 0, 0, 8, 0, 0, 0, 0])
    #expect(written { $0.readyForQuery(.inBlock) } == [0x5A, 0, 0, 0, 5, 0x54])
    #expect(written { $0.readyForQuery(.failed) } == [0x5A, 0, 0, 0, 5, 0x45])
    #expect(
      written { $0.backendKeyData(CancelKey(process: 1, secret: -1)) } == [
        0x4B, 0, 0, 0, 12, 0, 0, 0, 1, 255, 255, 255, 255,
      ])
    #expect(written { $0.parseComplete() } == [0x31, 0, 0, 0, 4])
    #expect(written { $0.portalSuspended() } == [0x73, 0, 0, 0, 4])
    #expect(written { $0.commandComplete("SELECT 5") } == [0x43, 0, 0, 0, 13] + Array("SELECT 5".utf8) + [0])
    #expect(written { $0.parameterStatus("a", "b") } == [0x53, 0, 0, 0, 8, 0x61, 0, 0x62, 0])
    #expect(
      written { $0.negotiateProtocolVersion(unknownOptions: ["_pq_.x"]) } == [
        0x76, 0, 0, 0, 19, 0, 3, 0, 0, 0, 0, 0, 1,
      ] + Array("_pq_.x".utf8) + [0])
    #expect(written { $0.parameterDescription([23]) } == [0x74, 0, 0, 0, 10, 0, 1, 0, 0, 0, 23])
  }

  @Test func rowDescription() {
    let fields = [
      ResultField(name: "a", type: .varchar(10), tableOID: 16_384, attribute: 2),
      ResultField(name: "b", type: .numeric(.init(precision: 10, scale: 2))), ResultField(name: "c", type: .unknown),
    ]
    let bytes = written { $0.rowDescription(fields, formats: [.text, .binary, .text]) }
    let expected: [UInt8] =
      [0x54, 0, 0, 0, 66, 0, 3] + [0x61, 0] + [0, 0, 0x40, 0, 0, 2, 0, 0, 0x04, 0x13, 255, 255, 0, 0, 0, 14, 0, 0]
      + [0x62, 0] + [0, 0, 0, 0, 0, 0, 0, 0, 0x06, 0xA4, 255, 255, 0, 10, 0, 6, 0, 1]
      + [0x63, 0] + [0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]
    #expect(bytes == expected)
  }

  @Test func errorResponse() {
    let fault = Fault(.undefinedTable, "relation \"x\" does not exist", detail: "d", hint: "h", position: 15)
    let bytes = written { $0.errorResponse(fault, severity: .fatal) }
    let text = "SFATAL\0VFATAL\0C42P01\0Mrelation \"x\" does not exist\0Dd\0Hh\0P15\0\0"
    #expect(bytes == [0x45] + Client.int32(4 + text.utf8.count) + Array(text.utf8))
    let notice = written { $0.noticeResponse(.warning, .noActiveSQLTransaction, "there is no transaction in progress") }
    let noticeText = "SWARNING\0VWARNING\0C25P01\0Mthere is no transaction in progress\0\0"
    #expect(notice == [0x4E] + Client.int32(4 + noticeText.utf8.count) + Array(noticeText.utf8))
    // A NUL inside a text cannot end the message early.
    #expect(written { $0.commandComplete("a\0b") } == [0x43, 0, 0, 0, 6, 0x61, 0])
  }

  @Test func typeNumbersGoBothWays() {
    for type in DataType.scalarTypes {
      #expect(DataType(oid: type.oid) == type)
      if type != .unknown && type != .void { #expect(DataType(oid: type.arrayOID) == .array(type)) }
    }
    #expect(DataType(oid: 1_043, typeModifier: 14) == .varchar(10))
    #expect(DataType(oid: 1_700, typeModifier: (10 << 16 | 2) + 4) == .numeric(.init(precision: 10, scale: 2)))
    #expect(DataType.numeric(.init(precision: 10, scale: 2)).typeModifier == (10 << 16 | 2) + 4)
    #expect(DataType(oid: 600) == nil)
  }

  @Test func bufferKeepsItsBytesWhileItGrows() {
    var buffer = WireBuffer(capacity: 1)
    for index in 0..<10_000 { buffer.append(Int32(index)) }
    #expect(buffer.count == 40_000)
    #expect(Array(buffer.bytes[39_996...]) == Client.int32(9_999))
    buffer.removeAll(keeping: 16)
    #expect(buffer.count == 0)
    buffer.append("after")
    #expect(buffer.bytes == Array("after".utf8))
  }
}
