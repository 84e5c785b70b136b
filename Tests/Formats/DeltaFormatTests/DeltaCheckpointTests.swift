import Bedrock
import Columnar
import DeltaFormat
import ParquetFormat
import TestKit
import Testing

@Suite("Delta checkpoints and log files")
struct DeltaCheckpointTests {
  static func state() throws(Fault) -> DeltaSnapshot {
    var state = DeltaSnapshot()
    var removed = DeltaAdd(path: "old part.parquet", size: 7, modificationTime: 1)
    removed.deletionVector = DeltaDeletionVector(
      storageType: "u", pathOrInlineDv: "ab^-aqEH.-t@S}K{vb[*k^", offset: 4, sizeInBytes: 40, cardinality: 6)
    let schema = DeltaSchema(fields: [DeltaField(name: "id", type: .long, isNullable: true)])
    try state.apply(
      version: 0,
      [
        .commitInfo(DeltaCommitInfo(inCommitTimestamp: 99)), .protocolVersion(.open),
        .metadata(
          DeltaMetadata(
            id: "m", name: "a \"name\"", schemaString: schema.json, partitionColumns: ["day"],
            configuration: ["delta.x": "ü", "b": ""], createdTime: 12)),
        .add(removed),
        .transaction(DeltaTransaction(appID: "app", version: 9, lastUpdated: 4)),
        .transaction(DeltaTransaction(appID: "other", version: 1)),
        .domainMetadata(DeltaDomainMetadata(domain: "d", configuration: "{\"a\":1}")),
      ])
    var actions: [DeltaAction] = [
      .remove(
        DeltaRemove(
          path: removed.path, deletionTimestamp: 1_000, dataChange: true, size: 7, deletionVector: removed.deletionVector))
    ]
    for number in 0..<300 {
      var add = DeltaAdd(
        path: "day=2026%2011/part-\(number) ü.parquet", partitionValues: ["day": number % 3 == 0 ? nil : "2026 11", "e": "x"],
        size: Int64(number), modificationTime: Int64(number) << 32, stats: number % 2 == 0 ? "{\"numRecords\":\(number)}" : nil,
        tags: number % 5 == 0 ? ["t": nil, "u": "v"] : [:])
      if number % 7 == 0 {
        add.deletionVector = DeltaDeletionVector(
          storageType: "i", pathOrInlineDv: "wi5b=", offset: nil, sizeInBytes: 4, cardinality: 6)
      }
      actions.append(.add(add))
    }
    try state.apply(version: 1, actions)
    return state
  }

  /// What the bytes of checkpoint files give.
  static func read(_ files: [[UInt8]], version: Int64) throws(Fault) -> DeltaSnapshot {
    var state = DeltaSnapshot()
    for file in files { try state.load(checkpoint: DeltaCheckpointCheck.read(file).actions) }
    try state.finish(checkpoint: version)
    return state
  }

  @Test("a checkpoint gives back the state it was made of, old tombstones aside")
  func roundTrip() throws {
    let state = try Self.state()
    let young = try DeltaCheckpointWriter.write(state, tombstonesAfter: 0)
    #expect(young.addCount == 300 && young.actionCount == 306)
    let read = try Self.read([young.bytes], version: 1)
    #expect(read.isEqual(to: state, tombstonesAfter: 0))
    #expect(read.tombstones.count == 1)
    #expect(read.tombstones.first?.value.deletionVector == state.tombstones.first?.value.deletionVector)
    #expect(read.files.values.allSatisfy { !$0.dataChange })
    let old = try DeltaCheckpointWriter.write(state, tombstonesAfter: 2_000)
    #expect(try Self.read([old.bytes], version: 1).tombstones.isEmpty)
    #expect(try DeltaCheckpointWriter.write(state, tombstonesAfter: 0).bytes == young.bytes, "the same state, the same bytes")
  }

  @Test("a checkpoint over several row groups and pages")
  func large() throws {
    var state = try Self.state()
    let stats = "{\"numRecords\":1,\"pad\":\"\(String(repeating: "x", count: 100))\"}"
    let adds = (0..<30_000).map { number in
      DeltaAction.add(DeltaAdd(path: "p\(number)", size: 1, modificationTime: 1, stats: stats))
    }
    try state.apply(version: 2, adds)
    let checkpoint = try DeltaCheckpointWriter.write(state, tombstonesAfter: 0)
    #expect(try Self.read([checkpoint.bytes], version: 2).isEqual(to: state, tombstonesAfter: 0))
  }

  @Test("damaged checkpoints are refused, never fatal")
  func damage() throws {
    let state = try Self.state()
    let good = try DeltaCheckpointWriter.write(state, tombstonesAfter: 0).bytes
    for index in stride(from: 0, to: good.count, by: 37) {
      var bad = good
      bad[index] ^= 0x15
      do throws(Fault) { _ = try Self.read([bad], version: 1) } catch {
        #expect(error.kind == .corrupt || error.kind == .unsupported || error.state == .programLimitExceeded, "\(error)")
      }
    }
    for count in stride(from: 0, to: good.count, by: 501) {
      #expect(fault { () throws(Fault) in _ = try Self.read([Array(good.prefix(count))], version: 1) } != nil)
    }
  }

  @Test("a compacted log gives what its commits give")
  func compacted() throws {
    let base = try Self.state()
    let commits: [[DeltaAction]] = [
      [.commitInfo(DeltaCommitInfo(inCommitTimestamp: 5)), .add(DeltaAdd(path: "x", size: 1, modificationTime: 1))],
      [.remove(DeltaRemove(path: "x", deletionTimestamp: 3, dataChange: true)), .add(DeltaAdd(path: "y", size: 1, modificationTime: 1))],
      [.transaction(DeltaTransaction(appID: "app", version: 10)), .domainMetadata(DeltaDomainMetadata(domain: "d", configuration: "", removed: true))],
    ]
    var replayed = base
    var compactor = DeltaLogCompactor()
    for (number, actions) in commits.enumerated() {
      try replayed.apply(version: Int64(2 + number), actions)
      compactor.append(actions)
    }
    var decoder = DeltaCommitDecoder()
    var compacted = base
    try compacted.apply(compacted: 2...4, decoder.decode(compactor.encode()))
    #expect(compacted.isEqual(to: replayed, tombstonesAfter: 0) && compacted.domains.isEmpty)
  }

  @Test("file names, and which files make up a version")
  func listing() throws {
    #expect(DeltaLogFile(name: DeltaLogName.commit(7)) == .commit(7))
    #expect(DeltaLogFile(name: DeltaLogName.checkpoint(7)) == .classicCheckpoint(7))
    #expect(DeltaLogFile(name: DeltaLogName.compacted(4, 6)) == .compacted(first: 4, last: 6))
    let version = DeltaLogName.digits(10)
    #expect(DeltaLogFile(name: "\(version).checkpoint.0000000001.0000000003.parquet") == .checkpointPart(10, part: 1, of: 3))
    #expect(DeltaLogFile(name: "\(version).checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json") == .namedCheckpoint(10, isJSON: true))
    for name in ["_last_checkpoint", "7.json", "\(version).checkpoint.0000000004.0000000003.parquet", "\(version).tmp", ".json", ""] {
      #expect(DeltaLogFile(name: name) == nil, "\(name)")
    }
    func part(_ number: Int) -> String { "\(version).checkpoint.000000000\(number).0000000002.parquet" }
    var names = (0...15).map { DeltaLogName.commit($0) }
    #expect(DeltaLogListing(names: names).segment()?.entries.count == 16)
    names += [part(1), DeltaLogName.compacted(11, 13), DeltaLogName.checkpoint(4)]
    let incomplete = try #require(DeltaLogListing(names: names).segment())
    #expect(incomplete.checkpoint?.version == 4 && incomplete.version == 15, "a part is missing")
    names.append(part(2))
    let whole = try #require(DeltaLogListing(names: names).segment())
    #expect(whole.checkpoint == DeltaCheckpointFiles(version: 10, names: [part(1), part(2)]))
    #expect(whole.entries.map(\.versions) == [11...13, 14...14, 15...15])
    let back = try #require(DeltaLogListing(names: names).segment(upTo: 12))
    #expect(back.entries.map(\.versions) == [11...11, 12...12], "the compacted log goes too far")
    let cleaned = names.filter { (DeltaLogFile(name: $0)?.version ?? 0) >= 10 }
    #expect(DeltaLogListing(names: cleaned).segment(upTo: 9) == nil)
    #expect(DeltaLogListing(names: cleaned).segment()?.version == 15)
    #expect(DeltaLogListing(names: cleaned.filter { $0 != DeltaLogName.commit(14) }).segment() == nil, "a gap")
    #expect(DeltaLogListing(names: []).segment() == nil)
  }

  @Test("the hint is read when it is one, and nothing else")
  func hint() {
    let hint = DeltaLastCheckpoint(version: 40, actionCount: 13, byteCount: 9, addCount: 2)
    #expect(DeltaLastCheckpoint(json: hint.json)?.version == 40)
    for text in ["", "{", "{}", "[]", "{\"version\":-1}", "{\"version\":\"4\"}", "\u{0}"] {
      #expect(DeltaLastCheckpoint(json: Array(text.utf8)) == nil)
    }
    #expect(DeltaInterval.micros("interval 1 week 2 days") == 777_600_000_000)
    #expect(DeltaInterval.micros("30 days") == 2_592_000_000_000)
    #expect(DeltaInterval.micros("interval a day") == nil && DeltaInterval.micros(nil) == nil)
  }

  @Test("partition values of every type; nonsense is refused")
  func partitionValues() throws {
    let good: [(String?, DeltaType, Scalar)] = [
      (nil, .long, .null), ("", .string, .null), ("a b", .string, .text("a b")), ("-5", .byte, .integer(-5)),
      ("12", .long, .integer(12)), ("true", .boolean, .boolean(true)), ("2026-11-23", .date, .integer(20_780)),
      ("1970-01-01 00:00:01.5", .timestamp, .integer(1_500_000)), ("1970-01-01T00:00:01Z", .timestampNTZ, .integer(1_000_000)),
      ("1.5", .double, .float(1.5)), ("-1.25", .decimal(precision: 5, scale: 3), .numeric(Numeric(coefficient: -1_250, scale: 3) ?? Numeric(0))),
    ]
    for (text, type, value) in good { #expect(try DeltaPartitionValue.scalar(text, type) == value, "\(text ?? "nil")") }
    for (text, type) in [("x", DeltaType.long), ("300", .byte), ("2026-13-01", .date), ("1.23456", .decimal(precision: 5, scale: 3))] {
      #expect(fault { () throws(Fault) in _ = try DeltaPartitionValue.scalar(text, type) }?.kind == .corrupt)
    }
  }
}
