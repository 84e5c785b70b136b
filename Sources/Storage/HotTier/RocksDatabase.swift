// The only wrapper of RocksDB. No C type leaves this module.
//
// Owners and the order in which they end: RocksSnapshot and the pinned values and iterators made from it hold the
// database by reference; the column family handles and the database end last, in `close`, which waits for every
// snapshot. (Debian's RocksDB is built with asserts: an iterator or snapshot that outlives the database aborts.)
//
// Two column families: `default` for small records (marks, ledger, schemas, seen-sets) and `chunks`.

import Bedrock
import CRocksDB
import Runtime

/// Which column family a key lies in.
enum RocksFamily: Int {
  case records = 0
  case chunks = 1
}

// unchecked Sendable because RocksDB's handles may be used from any thread, and `isOpen` lies in the monitor.
final class RocksDatabase: @unchecked Sendable {
  private struct Use: Sendable {
    var isOpen = true
    var snapshots = 0
  }
  private let handle: OpaquePointer
  private let families: [OpaquePointer]
  private let options: OpaquePointer
  private let syncedWrite: OpaquePointer
  private let use = Monitor(Use())

  /// Opens or makes the database in `folder`, which must exist.
  init(folder: String, memtableBytes: Int) throws(Fault) {
    // Each create function below returns a fresh object and never null (it throws bad_alloc, which ends the process).
    let options: OpaquePointer = rocksdb_options_create()
    rocksdb_options_set_create_if_missing(options, 1)
    rocksdb_options_set_create_missing_column_families(options, 1)
    rocksdb_options_set_write_buffer_size(options, memtableBytes)
    rocksdb_options_set_max_background_jobs(options, 2)
    rocksdb_options_set_compression(options, Int32(rocksdb_lz4_compression))
    rocksdb_options_set_bytes_per_sync(options, 1 << 20)
    rocksdb_options_set_keep_log_file_num(options, 4)
    rocksdb_options_set_max_log_file_size(options, 4 << 20)
    // Up to the first damaged record: a torn tail is a batch that was never acknowledged.
    rocksdb_options_set_wal_recovery_mode(options, Int32(rocksdb_point_in_time_recovery))
    var error: UnsafeMutablePointer<CChar>?
    var handles: [OpaquePointer?] = [nil, nil]
    let opened: OpaquePointer? = "default".withCString { records in
      "chunks".withCString { chunks in
        var names: [UnsafePointer<CChar>?] = [records, chunks]
        var settings: [OpaquePointer?] = [options, options]
        return rocksdb_open_column_families(options, folder, 2, &names, &settings, &handles, &error)
      }
    }
    if let fault = Self.take(error, doing: "open the hot tier in \(folder)") {
      rocksdb_options_destroy(options)
      throw fault
    }
    guard let opened, let records = handles[0], let chunks = handles[1] else {
      rocksdb_options_destroy(options)
      throw Fault(.ioError, "the hot tier in \(folder) did not open")
    }
    handle = opened
    families = [records, chunks]
    self.options = options
    syncedWrite = rocksdb_writeoptions_create()
    rocksdb_writeoptions_set_sync(syncedWrite, 1)
  }

  /// Waits for every snapshot to end, then closes. Throws 55000, and stays open, when readers outlast `timeoutMicros`.
  func close(timeoutMicros: Int64) throws(Fault) {
    let done = use.wait(timeoutMicros: timeoutMicros) { use -> Bool? in
      if !use.isOpen { return false }
      if use.snapshots > 0 { return nil }
      use.isOpen = false
      return true
    }
    guard let done else {
      throw Fault(
        .objectNotInPrerequisiteState, "the hot tier cannot close: readers still hold a snapshot", kind: .tryLater)
    }
    if done { release() }
  }

  private func release() {
    for family in families { rocksdb_column_family_handle_destroy(family) }
    rocksdb_close(handle)
    rocksdb_writeoptions_destroy(syncedWrite)
    rocksdb_options_destroy(options)
  }

  deinit {
    // Snapshots hold a reference to the database, so none is left here.
    if use.change({ use in use.isOpen }) { release() }
  }

  func family(_ family: RocksFamily) -> OpaquePointer { families[family.rawValue] }

  /// Counts a snapshot in and makes it.
  fileprivate func openSnapshot() throws(Fault) -> OpaquePointer {
    let counted = use.change { use in
      if use.isOpen { use.snapshots += 1 }
      return use.isOpen
    }
    guard counted, let snapshot = rocksdb_create_snapshot(handle) else {
      throw Fault(.cannotConnectNow, "the hot tier is closed")
    }
    return snapshot
  }

  fileprivate func closeSnapshot(_ snapshot: OpaquePointer) {
    rocksdb_release_snapshot(handle, snapshot)
    use.change { use in use.snapshots -= 1 }
  }

  /// Applies a batch and syncs the log. After a fault the outcome is unknown: close, open again and look.
  func write(_ batch: borrowing RocksBatch) throws(Fault) {
    precondition(use.change { use in use.isOpen }, "a write to a closed database")
    var error: UnsafeMutablePointer<CChar>?
    rocksdb_write(handle, syncedWrite, batch.handle, &error)
    if let fault = Self.take(error, doing: "write to the hot tier") { throw fault }
  }

  /// A value copied, or `nil`. `readOptions` may name a snapshot.
  fileprivate func get(_ key: [UInt8], _ family: RocksFamily, _ readOptions: OpaquePointer) throws(Fault) -> [UInt8]? {
    try withPinned(key, family, readOptions) { (bytes) throws(Fault) in Array(bytes) }
  }

  /// Calls `body` with the value in place, if there is one.
  fileprivate func withPinned<R>(
    _ key: [UInt8], _ family: RocksFamily, _ readOptions: OpaquePointer,
    _ body: (UnsafeRawBufferPointer) throws(Fault) -> R
  ) throws(Fault) -> R? {
    var error: UnsafeMutablePointer<CChar>?
    let pinned = key.withUnsafeBytes { raw in
      rocksdb_get_pinned_cf(
        handle, readOptions, self.family(family), raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count,
        &error)
    }
    if let fault = Self.take(error, doing: "read from the hot tier") { throw fault }
    guard let pinned else { return nil }
    defer { rocksdb_pinnableslice_destroy(pinned) }
    var length = 0
    let start = rocksdb_pinnableslice_value(pinned, &length)
    return try body(UnsafeRawBufferPointer(start: start, count: length))
  }

  fileprivate func makeIterator(_ family: RocksFamily, _ readOptions: OpaquePointer) -> OpaquePointer {
    rocksdb_create_iterator_cf(handle, readOptions, self.family(family))
  }

  /// Turns RocksDB's message into a fault and frees it; `nil` when there is none.
  fileprivate static func take(_ error: UnsafeMutablePointer<CChar>?, doing what: String) -> Fault? {
    guard let error else { return nil }
    let text = String(cString: error)
    rocksdb_free(error)
    if text.contains("No space left") { return Fault(.diskFull, "could not \(what): the disk is full", detail: text) }
    if text.hasPrefix("Corruption") { return Fault.corrupt("could not \(what)", detail: text) }
    if text.contains("lock") {
      return Fault(
        .objectNotInPrerequisiteState, "could not \(what): another process holds it", kind: .tryLater, detail: text)
    }
    return Fault(.ioError, "could not \(what)", detail: text)
  }
}

/// One atomic write in the making.
struct RocksBatch: ~Copyable {
  fileprivate let handle: OpaquePointer
  private let database: RocksDatabase

  init(_ database: RocksDatabase) {
    handle = rocksdb_writebatch_create()
    self.database = database
  }
  deinit { rocksdb_writebatch_destroy(handle) }

  func put(_ key: [UInt8], _ value: [UInt8], _ family: RocksFamily) {
    key.withUnsafeBytes { keyBytes in
      value.withUnsafeBytes { valueBytes in
        rocksdb_writebatch_put_cf(
          handle, database.family(family), keyBytes.baseAddress?.assumingMemoryBound(to: CChar.self), keyBytes.count,
          valueBytes.baseAddress?.assumingMemoryBound(to: CChar.self), valueBytes.count)
      }
    }
  }

  func delete(_ key: [UInt8], _ family: RocksFamily) {
    key.withUnsafeBytes { raw in
      rocksdb_writebatch_delete_cf(
        handle, database.family(family), raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count)
    }
  }
}

/// The database as it was at one moment. May be read from any thread; ends when the last reference goes.
// unchecked Sendable because RocksDB's snapshots and read options may be shared by threads once made.
final class RocksSnapshot: @unchecked Sendable {
  private let database: RocksDatabase
  private let snapshot: OpaquePointer
  private let readOptions: OpaquePointer

  init(_ database: RocksDatabase) throws(Fault) {
    self.database = database
    snapshot = try database.openSnapshot()
    readOptions = rocksdb_readoptions_create()
    rocksdb_readoptions_set_snapshot(readOptions, snapshot)
    rocksdb_readoptions_set_verify_checksums(readOptions, 1)
  }

  deinit {
    rocksdb_readoptions_destroy(readOptions)
    database.closeSnapshot(snapshot)
  }

  func get(_ key: [UInt8], _ family: RocksFamily) throws(Fault) -> [UInt8]? {
    try database.get(key, family, readOptions)
  }

  func withValue<R>(
    _ key: [UInt8], _ family: RocksFamily, _ body: (UnsafeRawBufferPointer) throws(Fault) -> R
  ) throws(Fault) -> R? {
    try database.withPinned(key, family, readOptions, body)
  }

  /// Calls `body` with every key that begins with `prefix`, in order, and its value.
  func forEach(
    prefix: [UInt8], _ family: RocksFamily,
    _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(Fault) -> Void
  ) throws(Fault) {
    let iterator = database.makeIterator(family, readOptions)
    defer { rocksdb_iter_destroy(iterator) }
    prefix.withUnsafeBytes { raw in
      rocksdb_iter_seek(iterator, raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count)
    }
    while rocksdb_iter_valid(iterator) != 0 {
      var keyLength = 0
      var valueLength = 0
      let key = UnsafeRawBufferPointer(start: rocksdb_iter_key(iterator, &keyLength), count: keyLength)
      guard key.starts(with: prefix) else { return }
      let value = UnsafeRawBufferPointer(start: rocksdb_iter_value(iterator, &valueLength), count: valueLength)
      try body(key, value)
      rocksdb_iter_next(iterator)
    }
    var error: UnsafeMutablePointer<CChar>?
    rocksdb_iter_get_error(iterator, &error)
    if let fault = RocksDatabase.take(error, doing: "read from the hot tier") { throw fault }
  }
}
