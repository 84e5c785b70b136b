// Which files of a table are worth rewriting together: arithmetic over sizes and key ranges, no I/O.
//
// Compaction by size tiers. A file is small below 3/5 of the target. Small files fall into tiers, each four times the
// size of the one below, and a tier is merged once it has `tierFilesMin` files: a row is rewritten about once a tier,
// log4(target / flush) times in all, however long the table is fed. Files that are merged lie side by side in the order
// of `published`, so that ranges stay narrow. A table that has not been written to for `idleMicros`, or one that somebody
// asks to be compacted, gets all small files merged.
//
//   bytes    0 ──── 256 KiB ──── 1 MiB ──── 4 MiB ──── ... ──── 3/5 target ──────────►
//   tier        0           1          2                   small │ full: left alone
//
// Clustering looks at ranges instead: where more than `overlapMax` files cover one point, the files over that point are
// merged into files with ranges side by side. In a table with clustering keys, full files that no step of clustering has
// made are joined with their neighbours in time, once there are more than `overlapMax` of them, and divided along the
// keys; compaction leaves what came of that alone. Files of another layout than the table's are clustered first: a change
// of the keys reaches old files in steps, oldest rows first.
//
// Every group is one commit, and every commit of a compaction leaves fewer files, so a job ends whatever it meets.

import Bedrock

/// When and how far files are rewritten.
package struct CompactionOptions: Sendable, Equatable {
  /// Bytes of a data file as stored.
  package var fileBytesTarget: Int64 = 128 * 1_048_576
  /// Files of one tier that make a merge due.
  package var tierFilesMin = 8
  /// A table that got no file for so long is compacted whole.
  package var idleMicros: Int64 = 600_000_000
  /// Files over one point that clustering tolerates.
  package var overlapMax = 4
  /// Files of one step.
  package var groupFilesMax = 1_000
  /// Bytes of one step of clustering.
  package var clusterBytesMax: Int64 = 512 * 1_048_576
  /// Files that may be open at once: those that overlap.
  package var openFilesMax = 64
  /// Share of a file's rows that, once deleted, makes it worth rewriting alone.
  package var deletedShareMin = 0.1
  package init() {}
}

/// What planning needs to know of a file.
struct CompactionCandidate: Sendable, Equatable {
  /// Place in the snapshot's list of files.
  let index: Int
  let bytes: Int64
  /// Range of `published`, µs; nil when the log does not say.
  let keys: ClosedRange<Int64>?
  var modifiedMicros: Int64 = 0
  var deletedShare = 0.0
  /// Lies in another way than the table's files shall.
  var isStale = false
  /// Made by a step of clustering along keys.
  var isClustered = false

  /// Order of files side by side; those without a range come last.
  var order: (Int64, Int64, Int) { (keys?.lowerBound ?? .max, keys?.upperBound ?? .max, index) }
}

struct CompactionPlan {
  let options: CompactionOptions

  /// The smallest file that is left alone.
  var fullBytes: Int64 { options.fileBytesTarget / 5 * 3 }

  /// Tier of a small file: 0 below 256 KiB, then one more for each factor of four.
  static func tier(_ bytes: Int64) -> Int {
    let units = UInt64(max(bytes, 0)) >> 18
    return units == 0 ? 0 : (64 - units.leadingZeroBitCount + 1) / 2
  }

  /// The next files to merge, as indices; nil when nothing is due.
  func compaction(_ files: [CompactionCandidate], isFull: Bool, now: Int64) -> [Int]? {
    if let worn = files.first(where: { $0.deletedShare >= options.deletedShareMin }) { return [worn.index] }
    let small = files.filter { $0.bytes < fullBytes && !$0.isClustered }.sorted { $0.order < $1.order }
    if small.count < 2 { return nil }
    let isIdle = now - (files.map(\.modifiedMicros).max() ?? 0) >= options.idleMicros
    if isFull || isIdle { return packed(small) }
    for tier in Set(small.map { Self.tier($0.bytes) }).sorted() {
      let peers = small.filter { Self.tier($0.bytes) == tier }
      if peers.count >= options.tierFilesMin, let group = packed(peers) { return group }
    }
    return nil
  }

  /// The first run of two or more neighbours that fits into one file.
  private func packed(_ files: [CompactionCandidate]) -> [Int]? {
    var group: [CompactionCandidate] = []
    var bytes: Int64 = 0
    for file in files {
      let fits =
        bytes + file.bytes <= options.fileBytesTarget && group.count < options.groupFilesMax
        && openFiles(group, with: file) <= options.openFilesMax
      if !fits {
        if group.count >= 2 { break }
        group = []
        bytes = 0
      }
      group.append(file)
      bytes += file.bytes
    }
    return group.count >= 2 ? group.map(\.index) : nil
  }

  /// Files of a merge that are open when `file` is.
  private func openFiles(_ group: [CompactionCandidate], with file: CompactionCandidate) -> Int {
    guard let keys = file.keys else { return group.count + 1 }
    return 1 + group.reduce(0) { $0 + ((($1.keys?.upperBound ?? .max) >= keys.lowerBound) ? 1 : 0) }
  }

  /// The most files over one point, and that point.
  static func depth(_ files: [CompactionCandidate]) -> (files: Int, key: Int64) {
    var ends: [(key: Int64, step: Int)] = []
    for file in files {
      guard let keys = file.keys else { continue }
      ends.append((keys.lowerBound, 1))
      if keys.upperBound < .max { ends.append((keys.upperBound + 1, -1)) }
    }
    var best = (files: 0, key: Int64(0))
    var open = 0
    // At one key files end before others begin: bounds are inclusive, and the end is one further.
    for end in ends.sorted(by: { ($0.key, $0.step) < ($1.key, $1.step) }) {
      open += end.step
      if open > best.files { best = (open, end.key) }
    }
    return best
  }

  /// The next files to cluster; nil when no point is covered by too many.
  func clustering(_ files: [CompactionCandidate], isFull: Bool) -> [Int]? {
    let (depth, key) = Self.depth(files)
    guard depth > (isFull ? 1 : options.overlapMax) else { return nil }
    var group: [Int] = []
    var bytes: Int64 = 0
    for file in files.filter({ $0.keys?.contains(key) == true }).sorted(by: { $0.order < $1.order }) {
      if group.count == options.openFilesMax || (bytes + file.bytes > options.clusterBytesMax && group.count >= 2) {
        break
      }
      group.append(file.index)
      bytes += file.bytes
    }
    return group.count >= 2 ? group : nil
  }

  /// The next files of another layout, as many as one step may hold; nil when there are none.
  func stale(_ files: [CompactionCandidate]) -> [Int]? {
    let group = neighbours(files.filter(\.isStale))
    return group.isEmpty ? nil : group
  }

  /// The next full files that no step of clustering has made; nil when there are too few to divide them along keys.
  func unclustered(_ files: [CompactionCandidate], isFull: Bool) -> [Int]? {
    let new = files.filter { !$0.isClustered && (isFull || $0.bytes >= fullBytes) }
    guard new.count > (isFull ? 1 : options.overlapMax) else { return nil }
    let group = neighbours(new)
    return group.count >= 2 ? group : nil
  }

  /// The first files in the order of `published` that one step of clustering may hold.
  private func neighbours(_ files: [CompactionCandidate]) -> [Int] {
    var group: [Int] = []
    var bytes: Int64 = 0
    for file in files.sorted(by: { $0.order < $1.order }) {
      if !group.isEmpty && (bytes + file.bytes > options.clusterBytesMax || group.count == options.groupFilesMax) { break }
      group.append(file.index)
      bytes += file.bytes
    }
    return group
  }

  /// Files all of whose rows were published before `cutoff`, and those of which a part was, by more than `slack`.
  static func expired(
    _ files: [CompactionCandidate], cutoff: Int64, slack: Int64
  ) -> (whole: [Int], partly: [Int]) {
    var whole: [Int] = []
    var partly: [Int] = []
    for file in files {
      guard let keys = file.keys else { continue }
      if keys.upperBound < cutoff {
        whole.append(file.index)
      } else if keys.lowerBound < cutoff.subtractingReportingOverflow(slack).partialValue {
        partly.append(file.index)
      }
    }
    return (whole, partly)
  }
}
