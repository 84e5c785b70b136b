// The configured order of lake files, as the lake takes it and as the tables there are allow it.

import Bedrock
import EventSchema
import Lake
import StorageContract
import Logging
import StorageEngine

extension LakeClustering {
  /// Throws F0000 for keys that no table can have.
  init(_ settings: Configuration.Clustering) throws(Fault) {
    // The configuration has only names of curves that there are.
    try self.init(keys: settings.keys, curve: Curve(rawValue: settings.curve) ?? .hilbert)
  }
}

enum ClusteringSettings {
  /// Throws F0000.
  static func policy(_ settings: Configuration) throws(Fault) -> LakeClusteringPolicy {
    var policy = LakeClusteringPolicy(usual: try LakeClustering(settings.clustering))
    for (name, domain) in settings.domains {
      if let clustering = domain.clustering { policy.domains[name] = try LakeClustering(clustering) }
      for (table, clustering) in domain.tables { policy.tables["\(name).\(table)"] = try LakeClustering(clustering) }
    }
    return policy
  }

  /// Keys said of one table must be columns of it: throws F0000. A table that lacks the keys said of its domain, or of all
  /// tables, is laid out by `published`, which is logged here, and in cramped.files and cramped.jobs.
  static func check(_ policy: LakeClusteringPolicy, _ engine: StorageEngine, _ lake: Lake, _ log: Logger) throws(Fault) {
    let tables = engine.registeredTables()
    for name in policy.tables.keys.sorted() where !tables.contains(where: { $0.schema.name == name }) {
      let path = path(of: name)
      throw Fault(
        .configFileError, "\"\(path)\" is for a table that there is not",
        hint: "The tables are \(tables.map(\.schema.name).sorted().prefix(20).joined(separator: ", ")).")
    }
    for table in tables {
      let name = table.schema.name
      let lakeTable = try lake.table(domain: table.schema.domain, entity: table.schema.entity)
      guard let problem = lakeTable.layout(of: table.schema).problem else { continue }
      if policy.tables[name] != nil {
        throw Fault(
          .configFileError, "\"\(path(of: name)).keys\": \(problem.message)", detail: problem.detail, hint: problem.hint)
      }
      log.warning(
        "a table is laid out by published, not by its clustering keys",
        metadata: ["table": "\(name)", "reason": "\(problem.message)"])
    }
  }

  private static func path(of table: String) -> String {
    let parts = table.split(separator: ".", maxSplits: 1).map(String.init)
    return "domains.\(parts[0]).tables.\(parts.count > 1 ? parts[1] : "").clustering"
  }
}
