// The store of foreign Delta tables whose logs also name files by absolute locations, as those of shallow clones do.
//
//   log of file:///data/clone      path here                      read from
//   part-1.parquet                 clone/part-1.parquet           the table's own store
//   file:///data/t/a.parquet       t/a.parquet                    the same store, when it has that location
//   s3://bucket/t/b.parquet        .elsewhere/0/t/b.parquet       the store of s3://bucket/
//
// A location is only taken when a statement might name it too: `ExternalLocations` decides. No path of a table begins with
// `.elsewhere`: tables there are refused. Read only.

import Bedrock
import ObjectStore
import Synchronization

final class ExternalStore: ObjectStore {
  private static let mark = ".elsewhere"
  private static let othersMax = 1_000
  private let own: any ObjectStore
  private let source: String
  private let locations: ExternalLocations
  private let others = Mutex<[ExternalPlace]>([])

  init(_ place: ExternalPlace, _ locations: ExternalLocations) {
    own = place.store
    source = place.source
    self.locations = locations
  }

  /// The path here of an absolute location that a log names. Throws 42501 for one that may not be read, 0A000 for one of
  /// a kind that is not offered.
  func path(_ location: String) throws(Fault) -> ObjectPath {
    let place = try locations.place(of: location)
    if place.source == source { return try ObjectPath(place.path) }
    let number = try others.withLock { (others) throws(Fault) -> Int in
      if let known = others.firstIndex(where: { $0.source == place.source }) { return known }
      guard others.count < Self.othersMax else {
        throw Fault(.programLimitExceeded, "Delta logs name files in more than \(Self.othersMax) folders")
      }
      others.append(place)
      return others.count - 1
    }
    return try ObjectPath("\(Self.mark)/\(number)/\(place.path)")
  }

  /// Whether a table may lie here.
  static func isFree(_ path: ObjectPath) -> Bool { path.parts[0] != mark }

  private func find(_ path: ObjectPath) throws(Fault) -> (store: any ObjectStore, path: ObjectPath) {
    let parts = path.text.split(separator: "/", maxSplits: 2)
    guard parts.count == 3, parts[0] == Self.mark, let number = Int(parts[1]) else { return (own, path) }
    let place = others.withLock { $0.indices.contains(number) ? $0[number] : nil }
    guard let place else { throw Fault.bug("a path elsewhere that nobody made") }
    return (place.store, try ObjectPath(String(parts[2])))
  }

  // MARK: Reading

  var readGapBytes: Int { own.readGapBytes }

  func get(_ path: ObjectPath, bytesMax: Int) throws(Fault) -> [UInt8]? {
    let (store, path) = try find(path)
    return try store.get(path, bytesMax: bytesMax)
  }
  func read(_ path: ObjectPath, at offset: Int64, into target: UnsafeMutableRawBufferPointer) throws(Fault) {
    let (store, path) = try find(path)
    try store.read(path, at: offset, into: target)
  }
  func read(_ path: ObjectPath, _ ranges: [ObjectRange]) throws(Fault) {
    let (store, path) = try find(path)
    try store.read(path, ranges)
  }
  func size(_ path: ObjectPath) throws(Fault) -> Int64? {
    let (store, path) = try find(path)
    return try store.size(path)
  }
  func list(_ folder: ObjectPath, startAfter: String?, limit: Int) throws(Fault) -> [ObjectEntry] {
    try own.list(folder, startAfter: startAfter, limit: limit)
  }

  // MARK: What is not done

  private static func readOnly() -> Fault { Fault.bug("a foreign table is only read") }
  func put(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) { throw Self.readOnly() }
  func putIfAbsent(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) -> Bool { throw Self.readOnly() }
  func writer(_ path: ObjectPath) throws(Fault) -> any ObjectWriter { throw Self.readOnly() }
  func delete(_ path: ObjectPath) throws(Fault) { throw Self.readOnly() }
}
