import Bedrock
import Testing
import StorageContract
@testable import Ingest

@Suite struct ResumeTests {
  let mark = LogMark(
    position: Position(epoch: 2, sequence: 100), messageTimeMicros: 5, checksum: 7, streamCreatedMicros: 1)
  let same = Broker.MessageMark(timeMicros: 5, checksum: 7)

  private func resume(
    _ mark: LogMark?, created: Int64 = 1, first: UInt64 = 1, last: UInt64 = 200, message: Broker.MessageMark?
  ) throws -> Resume {
    try Resume(mark: mark, stream: StreamState(createdMicros: created, first: first, last: last)) { sequence in
      #expect(sequence == 100)
      return message
    }
  }

  @Test func everyCase() throws {
    #expect(try resume(nil, first: 4, message: nil) == .from(sequence: 4, epoch: 0))
    #expect(try resume(mark, message: same) == .from(sequence: 101, epoch: 2))
    #expect(try resume(mark, last: 100, message: same) == .from(sequence: 101, epoch: 2))
    #expect(try resume(mark, created: 9, message: same) == .newEpoch(sequence: 1, epoch: 3, reason: .recreated))
    #expect(try resume(mark, last: 99, message: nil) == .newEpoch(sequence: 1, epoch: 3, reason: .rewound))
    let other = Broker.MessageMark(timeMicros: 5, checksum: 8), later = Broker.MessageMark(timeMicros: 6, checksum: 7)
    #expect(try resume(mark, message: other) == .newEpoch(sequence: 1, epoch: 3, reason: .overtaken))
    #expect(try resume(mark, message: later) == .newEpoch(sequence: 1, epoch: 3, reason: .overtaken))
    #expect(try resume(mark, first: 101, message: nil) == .from(sequence: 101, epoch: 2))
    #expect(try resume(mark, first: 50, message: nil) == .from(sequence: 101, epoch: 2))
    #expect(try resume(mark, first: 105, message: nil) == .hole(missing: 101..<105, epoch: 2))
  }

  @Test func epochsEnd() {
    var last = mark
    last.position = Position(epoch: 0x7FFF, sequence: 100)
    #expect(throws: Fault.self) { try resume(last, created: 9, message: nil) }
  }

  @Test func replySubjects() {
    let old = DeliveryMark(replySubject: "$JS.ACK.EVENTS.cramped-ingest.1.601.7.1795451092056202199.299")
    #expect(old?.streamSequence == 601 && old?.consumerSequence == 7 && old?.pending == 299)
    #expect(old?.timeNanos == 1_795_451_092_056_202_199)
    let new = DeliveryMark(replySubject: "$JS.ACK._.abc.EVENTS.cramped-ingest.2.5.6.7.8.token")
    #expect(new?.delivered == 2 && new?.streamSequence == 5 && new?.pending == 8)
    for bad in ["", "x", "$JS.ACK.a.b.c", "_INBOX.1.2.3.4.5.6.7.8", "$JS.ACK.E.c.1.x.7.1.2", "$JS.ACK.E.c.1.-1.7.1.2",
      "$JS.ACK.E.c.1.99999999999999999999999.7.1.2", "$JS.ACK.E.c.1.999999999999999.7.1.2", "$JS.ACK.E.c.1..7.1.2",
      "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"]
    { #expect(DeliveryMark(replySubject: bad) == nil, "\(bad)") }
  }

  @Test func backOffGrowsToItsLimit() {
    var backOff = BackOff()
    var random = SystemRandomNumberGenerator()
    var waits: [Int] = []
    for _ in 0..<10 { waits.append(backOff.next(using: &random)) }
    #expect(waits[0] >= 50 && waits[0] <= 100 && waits[9] >= 2_500 && waits[9] <= 5_000)
    backOff.reset()
    #expect(backOff.next(using: &random) <= 100)
  }
}
