// Files of ours read by pyarrow and DuckDB, files of pyarrow read by us. Needs python3 with both modules; without them the
// tests say so and pass.

import Bedrock
import Columnar
import Foundation
import ParquetFormat
import Testing

enum Oracle {
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "Oracle/oracle.py"
  ).path

  static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  static let isThere: Bool = {
    // No python3 at all is the same answer as a python3 without the modules.
    guard let result = try? run(["-c", "import pyarrow, duckdb"]) else { return false }
    return result.status == 0
  }()

  static func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("parquet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// The notation of oracle.py. `scale`: decimals are shown as whole numbers of this scale.
  static func token(_ scalar: Scalar, scale: Int, uuidAsText: Bool) -> String {
    switch scalar {
    case .null: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .integer(let value): return "\(value)"
    case .float(let value):
      if value.isNaN { return "nan" }
      return hex(withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) })
    case .numeric(let value):
      var coefficient = value.coefficient
      for _ in value.scale..<max(scale, value.scale) { coefficient *= 10 }
      return "\(coefficient)"
    case .bytes(let value): return "x" + hex(value)
    case .uuid(let value):
      let raw = hex(withUnsafeBytes(of: value) { Array($0) })
      if !uuidAsText { return "x" + raw }
      var text = Array(raw.utf8)
      for place in [8, 13, 18, 23] { text.insert(0x2D, at: place) }
      return "x" + hex(text)
    case .interval, .list: return "?"
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}

private func scale(_ type: DataType) -> Int {
  if case .numeric(let modifier?) = type { return modifier.scale }
  return 0
}

@Suite struct OracleTests {
  @Test(arguments: RandomData.Shape.allCases, [ParquetCodec.zstd, .snappy, .lz4Raw, .uncompressed])
  func othersReadOurFiles(shape: RandomData.Shape, codec: ParquetCodec) throws {
    guard Oracle.isThere else { return print("skipped: python3 with pyarrow and duckdb is not installed") }
    var seed = Seed(2_026)
    let rows = 6_000
    var types = RandomData.types.map { (name: "c", type: $0) }
    types += [("prune", .int8), ("prune", .int4), ("personal", .text), ("personal", .int8)]
    let declared = types.enumerated().map { index, entry in
      ParquetColumn(
        name: "\(entry.name)\(index)", type: entry.type, isNullable: index % 3 != 0, fieldID: Int32(index),
        isPersonal: entry.name == "personal")
    }
    let columns = declared.map {
      RandomData.column($0.type, rows: rows, shape: shape, nullsPerThousand: $0.isNullable ? 90 : 0, seed: &seed)
    }
    var options = ParquetWriterOptions()
    options.codec = codec
    options.pageRowsMax = 700
    options.rowGroupRowsMax = 4_000
    options.keyValues = [("writer", "test")]
    let (bytes, _) = try Files.write(declared, [Chunk(columns: columns, rowCount: rows)], options: options)
    let folder = try Oracle.temporaryFolder()
    let path = folder.appendingPathComponent("ours.parquet").path
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let lines = declared.indices.map { index in
      ([declared[index].name]
        + columns[index].scalars.map { Oracle.token($0, scale: scale(declared[index].type), uuidAsText: true) })
        .joined(separator: "\t") + "\n"
    }
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: path + ".expected"))
    let result = try Oracle.run([Oracle.script, "check", path, path + ".expected"])
    #expect(result.status == 0, "\(result.output)")
    try FileManager.default.removeItem(at: folder)
  }

  @Test func weReadTheFilesOfOthers() throws {
    guard Oracle.isThere else { return print("skipped: python3 with pyarrow and duckdb is not installed") }
    let folder = try Oracle.temporaryFolder()
    let result = try Oracle.run([Oracle.script, "write", folder.path])
    try #require(result.status == 0, "\(result.output)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".parquet") }
    #expect(names.count >= 20)
    for name in names.sorted() {
      let path = folder.appendingPathComponent(name).path
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      let expected = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path + ".expected")), as: UTF8.self)
      let file = try Files.parse(bytes)
      for (index, line) in expected.split(separator: "\n").enumerated() {
        let leaf = file.leaves[index]
        let type = ColumnChunkDecoder.naturalType(of: leaf)
        let found = try Files.scalars(bytes, file, column: index, run: 500).map {
          Oracle.token($0, scale: scale(type), uuidAsText: false)
        }
        let wanted = line.split(separator: "\t").map(String.init)
        #expect(wanted[0] == leaf.name)
        if found == Array(wanted[1...]) { continue }
        let row = zip(found, wanted[1...]).enumerated().first { $0.element.0 != $0.element.1 }
        Issue.record("\(name) column \(leaf.name): \(String(describing: row)), \(found.count) rows")
      }
    }
    try FileManager.default.removeItem(at: folder)
  }
}
