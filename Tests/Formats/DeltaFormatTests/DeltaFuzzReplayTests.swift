import DeltaFormat
import Foundation
import TestKit
import Testing

@Suite("Fuzzer inputs of the Delta log")
struct DeltaFuzzReplayTests {
  @Test("corpus and regressions hold")
  func replay() throws {
    #expect(try Self.replay("FuzzDeltaLog") { DeltaLogCheck.check(hostile: $0) } >= 4)
    #expect(try Self.replay("FuzzDeletionVector") { DeltaCheckpointCheck.check(deletionVector: $0) } >= 4)
    #expect(try Self.replay("FuzzDeltaCheckpoint") { DeltaCheckpointCheck.check(checkpoint: $0) } >= 1)
  }

  private static func replay(_ name: String, _ check: (UnsafeRawBufferPointer) -> Bool) throws -> Int {
    var replayed = 0
    for folder in ["Corpus", "Regressions"] {
      let path = "\(checkout)/Fuzz/\(folder)/\(name)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      for file in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)")))
        #expect(bytes.withUnsafeBytes { check($0) }, "\(folder)/\(name)/\(file)")
        replayed += 1
      }
    }
    return replayed
  }
}
