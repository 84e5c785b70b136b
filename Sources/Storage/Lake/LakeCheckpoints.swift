// Reading and writing checkpoints of a log.
//
// A checkpoint is published whole under its name, read again from the store, and compared with the state it was made of;
// only then does `_last_checkpoint` point to it. A crash in between leaves either no checkpoint or one that readers find
// by listing.

import Bedrock
import Columnar
import DeltaFormat
import ObjectStore
import ParquetFormat
import Runtime

struct LakeCheckpoints {
  let log: LakeLog

  // MARK: Reading

  /// True for what damage looks like: an older checkpoint, or the whole log, may still do. Damaged lengths ask for too much.
  static func isBroken(_ fault: Fault) -> Bool { fault.kind == .corrupt || fault.state == .programLimitExceeded }

  /// The state that a checkpoint holds; nil when one of its files is not there. Throws XX001 for broken ones.
  func read(_ files: DeltaCheckpointFiles) throws(Fault) -> DeltaSnapshot? {
    var state = DeltaSnapshot()
    for name in files.names {
      guard let part = try part(name) else { return nil }
      try state.load(checkpoint: part.actions)
      for sidecar in part.sidecars {
        guard let part = try self.part("_sidecars/" + sidecar.path) else {
          throw Fault.corrupt("checkpoint \(name) names the sidecar \"\(sidecar.path)\", which is not there")
        }
        guard part.sidecars.isEmpty else { throw Fault.corrupt("a sidecar of checkpoint \(name) names sidecars") }
        try state.load(checkpoint: part.actions)
      }
    }
    try state.finish(checkpoint: files.version)
    return state
  }

  private func part(_ name: String) throws(Fault) -> DeltaCheckpointPart? {
    let path = try log.path(name)
    if name.hasSuffix(".json") {
      guard let bytes = try log.place.store.get(path, bytesMax: Limits.deltaCommitBytesMax) else { return nil }
      return try DeltaCheckpointReader.read(json: bytes)
    }
    guard let size = try log.place.store.size(path) else { return nil }
    guard size <= DeltaCheckpointReader.fileBytesMax else {
      throw Fault.corrupt("checkpoint \(name) of \(size) bytes is over \(DeltaCheckpointReader.fileBytesMax)")
    }
    let footer = try footer(path, Int(size))
    return try DeltaCheckpointReader.read(footer) { (range) throws(Fault) in try bytes(path, range) }
  }

  private func footer(_ path: ObjectPath, _ size: Int) throws(Fault) -> ParquetFile {
    guard size >= ParquetFooter.fileBytesMin else { throw Fault.corrupt("\"\(path)\" is not a Parquet file") }
    var count = min(size, 65_536)
    for _ in 0..<2 {
      let tail = try bytes(path, (size - count)..<size)
      switch try ParquetFooter.parse(tail: tail.bytes, fileByteCount: size) {
      case .file(let file): return file
      case .needs(let byteCount): count = byteCount
      }
    }
    throw Fault.bug("a Parquet footer asked for more bytes twice")
  }

  private func bytes(_ path: ObjectPath, _ range: Range<Int>) throws(Fault) -> Buffer {
    try Buffer(uninitializedByteCount: range.count) { (raw) throws(Fault) in
      try log.place.store.read(path, at: Int64(range.lowerBound), into: raw)
    }
  }

  // MARK: Writing

  /// Writes the checkpoint of `state` unless there is one, and the hint unless it names a newer one. `step` is told of the
  /// actions and bytes once they are written, before they are read back; it may throw to stop.
  func write(
    _ state: DeltaSnapshot, tombstonesAfter: Int64, step: LakeCheckpointStep = { _, _ in }
  ) throws(Fault) {
    let name = DeltaLogName.checkpoint(state.version)
    let path = try log.path(name)
    let checkpoint = try DeltaCheckpointWriter.write(state, tombstonesAfter: tombstonesAfter)
    FaultPoint.pass("lake.checkpoint_encoded")
    _ = try log.place.store.putIfAbsent(path, checkpoint.bytes)
    FaultPoint.pass("lake.checkpoint_published")
    try step(Int(checkpoint.actionCount), Int64(checkpoint.bytes.count))
    let files = DeltaCheckpointFiles(version: state.version, names: [name])
    guard let again = try read(files), again.isEqual(to: state, tombstonesAfter: tombstonesAfter) else {
      // Whoever wrote it: nobody shall read it.
      try log.place.store.delete(path)
      throw Fault.bug("checkpoint \(name) of lake table \(log.place.name) does not read back as it was written")
    }
    if let hint = try log.lastCheckpoint(), hint.version >= state.version { return }
    let hint = DeltaLastCheckpoint(
      version: state.version, actionCount: checkpoint.actionCount, byteCount: Int64(checkpoint.bytes.count),
      addCount: checkpoint.addCount)
    try log.place.store.put(log.path(DeltaLogName.lastCheckpoint), hint.json)
    FaultPoint.pass("lake.checkpoint_hinted")
  }
}
