// All tables of the lake as Iceberg tables: a namespace for each domain, a table for each entity that has a Delta table.

package import Bedrock
package import Lake
package import ObjectStore
import Synchronization

package final class IcebergCatalog: Sendable {
  package typealias Name = (domain: String, entity: String)

  private let lake: Lake
  private let root: ObjectPath
  private let options: IcebergOptions
  private let names: @Sendable () -> [Name]
  private let tables = Mutex<[String: IcebergTable]>([:])

  /// - Parameters:
  ///   - root: the folder of the store that holds the folders of the domains, as the lake has it.
  ///   - names: the tables there may be.
  package init(
    lake: Lake, options: IcebergOptions, root: ObjectPath = ObjectPath(literal: "lake"),
    names: @escaping @Sendable () -> [Name]
  ) {
    self.lake = lake
    self.root = root
    self.options = options
    self.names = names
  }

  /// Domains with at least one event table, in order.
  package func namespaces() -> [String] { Set(names().map(\.domain)).sorted() }

  /// Entities of a domain that have rows in the lake, in order. Nil when there is no such domain.
  package func entities(domain: String) throws(Fault) -> [String]? {
    let entities = names().filter { $0.domain == domain }.map(\.entity)
    if entities.isEmpty { return nil }
    var result: [String] = []
    for entity in entities.sorted() where try lake.table(domain: domain, entity: entity).current.version >= 0 {
      result.append(entity)
    }
    return result
  }

  /// A table; nil when there is none of that name. The same object for the same name.
  package func table(domain: String, entity: String) throws(Fault) -> IcebergTable? {
    guard names().contains(where: { $0.domain == domain && $0.entity == entity }) else { return nil }
    let folder = try root.appending(domain).appending(entity)
    let table = try lake.table(domain: domain, entity: entity)
    return tables.withLock { tables in
      if let known = tables[folder.text] { return known }
      let made = IcebergTable(table: table, store: lake.store, folder: folder, options: options)
      tables[folder.text] = made
      return made
    }
  }

  /// Projects what the lake has seen and the metadata has not. Gives the tables for which that failed.
  package func followAll() -> [(name: String, fault: Fault)] {
    forEach { (table) throws(Fault) in if table.isBehind { _ = try table.follow() } }
  }

  /// Forgets snapshots past the history of the options. Gives the tables for which that failed.
  package func expireAll(nowMicros: Int64) -> [(name: String, fault: Fault)] {
    forEach { (table) throws(Fault) in try table.expire(beforeMicros: nowMicros - options.historyMicros) }
  }

  private func forEach(_ body: (IcebergTable) throws(Fault) -> Void) -> [(name: String, fault: Fault)] {
    var failures: [(name: String, fault: Fault)] = []
    for name in names() {
      do throws(Fault) {
        if let table = try table(domain: name.domain, entity: name.entity) { try body(table) }
      } catch { failures.append((name: "\(name.domain).\(name.entity)", fault: error)) }
    }
    return failures
  }
}
