import ArgumentParser
import Bedrock
import Foundation
import Ingest
import Runtime

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Publishes made-up events of the example schemas.",
    discussion: "Without --count it goes on until it is stopped.")

  @OptionGroup var broker: BrokerArguments

  @Option(name: .long, help: "Events a second; 0: as fast as the broker takes them.")
  var rate: Double = 0

  @Option(name: .long, help: "Events in all.")
  var count: Int?

  @Option(name: .long, help: "Begin behind this many events.")
  var skip = 0

  @Option(name: .long, help: "The same seed gives the same events.")
  var seed: UInt64 = 1

  @Option(name: .long, help: "Time of the first event, RFC 3339; then 100 ms between events. Without it: now.")
  var start: String?

  func validate() throws {
    if rate < 0 || skip < 0 || (count ?? 0) < 0 { throw ValidationError("rate, count and skip are not negative") }
    if let start, Self.micros(start) == nil { throw ValidationError("\"\(start)\" is not an RFC 3339 time") }
  }

  private static func micros(_ text: String) -> Int64? {
    ISO8601DateFormatter().date(from: text).map { Int64($0.timeIntervalSince1970 * 1_000_000) }
  }

  func run() throws {
    do throws(Fault) {
      let prefix = try broker.subjectPrefix()
      let publisher = try EventPublisher(broker: try broker.options(), stream: try broker.stream())
      let clock = Clock.system
      let pace = Pace(ratePerSecond: rate, clock: clock)
      var demo = DemoEvents(seed: seed)
      let first = start.flatMap(Self.micros)
      var published = 0
      while count.map({ published < $0 }) ?? true {
        let index = skip + published
        let time = first.map { $0 + Int64(index) * 100_000 } ?? clock.nowMicros()
        let event = demo.event(at: index, publishedMicros: time)
        try publisher.publish(
          OutgoingEvent(
            subject: "\(prefix).\(event.name)", messageID: "\(event.name)/\(event.sequence)", payload: event.payload,
            contentType: "application/json"))
        published += 1
        try pace.wait(after: published)
      }
      let totals = try publisher.finish()
      print("\(totals.acknowledged) events published")
    } catch { throw report(error) }
  }
}
