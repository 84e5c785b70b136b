// Our tables read by Iceberg readers. Skipped where Python has none of them.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Iceberg
import TestKit
import Testing

private let script = "\(checkout)/Tests/Support/read_iceberg.py"
private let readers: [String] = {
  // No Python at all is the same as a Python without the readers.
  guard let result = try? ChildProcess.run("python3", [script, "check"]), result.status == 0 else { return [] }
  return result.output.split(separator: "\n").map(String.init)
}()

@Suite("Iceberg readers", .enabled(if: !readers.isEmpty, "python3 has no pyiceberg and no duckdb with its extensions"))
struct OtherReadersTests {
  private func compare(_ lake: LakeUnderTest, _ schema: TableSchema, _ step: String) throws {
    let version = try #require(try lake.iceberg.follow())
    let file = lake.folder.file("expected.json")
    let columns = Fixture.lakeColumns(schema)
    let names = columns.map { $0.name == "_pos" ? "_cramped_pos" : $0.name }
    try ExpectedRows.json(lake.rows, columns, names: names).write(to: URL(fileURLWithPath: file))
    let metadata = "\(lake.metadataFolder)/v\(version.version).metadata.json"
    let result = try ChildProcess.run("python3", [script, "compare", lake.path, metadata, file])
    #expect(result.status == 0, "\(step): \(result.output)\(result.errorOutput)")
    for reader in readers {
      #expect(result.output.contains("\(reader): \(lake.rows.count) rows compared"), "\(step)")
    }
  }

  @Test("after appends, a new column, compaction and deletes every reader sees the rows that we see")
  func others() throws {
    let lake = try LakeUnderTest(TemporaryFolder("iceberg"))
    try lake.flush(700)
    try lake.flush(300)
    try lake.flush(0)
    try compare(lake, Fixture.schema, "appends")
    try lake.flush(200, Fixture.nextSchema)
    try compare(lake, Fixture.nextSchema, "new column")
    try lake.rewrite(Fixture.nextSchema, dataChange: false)
    try compare(lake, Fixture.nextSchema, "compaction")
    try lake.flush(50, Fixture.nextSchema)
    try lake.rewrite(Fixture.nextSchema, dataChange: true) { $0[0].integer.map { $0 % 30 != 0 } ?? true }
    try compare(lake, Fixture.nextSchema, "deletes")
    for _ in 0..<40 { try lake.flush(3, Fixture.nextSchema) }
    try compare(lake, Fixture.nextSchema, "merged manifests")
  }
}
