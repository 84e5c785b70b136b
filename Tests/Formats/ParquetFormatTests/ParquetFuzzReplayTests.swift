// What the fuzzer found once, and the seeds it begins with, through the whole reader: no input traps.

import Foundation
import ParquetFormat
import Testing

@Suite struct ParquetFuzzReplayTests {
  @Test(arguments: ["Regressions", "Corpus"])
  func inputsAreReadOrRefused(kind: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fuzz/\(kind)/FuzzParquet")
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
      ParquetExercise.run([UInt8](try Data(contentsOf: folder.appendingPathComponent(name))))
    }
  }

  @Test(.enabled(if: GoldenFiles.areThere, GoldenFiles.absent))
  func referenceFilesSurviveFlips() throws {
    var seed = Seed(99)
    for (name, lines) in try GoldenFiles.expected() where lines[0][0] != "refused" {
      let bytes = try GoldenFiles.bytes("data/" + name)
      if bytes.count > 20_000 { continue }
      for _ in 0..<12 {
        var damaged = bytes
        for _ in 0...seed.below(2) { damaged[4 + seed.below(bytes.count - 8)] ^= UInt8(1 << seed.below(8)) }
        ParquetExercise.run(damaged)
      }
    }
  }
}
