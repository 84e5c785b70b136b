// What a lake in a bucket writes and reads in a second, beside the same lake in a folder:
//
//   LakeBench store <rows> <folder>                       or
//   LakeBench store <rows> <endpoint> <bucket>            keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
//
// prints seconds, rows and megabytes a second by the clock on the wall: of a flush (writer, files, commit), of a scan of
// all columns and of one, each by a lake that has nothing cached.

import Bedrock
import Columnar
import EventSchema
import Foundation
import Lake
import ObjectStore
import Runtime
import S3Store
import StorageContract

struct StoreRates {
  private static let schema: TableSchema = {
    let content: [(String, DataType)] = [
      ("device", .text), ("value", .float8), ("count", .int8), ("note", .text),
    ]
    let columns = content.enumerated().map { index, column in
      TableColumn(
        fieldID: SystemColumn.firstContentFieldID + Int32(index), name: column.0, type: column.1, isNullable: true)
    }
    return TableSchema(
      domain: "bench", entity: "t\(String(Entropy.word(), radix: 36))", version: 1, events: [],
      columns: SystemColumn.columns + columns)
  }()
  let rows: Int64
  let store: any ObjectStore

  init(_ arguments: [String]) throws {
    guard arguments.count >= 2, let rows = Int64(arguments[0]), rows > 0 else { fatalError("LakeBench store <rows> <place>") }
    self.rows = rows
    guard arguments.count >= 3 else {
      store = try LocalObjectStore(path: arguments[1])
      return
    }
    let environment = ProcessInfo.processInfo.environment
    var options = S3Options(
      bucket: arguments[2],
      credentials: .fixed(
        try S3Credentials(
          keyID: environment["AWS_ACCESS_KEY_ID"] ?? "test", secret: environment["AWS_SECRET_ACCESS_KEY"] ?? "test")))
    options.endpoint = arguments[1]
    store = try S3ObjectStore(options, clock: .system)
  }

  func run() throws {
    var chunks: [Chunk] = []
    for start in stride(from: Int64(0), to: rows, by: Limits.chunkRowsMax) {
      chunks.append(Self.chunk(start..<min(start + Int64(Limits.chunkRowsMax), rows)))
    }
    let lake = Lake(store: store, clock: .system)
    let table = try lake.table(domain: Self.schema.domain, entity: Self.schema.entity)
    let (_, flush) = try timed {
      let writer = try table.writer(schema: Self.schema)
      for chunk in chunks { try writer.append(chunk) }
      _ = try table.commit(
        LakeCommit(
          files: try writer.finish(), schema: Self.schema, appID: "bench", expectedVersion: nil, version: rows))
    }
    let bytes = try table.refresh().byteCount
    report("flush", flush, bytes)
    let all = Self.schema.columns.indices.filter { $0 != SystemColumn.hash }
    for (name, columns) in [("scan of all columns", all), ("scan of one column", [Self.schema.columns.count - 3])] {
      let cold = try Lake(store: store, clock: .system).table(domain: Self.schema.domain, entity: Self.schema.entity)
      let (count, seconds) = try timed { try Self.scan(cold, columns) }
      guard count == rows else { fatalError("\(count) rows of \(rows)") }
      report(name, seconds, bytes)
    }
  }

  private func timed<R>(_ body: () throws -> R) rethrows -> (R, Double) {
    let start = Clock.system.monotonicNanos()
    let result = try body()
    return (result, Double(Clock.system.monotonicNanos() - start) / 1e9)
  }

  private func report(_ name: String, _ seconds: Double, _ bytes: Int64) {
    let rate = Double(rows) / seconds / 1e6, megabytes = Double(bytes) / seconds / 1e6
    Swift.print(
      "\(name): \(seconds.formatted(.number.precision(.fractionLength(2)))) s, "
        + "\(rate.formatted(.number.precision(.fractionLength(2)))) M rows/s, "
        + "\(megabytes.formatted(.number.precision(.fractionLength(1)))) MB/s of files")
  }

  private static func scan(_ table: LakeTable, _ columns: [Int]) throws -> Int64 {
    let scan = try table.refresh().scan(ScanRequest(table: TableID(raw: 1), columns: columns), columns: schema.columns)
    var count: Int64 = 0
    for morsel in 0..<scan.morselCount {
      let reader = try scan.open(morsel: morsel)
      while let chunk = try reader.next() { count += Int64(chunk.rowCount) }
    }
    return count
  }

  private static func chunk(_ positions: Range<Int64>) -> Chunk {
    var generator = SeededGenerator(seed: UInt64(positions.lowerBound))
    let columns = schema.columns.enumerated().filter { $0.offset != SystemColumn.hash }.map(\.element)
    return Chunk(
      columns: columns.map { column in
        ColumnBuilder.column(
          column.type,
          positions.map { position in
            switch column.name {
            case "sequence", "_pos", "count": .integer(position)
            case "published", "received": .integer(1_764_000_000_000_000 + position * 500)
            case "name": .text("recorded")
            case "device": .text("device-\(generator.next() % 1_000)")
            case "value": .float(Double.random(in: -50...50, using: &generator))
            case "note": .text("note \(generator.next())")
            default: .null
            }
          })
      }, rowCount: positions.count)
  }
}
