// What an operator, or an accident, does to a stream.

import Bedrock
@testable import Ingest
import CNATS

struct BrokerAdmin {
  private let broker: Broker
  private let options: IngestOptions

  init(_ options: IngestOptions) throws {
    broker = try Broker(options.broker)
    self.options = options
  }

  private func check(_ status: natsStatus) throws {
    if status != NATS_OK { throw BrokerFault.make(status, "test administration") }
  }

  func deleteConsumer() throws {
    try check(js_DeleteConsumer(broker.context, options.stream.name, options.consumer, nil, nil))
  }
  func deleteStream() throws { try check(js_DeleteStream(broker.context, options.stream.name, nil, nil)) }
  func deleteMessage(_ sequence: UInt64) throws {
    try check(js_DeleteMsg(broker.context, options.stream.name, sequence, nil, nil))
  }
  func purge(upTo sequence: UInt64) throws {
    var js = jsOptions()
    jsOptions_Init(&js)
    js.Stream.Purge.Sequence = sequence
    try check(js_PurgeStream(broker.context, options.stream.name, &js, nil))
  }
  func makeWorkQueue() throws {
    var config = jsStreamConfig()
    jsStreamConfig_Init(&config)
    config.Retention = js_WorkQueuePolicy
    let status = "EVENTS".withCString { name in
      "events.>".withCString { subject in
        config.Name = name
        var subjects: [UnsafePointer<CChar>?] = [subject]
        return subjects.withUnsafeMutableBufferPointer { list in
          config.Subjects = list.baseAddress
          config.SubjectsLen = 1
          return js_AddStream(nil, broker.context, &config, nil, nil)
        }
      }
    }
    try check(status)
  }
}
