// A session over plain tables in a folder of its own.

import Bedrock
import Catalog
import Columnar
import Executor
import Lake
import ObjectStore
import Plan
import Planner
import Runtime
import Session
import StorageContract
import TestKit

/// Everything that several sessions over one data folder share.
struct TablesServer {
  let folder: TemporaryFolder
  let services: SessionServices

  init(_ folder: TemporaryFolder) throws {
    self.folder = folder
    let store = try LocalObjectStore(path: folder.path)
    let external = MemoryExternal()
    let executor = Executor(
      pool: WorkerPool(name: "scan", threadCount: 2), budget: MemoryBudget(name: "all", bytesMax: 1 << 28))
    let directory = try ReferenceDirectory(store: store, lake: Lake(store: store, clock: .system))
    services = SessionServices(
      clock: .system, storage: external,
      engine: PlannerEngine(executor: PipelineExecutor(executor: executor, clock: .system)),
      catalog: { DatabaseCatalog(tables: external.tables()) }, referenceTables: directory, temporaryBytesMax: 1 << 24)
  }

  func session() throws -> TablesSession {
    TablesSession(
      session: try Session(services: services, userName: "ada", databaseName: "lake", processID: 1), folder: folder)
  }
}

struct TablesSession {
  let session: Session
  /// Lives as long as the session.
  let folder: TemporaryFolder

  /// Runs a text; gives rows and command tags, one a line. `data` is what the client sends for COPY FROM STDIN.
  @discardableResult
  func run(_ sql: String, data: [String] = []) throws -> String {
    var lines: [String] = []
    do {
      let query = try session.simpleQuery(sql)
      while let event = try query.next() {
        switch event {
        case .rows(let chunk):
          for row in 0..<chunk.rowCount { lines.append(chunk.columns.map { Self.text($0.scalar(at: row)) }.joined(separator: "|")) }
        case .copyIn: for part in data { try session.receive(copyData: Array(part.utf8)) }
        case .complete(let tag): lines.append(tag)
        default: break
        }
      }
      try session.synchronize()
    } catch {
      session.fail()
      throw error
    }
    return lines.joined(separator: "\n")
  }

  func fault(_ sql: String, data: [String] = []) -> Fault? {
    do {
      try run(sql, data: data)
      return nil
    } catch { return error as? Fault }
  }

  func state(_ sql: String, data: [String] = []) -> String { fault(sql, data: data)?.state.text ?? "00000" }

  private static func text(_ scalar: Scalar) -> String {
    switch scalar {
    case .null: "-"
    case .integer(let value): String(value)
    case .boolean(let value): value ? "t" : "f"
    case .float(let value): String(value)
    case .list(let values): "{" + values.map(text).joined(separator: ",") + "}"
    default: scalar.text ?? "\(scalar)"
    }
  }
}
