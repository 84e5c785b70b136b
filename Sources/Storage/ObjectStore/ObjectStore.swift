// Objects under paths: what the lake needs of a disk or of an S3-compatible service, and nothing that only one has.
//
// Rules every store keeps:
//   1 An object appears whole or not at all, under its name, at the moment `put` or `publish` returns; a reader never
//     sees a part of it.
//   2 When a writing call returns, the object survives a power cut, its name included.
//   3 `putIfAbsent` has one winner among any number of callers, in any number of processes.
//   4 A writing call that throws has an unknown outcome: ask the store before acting on it.
//
// All calls block and may come from any thread but an event loop.

package import Bedrock

/// An object in a listing.
package struct ObjectEntry: Hashable, Sendable {
  package let path: ObjectPath
  package let size: Int64
  /// When it was last written, in microseconds since 1970; nil where the store does not tell.
  package let modifiedMicros: Int64?
  package init(path: ObjectPath, size: Int64, modifiedMicros: Int64? = nil) {
    self.path = path
    self.size = size
    self.modifiedMicros = modifiedMicros
  }
}

/// Bytes of an object and where they shall go. The memory is the caller's; it is written only during the call.
package struct ObjectRange {
  package let offset: Int64
  package let target: UnsafeMutableRawBufferPointer
  package init(offset: Int64, target: UnsafeMutableRawBufferPointer) {
    precondition(offset >= 0)
    self.offset = offset
    self.target = target
  }
}

package protocol ObjectStore: Sendable {
  /// Writes an object, over an older one if there is one.
  func put(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault)
  /// Writes an object unless the name is taken; false when it is.
  func putIfAbsent(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) -> Bool
  /// Begins an object that is appended to and then published, for large files.
  func writer(_ path: ObjectPath) throws(Fault) -> any ObjectWriter

  /// The whole object, or nil when there is none. Throws 54000 when it is longer than `bytesMax`.
  func get(_ path: ObjectPath, bytesMax: Int) throws(Fault) -> [UInt8]?
  /// Fills `target` with the bytes from `offset` on. Throws 58P01 when there is no such object, XX001 when it is shorter.
  func read(_ path: ObjectPath, at offset: Int64, into target: UnsafeMutableRawBufferPointer) throws(Fault)
  /// Two ranges of one object with fewer bytes between them are better read in one call, the bytes between thrown away:
  /// about what a call costs, as bytes.
  var readGapBytes: Int { get }
  /// Fills several ranges of one object, side by side where the store can. Throws as `read` of one range does.
  func read(_ path: ObjectPath, _ ranges: [ObjectRange]) throws(Fault)
  /// Length in bytes, or nil when there is no such object.
  func size(_ path: ObjectPath) throws(Fault) -> Int64?

  /// The objects directly inside `folder` with names after `startAfter` in byte order, in that order, at most `limit`.
  /// A folder that does not exist is empty. Unpublished objects are not listed.
  func list(_ folder: ObjectPath, startAfter: String?, limit: Int) throws(Fault) -> [ObjectEntry]
  /// Removes an object; one that is not there is no fault.
  func delete(_ path: ObjectPath) throws(Fault)
  /// Removes objects, many at a time where the store can. When it throws, some may be gone and some not.
  func delete(_ paths: [ObjectPath]) throws(Fault)
}

extension ObjectStore {
  package func read(_ path: ObjectPath, _ ranges: [ObjectRange]) throws(Fault) {
    for range in ranges { try read(path, at: range.offset, into: range.target) }
  }
  package func delete(_ paths: [ObjectPath]) throws(Fault) {
    for path in paths { try delete(path) }
  }
}

extension ObjectStore {
  /// For a local disk: a system call and the folders of the path cost about as much as copying this.
  package var readGapBytes: Int { 131_072 }
}

/// An object being written. One thread at a time. Dropping it without `publish` leaves nothing.
package protocol ObjectWriter: AnyObject {
  /// Bytes appended so far.
  var byteCount: Int64 { get }
  func append(_ bytes: UnsafeRawBufferPointer) throws(Fault)
  /// Makes the object durable and visible under its path. Nothing may be called after it.
  func publish() throws(Fault)
  /// Drops what was written.
  func abandon()
}

extension ObjectWriter {
  package func append(_ bytes: [UInt8]) throws(Fault) {
    try bytes.withUnsafeBufferPointer { (raw) throws(Fault) in try append(UnsafeRawBufferPointer(raw)) }
  }
}
