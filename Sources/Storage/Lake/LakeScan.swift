// A scan of one snapshot.
//
//   planning    files left by the statistics of the log ─► footers (read at once, cached) ─► row groups left by theirs
//               and by bloom filters
//               ─► morsels: row groups, or parts of them that begin at a page when there are too few for all cores
//   open        page indexes ─► runs of rows ─► ranges of the columns that filter, joined and read; meanwhile the next
//               morsels are prepared on the threads of LakeReads
//   next        windows of rows: filters on encoded data, most selective first; only surviving rows of the other columns
//
// Morsels and their rows come in the order of files, row groups and rows.

package import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ObjectStore
import ParquetFormat
package import StorageContract
import Synchronization

/// Some rows of a row group, to be read by one thread.
struct LakeMorsel: Sendable {
  let file: LakeDataFile
  let footer: ParquetFile
  let rowGroup: Int
  let rows: Range<Int>
  var group: ParquetRowGroup { footer.rowGroups[rowGroup] }
}

/// What all morsels of one scan share.
final class LakeScanWork: Sendable {
  let columns: [TableColumn]
  let conditions: [LakeCondition]
  let cache: FooterCache
  /// What the table says of its nested columns, by field id.
  let shapes: [Int32: ParquetShape]
  private let rowsSeen = Atomic<Int>(0)
  private let rowsKept = Atomic<Int>(0)

  init(
    columns: [TableColumn], conditions: [LakeCondition], cache: FooterCache, shapes: [Int32: ParquetShape] = [:]
  ) {
    self.columns = columns
    self.conditions = conditions
    self.cache = cache
    self.shapes = shapes
  }

  func note(seen: Int, kept: Int) {
    rowsSeen.add(seen, ordering: .relaxed)
    rowsKept.add(kept, ordering: .relaxed)
  }

  /// The part of rows that passed all filters so far; `nil` before any was seen.
  var passing: Double? {
    let seen = rowsSeen.load(ordering: .relaxed)
    return seen == 0 ? nil : Double(rowsKept.load(ordering: .relaxed)) / Double(seen)
  }
}

package final class LakeScan: TableScan {
  /// Row groups are split when there are fewer of them than this.
  private static let morselsWanted = 8
  private let snapshot: LakeSnapshot
  private let work: LakeScanWork
  let morsels: [LakeMorsel]
  private let slots: [LakeMorselSlot]
  private let filesRead: Int
  private let rowGroups: (total: Int, read: Int)

  /// - Parameter live: the live files of the snapshot, or those that are left of them.
  init(
    snapshot: LakeSnapshot, request: ScanRequest, columns: [TableColumn], files live: [LakeDataFile]
  ) throws(Fault) {
    self.snapshot = snapshot
    for index in request.columns { precondition(columns.indices.contains(index), "a scan names columns of its table") }
    let conditions = request.predicates.filter { columns.indices.contains($0.column) }.map {
      LakeCondition(columns[$0.column], $0.test)
    }
    let work = LakeScanWork(
      columns: request.columns.map { columns[$0] }, conditions: conditions, cache: snapshot.footers,
      shapes: snapshot.shapes)
    self.work = work
    let files = live.filter { !Self.excludes($0, snapshot.schema, conditions) }
    var groups: [LakeMorsel] = []
    var total = 0
    for (file, footer) in zip(files, try Self.footers(files, snapshot.footers)) {
      total += footer.rowGroups.count
      for (number, group) in footer.rowGroups.enumerated() where group.rowCount > 0 {
        if Self.excludes(footer, group, conditions) { continue }
        groups.append(LakeMorsel(file: file, footer: footer, rowGroup: number, rows: 0..<group.rowCount))
      }
    }
    groups = try Self.withoutAbsent(groups, work)
    filesRead = files.count
    rowGroups = (total, groups.count)
    morsels = try groups.count < Self.morselsWanted ? Self.split(groups, work) : groups
    slots = morsels.map { LakeMorselSlot($0, work) }
  }

  deinit { for slot in slots { slot.cancel() } }

  package var morselCount: Int { morsels.count }

  package func open(morsel: Int) throws(Fault) -> any ChunkReader {
    precondition(morsels.indices.contains(morsel), "morsels are numbered from 0")
    // What comes next is made ready while this one is read.
    if morsel + 1 < slots.count { slots[morsel + 1].prefetch() }
    return LakeChunkReader(try slots[morsel].take(), work)
  }

  // MARK: Planning

  /// The footers of all files; those that are not cached are read several at a time.
  private static func footers(_ files: [LakeDataFile], _ cache: FooterCache) throws(Fault) -> [ParquetFile] {
    if files.count == 1 { return [try cache.footer(files[0].path, size: files[0].add.size)] }
    final class Found: Sendable {
      let footers: Mutex<[ParquetFile?]>
      init(_ count: Int) { footers = Mutex([ParquetFile?](repeating: nil, count: count)) }
    }
    let found = Found(files.count)
    try cache.reads.forEach(files.count) { (index) throws(Fault) in
      let footer = try cache.footer(files[index].path, size: files[index].add.size)
      found.footers.withLock { $0[index] = footer }
    }
    let footers = found.footers.withLock { $0.compactMap { $0 } }
    guard footers.count == files.count else { throw Fault.bug("a footer was not read") }
    return footers
  }

  /// Row groups whose bloom filters do not rule out every value that a condition asks for. Asked last: a filter is a read.
  private static func withoutAbsent(_ groups: [LakeMorsel], _ work: LakeScanWork) throws(Fault) -> [LakeMorsel] {
    let sought = work.conditions.compactMap { condition -> (LakeCondition, [Scalar])? in
      switch condition.test {
      case .compare(.equal, let value): (condition, [value])
      case .anyOf(let values): (condition, values)
      default: nil
      }
    }
    if sought.isEmpty || groups.isEmpty { return groups }
    final class Found: Sendable {
      let absent: Mutex<[Bool]>
      init(_ count: Int) { absent = Mutex([Bool](repeating: false, count: count)) }
    }
    let found = Found(groups.count)
    try work.cache.reads.forEach(groups.count) { (index) throws(Fault) in
      for (condition, values) in sought where try isAbsent(values, condition, groups[index], work.cache) {
        found.absent.withLock { $0[index] = true }
        return
      }
    }
    let absent = found.absent.withLock { $0 }
    return groups.indices.filter { !absent[$0] }.map { groups[$0] }
  }

  private static func isAbsent(
    _ values: [Scalar], _ condition: LakeCondition, _ morsel: LakeMorsel, _ cache: FooterCache
  ) throws(Fault) -> Bool {
    guard let leaf = leafIndex(morsel.footer, condition.column), morsel.group.columns[leaf].bloomFilter != nil else {
      return false
    }
    var hashes: [UInt64] = []
    for value in values {
      guard let hash = morsel.footer.leaves[leaf].bloomHash(value, as: condition.column.type) else { return false }
      hashes.append(hash)
    }
    let chunk = morsel.group.columns[leaf]
    guard let filter = try cache.bloomFilter(morsel.file.path, chunk, fileBytes: morsel.file.add.size) else {
      return false
    }
    return !hashes.contains { filter.mayContain(hash: $0) }
  }

  /// Parts of large row groups that begin where pages of the first column read begin.
  private static func split(_ groups: [LakeMorsel], _ work: LakeScanWork) throws(Fault) -> [LakeMorsel] {
    let rowsMin = work.cache.options.morselRowsMin
    var parts: [LakeMorsel] = []
    for group in groups {
      let count = group.group.rowCount
      let columns = work.columns + work.conditions.map(\.column)
      let leaf = columns.lazy.compactMap { leafIndex(group.footer, $0) }.first
      guard count / 2 >= rowsMin, let leaf,
        let index = try work.cache.indexes(group.file.path, [(group.group.columns[leaf], false)])[0].offsets
      else {
        parts.append(group)
        continue
      }
      var start = 0
      for page in index.pages where page.firstRow - start >= rowsMin && count - page.firstRow >= rowsMin {
        parts.append(LakeMorsel(file: group.file, footer: group.footer, rowGroup: group.rowGroup, rows: start..<page.firstRow))
        start = page.firstRow
      }
      parts.append(LakeMorsel(file: group.file, footer: group.footer, rowGroup: group.rowGroup, rows: start..<count))
    }
    return parts
  }

  // MARK: Pruning

  private static func excludes(_ file: LakeDataFile, _ schema: DeltaSchema?, _ conditions: [LakeCondition]) -> Bool {
    let statistics = file.statistics
    for condition in conditions {
      guard let field = schema?.field(id: condition.column.fieldID), let known = statistics.columns[field.name]
      else { continue }
      let bounds = ColumnBounds(min: known.min, max: known.max, nullCount: known.nullCount)
      if LakePruning.excludes(condition.test, bounds, rowCount: statistics.numRecords, type: condition.column.type) {
        return true
      }
    }
    return false
  }

  private static func excludes(_ footer: ParquetFile, _ group: ParquetRowGroup, _ conditions: [LakeCondition]) -> Bool {
    for condition in conditions {
      let bounds = bounds(footer, group, condition.column)
      if LakePruning.excludes(condition.test, bounds, rowCount: Int64(group.rowCount), type: condition.column.type) {
        return true
      }
    }
    return false
  }

  static func bounds(_ footer: ParquetFile, _ group: ParquetRowGroup, _ column: TableColumn) -> ColumnBounds {
    guard let field = field(footer, column) else { return .absent(rowCount: Int64(group.rowCount)) }
    guard let leaf = flatLeaf(footer, field), let statistics = group.columns[leaf].statistics else {
      return ColumnBounds()
    }
    return bounds(footer.leaves[leaf], statistics, as: column.type)
  }

  static func bounds(_ leaf: ParquetLeaf, _ statistics: ParquetStatistics, as type: DataType) -> ColumnBounds {
    var (min, max) = leaf.bounds(statistics, as: type)
    // NaN is greater than every number and in no bound.
    if case .float = max ?? .null, statistics.nanCount != 0 { max = nil }
    if case .float(let value) = min ?? .null, value.isNaN { min = nil }
    return ColumnBounds(min: min, max: max, nullCount: statistics.nullCount.map { Int64($0) })
  }

  /// What holds a column: by field id, and by name in files without ids. A column with a negative id belongs to a table
  /// without ids: its name decides.
  static func field(_ footer: ParquetFile, _ column: TableColumn) -> ParquetField? {
    if column.fieldID >= 0, let field = footer.fields.first(where: { $0.fieldID == column.fieldID }) { return field }
    guard let field = footer.fields.first(where: { $0.name == column.name }) else { return nil }
    return column.fieldID < 0 || field.fieldID == nil ? field : nil
  }

  /// The leaf of a field that is a column of plain values.
  static func flatLeaf(_ footer: ParquetFile, _ field: ParquetField) -> Int? {
    guard field.isLeaf, let leaf = field.leaves.first, footer.leaves[leaf].isFlat else { return nil }
    return leaf
  }

  /// The leaf of a column of plain values; `nil` when the file lacks the column, or has it in another shape.
  static func leafIndex(_ footer: ParquetFile, _ column: TableColumn) -> Int? {
    field(footer, column).flatMap { flatLeaf(footer, $0) }
  }

  // MARK: EXPLAIN

  /// What is left after pruning. Reads page indexes that are not cached; where that fails, row groups are counted whole.
  package var tiers: [TierScanSummary] {
    var rows: Int64 = 0
    var bytes: Int64 = 0
    var pages = (total: 0, read: 0)
    for morsel in morsels {
      // An index that cannot be read is reported by the scan itself.
      let layout = (try? LakeMorselLayout(morsel, work)) ?? LakeMorselLayout(whole: morsel)
      rows += layout.runs.reduce(0) { $0 + Int64($1.count) }
      for column in work.columns {
        guard let leaf = Self.leafIndex(morsel.footer, column) else { continue }
        let chunk = morsel.group.columns[leaf]
        guard let index = layout.offsets[leaf] else {
          bytes += morsel.rows.lowerBound == 0 ? Int64(chunk.byteRange.count) : 0
          continue
        }
        let counted = LakeColumnSource.pages(layout.runs, chunk, index, rowCount: morsel.group.rowCount)
        bytes += Int64(counted.bytes)
        pages.read += counted.read
        pages.total += morsel.rows.lowerBound == 0 ? counted.total : 0
      }
    }
    var units = [
      (label: "files", total: snapshot.files.count, read: filesRead),
      (label: "row groups", total: rowGroups.total, read: rowGroups.read),
    ]
    if pages.total > 0 { units.append((label: "pages", total: pages.total, read: pages.read)) }
    units.append((label: "bytes", total: Int(snapshot.byteCount), read: Int(bytes)))
    return [TierScanSummary(tier: "lake", units: units, rows: rows, bytes: bytes)]
  }
}
