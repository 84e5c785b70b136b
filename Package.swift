// swift-tools-version: 6.2
//
// The floor table. Every module of Cramped stands on one floor and names the modules it may import; this manifest
// refuses to load when an edge points upwards or crosses from one room of a floor into another. The architecture
// tests compare every `import` line with this table. The map for people is Sources/README.md.

import Foundation
import PackageDescription

enum Floor: Int {
  case shims, base, formats, engine, edge, server, tests
}

/// One Swift module. `room` is its folder under `Sources`; modules of one floor see each other only inside one room.
struct Module {
  let name: String
  let floor: Floor
  let room: String
  let uses: [String]
  let products: [Target.Dependency]

  init(_ name: String, _ floor: Floor, _ room: String, uses: [String] = [], products: [Target.Dependency] = []) {
    self.name = name
    self.floor = floor
    self.room = room
    self.uses = uses
    self.products = products
  }
}

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let http = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let allModules: [Module] = [
  // Base: values and rules, no I/O but what Runtime owns.
  Module("Bedrock", .base, "Base"),
  Module("Runtime", .base, "Base", uses: ["Bedrock"]),
  Module("Columnar", .base, "Base", uses: ["Bedrock"]),
  Module("Kernels", .base, "Base", uses: ["Bedrock", "Columnar"]),
  Module("EventSchema", .base, "Base", uses: ["Bedrock", "Columnar"]),
  Module("Privacy", .base, "Base", uses: ["Bedrock", "Columnar", "EventSchema", "Runtime"], products: [crypto]),
  Module("StorageContract", .base, "Base", uses: ["Bedrock", "Columnar", "EventSchema"]),

  // Formats: bytes to values and state machines; no I/O, deterministic, each with a fuzzer.
  Module("Compression", .formats, "Formats", uses: ["Bedrock", "CCodecs"]),
  Module("JSONTape", .formats, "Formats", uses: ["Bedrock", "CSimdjson"]),
  Module("CapnpSchema", .formats, "Formats", uses: ["Bedrock", "Columnar", "EventSchema", "CCapnp"]),
  Module(
    "EventDecoding", .formats, "Formats",
    uses: ["Bedrock", "Columnar", "EventSchema", "StorageContract", "JSONTape"]),
  Module("ParquetFormat", .formats, "Formats", uses: ["Bedrock", "Columnar", "Compression"]),
  Module("DeltaFormat", .formats, "Formats", uses: ["Bedrock", "Columnar", "JSONTape", "ParquetFormat"]),
  Module("IcebergFormat", .formats, "Formats", uses: ["Bedrock", "Columnar", "Compression", "JSONTape"]),
  Module("PostgresProtocol", .formats, "Formats", uses: ["Bedrock", "Columnar"]),
  Module("SQLSyntax", .formats, "Formats", uses: ["Bedrock", "CPgQuery"]),

  // Engine: two rooms that cannot see each other and meet in StorageContract.
  Module("ObjectStore", .engine, "Storage", uses: ["Bedrock", "Runtime"]),
  Module("S3Store", .engine, "Storage", uses: ["Bedrock", "Runtime", "ObjectStore"], products: [log, crypto, http, nio, nioHTTP, nioPosix, nioSSL]),
  Module(
    "HotTier", .engine, "Storage",
    uses: ["Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "CRocksDB"]),
  Module(
    "Lake", .engine, "Storage",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "ParquetFormat", "DeltaFormat",
      "ObjectStore", "JSONTape",
    ]),
  Module(
    "Iceberg", .engine, "Storage",
    uses: [
      "Bedrock", "Runtime", "DeltaFormat", "IcebergFormat", "JSONTape", "ObjectStore", "Lake",
    ]),
  Module(
    "StorageEngine", .engine, "Storage",
    uses: ["Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "HotTier", "Lake"], products: [log]),
  Module(
    "Maintenance", .engine, "Storage",
    uses: [
      "Bedrock", "Runtime", "Columnar", "Kernels", "EventSchema", "StorageContract", "ObjectStore", "Lake",
      "StorageEngine",
    ], products: [log]),
  Module("Functions", .engine, "Query", uses: ["Bedrock", "Runtime", "Columnar", "Kernels", "CRE2", "CZones"]),
  Module("Plan", .engine, "Query", uses: ["Bedrock", "Columnar", "StorageContract", "Functions"]),
  Module(
    "Catalog", .engine, "Query",
    uses: ["Bedrock", "Columnar", "EventSchema", "StorageContract", "Plan", "Functions"]),
  Module(
    "Planner", .engine, "Query",
    uses: ["Bedrock", "Columnar", "EventSchema", "StorageContract", "SQLSyntax", "Functions", "Plan"]),
  Module(
    "Executor", .engine, "Query",
    uses: ["Bedrock", "Runtime", "Columnar", "Kernels", "StorageContract", "Functions", "Plan"]),
  Module(
    "Session", .engine, "Query",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "SQLSyntax", "Functions", "Plan", "Catalog", "Planner",
      "Executor", "PostgresProtocol",
    ]),

  // Edge: sockets and brokers.
  Module(
    "Ingest", .edge, "Edge",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "EventDecoding", "Privacy", "JSONTape",
      "CNATS",
    ], products: [log, lifecycle]),
  Module(
    "PostgresServer", .edge, "Edge",
    uses: ["Bedrock", "Runtime", "Columnar", "PostgresProtocol", "Plan", "Session"],
    products: [log, nio, nioPosix, lifecycle]),
  Module(
    "HTTPServer", .edge, "Edge", uses: ["Bedrock", "Runtime", "JSONTape"],
    products: [log, nio, hummingbird, hummingbirdCore, lifecycle]),
  Module("Telemetry", .edge, "Edge", uses: ["Bedrock", "Runtime"], products: [log]),

  // Server: the only place that wires.
  Module(
    "cramped", .server, "Server",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "Privacy", "StorageContract", "CapnpSchema", "JSONTape", "ObjectStore", "S3Store",
      "ParquetFormat", "HotTier", "Lake", "IcebergFormat", "Iceberg", "StorageEngine", "Maintenance", "Functions", "Catalog",
      "Plan", "Executor", "Session", "Ingest", "PostgresServer", "HTTPServer", "Telemetry",
    ], products: [log, lifecycle, signals, yams, arguments]),
]

/// Test targets: name, folder under `Tests`, modules under test.
let allTests: [Module] = [
  Module("TestKit", .tests, "Support", uses: ["Bedrock", "Runtime", "Columnar", "EventSchema"]),
  Module(
    "QueryExercise", .tests, "Support",
    uses: [
      "Bedrock", "Columnar", "EventSchema", "StorageContract", "SQLSyntax", "Functions", "Plan", "Catalog", "Planner",
    ]),
  Module("ArchitectureTests", .tests, "Architecture"),
  Module("ColumnarTests", .tests, "Base", uses: ["Bedrock", "Columnar", "Runtime"]),
  Module("RuntimeTests", .tests, "Base", uses: ["Bedrock", "Runtime"]),
  Module("EventSchemaTests", .tests, "Base", uses: ["Bedrock", "Columnar", "EventSchema"]),
  Module("KernelsTests", .tests, "Base", uses: ["Bedrock", "Columnar", "Kernels", "Runtime"]),
  Module("PrivacyTests", .tests, "Base", uses: ["Bedrock", "Columnar", "EventSchema", "Privacy", "Runtime"]),
  Module("CapnpSchemaTests", .tests, "Formats", uses: ["Bedrock", "Columnar", "EventSchema", "CapnpSchema"]),
  Module("JSONTapeTests", .tests, "Formats", uses: ["Bedrock", "JSONTape"]),
  Module(
    "EventDecodingTests", .tests, "Formats",
    uses: ["Bedrock", "Columnar", "EventSchema", "StorageContract", "CapnpSchema", "EventDecoding"]),
  Module("ParquetFormatTests", .tests, "Formats", uses: ["Bedrock", "Columnar", "Compression", "ParquetFormat", "TestKit"]),
  Module("DeltaFormatTests", .tests, "Formats", uses: ["Bedrock", "Columnar", "JSONTape", "ParquetFormat", "DeltaFormat", "TestKit"]),
  Module("CompressionTests", .tests, "Formats", uses: ["Bedrock", "Columnar", "Compression"]),
  Module("IcebergFormatTests", .tests, "Formats", uses: ["Bedrock", "Columnar", "JSONTape", "IcebergFormat", "TestKit"]),
  Module("PostgresProtocolTests", .tests, "Formats", uses: ["Bedrock", "Columnar", "PostgresProtocol"]),
  Module("SQLSyntaxTests", .tests, "Formats", uses: ["Bedrock", "SQLSyntax"]),
  Module(
    "HotTierTests", .tests, "Storage",
    uses: ["Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "HotTier"]),
  Module(
    "LakeTests", .tests, "Storage",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "ParquetFormat", "DeltaFormat", "ObjectStore",
      "Lake", "JSONTape", "TestKit",
    ]),
  Module(
    "S3StoreTests", .tests, "Storage",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "ObjectStore", "Lake", "S3Store", "TestKit",
    ], products: [log, nio, nioHTTP, nioPosix, nioSSL]),
  Module(
    "IcebergTests", .tests, "Storage",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "ParquetFormat", "DeltaFormat", "ObjectStore",
      "Lake", "IcebergFormat", "Iceberg", "TestKit",
    ]),
  Module(
    "MaintenanceTests", .tests, "Storage",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "ObjectStore", "Lake", "StorageEngine",
      "HotTier", "Maintenance", "TestKit",
    ], products: [log]),
  Module(
    "StorageEngineTests", .tests, "Storage",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "ObjectStore", "HotTier", "Lake",
      "StorageEngine",
    ]),
  Module("FunctionsTests", .tests, "Query", uses: ["Bedrock", "Columnar", "Functions"]),
  Module(
    "CatalogTests", .tests, "Query",
    uses: ["Bedrock", "Columnar", "EventSchema", "StorageContract", "Functions", "Plan", "Catalog"]),
  Module(
    "DifferentialTests", .tests, "Query",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "SQLSyntax", "Functions", "Plan", "Catalog",
      "Planner", "Executor", "TestKit",
    ]),
  Module(
    "PlannerTests", .tests, "Query",
    uses: [
      "Bedrock", "Columnar", "EventSchema", "StorageContract", "SQLSyntax", "Functions", "Plan", "Catalog", "Planner",
      "QueryExercise", "TestKit",
    ]),
  Module(
    "ExecutorTests", .tests, "Query",
    uses: ["Bedrock", "Runtime", "Columnar", "StorageContract", "Functions", "Plan", "Executor"]),
  Module(
    "SessionTests", .tests, "Query",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "SQLSyntax", "Functions", "Plan", "Catalog", "Planner",
      "Executor", "Session", "PostgresProtocol", "ObjectStore", "Lake", "TestKit",
    ]),
  Module(
    "IngestTests", .tests, "Edge",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "CapnpSchema", "EventDecoding", "Privacy",
      "Ingest", "TestKit",
    ]),
  Module(
    "PostgresServerTests", .tests, "Edge",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "Functions", "Plan", "Catalog", "Session",
      "PostgresServer", "TestKit",
    ], products: [log]),
  Module("HTTPServerTests", .tests, "Edge", uses: ["Bedrock", "Runtime", "HTTPServer", "TestKit"], products: [log]),
  Module("IntegrationTests", .tests, "Integration", uses: ["Bedrock", "Runtime", "TestKit"]),
]

/// Programs that measure; Tests/Benchmarks/README.md says what and how.
let allBenchmarks: [Module] = [
  Module(
    "CrampedBench", .tests, "Benchmarks",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "CapnpSchema", "EventDecoding", "Privacy",
      "HotTier", "Lake", "StorageEngine", "ObjectStore", "Ingest",
    ], products: [log]),
  Module(
    "LakeBench", .tests, "Benchmarks",
    uses: [
      "Bedrock", "Runtime", "Columnar", "EventSchema", "StorageContract", "ParquetFormat", "ObjectStore", "Lake", "S3Store",
    ]),
  Module("ParquetBench", .tests, "Benchmarks", uses: ["Bedrock", "Runtime", "Columnar", "ParquetFormat"]),
  Module(
    "QueryBench", .tests, "Benchmarks",
    uses: ["Bedrock", "Runtime", "Columnar", "StorageContract", "Functions", "Plan", "Executor"]),
]

/// Fuzz targets exist only when FUZZ=1: they need flags that a dependant must never inherit.
let fuzzers: [Module] = [
  Module("FuzzParquet", .tests, "Targets", uses: ["ParquetFormat"]),
  Module("FuzzDeltaLog", .tests, "Targets", uses: ["Bedrock", "DeltaFormat"]),
  Module("FuzzDeltaCheckpoint", .tests, "Targets", uses: ["Bedrock", "Columnar", "ParquetFormat", "DeltaFormat"]),
  Module("FuzzDeletionVector", .tests, "Targets", uses: ["Bedrock", "DeltaFormat"]),
  Module("FuzzAvro", .tests, "Targets", uses: ["Bedrock", "IcebergFormat"]),
  Module("FuzzChunkCodec", .tests, "Targets", uses: ["Bedrock", "Columnar", "HotTier"]),
  Module(
    "FuzzEnvelope", .tests, "Targets",
    uses: ["Bedrock", "Columnar", "EventSchema", "StorageContract", "EventDecoding"]),
  Module("FuzzWire", .tests, "Targets", uses: ["Bedrock", "PostgresProtocol"]),
  Module("FuzzCopy", .tests, "Targets", uses: ["PostgresProtocol"]),
  Module("FuzzSQL", .tests, "Targets", uses: ["QueryExercise"]),
  Module("FuzzExpression", .tests, "Targets", uses: ["QueryExercise"]),
]

let shims: [String: Target] = [
  "CRocksDB": .systemLibrary(name: "CRocksDB", path: "Sources/Shims/CRocksDB", pkgConfig: "rocksdb"),
  "CNATS": .systemLibrary(name: "CNATS", path: "Sources/Shims/CNATS", pkgConfig: "libnats"),
  "CCodecs": .systemLibrary(name: "CCodecs", path: "Sources/Shims/CCodecs"),
  "CSimdjson": .target(
    name: "CSimdjson", path: "Sources/Shims/CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
  "CRE2": .target(name: "CRE2", path: "Sources/Shims/CRE2", linkerSettings: [.linkedLibrary("re2")]),
  "CZones": .target(name: "CZones", path: "Sources/Shims/CZones", linkerSettings: [.linkedLibrary("cctz")]),
  "CCapnp": .target(
    name: "CCapnp", path: "Sources/Shims/CCapnp",
    linkerSettings: [.linkedLibrary("capnpc"), .linkedLibrary("capnp"), .linkedLibrary("kj")]),
  "CPgQuery": .target(
    name: "CPgQuery", path: "Sources/Shims/CPgQuery",
    cSettings: [.unsafeFlags(["-isystem", "/usr/include/postgresql/15/server"])], linkerSettings: [.linkedLibrary("pg_query")]),
]

/// `CRAMPED_FOCUS=LakeTests,LakeBench swift test ...` builds only these targets and what they stand on: for quick turns.
let focus = (ProcessInfo.processInfo.environment["CRAMPED_FOCUS"] ?? "").split(separator: ",").map(String.init)

func focused(_ table: [Module]) -> [Module] {
  if focus.isEmpty { return table }
  let all = Dictionary(uniqueKeysWithValues: (allModules + allTests + allBenchmarks + fuzzers).map { ($0.name, $0) })
  var wanted = Set(focus), open = focus
  while let name = open.popLast() {
    for used in all[name]?.uses ?? [] where wanted.insert(used).inserted { open.append(used) }
  }
  return table.filter { wanted.contains($0.name) }
}


let modules = focused(allModules), tests = focused(allTests), benchmarks = focused(allBenchmarks)

func refuse(_ sentence: String) -> Never {
  fatalError("Package.swift floor table: \(sentence)")
}

let byName = Dictionary(uniqueKeysWithValues: allModules.map { ($0.name, $0) })

/// Each C library has exactly one owner per use; these are the wrappers allowed to import it.
let shimOwners: [String: Set<String>] = [
  "CRocksDB": ["HotTier"], "CNATS": ["Ingest"], "CCodecs": ["Compression"], "CSimdjson": ["JSONTape"],
  "CCapnp": ["CapnpSchema"], "CPgQuery": ["SQLSyntax"], "CRE2": ["Functions"], "CZones": ["Functions"],
]

for module in allModules {
  for used in module.uses {
    if let owners = shimOwners[used] {
      if !owners.contains(module.name) { refuse("\(module.name) may not import \(used); only \(owners.sorted()) may") }
      continue
    }
    guard let below = byName[used] else { refuse("\(module.name) uses \(used), which the table does not list") }
    if below.floor.rawValue > module.floor.rawValue { refuse("\(module.name) looks up to \(used)") }
    if below.floor == module.floor && below.room != module.room {
      refuse("\(module.name) (\(module.room)) looks across into \(used) (\(below.room))")
    }
  }
}

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
]

func dependencies(_ module: Module) -> [Target.Dependency] {
  module.uses.map { .byName(name: $0) } + module.products
}

var targets: [Target] = modules.map { module in
  let path = "Sources/\(module.room)/\(module.name)"
  if module.floor == .server {
    return .executableTarget(
      name: module.name, dependencies: dependencies(module), path: path, swiftSettings: swiftSettings)
  }
  return .target(name: module.name, dependencies: dependencies(module), path: path, swiftSettings: swiftSettings)
}
targets += shims.values.sorted { $0.name < $1.name }
/// Python programs beside the tests that run them.
let scripts = [
  "ParquetFormatTests": ["Oracle"], "IntegrationTests": ["Clients", "Oracle"], "LakeBench": ["lake_bench.py"],
]
for module in tests {
  let path = "Tests/\(module.room)/\(module.name)"
  if module.room == "Support" {
    targets.append(
      .target(name: module.name, dependencies: dependencies(module), path: path, swiftSettings: swiftSettings))
  } else {
    targets.append(
      .testTarget(
        name: module.name, dependencies: dependencies(module), path: path, exclude: scripts[module.name] ?? [],
        swiftSettings: swiftSettings))
  }
}
if ProcessInfo.processInfo.environment["FUZZ"] == "1" {
  for module in focused(fuzzers) {
    targets.append(
      .executableTarget(
        name: module.name, dependencies: dependencies(module), path: "Fuzz/Targets/\(module.name)",
        swiftSettings: swiftSettings + [.unsafeFlags(["-parse-as-library"])]))
  }
}
for module in benchmarks {
  targets.append(
    .executableTarget(
      name: module.name, dependencies: dependencies(module), path: "Tests/Benchmarks/\(module.name)",
      exclude: scripts[module.name] ?? [], swiftSettings: swiftSettings))
}

let package = Package(
  name: "cramped",
  products: [],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.24.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.5.0"),
  ],
  targets: targets,
  cxxLanguageStandard: .cxx17
)
