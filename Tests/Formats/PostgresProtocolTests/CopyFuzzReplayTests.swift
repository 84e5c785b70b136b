// Replays the corpus and the findings of the fuzzer of COPY; and what a long line costs.

import Bedrock
import Columnar
import Foundation
import PostgresProtocol
import Testing

@Suite struct CopyFuzzReplayTests {
  @Test(arguments: ["Corpus", "Regressions"])
  func replay(folder: String) throws {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let path = root.appendingPathComponent("Fuzz/\(folder)/FuzzCopy")
    let files = try FileManager.default.contentsOfDirectory(at: path, includingPropertiesForKeys: nil)
    for file in files where !file.lastPathComponent.hasPrefix(".") { CopyExercise.run(Array(try Data(contentsOf: file))) }
    #expect(folder == "Regressions" || files.count >= 6)
  }

  /// With a scan from its start for each piece, 8 MiB in pieces of 512 bytes would look at 64 GiB.
  @Test(.timeLimit(.minutes(1)), arguments: [CopyFormat.Kind.text, .csv])
  func aLongLineIsLookedThroughOnce(kind: CopyFormat.Kind) throws {
    var format = CopyFormat()
    format.kind = kind
    if kind == .csv { format.null = [] }
    var decoder = CopyDecoder(format: format, types: [.text], relation: "t", names: ["a"])
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 512)
    for _ in 0..<(16 << 10) { try decoder.receive(piece) }
    #expect(decoder.rowCount == 0)
    try decoder.receive([0x0A])
    let (chunk, lines) = decoder.take()
    #expect(chunk.rowCount == 1 && lines == [1])
    #expect(chunk.columns[0].scalar(at: 0).text?.utf8.count == 8 << 20)
  }

  @Test func stateIsKeptBetweenPieces() throws {
    let cases: [(CopyFormat.Kind, String, [String])] = [
      (.text, "a\\\nb\nc\n", ["a\nb", "c"]), (.csv, "\"a\nb\"\"\n\"\nc\n", ["a\nb\"\n", "c"]),
    ]
    for (kind, text, expected) in cases {
      var format = CopyFormat()
      format.kind = kind
      if kind == .csv { format.null = [] }
      var decoder = CopyDecoder(format: format, types: [.text], relation: "t", names: ["a"])
      for byte in text.utf8 { try decoder.receive([byte]) }
      try decoder.finish()
      let chunk = decoder.take().chunk
      #expect((0..<chunk.rowCount).map { chunk.columns[0].scalar(at: $0).text ?? "" } == expected)
    }
  }
}
