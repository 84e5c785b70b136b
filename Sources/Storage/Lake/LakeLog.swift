// Reading a `_delta_log` folder: which files make up a version, and the state they give.
//
// The hint in `_last_checkpoint` only shortens the listing: missing, broken or stale, it costs a longer one. A checkpoint
// that cannot be read is passed over for an older one, or for the commits themselves, as long as they are all there.
// Somebody may clean the log between the listing and the reading: then it is listed again.

import Bedrock
import DeltaFormat
import ObjectStore

struct LakeLog {
  private static let attemptsMax = 4
  private static let listingEntriesMax = 10_000
  private static let hintBytesMax = 16 * 1_048_576
  let place: LakePlace

  func path(_ name: String) throws(Fault) -> ObjectPath { try place.path("_delta_log/" + name) }

  /// All files of the log, or those from `version` on, in the order of their names.
  func list(from version: Int64 = 0) throws(Fault) -> [ObjectEntry] {
    let folder = try place.path("_delta_log")
    var entries: [ObjectEntry] = []
    var after: String? = version == 0 ? nil : DeltaLogName.digits(version)
    while true {
      let page = try place.store.list(folder, startAfter: after, limit: Self.listingEntriesMax)
      entries += page
      guard page.count == Self.listingEntriesMax, let last = page.last else { return entries }
      after = last.path.name
    }
  }

  /// The actions of a commit; nil when the log does not have it.
  func commit(_ version: Int64) throws(Fault) -> [DeltaAction]? {
    guard let bytes = try place.store.get(path(DeltaLogName.commit(version)), bytesMax: Limits.deltaCommitBytesMax)
    else { return nil }
    var decoder = DeltaCommitDecoder()
    do throws(Fault) { return try decoder.decode(bytes) } catch { throw located(error, "Version \(version)") }
  }

  func lastCheckpoint() throws(Fault) -> DeltaLastCheckpoint? {
    let bytes: [UInt8]?
    do throws(Fault) {
      bytes = try place.store.get(path(DeltaLogName.lastCheckpoint), bytesMax: Self.hintBytesMax)
    } catch {
      // A hint too long to be one is as good as none.
      guard error.kind == .corrupt else { throw error }
      return nil
    }
    return bytes.flatMap { DeltaLastCheckpoint(json: $0) }
  }

  /// True when the log has a checkpoint or a commit after `version`, although the next entry is missing.
  func hasPassed(_ version: Int64) throws(Fault) -> Bool {
    try list(from: version + 1).contains { entry in
      DeltaLogFile(name: entry.path.name).map { $0.isCheckpoint && $0.version > version } ?? false
    }
  }

  // MARK: States

  /// The state at `target`, or the newest; nil when there is no table. Throws 72000 for a version whose log is gone.
  func load(_ target: Int64? = nil) throws(Fault) -> DeltaSnapshot? {
    var from: Int64 = 0
    if let hint = try lastCheckpoint(), hint.version <= target ?? .max { from = hint.version }
    var broken: Set<DeltaCheckpointFiles> = []
    var usesCompacted = true
    var failure: Fault?
    for _ in 0..<Self.attemptsMax + Limits.deltaCheckpointsTriedMax {
      let listing = DeltaLogListing(names: try list(from: from).map(\.path.name))
      guard let segment = listing.segment(upTo: target, skipping: broken, usesCompacted: usesCompacted) else {
        if from > 0 {
          from = 0
          continue
        }
        if let failure { throw failure }
        if listing.newest < 0 { return nil }
        throw absent(target, listing)
      }
      switch try read(segment, listing) {
      case .state(let state): return state
      case .brokenCheckpoint(let files, let fault):
        broken.insert(files)
        failure = failure ?? fault
      case .brokenCompacted: usesCompacted = false
      case .vanished: continue
      }
    }
    throw failure ?? Fault(
      .ioError, "the log of lake table \(place.name) changed again and again while it was read", kind: .tryLater)
  }

  private enum Outcome {
    case state(DeltaSnapshot)
    case brokenCheckpoint(DeltaCheckpointFiles, Fault)
    case brokenCompacted
    /// A listed file is not there any more.
    case vanished
  }

  private func read(_ segment: DeltaLogSegment, _ listing: DeltaLogListing) throws(Fault) -> Outcome {
    var state = DeltaSnapshot()
    if let files = segment.checkpoint {
      do throws(Fault) {
        guard let loaded = try LakeCheckpoints(log: self).read(files) else { return .vanished }
        state = loaded
      } catch {
        guard LakeCheckpoints.isBroken(error) else { throw located(error, "Checkpoint \(files.version)") }
        // What it asks for beyond all limits is damage too, not something a user could ask for less of.
        let damage = Fault(.dataCorrupted, error.message, kind: .corrupt, detail: error.detail)
        return .brokenCheckpoint(files, located(damage, "Checkpoint \(files.version)"))
      }
    }
    var decoder = DeltaCommitDecoder()
    for entry in segment.entries {
      guard let bytes = try place.store.get(path(entry.name), bytesMax: Limits.deltaCommitBytesMax) else {
        return .vanished
      }
      let isCompacted = entry.versions.count > 1
      do throws(Fault) {
        let actions = try decoder.decode(bytes)
        if isCompacted {
          try state.apply(compacted: entry.versions, actions)
        } else {
          try state.apply(version: entry.versions.lowerBound, actions)
        }
      } catch {
        if isCompacted && error.kind == .corrupt { return .brokenCompacted }
        throw located(error, "Version \(entry.versions.upperBound)")
      }
    }
    let last = segment.entries.last
    if last == nil || last.map({ $0.versions.count > 1 }) == true, listing.commits.contains(state.version),
      let actions = try commit(state.version)
    {
      for case .commitInfo(let info) in actions { state.note(commitInfo: info) }
    }
    return .state(state)
  }

  private func absent(_ target: Int64?, _ listing: DeltaLogListing) -> Fault {
    guard let target else {
      return Fault.corrupt(
        "the log of lake table \(place.name) has a gap before version \(listing.newest)",
        detail: "Neither a checkpoint nor all commits before it are there.")
    }
    if target > listing.newest {
      return Fault(
        .undefinedObject, "lake table \(place.name) has no version \(target)",
        hint: "Its newest version is \(listing.newest).")
    }
    return Fault(
      .snapshotTooOld, "version \(target) of lake table \(place.name) is gone", kind: .gone,
      detail: "Its log was cleaned up.", hint: "Name a version to keep it.")
  }

  func located(_ fault: Fault, _ what: String) -> Fault {
    let place = "\(what) of the log of lake table \(place.name)."
    return Fault(
      fault.state, fault.message, kind: fault.kind, detail: fault.detail.map { "\($0) \(place)" } ?? place,
      hint: fault.hint)
  }
}
