// Random files of pyarrow: nested types, encodings, codecs, page versions and sizes, compared value by value. Needs python3
// with pyarrow; without it the test says so and passes.

import Bedrock
import Columnar
import Foundation
import ParquetFormat
import Testing

@Suite struct RandomFileTests {
  @Test(arguments: [11, 12, 13])
  func valuesAreThoseOfPyarrow(seed: Int) throws {
    guard Oracle.isThere else { return print("skipped: python3 with pyarrow and duckdb is not installed") }
    let folder = try Oracle.temporaryFolder()
    let script = URL(fileURLWithPath: Oracle.script).deletingLastPathComponent().appendingPathComponent("random_files.py")
    let result = try Oracle.run([script.path, folder.path, "\(seed)", "20"])
    try #require(result.status == 0, "\(result.output)")
    var columns = 0
    for line in result.output.split(separator: "\n") {
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      // pyarrow does not read back every file that it writes.
      if parts[1] == "refused" { continue }
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(parts[0])))
      do {
        let file = try Files.parse(bytes)
        let field = try #require(file.field(path: [parts[1]]))
        for run in [Limits.chunkRowsMax, 37] {
          let found = try GoldenFiles.summary(GoldenFiles.tokens(bytes, file, field, run: run))
          #expect(found == Array(parts[2...]), "\(parts[0]) column \(parts[1]) of type \(field.type), runs of \(run)")
        }
        columns += 1
      } catch {
        Issue.record("\(parts[0]) column \(parts[1]): \(error)")
      }
    }
    #expect(columns > 60)
    try FileManager.default.removeItem(at: folder)
  }
}
