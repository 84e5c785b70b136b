import Bedrock
import DeltaFormat
import Testing

/// The fault `body` throws, or nil.
func fault(_ body: () throws(Fault) -> Void) -> Fault? {
  do throws(Fault) {
    try body()
    return nil
  } catch { return error }
}

func decode(_ text: String) throws(Fault) -> [DeltaAction] {
  var decoder = DeltaCommitDecoder()
  return try decoder.decode(Array(text.utf8))
}

let schemaString = #"{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}}]}"#
let firstCommit: [DeltaAction] = [
  .protocolVersion(.open), .metadata(DeltaMetadata(id: "table", schemaString: schemaString)),
]

@Suite("Delta commit files")
struct DeltaCommitTests {
  static let actions: [DeltaAction] = [
    .commitInfo(
      DeltaCommitInfo(
        timestamp: 1_764_000_000_001, inCommitTimestamp: 1_764_000_000_001, operation: "WRITE",
        operationParameters: ["mode": "Append"], engineInfo: "Cramped")),
    .protocolVersion(.open),
    .metadata(
      DeltaMetadata(
        id: "8f14e45f-ceea-467f-a0e6-1a2b3c4d5e6f", name: "user.identity", schemaString: schemaString,
        configuration: ["delta.enableInCommitTimestamps": "true"], createdTime: 1_764_000_000_000)),
    .add(
      DeltaAdd(
        path: "part 1.parquet", size: 10, modificationTime: 5,
        stats: #"{"numRecords":1,"minValues":{"id":1},"maxValues":{"id":1},"nullCount":{"id":0}}"#)),
    .remove(DeltaRemove(path: "old.parquet", deletionTimestamp: 4, dataChange: false, size: 9)),
    .transaction(DeltaTransaction(appID: "lake/c/user.identity/0", version: 42, lastUpdated: 3)),
    .domainMetadata(DeltaDomainMetadata(domain: "cramped.tier", configuration: #"{"schema":1}"#)),
  ]

  static let golden = #"""
    {"commitInfo":{"inCommitTimestamp":1764000000001,"timestamp":1764000000001,"operation":"WRITE","operationParameters":{"mode":"Append"},"engineInfo":"Cramped"}}
    {"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["appendOnly","invariants","inCommitTimestamp","domainMetadata"]}}
    {"metaData":{"id":"8f14e45f-ceea-467f-a0e6-1a2b3c4d5e6f","name":"user.identity","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{"delta.enableInCommitTimestamps":"true"},"createdTime":1764000000000}}
    {"add":{"path":"part%201.parquet","partitionValues":{},"size":10,"modificationTime":5,"dataChange":true,"stats":"{\"numRecords\":1,\"minValues\":{\"id\":1},\"maxValues\":{\"id\":1},\"nullCount\":{\"id\":0}}"}}
    {"remove":{"path":"old.parquet","deletionTimestamp":4,"dataChange":false,"size":9}}
    {"txn":{"appId":"lake/c/user.identity/0","version":42,"lastUpdated":3}}
    {"domainMetadata":{"domain":"cramped.tier","configuration":"{\"schema\":1}","removed":false}}

    """#

  @Test("every action has its golden line, and reads back equal")
  func golden() throws {
    let bytes = try DeltaCommitEncoder.encode(Self.actions)
    #expect(String(decoding: bytes, as: UTF8.self) == Self.golden)
    #expect(try decode(Self.golden) == Self.actions)
  }

  @Test("actions without state, unknown actions and unknown members are skipped")
  func skipped() throws {
    let text = #"""
      {"cdc":{"path":"_change_data/x.parquet","partitionValues":{},"size":1,"dataChange":false}}
      {"sidecar":{"path":"s.parquet","sizeInBytes":1,"modificationTime":1}}
      {"checkpointMetadata":{"version":1}}
      {"futureAction":{"x":[1,{"y":null}]}}

      {"txn":{"appId":"a","version":1,"lastUpdated":null,"new":[]}}
      """#
    #expect(try decode(text) == [.transaction(DeltaTransaction(appID: "a", version: 1))])
    #expect(try decode("").isEmpty)
  }

  @Test("a deletion vector makes two adds of one path distinct")
  func deletionVectors() throws {
    let text = #"""
      {"add":{"path":"a","partitionValues":{"p":null},"size":1,"modificationTime":1,"dataChange":true,"deletionVector":{"storageType":"u","pathOrInlineDv":"ab","offset":1,"sizeInBytes":36,"cardinality":2}}}
      """#
    guard case .add(let add)? = try decode(text).first else {
      Issue.record("no add")
      return
    }
    #expect(add.key == DeltaFileKey(path: "a", deletionVectorID: "uab@1"))
    #expect(add.partitionValues == ["p": nil])
    #expect(try decode(String(decoding: DeltaCommitEncoder.encode([.add(add)]), as: UTF8.self)) == [.add(add)])
  }

  @Test(
    "broken lines are refused as corrupt, with their number",
    arguments: [
      "{", "[]", "1", #"{"add":1}"#, #"{"add":{}}"#, #"{"add":{"path":"a"}}"#, #"{"add":{"path":"a","size":-1}}"#,
      #"{"add":{"path":1,"size":1}}"#, #"{"add":{"path":"../a","size":1}}"#, #"{"add":{"path":"a/%2e%2e/b","size":1}}"#,
      #"{"add":{"path":"file:///a/../b","size":1}}"#, #"{"add":{"path":"file://host/a","size":1}}"#,
      #"{"add":{"path":"a:b","size":1}}"#, #"{"add":{"path":"s3:/b","size":1}}"#, #"{"add":{"path":"s3://b//a","size":1}}"#,
      #"{"add":{"path":"//a","size":1}}"#, #"{"add":{"path":"/","size":1}}"#,
      #"{"add":{"path":"a%0","size":1}}"#, #"{"add":{"path":"a%ff","size":1}}"#, #"{"add":{"path":"","size":1}}"#,
      #"{"add":{"path":"a\u0000","size":1}}"#, #"{"add":{"path":"a//b","size":1}}"#,
      #"{"add":{"path":"a","size":99999999999999999999}}"#, #"{"remove":{}}"#, #"{"txn":{"appId":"a"}}"#,
      #"{"txn":{"appId":"a","version":1.5}}"#, #"{"metaData":{"name":"a"}}"#, #"{"protocol":{"minReaderVersion":1}}"#,
      #"{"domainMetadata":{"configuration":""}}"#, #"{"commitInfo":{"inCommitTimestamp":"x"}}"#,
      #"{"add":{"path":"a","size":1,"deletionVector":{"storageType":"u","offset":99999999999}}}"#,
      #"{"txn":{"appId":"a","version":1},"add":{}}"#,
    ])
  func broken(line: String) {
    let fault = fault { () throws(Fault) in _ = try decode("\n" + line + "\n") }
    #expect(fault?.kind == .corrupt)
    #expect(fault?.message.hasPrefix("line 2 ") == true)
  }

  @Test("names of commit files")
  func names() {
    #expect(DeltaLogName.commit(7) == "00000000000000000007.json")
    #expect(DeltaLogName.version(ofCommit: "00000000000000000007.json") == 7)
    #expect(DeltaLogName.version(ofCommit: "00000000000000000007.crc") == nil)
    #expect(DeltaLogName.version(ofCommit: "0000000000000000000x.json") == nil)
    #expect(DeltaLogName.version(ofCommit: "99999999999999999999.json") == nil)
    #expect(DeltaLogName.version(ofCommit: "00000000000000000000.00000000000000000001.compacted.json") == nil)
  }

  @Test("paths are percent-encoded and decoded")
  func paths() throws {
    for path in ["part-1.parquet", "a b/c%d.parquet", "é/x=1/y.parquet", "t=10:00/a", "file:///d/a b%", "s3://b/k:1"] {
      #expect(try DeltaPath.decode(DeltaPath.encode(path)) == path)
    }
    for path in ["/d/a%20b", "file:/d/a%20b", "file:///d/a%20b", "FILE://localhost/d/a%20b"] {
      #expect(try DeltaPath.decode(path) == "file:///d/a b")
    }
    #expect(DeltaPath.isAbsolute("s3://b/k") && !DeltaPath.isAbsolute("a:b") && !DeltaPath.isAbsolute("a"))
    #expect(DeltaPath.name("s3://b/_delta_log/_sidecars/x.parquet") == "x.parquet" && DeltaPath.name("x") == "x")
    #expect(DeltaPath.encode("a b%") == "a%20b%25")
  }
}

@Suite("Replaying a Delta log")
struct DeltaSnapshotTests {
  @Test("newest wins for each key; a remove leaves a tombstone; a re-add lifts it")
  func reconciliation() throws {
    var snapshot = DeltaSnapshot()
    try snapshot.apply(version: 0, firstCommit)
    let a = DeltaAdd(path: "a", size: 1, modificationTime: 1)
    try snapshot.apply(version: 1, [.add(a), .transaction(DeltaTransaction(appID: "x", version: 1))])
    let before = snapshot
    try snapshot.apply(
      version: 2,
      [
        .commitInfo(DeltaCommitInfo(inCommitTimestamp: 77)),
        .remove(DeltaRemove(path: "a", deletionTimestamp: 9, dataChange: true)),
        .add(DeltaAdd(path: "b", size: 2, modificationTime: 2)),
        .transaction(DeltaTransaction(appID: "x", version: 5)),
        .domainMetadata(DeltaDomainMetadata(domain: "d", configuration: "{}")),
      ])
    #expect(snapshot.files.keys.map(\.path) == ["b"])
    #expect(snapshot.tombstones[DeltaFileKey(path: "a")]?.deletionTimestamp == 9)
    #expect(snapshot.knows(path: "a") && snapshot.knows(path: "b") && !snapshot.knows(path: "c"))
    #expect(snapshot.transactions["x"]?.version == 5)
    #expect(snapshot.domains["d"]?.configuration == "{}")
    #expect(snapshot.inCommitTimestamp == 77)
    #expect(before.files.keys.map(\.path) == ["a"], "a snapshot is a value")
    try snapshot.apply(
      version: 3, [.add(a), .domainMetadata(DeltaDomainMetadata(domain: "d", configuration: "", removed: true))])
    #expect(snapshot.files.count == 2 && snapshot.tombstones.isEmpty && snapshot.domains.isEmpty)
  }

  @Test("a commit that breaks a rule is refused and changes nothing")
  func refused() throws {
    var snapshot = DeltaSnapshot()
    #expect(fault { () throws(Fault) in try snapshot.apply(version: 0, []) }?.kind == .corrupt)
    #expect(fault { () throws(Fault) in try snapshot.apply(version: 1, firstCommit) }?.kind == .corrupt)
    try snapshot.apply(version: 0, firstCommit)
    let txn = DeltaAction.transaction(DeltaTransaction(appID: "x", version: 1))
    let add = DeltaAction.add(DeltaAdd(path: "a", size: 1, modificationTime: 1))
    let remove = DeltaAction.remove(DeltaRemove(path: "a", deletionTimestamp: 1, dataChange: true))
    let bad: [[DeltaAction]] = [
      [txn, txn], [add, remove], [remove, add], [firstCommit[0], firstCommit[0]], [firstCommit[1], firstCommit[1]],
    ]
    for actions in bad {
      #expect(fault { () throws(Fault) in try snapshot.apply(version: 1, actions) }?.kind == .corrupt)
      #expect(snapshot.version == 0 && snapshot.files.isEmpty && snapshot.transactions.isEmpty)
    }
    #expect(fault { () throws(Fault) in try snapshot.apply(version: 2, []) }?.kind == .corrupt)
    try snapshot.apply(version: 1, [])
    #expect(snapshot.version == 1)
  }

  @Test("a table may be announced without a schema, but has no files then")
  func announced() throws {
    let none = try decode(#"{"metaData":{"id":"a","format":{"provider":"parquet"},"configuration":{}}}"#)
    let add = DeltaAction.add(DeltaAdd(path: "a", size: 1, modificationTime: 1))
    var snapshot = DeltaSnapshot()
    #expect(fault { () throws(Fault) in try snapshot.apply(version: 0, [firstCommit[0], none[0], add]) }?.kind == .corrupt)
    try snapshot.apply(version: 0, [firstCommit[0]] + none)
    #expect(try snapshot.metadata?.schema().fields == [])
    #expect(fault { () throws(Fault) in try snapshot.apply(version: 1, [add]) }?.message.contains("no schema") == true)
    #expect(try decode(String(decoding: DeltaCommitEncoder.encode(none), as: UTF8.self)) == none)
    try snapshot.apply(version: 1, [firstCommit[1], add])
    #expect(fault { () throws(Fault) in try snapshot.apply(version: 2, none) }?.message.contains("no schema") == true)
    var checkpoint = DeltaSnapshot()
    try checkpoint.load(checkpoint: [firstCommit[0], none[0], add])
    #expect(fault { () throws(Fault) in try checkpoint.finish(checkpoint: 4) }?.message.contains("no schema") == true)
  }

  @Test("a feature we do not read is refused by its name")
  func features() throws {
    func refusal(_ value: DeltaProtocol, _ configuration: [String: String] = [:]) -> Fault? {
      fault { () throws(Fault) in
        var snapshot = DeltaSnapshot()
        try snapshot.apply(
          version: 0,
          [
            .protocolVersion(value),
            .metadata(DeltaMetadata(id: "t", schemaString: schemaString, configuration: configuration)),
          ])
      }
    }
    #expect(refusal(.open) == nil)
    let timestampNTZ = DeltaProtocol(
      minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ["timestampNtz"], writerFeatures: ["timestampNtz"])
    #expect(refusal(timestampNTZ) == nil)
    var future = timestampNTZ
    future.readerFeatures = ["timeTravelToTheFuture"]
    #expect(refusal(future)?.message == "the Delta table feature \"timeTravelToTheFuture\" is not supported")
    let mapped = DeltaProtocol(minReaderVersion: 2, minWriterVersion: 5)
    #expect(refusal(mapped) == nil)
    #expect(refusal(mapped, ["delta.columnMapping.mode": "name"]) == nil)
    #expect(refusal(mapped, ["delta.columnMapping.mode": "magic"])?.message.contains("columnMapping") == true)
    #expect(refusal(DeltaProtocol(minReaderVersion: 4, minWriterVersion: 7))?.kind == .unsupported)
    #expect(refusal(DeltaProtocol(minReaderVersion: 0, minWriterVersion: 7))?.kind == .unsupported)
  }

  @Test("a table is written when it asks nothing of a writer that we do not do; else what it asks is named")
  func writable() throws {
    let fields = [DeltaField(name: "id", type: .long, isNullable: true)]
    func refusal(
      _ version: DeltaProtocol, _ configuration: [String: String] = [:], partitions: [String] = [],
      _ fields: [DeltaField] = fields
    ) -> String? {
      let schema = DeltaSchema(fields: fields)
      let metadata = DeltaMetadata(
        id: "m", schemaString: schema.json, partitionColumns: partitions, configuration: configuration)
      return fault { () throws(Fault) in try DeltaFeatures.checkWritable(version, metadata, schema) }?.message
    }
    func named(_ feature: String) -> DeltaProtocol {
      DeltaProtocol(minReaderVersion: 1, minWriterVersion: 7, writerFeatures: [feature])
    }
    #expect(refusal(.open) == nil)
    for version in 1...6 {
      #expect(refusal(DeltaProtocol(minReaderVersion: 1, minWriterVersion: version)) == nil)
    }
    #expect(refusal(named("rowTracking"))?.contains("rowTracking") == true)
    #expect(refusal(named("checkConstraints")) == nil, "supported but not used")
    #expect(refusal(named("checkConstraints"), ["delta.constraints.a": "id > 0"])?.contains("constraints") == true)
    #expect(refusal(.open, ["delta.enableChangeDataFeed": "true"])?.contains("change data") == true)
    #expect(refusal(.open, partitions: ["id"])?.contains("partition") == true)
    let invariant = DeltaField(name: "id", type: .long, isNullable: true, metadata: ["delta.invariants": "\"x\""])
    #expect(refusal(DeltaProtocol(minReaderVersion: 1, minWriterVersion: 2), [:], [invariant])?.contains("invariants") == true)
    #expect(refusal(DeltaProtocol(minReaderVersion: 1, minWriterVersion: 8))?.contains("version 8") == true)
  }
}
