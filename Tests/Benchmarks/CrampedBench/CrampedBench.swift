// Events from NATS to the synced hot tier, scans and flushes of it, beside the raw speed of the parts in the same run.
// Tests/Benchmarks/README.md says how to read it.

import Bedrock
import Foundation
import Runtime

struct BenchOptions {
  var events = 500_000
  var batch = 5_000
  var rounds = 2
  var server = BrokerProcess.find()
  var folder: String?
  var parts: Set<String> = ["broker", "decode", "write", "latency"]

  init(_ arguments: [String]) throws(Fault) {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { throw Fault(.invalidParameterValue, "\(name) has no value") }
      switch name {
      case "--events": events = try Self.number(name, value)
      case "--batch": batch = try Self.number(name, value)
      case "--rounds": rounds = try Self.number(name, value)
      case "--nats-server": server = value
      case "--folder": folder = value
      case "--parts": parts = Set(value.split(separator: ",").map(String.init))
      default:
        throw Fault(
          .invalidParameterValue, "unknown option \(name)",
          hint: "--events N --batch N --rounds N --nats-server PATH --folder PATH --parts broker,decode,write,latency")
      }
    }
  }

  private static func number(_ name: String, _ text: String) throws(Fault) -> Int {
    guard let value = Int(text), value >= 1, value <= 1 << 32 else {
      throw Fault(.invalidParameterValue, "\(name) is a whole number from 1, not \(text)")
    }
    return value
  }
}

@main
struct CrampedBench {
  static func main() throws {
    let options = try BenchOptions(Array(CommandLine.arguments.dropFirst()))
    let base = options.folder ?? FileManager.default.temporaryDirectory.path
    let folder = "\(base)/cramped-bench-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // a leftover folder changes no result
    print("\(options.events) events of \(Workload.payloadBytes) bytes, batches of \(options.batch), best of \(options.rounds)")
    var report = Report()
    Report.header()
    if options.parts.contains("decode") { try DecodeBench.run(options, &report) }
    if options.parts.contains("write") { try WriteBench.run(options, folder: folder, &report) }
    if options.parts.contains("broker") || options.parts.contains("latency") {
      try BrokerBench(options, folder: folder).run(&report)
    }
  }
}
