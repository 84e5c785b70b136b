import Bedrock
import Columnar
import EventDecoding
import Foundation
import Testing

/// What the fuzzer FuzzEnvelope has found or was given, decoded between two good events as the fuzzer does it.
@Suite struct EnvelopeFuzzReplayTests {
  @Test func corpusAndRegressionsHold() throws {
    let bench = try Bench()
    var replayed = 0
    for folder in ["Corpus", "Regressions"] {
      let path = repository.appendingPathComponent("Fuzz/\(folder)/FuzzEnvelope").path
      guard FileManager.default.fileExists(atPath: path) else { continue }
      for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() where !name.hasPrefix(".") {
        let input = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
        guard let first = input.first else { continue }
        let headers = first & 1 == 1 ? ["Content-Type": "application/capnp"] : [:]
        bench.every(#"{"text":"good"}"#, sequence: 1)
        bench.send(Array(input.dropFirst()), subject: "events.test.every.made", headers: headers)
        bench.every(#"{"text":"good"}"#, sequence: 3)
        let batch = bench.decoder.finish()
        let table = try #require(bench.table(batch, "test.every"))
        #expect(table.chunk.rowCount + batch.errors.count == 3, "\(folder)/\(name)")
        let texts = bench.column(table, "text")
        #expect(texts.scalar(at: 0) == .text("good") && texts.scalar(at: table.chunk.rowCount - 1) == .text("good"))
        replayed += 1
      }
    }
    #expect(replayed >= 3)
  }
}
