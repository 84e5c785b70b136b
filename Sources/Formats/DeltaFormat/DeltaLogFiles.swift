// The files of a `_delta_log` folder by their names, and which of them make up a version. PROTOCOL.md, "Delta Log
// Entries", "Checkpoints", "Log Compaction Files".
//
//   00000000000000000007.json                                     commit 7
//   00000000000000000004.00000000000000000006.compacted.json      commits 4 to 6, reconciled
//   00000000000000000010.checkpoint.parquet                       the state at 10, classic
//   00000000000000000010.checkpoint.0000000001.0000000003.parquet part 1 of 3 of it
//   00000000000000000010.checkpoint.<uuid>.parquet, .json         the state at 10, v2; its sidecars are in _sidecars/
//   00000000000000000010.crc                                      a checksum of the state, which we do not need
//   _last_checkpoint                                              where a recent checkpoint is: a hint only
//
// Zeros in front make the order of names the order of versions, and a checkpoint sorts before the commit of its version.

package enum DeltaLogName {
  package static let lastCheckpoint = "_last_checkpoint"

  /// `00000000000000000007.json`.
  package static func commit(_ version: Int64) -> String { digits(version) + ".json" }

  /// `00000000000000000007.checkpoint.parquet`.
  package static func checkpoint(_ version: Int64) -> String { digits(version) + ".checkpoint.parquet" }

  /// `00000000000000000004.00000000000000000006.compacted.json`.
  package static func compacted(_ first: Int64, _ last: Int64) -> String {
    precondition(first < last, "a compacted log holds several versions")
    return "\(digits(first)).\(digits(last)).compacted.json"
  }

  /// The version with zeros in front: less than every name of this version, more than every name of an older one.
  package static func digits(_ version: Int64) -> String {
    precondition(version >= 0, "versions start at 0")
    let digits = String(version)
    return String(repeating: "0", count: 20 - digits.utf8.count) + digits
  }

  /// The version a commit file's name states; nil for other files of the log.
  package static func version(ofCommit name: String) -> Int64? {
    if case .commit(let version)? = DeltaLogFile(name: name) { return version }
    return nil
  }
}

package enum DeltaLogFile: Hashable, Sendable {
  case commit(Int64)
  case compacted(first: Int64, last: Int64)
  case checksum(Int64)
  case classicCheckpoint(Int64)
  case checkpointPart(Int64, part: Int, of: Int)
  case namedCheckpoint(Int64, isJSON: Bool)

  /// Nil for a file that is none of the log's.
  package init?(name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 2, let version = Self.version(parts[0]) else { return nil }
    switch parts.dropFirst().map(String.init) {
    case ["json"]: self = .commit(version)
    case ["crc"]: self = .checksum(version)
    case ["checkpoint", "parquet"]: self = .classicCheckpoint(version)
    case let rest where rest.count == 3 && rest[1] == "compacted" && rest[2] == "json":
      guard let last = Self.version(parts[1]), last > version else { return nil }
      self = .compacted(first: version, last: last)
    case let rest where rest.count == 3 && rest[0] == "checkpoint" && (rest[2] == "parquet" || rest[2] == "json"):
      guard !rest[1].isEmpty else { return nil }
      self = .namedCheckpoint(version, isJSON: rest[2] == "json")
    case let rest where rest.count == 4 && rest[0] == "checkpoint" && rest[3] == "parquet":
      guard let part = Int(rest[1]), let count = Int(rest[2]), part >= 1, part <= count, count <= Self.partsMax else {
        return nil
      }
      self = .checkpointPart(version, part: part, of: count)
    default: return nil
    }
  }

  /// Files of a multi-part checkpoint at most.
  private static let partsMax = 100_000

  private static func version(_ digits: Substring) -> Int64? {
    guard digits.utf8.count == 20, digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
      return nil
    }
    return Int64(digits)
  }

  /// The version the file belongs to; of a compacted log the first.
  package var version: Int64 {
    switch self {
    case .commit(let version), .checksum(let version), .classicCheckpoint(let version): version
    case .compacted(let first, _): first
    case .checkpointPart(let version, _, _), .namedCheckpoint(let version, _): version
    }
  }

  package var isCheckpoint: Bool {
    switch self {
    case .classicCheckpoint, .checkpointPart, .namedCheckpoint: true
    case .commit, .compacted, .checksum: false
    }
  }
}

/// A whole checkpoint: one file, or all parts in order.
package struct DeltaCheckpointFiles: Hashable, Sendable {
  package let version: Int64
  package let names: [String]
  package init(version: Int64, names: [String]) {
    self.version = version
    self.names = names
  }
}

/// What has to be read for one version: perhaps a checkpoint, then commits and compacted logs without a gap.
package struct DeltaLogSegment: Hashable, Sendable {
  package struct Entry: Hashable, Sendable {
    package let name: String
    package let versions: ClosedRange<Int64>
  }
  package let checkpoint: DeltaCheckpointFiles?
  package let entries: [Entry]
  package let version: Int64
}

/// The names of a `_delta_log` folder, sorted out.
package struct DeltaLogListing: Sendable {
  /// Versions that have a commit file.
  package private(set) var commits: Set<Int64> = []
  /// Whole checkpoints, newest first.
  package private(set) var checkpoints: [DeltaCheckpointFiles] = []
  /// Last versions of compacted logs by their first.
  private var compacted: [Int64: [Int64]] = [:]
  /// The newest version that a commit, a compacted log or a whole checkpoint states; -1: there is none.
  package private(set) var newest: Int64 = -1

  package init(names: [String]) {
    struct Parts: Hashable { let version: Int64, count: Int }
    var parts: [Parts: [Int: String]] = [:]
    for name in names {
      switch DeltaLogFile(name: name) {
      case .commit(let version):
        commits.insert(version)
        newest = max(newest, version)
      case .compacted(let first, let last):
        compacted[first, default: []].append(last)
        newest = max(newest, last)
      case .classicCheckpoint(let version), .namedCheckpoint(let version, _):
        checkpoints.append(DeltaCheckpointFiles(version: version, names: [name]))
      case .checkpointPart(let version, let part, let count):
        parts[Parts(version: version, count: count), default: [:]][part] = name
      case .checksum, nil: break
      }
    }
    for (key, names) in parts where names.count == key.count {
      checkpoints.append(DeltaCheckpointFiles(version: key.version, names: names.sorted { $0.key < $1.key }.map(\.value)))
    }
    // Of two checkpoints of a version the one in fewer files is tried first.
    checkpoints.sort {
      ($1.version, $0.names.count, $0.names[0]) < ($0.version, $1.names.count, $1.names[0])
    }
    newest = max(newest, checkpoints.first?.version ?? -1)
  }

  /// The files for version `target`, or for the newest one. `skipping`: checkpoints that could not be read. Nil when the
  /// version cannot be put together from what is there.
  package func segment(
    upTo target: Int64? = nil, skipping: Set<DeltaCheckpointFiles> = [], usesCompacted: Bool = true
  ) -> DeltaLogSegment? {
    let target = target ?? newest
    guard target >= 0 else { return nil }
    for checkpoint in checkpoints where checkpoint.version <= target && !skipping.contains(checkpoint) {
      if let entries = entries(after: checkpoint.version, upTo: target, usesCompacted) {
        return DeltaLogSegment(checkpoint: checkpoint, entries: entries, version: target)
      }
    }
    guard let entries = entries(after: -1, upTo: target, usesCompacted) else { return nil }
    return DeltaLogSegment(checkpoint: nil, entries: entries, version: target)
  }

  /// The fewest files for the versions after `start` up to `target`; nil when one is missing.
  private func entries(
    after start: Int64, upTo target: Int64, _ usesCompacted: Bool
  ) -> [DeltaLogSegment.Entry]? {
    var entries: [DeltaLogSegment.Entry] = []
    var next = start + 1
    while next <= target {
      if usesCompacted, let last = compacted[next]?.filter({ $0 <= target }).max() {
        entries.append(.init(name: DeltaLogName.compacted(next, last), versions: next...last))
        next = last + 1
      } else if commits.contains(next) {
        entries.append(.init(name: DeltaLogName.commit(next), versions: next...next))
        next += 1
      } else {
        return nil
      }
    }
    return entries
  }
}
