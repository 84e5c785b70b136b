// JSON to columns, without broker and storage.

import Bedrock
import Columnar
import EventDecoding
import Runtime

enum DecodeBench {
  static func run(_ options: BenchOptions, _ report: inout Report) throws(Fault) {
    let clock = Clock.system
    let decoder = try Tables.decoder()
    let batch = Tables.payloads(0..<options.batch)
    var best = UInt64.max
    var bestCPU = UInt64.max
    for _ in 0..<max(options.rounds, 2) {
      let start = clock.monotonicNanos()
      let cpu = BrokerBench.cpuNanos()
      var done = 0
      while done < options.events {
        let decoded = Tables.decode(batch, first: done, with: decoder)
        precondition(decoded.errors.isEmpty && decoded.tables[0].chunk.rowCount == options.batch)
        done += options.batch
      }
      bestCPU = min(bestCPU, (BrokerBench.cpuNanos() - cpu) / UInt64(done))
      best = min(best, (clock.monotonicNanos() - start) * UInt64(options.events) / UInt64(done))
    }
    report.add("decode alone", options.events, best, note: "\(bestCPU) ns of CPU an event")
  }
}
