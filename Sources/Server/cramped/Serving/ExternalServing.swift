// Tables that lie outside of the engine: foreign tables, files, earlier versions of the lake.

import Bedrock
import Catalog
import EventSchema
import Lake
import ObjectStore
import Session
import StorageContract
import StorageEngine

struct ExternalServing {
  let reader: ExternalReader
  let directory: ExternalDirectory
  let views: ViewDirectory
  let reference: ReferenceDirectory
  let relations: [ServerCatalog.ComputedRelation]
  let procedures: [Procedure]

  /// - Parameter data: absolute path of the data folder.
  init(settings: Configuration, engine: StorageEngine, lake: Lake, data: String) throws(Fault) {
    let names = settings.query.externalFolders.split(separator: ",").map { $0.trimming(" ") }.filter { !$0.isEmpty }
    let folders = names.map { $0 == "*" || $0.hasPrefix("/") ? $0 : "\(data)/\($0)" }
    let locations = try ExternalLocations(folders: folders, base: "\(data)/external", schemes: Self.schemes(settings.lake, lake))
    reader = ExternalReader(lake: lake, locations: locations) { id in
      engine.registeredTables().first { $0.id == id }
        .map { (domain: $0.schema.domain, entity: $0.schema.entity, columns: $0.schema.columns) }
    }
    directory = try ExternalDirectory(store: try LocalObjectStore(path: data))
    views = try ViewDirectory(store: try LocalObjectStore(path: data))
    reference = try ReferenceDirectory(store: try LocalObjectStore(path: data), lake: lake)
    let tables = LakeTables(engine: engine, lake: lake)
    relations = [
      .init(name: "table_versions", relation: TableVersionsRelation(tables: tables)),
      .init(name: "files", relation: FilesRelation(tables: tables)),
    ]
    procedures = VersionNameProcedures.make(tables)
  }
}

extension ExternalServing {
  /// `s3://` means the bucket of the lake, when the lake is in one: below its prefix, with the server's credentials.
  private static func schemes(_ settings: Configuration.Lake, _ lake: Lake) -> [String: ExternalLocations.Resolver] {
    guard settings.store == .s3 else { return [:] }
    var prefix = settings.s3.prefix[...]
    while prefix.last == "/" { prefix.removeLast() }
    let base = "s3://\(settings.s3.bucket)/\(prefix)\(prefix.isEmpty ? "" : "/")"
    let store = lake.store
    return [
      "s3": { (location) throws(Fault) in
        guard location.hasPrefix(base), location.utf8.count > base.utf8.count else {
          throw Fault(
            .insufficientPrivilege, "permission denied to read \"\(location)\"",
            hint: "Only the bucket of the lake may be read: \(base)...")
        }
        return ExternalPlace(store: store, path: String(location.dropFirst(base.count)), prefix: base)
      }
    ]
  }
}

extension Substring {
  fileprivate func trimming(_ character: Character) -> String {
    var text = self
    while text.first == character { text.removeFirst() }
    while text.last == character { text.removeLast() }
    return String(text)
  }
}
