// The reference files of apache/parquet-testing, and our reading of them in the notation of Oracle/golden.py.

import Bedrock
import Columnar
import Foundation
import ParquetFormat
import Testing

enum GoldenFiles {
  /// A checkout of apache/parquet-testing (Tests/Golden/parquet-testing/README.md).
  private static let folder = ProcessInfo.processInfo.environment["CRAMPED_PARQUET_TESTING"]
  static let areThere = folder != nil
  static let absent: Comment = "CRAMPED_PARQUET_TESTING names no checkout of apache/parquet-testing"
  private static let expectations = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden/parquet-testing/expected.tsv")

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: try #require(folder)).appendingPathComponent(path)))
  }

  /// Lines of `expected.tsv` by file.
  static func expected() throws -> [(file: String, lines: [[String]])] {
    let text = String(decoding: try Data(contentsOf: expectations), as: UTF8.self)
    var files: [(file: String, lines: [[String]])] = []
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      if files.last?.file != parts[0] { files.append((parts[0], [])) }
      files[files.count - 1].lines.append(Array(parts[1...]))
    }
    return files
  }

  /// All values of a top-level field, in runs of `run` rows.
  static func tokens(_ bytes: [UInt8], _ file: ParquetFile, _ field: ParquetField, run: Int) throws -> [String] {
    var result: [String] = []
    for group in file.rowGroups.indices {
      let reader = try reader(bytes, file, field, group: group)
      while reader.rowsRemaining > 0 {
        let column = try reader.decode(rows: run)
        for scalar in column.scalars { result.append(token(scalar, column.type)) }
      }
    }
    return result
  }

  static func reader(
    _ bytes: [UInt8], _ file: ParquetFile, _ field: ParquetField, group: Int, as type: DataType? = nil
  ) throws -> any ParquetColumnReader {
    let chunks = file.rowGroups[group].columns
    let sources = field.leaves.map { index in
      ParquetChunkSource(chunk: chunks[index], bytes: .copying(Array(bytes[chunks[index].byteRange])))
    }
    return try file.columnReader(field, rowGroup: group, as: type, sources: sources)
  }

  static func token(_ scalar: Scalar, _ type: DataType) -> String {
    switch scalar {
    case .null: return "null"
    case .boolean(let value): return value ? "true" : "false"
    case .integer(let value): return "\(value)"
    case .float(let value):
      return value.isNaN ? "nan" : hex(withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) })
    case .numeric(let value): return "\(value.coefficient)"
    case .bytes(let value): return type == .jsonb ? String(decoding: value, as: UTF8.self) : "x" + hex(value)
    case .uuid(let value): return "x" + hex(withUnsafeBytes(of: value) { Array($0) })
    case .interval(let value): return "\(value.months) \(value.days) \(value.micros)"
    case .list(let values):
      return "[" + values.map { token($0, type.element ?? type) }.joined(separator: ",") + "]"
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// A line of `expected.tsv` without the file and the column.
  static func summary(_ tokens: [String]) -> [String] {
    let text = Array(tokens.joined(separator: "\n").utf8)
    let crc = String(CRC32.checksum(text.span.bytes), radix: 16)
    let head = tokens.prefix(3).map { $0.unicodeScalars.count <= 60 ? $0 : String(String.UnicodeScalarView($0.unicodeScalars.prefix(57))) + "..." }
    return [
      "\(tokens.count)", "\(tokens.count { $0 == "null" })", String(repeating: "0", count: 8 - crc.count) + crc,
      head.joined(separator: " "),
    ]
  }
}
