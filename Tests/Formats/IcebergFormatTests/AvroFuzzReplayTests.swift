import Foundation
import IcebergFormat
import TestKit
import Testing

@Suite("Fuzzer's corpus and findings: Avro")
struct AvroFuzzReplayTests {
  @Test func replay() throws {
    for folder in ["Fuzz/Corpus/FuzzAvro", "Fuzz/Regressions/FuzzAvro"] {
      let path = "\(checkout)/\(folder)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))
        #expect(data.withUnsafeBytes { AvroCheck.check(hostile: $0) }, "\(folder)/\(name)")
      }
    }
  }
}
