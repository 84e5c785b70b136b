// The test tables of delta-rs, read by us and compared with what DuckDB and delta-rs read (Tests/Golden/delta/README.md).
// Skipped unless CRAMPED_DELTA_TABLES names their folder.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import Foundation
import Lake
import ObjectStore
import Runtime
import StorageContract
import TestKit
import Testing

private let tablesFolder = ProcessInfo.processInfo.environment["CRAMPED_DELTA_TABLES"]

/// Values in the form of record.py.
enum CanonicalRow {
  static func text(_ value: Scalar, _ type: DeltaType) -> String {
    switch (value, type) {
    case (.null, _): return "~"
    case (.boolean(let value), _): return value ? "1" : "0"
    case (.integer(let value), _): return String(value)
    case (.float(let value), _): return "f\(value.bitPattern)"
    case (.numeric(let value), .decimal(_, let scale)):
      let shift = (value.scale..<max(value.scale, scale)).reduce(Int128(1)) { power, _ in power * 10 }
      return "\(value.coefficient * shift)/\(scale)"
    case (.list(let elements), .array(let element, _)):
      return "[" + elements.map { text($0, element) }.joined(separator: ",") + "]"
    case (.bytes(let bytes), .binary): return "x" + bytes.map { hexadecimal($0) }.joined()
    case (.bytes(let bytes), .string), (.bytes(let bytes), .unknown): return quoted(String(decoding: bytes, as: UTF8.self))
    case (.bytes(let bytes), _):
      guard let json = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed) else {
        return "no JSON: \(String(decoding: bytes, as: UTF8.self))"
      }
      return text(json: json, type)
    default: return "\(value)"
    }
  }

  private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
  private static func quoted(_ text: String) -> String {
    "'" + text.replacingOccurrences(of: "\n", with: "\\n").replacingOccurrences(of: "\t", with: "\\t")
  }

  private static func text(json value: Any, _ type: DeltaType) -> String {
    if value is NSNull { return "~" }
    switch (value, type) {
    case (let members as [String: Any], .structure(let fields)):
      return braces(fields.map { ($0.name, text(json: members[$0.name] ?? NSNull(), $0.type)) })
    case (let members as [String: Any], .map(_, let element, _)):
      return braces(members.map { ($0.key, text(json: $0.value, element)) })
    case (let elements as [Any], .array(let element, _)):
      return "[" + elements.map { text(json: $0, element) }.joined(separator: ",") + "]"
    case (let number as NSNumber, .double), (let number as NSNumber, .float):
      return "f\((type == .float ? Double(number.floatValue) : number.doubleValue).bitPattern)"
    case (let number as NSNumber, .boolean): return number.boolValue ? "1" : "0"
    case (let number as NSNumber, _): return number.stringValue
    case (let string as String, .string): return quoted(string)
    case (let string as String, .binary): return "x" + string.replacingOccurrences(of: "\\x", with: "")
    case (let string as String, _):
      let scalar = try? DeltaPartitionValue.scalar(string, type)
      return scalar.map { text($0, type) } ?? string
    default: return "\(value)"
    }
  }

  private static func braces(_ members: [(String, String)]) -> String {
    "{" + members.map { "\($0)=\($1)" }.sorted().joined(separator: ",") + "}"
  }

  static func digest(_ rows: [String]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for row in rows.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      for byte in row.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 10) &* 0x100_0000_01B3
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}

@Suite("Delta tables of delta-rs", .enabled(if: tablesFolder != nil, "CRAMPED_DELTA_TABLES is not set"))
struct DeltaTablesTests {
  /// Tables that no engine of record.py reads, or whose features we do not have: what we say instead.
  private static let refusals: [String: String] = [
    "checkpoint_with_partitions": "does not exist", "checkpoints": "does not exist",
    "checkpoints_vacuumed": "does not exist", "latest_not_checkpointed": "does not exist",
    // Reader version 5 is none that PROTOCOL.md knows, whatever features stand beside it.
    "simple_table_features": "reader version 5", "table-with-domain-metadata": "does not exist", "with_checkpoint_no_last_checkpoint": "does not exist",
    "spark-shredded-variant-preview-delta": "variant", "spark-variant-checkpoint": "variant",
    "spark-variant-stable-feature-checkpoint": "variant",
  ]

  private func rows(_ snapshot: LakeSnapshot, countOnly: Bool) throws -> (count: Int, rows: [String]) {
    let columns = snapshot.columns
    let types = (snapshot.schema?.fields ?? []).map(\.type)
    let wanted = countOnly ? [] : Array(columns.indices)
    let scan = try snapshot.scan(ScanRequest(table: TableID(raw: 1), columns: wanted), columns: columns)
    var rows: [String] = []
    var count = 0
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() {
        count += chunk.rowCount
        if countOnly { continue }
        for row in 0..<chunk.rowCount {
          let values = zip(chunk.columns, types).map { CanonicalRow.text($0.scalar(at: row), $1) }
          rows.append(values.joined(separator: "\t"))
        }
      }
    }
    return (count, rows)
  }

  @Test("every table is read as DuckDB and delta-rs read it, or refused by name")
  func tables() throws {
    let folder = try #require(tablesFolder)
    let expected = try String(contentsOfFile: "\(checkout)/Tests/Golden/delta/expected.tsv", encoding: .utf8)
    let store = try LocalObjectStore(path: folder)
    let lake = Lake(store: store, clock: .system)
    var read = 0
    for line in expected.split(separator: "\n") {
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let name = parts[0]
      let table = lake.foreignTable(at: try ObjectPath(name), location: "\(folder)/\(name)")
      do {
        let snapshot = try table.refresh()
        let known = parts.count == 4 ? Int(parts[1]) : nil
        let (count, rows) = try self.rows(snapshot, countOnly: known ?? 0 > 100_000)
        if let refusal = Self.refusals[name] {
          Issue.record("\(name) was read, expected: \(refusal)")
          continue
        }
        if let known {
          #expect(count == known, "\(name)")
          #expect(snapshot.columns.map(\.name).joined(separator: ",") == parts[2], "\(name)")
          if known <= 100_000 {
            #expect(CanonicalRow.digest(rows) == parts[3], "\(name): \(rows.prefix(3))")
          }
        }
        read += 1
      } catch {
        let text = "\(error)"
        let refusal = Self.refusals[name]
        #expect(refusal != nil && text.lowercased().contains(refusal ?? ""), "\(name): \(text)")
      }
    }
    #expect(read >= 40)
  }
}
