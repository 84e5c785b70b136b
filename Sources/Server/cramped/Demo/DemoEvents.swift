// Made-up events of the three example schemas: the same seed and index always give the same event.
//
// Ten events are a block: seven measurements, two orders and one identity, each numbered from 1 within its own table
// without holes, so that a demo can go on where an earlier one stopped.

import Bedrock
import JSONTape
import Runtime

struct DemoEvents {
  static let blockSize = 10
  private static let series = ["boiler", "turbine", "pump-north", "pump-south", "furnace"]
  private static let countries = [("DE", "EUR"), ("FR", "EUR"), ("GB", "GBP"), ("US", "USD"), ("SE", "SEK")]
  private static let channels = ["web", "app", "store"]
  private static let names = ["Ada", "Barbara", "Edsger", "Grace", "Ken", "Leslie", "Margaret", "Niklaus"]
  private static let users = 500

  struct Event {
    let name: String
    let sequence: Int64
    let payload: [UInt8]
  }

  let seed: UInt64
  private var writer = JSONWriter(capacity: 512)

  init(seed: UInt64) { self.seed = seed }

  /// The event at `index`, published at `publishedMicros` since 1970.
  mutating func event(at index: Int, publishedMicros: Int64) -> Event {
    precondition(index >= 0)
    var random = SeededGenerator(seed: seed &+ UInt64(index) &* 0x2545_F491_4F6C_DD1D)
    let block = Int64(index / Self.blockSize)
    let place = index % Self.blockSize
    let name: String
    let sequence: Int64
    switch place {
    case 0..<7: (name, sequence) = ("iot.measurement.recorded", block * 7 + Int64(place) + 1)
    case 7, 8: (name, sequence) = ("shop.order.placed", block * 2 + Int64(place - 7) + 1)
    default: (name, sequence) = ("user.identity.created", block + 1)
    }
    writer.reset()
    writer.beginObject()
    writer.key("event")
    writer.value(name)
    writer.key("sequence")
    writer.value(sequence)
    writer.key("metadata")
    writer.beginObject()
    writer.key("published")
    writer.value(publishedMicros)
    writer.key("source")
    writer.value("demo")
    writer.endObject()
    writer.key("content")
    writer.beginObject()
    switch place {
    case 0..<7: writeMeasurement(&random)
    case 7, 8: writeOrder(sequence, &random)
    default: writeIdentity(sequence, &random)
    }
    writer.endObject()
    writer.endObject()
    return Event(name: name, sequence: sequence, payload: writer.bytes)
  }

  private mutating func writeMeasurement(_ random: inout SeededGenerator) {
    let which = Int(random.next() % UInt64(Self.series.count))
    writer.key("series")
    writer.value(Self.series[which])
    writer.key("value")
    // Two decimals around a base of each series.
    writer.value(Double(which * 2_000 + 4_000 + Int(random.next() % 1_000)) / 100)
    writer.key("unit")
    writer.value("°C")
  }

  private mutating func writeOrder(_ sequence: Int64, _ random: inout SeededGenerator) {
    let (country, currency) = Self.countries[Int(random.next() % UInt64(Self.countries.count))]
    writer.key("orderId")
    writer.value("order-\(sequence)")
    writer.key("userId")
    writer.value("user-\(1 + random.next() % UInt64(Self.users))")
    writer.key("amount")
    writer.value(Double(100 + random.next() % 49_900) / 100)
    writer.key("currency")
    writer.value(currency)
    writer.key("country")
    writer.value(country)
    writer.key("items")
    writer.value(Int64(1 + random.next() % 5))
    writer.key("channel")
    writer.value(Self.channels[Int(random.next() % UInt64(Self.channels.count))])
  }

  private mutating func writeIdentity(_ sequence: Int64, _ random: inout SeededGenerator) {
    let name = Self.names[Int(random.next() % UInt64(Self.names.count))]
    writer.key("userId")
    writer.value("user-\(sequence)")
    writer.key("email")
    writer.value("\(name.lowercased()).\(sequence)@example.org")
    writer.key("name")
    writer.value(name)
  }
}
