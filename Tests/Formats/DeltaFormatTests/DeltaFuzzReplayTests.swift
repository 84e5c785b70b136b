import DeltaFormat
import Foundation
import TestKit
import Testing

@Suite("Fuzzer inputs of the Delta log")
struct DeltaFuzzReplayTests {
  @Test("corpus and regressions hold")
  func replay() throws {
    var replayed = 0
    for folder in ["Corpus", "Regressions"] {
      let path = "\(checkout)/Fuzz/\(folder)/FuzzDeltaLog"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
        #expect(bytes.withUnsafeBytes { DeltaLogCheck.check(hostile: $0) }, "\(folder)/\(name)")
        replayed += 1
      }
    }
    #expect(replayed >= 4)
  }
}
