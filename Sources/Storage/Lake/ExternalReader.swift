// Opens what statements name by place or by version: foreign Delta tables, Parquet files, earlier versions of our lake.
//
// What was opened is kept for the next statement and checked against what is there now: a Delta table by reading the new
// entries of its log, Parquet files by listing them again (a file is the same while its size and time are).

package import Bedrock
import Columnar
import DeltaFormat
package import EventSchema
import ObjectStore
import Runtime
package import StorageContract
import Synchronization

package final class ExternalReader: ExternalTables {
  /// The lake's own table behind an id: its domain, entity, and columns as SQL has them now.
  package typealias LakeTables = @Sendable (TableID) -> (domain: String, entity: String, columns: [TableColumn])?
  /// Delta tables, and lists of files, that are kept.
  private static let keptMax = 64
  /// Stores with caches of their own.
  private static let storesMax = 8

  private struct KeptTable {
    let location: String
    let table: LakeTable
    /// The entry of the log that was the newest, to tell a table that was made anew in the same place.
    var newest: (version: Int64, entry: FolderEntry)?
  }
  private struct Kept {
    var tables: [KeptTable] = []
    var files: [(source: ExternalSource, table: ExternalParquet)] = []
    var stores: [(source: String, store: ExternalStore, cache: FooterCache)] = []
  }
  private let lake: Lake
  private let locations: ExternalLocations
  private let lakeTables: LakeTables
  private let kept = Mutex(Kept())

  package init(lake: Lake, locations: ExternalLocations, lakeTables: @escaping LakeTables) {
    self.lake = lake
    self.locations = locations
    self.lakeTables = lakeTables
  }

  package func open(_ source: ExternalSource) throws(Fault) -> any ExternalTable {
    switch source.place {
    case .delta(let location): return try openDelta(location, source.version)
    case .parquet(let locations): return try openParquet(locations, source)
    case .lake(let table): return try openLake(table, source.version)
    }
  }

  // MARK: Delta

  private func openDelta(_ location: String, _ version: TableVersion) throws(Fault) -> any ExternalTable {
    let place = try locations.place(of: location)
    guard !ExternalGlob.isPattern(place.path) else {
      throw Fault(
        .invalidParameterValue, "the location of a Delta table cannot be a glob", detail: "It is \"\(location)\".")
    }
    let path = try ObjectPath(place.path)
    let name = place.prefix + place.path
    guard ExternalStore.isFree(path) else { throw notDelta(name) }
    try checkDelta(path, in: place.store, name)
    let known = kept.withLock { kept in
      kept.tables.firstIndex { $0.location == name }.map { kept.tables.remove(at: $0) }
    }
    var table: LakeTable?
    if let known, let newest = known.newest,
      try commitEntry(newest.version, of: path, in: place.store) == newest.entry
    {
      table = known.table
    }
    let opened = table ?? make(name, path, place)
    let newest = try opened.refresh()
    guard newest.version >= 0 else { throw notDelta(name) }
    let entry = try commitEntry(newest.version, of: path, in: place.store)
    kept.withLock { kept in
      kept.tables.append(
        KeptTable(location: name, table: opened, newest: entry.map { (version: newest.version, entry: $0) }))
      if kept.tables.count > Self.keptMax { kept.tables.removeFirst() }
    }
    let snapshot = try opened.snapshot(at: version)
    return ExternalDelta(
      snapshot: snapshot, columns: snapshot.columns, label: "Delta table \(name), version \(snapshot.version)",
      tier: "delta")
  }

  private func commitEntry(
    _ version: Int64, of folder: ObjectPath, in store: any ObjectStore
  ) throws(Fault) -> FolderEntry? {
    guard let store = store as? any FolderStore else { return nil }
    return try store.entry(at: folder.appending("_delta_log/" + DeltaLogName.commit(version)))
  }

  private func make(_ name: String, _ path: ObjectPath, _ place: ExternalPlace) -> LakeTable {
    let (store, footers) = store(place)
    let place = LakePlace(
      name: name, folder: path, store: store, footers: footers, location: name, elsewhere: store)
    return LakeTable(lake: lake, place: place, isForeign: true)
  }

  /// Data files of Delta tables never change, so the tables of one store share what is kept of them.
  private func store(_ place: ExternalPlace) -> (store: ExternalStore, cache: FooterCache) {
    kept.withLock { kept in
      if let index = kept.stores.firstIndex(where: { $0.source == place.source }) {
        let found = kept.stores.remove(at: index)
        kept.stores.append(found)
        return (found.store, found.cache)
      }
      var share = lake.options
      share.footerCacheBytesMax /= 4
      share.pageCacheBytesMax /= 4
      let store = ExternalStore(place, locations)
      let cache = FooterCache(store: store, options: share)
      kept.stores.append((place.source, store, cache))
      if kept.stores.count > Self.storesMax { kept.stores.removeFirst() }
      return (store, cache)
    }
  }

  /// Throws 58P01 when nothing is there, 42809 when it is no Delta table, 42501 for a link.
  private func checkDelta(_ path: ObjectPath, in store: any ObjectStore, _ name: String) throws(Fault) {
    guard let store = store as? any FolderStore else { return }
    guard let entry = try store.entry(at: path) else {
      throw Fault(.undefinedFile, "\"\(name)\" does not exist", kind: .gone)
    }
    let log = entry.isFolder ? try store.entry(at: path.appending("_delta_log")) : nil
    guard let log, log.isFolder else { throw notDelta(name) }
  }

  private func notDelta(_ name: String) -> Fault {
    Fault(
      .wrongObjectType, "\"\(name)\" is not a Delta table", detail: "It has no log in \"_delta_log\".",
      hint: "read_parquet reads Parquet files that are in no table.")
  }

  // MARK: Versions of the lake

  private func openLake(_ id: TableID, _ version: TableVersion) throws(Fault) -> any ExternalTable {
    guard let (domain, entity, columns) = lakeTables(id) else {
      throw Fault(.undefinedTable, "there is no table with the id \(id.raw)")
    }
    let table = try lake.table(domain: domain, entity: entity)
    guard try table.refresh().version >= 0 else {
      throw Fault(
        .undefinedObject, "table \(table.name) has no version in the lake yet",
        hint: "Its rows are in the hot tier: CALL cramped.flush('\(table.name)') makes a version.")
    }
    let snapshot = try table.snapshot(at: version)
    return ExternalDelta(
      snapshot: snapshot, columns: columns, label: "lake of \(table.name), version \(snapshot.version)", tier: "lake")
  }

  // MARK: Parquet

  private func openParquet(_ names: [String], _ source: ExternalSource) throws(Fault) -> any ExternalTable {
    var files: Set<ExternalFile> = []
    var first: ExternalPlace?
    for name in names {
      let place = try locations.place(of: name)
      if let first, first.source != place.source {
        throw Fault.unsupported(
          "reading files of different folders or stores as one table", hint: "Join them with UNION ALL.")
      }
      first = first ?? place
      for file in try self.files(place, name) { files.insert(file) }
      guard files.count <= ExternalGlob.filesMax else {
        throw Fault(.programLimitExceeded, "the locations mean more than \(ExternalGlob.filesMax) files")
      }
    }
    guard let place = first, !files.isEmpty else { throw Fault.bug("a location gave neither a file nor a fault") }
    let sorted = files.sorted { $0.path < $1.path }
    let canTell = sorted.allSatisfy { $0.modifiedMicros != nil }
    let known = kept.withLock { kept -> ExternalParquet? in
      guard let index = kept.files.firstIndex(where: { $0.source == source }) else { return nil }
      let found = kept.files.remove(at: index)
      guard canTell, found.table.fingerprint == sorted else { return nil }
      kept.files.append(found)
      return found.table
    }
    if let known { return known }
    let label = "Parquet \(names.joined(separator: ", ")), \(sorted.count) file\(sorted.count == 1 ? "" : "s")"
    let opened = try ExternalParquet(
      sorted, source: source, store: place.store, prefix: place.prefix, label: label,
      options: parquetOptions)
    kept.withLock { kept in
      kept.files.append((source, opened))
      if kept.files.count > Self.keptMax { kept.files.removeFirst() }
    }
    return opened
  }

  /// Files that others write may change, so each list has caches of its own, which go with it: footers, no pages.
  private var parquetOptions: LakeOptions {
    var options = lake.options
    options.footerCacheBytesMax /= 4
    options.pageCacheBytesMax = 0
    return options
  }

  /// The files of one location: itself, those of a glob, or all `*.parquet` below a folder.
  private func files(_ place: ExternalPlace, _ location: String) throws(Fault) -> [ExternalFile] {
    guard let store = place.store as? any FolderStore else {
      guard !ExternalGlob.isPattern(place.path) else {
        throw Fault.unsupported("a glob in a store of this kind", hint: "Name each file.")
      }
      let path = try ObjectPath(place.path)
      guard let size = try place.store.size(path) else { throw missing(location) }
      return [ExternalFile(path: path, size: size, modifiedMicros: nil)]
    }
    if ExternalGlob.isPattern(place.path) {
      let found = try ExternalGlob.files(place.path, in: store)
      if found.isEmpty {
        throw Fault(.undefinedFile, "no file matches \"\(location)\"", kind: .gone)
      }
      return found
    }
    let path = try ObjectPath(place.path)
    guard let entry = try store.entry(at: path) else { throw missing(location) }
    guard entry.isFolder else {
      return [ExternalFile(path: path, size: entry.size, modifiedMicros: entry.modifiedMicros)]
    }
    if try store.entry(at: path.appending("_delta_log"))?.isFolder == true {
      throw Fault(
        .wrongObjectType, "\"\(location)\" is a Delta table, not a folder of Parquet files",
        detail: "Some of its files may hold deleted rows.", hint: "Use read_delta or SERVER delta.")
    }
    let found = try ExternalGlob.files(place.path + "/**/*.parquet", in: store)
    if found.isEmpty {
      throw Fault(.undefinedFile, "folder \"\(location)\" has no file *.parquet", kind: .gone)
    }
    return found
  }

  private func missing(_ location: String) -> Fault {
    Fault(.undefinedFile, "\"\(location)\" does not exist", kind: .gone)
  }
}

/// A Delta table at one version.
struct ExternalDelta: ExternalTable {
  let snapshot: LakeSnapshot
  let columns: [TableColumn]
  let label: String
  let tier: String
  var estimatedRows: Int64 { snapshot.rowCount }

  func scan(_ request: ScanRequest) throws(Fault) -> any TableScan {
    ExternalScan(try snapshot.scan(request, columns: columns), tier: tier)
  }
}

extension LakeTable {
  /// The table at a version however it is named. Faults tell which versions there are.
  func snapshot(at version: TableVersion) throws(Fault) -> LakeSnapshot {
    do throws(Fault) {
      switch version {
      case .newest: return current
      case .number(let number): return try snapshot(version: number)
      case .asOf(let micros): return try snapshot(asOfMicros: micros)
      case .named(let name): return try snapshot(named: name)
      }
    } catch {
      guard error.state == .undefinedObject || error.state == .snapshotTooOld, let there = try versionRange() else {
        throw error
      }
      throw Fault(
        error.state, error.message, kind: error.kind, detail: error.detail.map { "\($0) \(there)" } ?? there,
        hint: error.hint)
    }
  }

  /// The table at the version of that name. Throws 42704 when there is no such name.
  private func snapshot(named name: String) throws(Fault) -> LakeSnapshot {
    let names = try current.namedVersions(at: lake.clock.nowMicros())
    guard let found = names.first(where: { $0.name == name }) else {
      let known = names.prefix(20).map { "\"\($0.name)\"" }.joined(separator: ", ")
      throw Fault(
        .undefinedObject, "lake table \(self.name) has no version named \"\(name)\"",
        hint: names.isEmpty ? "CALL cramped.name_version gives names." : "Its names are: \(known).")
    }
    return try snapshot(version: found.version)
  }

  private func versionRange() throws(Fault) -> String? {
    let versions = try LakeVersionTimes(self).versions
    guard let first = versions.first, let last = versions.last else { return nil }
    return "Versions \(first) to \(last) are there."
  }
}
