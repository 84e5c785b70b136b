// Replays the fuzzer's corpus and everything it ever found.

import Foundation
import PostgresProtocol
import Testing

@Suite struct FuzzReplayTests {
  @Test(arguments: ["Corpus", "Regressions"])
  func replay(folder: String) throws {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let path = root.appendingPathComponent("Fuzz/\(folder)/FuzzWire")
    let files = try FileManager.default.contentsOfDirectory(at: path, includingPropertiesForKeys: nil)
    for file in files where !file.lastPathComponent.hasPrefix(".") {
      let bytes = Array(try Data(contentsOf: file))
      guard let selector = bytes.first else { continue }
      if selector & 0x80 != 0 {
        WireExercise.value(Array(bytes.dropFirst()), selector: selector & 0x7F)
      } else {
        bytes.dropFirst().withUnsafeBytes { WireExercise.client($0, piece: Int(selector & 63) + 1) }
      }
    }
    #expect(folder == "Regressions" || files.count >= 16)
  }
}
