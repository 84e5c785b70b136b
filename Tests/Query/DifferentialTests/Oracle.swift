// PostgreSQL 15 with the sample tables, and its answers to the queries of a file.

import Columnar
import EventSchema
import Foundation
import StorageContract
import TestKit

final class Oracle {
  private let cluster: PostgresCluster
  private let folder: TemporaryFolder

  init() throws {
    cluster = try PostgresCluster()
    folder = try TemporaryFolder("oracle")
    var script = "set search_path = public;\n"
    for schema in Set(SampleData.tables.map(\.description.schema)).sorted() { script += "create schema \"\(schema)\";\n" }
    for (index, table) in SampleData.tables.enumerated() { script += try loading(table, file: folder.file("\(index).copy")) }
    let path = folder.file("load.sql")
    try script.write(toFile: path, atomically: true, encoding: .utf8)
    let result = try cluster.psql(["-f", path])
    guard result.status == 0 else { throw OracleFailure(description: result.errorOutput) }
  }

  deinit { cluster.stop() }

  private func loading(_ table: SampleTable, file: String) throws -> String {
    let description = table.description
    let visible = description.columns.indices.filter { !description.columns[$0].isHidden }
    let name = "\"\(description.schema)\".\"\(description.name)\""
    let columns = visible.map { index in
      let column = description.columns[index]
      return "\"\(column.name)\" \(Self.typeName(column.type))\(column.isNullable ? "" : " not null")"
    }
    var text = ""
    for row in table.rows {
      text += visible.map { CopyText.field(row[$0], description.columns[$0].type) }.joined(separator: "\t") + "\n"
    }
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    var script = "create table \(name) (\(columns.joined(separator: ", ")));\n\\copy \(name) from '\(file)'\n"
    for view in description.views {
      script += "create view \"\(description.schema)\".\"\(view.name)\" as select * from \(name) where name = '\(view.eventName)';\n"
    }
    return script
  }

  private static func typeName(_ type: DataType) -> String {
    switch type {
    case .boolean: "boolean"
    case .int2: "int2"
    case .int4: "int4"
    case .int8: "int8"
    case .float4: "float4"
    case .float8: "float8"
    case .numeric(let modifier): modifier.map { "numeric(\($0.precision),\($0.scale))" } ?? "numeric"
    case .varchar(let length): length.map { "varchar(\($0))" } ?? "varchar"
    case .date: "date"
    case .timestamp: "timestamp"
    case .timestamptz: "timestamptz"
    case .interval: "interval"
    case .uuid: "uuid"
    case .jsonb: "jsonb"
    default: "text"
    }
  }

  /// Runs all queries in one session; between them markers on both streams.
  func answers(to queries: [RecordedQuery]) throws -> [RecordedQuery.Answer] {
    var script = "\\pset format unaligned\n\\pset tuples_only on\n\\pset null NULL\n\\set VERBOSITY verbose\n"
    script += "set search_path = public, iot, shop, \"user\";\nset timezone = 'UTC';\n"
    for query in queries {
      script += "set timezone = '\(query.zone)';\n\\echo @@columns\n\\warn @@query\n\(query.sql)\n\\gdesc\n\\r\n\\echo @@rows\n\(query.sql)\n;\n\\r\n"
    }
    let path = folder.file("queries.sql")
    try script.write(toFile: path, atomically: true, encoding: .utf8)
    let result = try cluster.psql(["-v", "ON_ERROR_STOP=0", "-f", path])
    let outputs = result.output.components(separatedBy: "@@columns\n").dropFirst()
    let errors = result.errorOutput.components(separatedBy: "@@query\n").dropFirst()
    guard outputs.count == queries.count, errors.count == queries.count else {
      throw OracleFailure(description: "psql answered \(outputs.count) of \(queries.count) queries: \(result.errorOutput)")
    }
    return zip(outputs, errors).map { output, error in
      if let mark = error.range(of: "ERROR:  ") {
        let line = error[mark.upperBound...].prefix { $0 != "\n" }
        return .error(state: String(line.prefix(5)), message: String(line.dropFirst(7)))
      }
      let parts = output.components(separatedBy: "@@rows\n")
      let columns = parts[0].split(separator: "\n").map { $0.replacing("|", with: " ") }.joined(separator: "|")
      var rows = parts.count > 1 ? parts[1].components(separatedBy: "\n") : []
      if rows.last == "" { rows.removeLast() }
      return .rows(columns: columns, rows: rows)
    }
  }
}

/// Values as COPY reads them; written apart from the product's own text output, which it checks.
enum CopyText {
  static func field(_ value: Scalar, _ type: DataType) -> String {
    switch value {
    case .null: return "\\N"
    case .boolean(let value): return value ? "t" : "f"
    case .integer(let value):
      switch type {
      case .timestamp, .timestamptz: return instant(value)
      case .date: return day(value)
      default: return String(value)
      }
    case .float(let value): return value.isNaN ? "NaN" : "\(value)"
    case .numeric(let value): return value.isNaN ? "NaN" : decimal(value)
    case .interval(let value): return "\(value.months) mons \(value.days) days \(value.micros) microseconds"
    case .uuid(let value): return hex(value.high.bigEndian) + hex(value.low.bigEndian)
    case .bytes(let bytes):
      return String(decoding: bytes, as: UTF8.self).replacing("\\", with: "\\\\").replacing("\t", with: "\\t")
        .replacing("\n", with: "\\n")
    case .list: return "\\N"
    }
  }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func decimal(_ value: Numeric) -> String {
    let scale = value.scale
    let digits = String(value.coefficient.magnitude)
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    let sign = value.coefficient < 0 ? "-" : ""
    return scale == 0 ? sign + padded : "\(sign)\(padded.dropLast(scale)).\(padded.suffix(scale))"
  }

  private static func day(_ days: Int64) -> String { String(instant(days * 86_400_000_000).prefix(10)) }

  /// By Foundation's calendar, in UTC.
  private static func instant(_ micros: Int64) -> String {
    let seconds = (Double(micros) / 1_000_000).rounded(.down)
    let fraction = micros - Int64(seconds) * 1_000_000
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: seconds))
    func two(_ value: Int?) -> String { String(format: "%02d", value ?? 0) }
    return String(format: "%04d", parts.year ?? 0) + "-\(two(parts.month))-\(two(parts.day)) "
      + "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second)).\(String(format: "%06d", Int(fraction)))"
  }
}

struct OracleFailure: Error, CustomStringConvertible {
  let description: String
}
