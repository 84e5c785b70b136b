// Tables that lie outside of the engine: foreign tables, files, earlier versions of the lake.

import Bedrock
import Catalog
import EventSchema
import Lake
import ObjectStore
import Runtime
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
  init(settings: Configuration, engine: StorageEngine, lake: Lake, data: String, clock: Clock) throws(Fault) {
    let names = settings.query.externalFolders.split(separator: ",").map { $0.trimming(" ") }.filter { !$0.isEmpty }
    let folders = names.map { $0 == "*" || $0.hasPrefix("/") ? $0 : "\(data)/\($0)" }
    let buckets = try BucketLocations(settings, lake: lake.store, clock: clock)
    let locations = try ExternalLocations(
      folders: folders, base: "\(data)/external",
      schemes: ["s3": { (location) throws(Fault) in try buckets.place(of: location) }])
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

extension Substring {
  fileprivate func trimming(_ character: Character) -> String {
    var text = self
    while text.first == character { text.removeFirst() }
    while text.last == character { text.removeLast() }
    return String(text)
  }
}
