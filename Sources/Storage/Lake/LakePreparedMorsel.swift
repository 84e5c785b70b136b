// A morsel made ready to be read: its runs of rows, a decoder for each column, and its first reads under way. Made by the
// thread that opens the morsel, or ahead of time on a thread of LakeReads.

import Bedrock
import Columnar
import DeltaFormat
import EventSchema
import ParquetFormat
import Synchronization

// unchecked Sendable because one thread makes it and hands it to one other through the slot's lock.
final class LakePreparedMorsel: @unchecked Sendable {
  let morsel: LakeMorsel
  let runs: [Range<Int>]
  /// Rows of the file that are deleted, and the row of the file with which the row group begins.
  let deleted: DeletedRows?
  let firstRow: Int
  /// Distinct columns: first those that filters need.
  let sources: [LakeColumnSource]
  /// For each filtering source its conditions.
  let filters: [[LakeCondition]]
  /// The source of each column of the scan; `nil`: the file lacks the column.
  let outputs: [Int?]
  /// Sources from here on have not been asked for anything yet.
  let lateFrom: Int
  let reads: PendingReads?

  /// Rows survive so often that fetching everything at once costs less than asking twice.
  private static let eagerPassing = 1.0 / 64

  init(_ morsel: LakeMorsel, _ work: LakeScanWork) throws(Fault) {
    self.morsel = morsel
    deleted = try morsel.file.deletedRows()
    firstRow = morsel.footer.rowGroups[..<morsel.rowGroup].reduce(0) { $0 + $1.rowCount }
    var layout = try LakeMorselLayout(morsel, work)
    // Columns are told apart by their first leaf.
    var fields: [ParquetField] = []
    func known(_ field: ParquetField) -> Int? { fields.firstIndex { $0.leaves.lowerBound == field.leaves.lowerBound } }
    var filters: [[LakeCondition]] = []
    for condition in work.conditions {
      guard let filter = condition.filter else { continue }
      guard let field = LakeScan.field(morsel.footer, condition.column) else {
        // A column that the file lacks is null in every row.
        if filter.pick(.nulls(condition.column.type, count: 1)).count == 0 { layout.runs = [] }
        continue
      }
      if let known = known(field) {
        filters[known].append(condition)
      } else {
        fields.append(field)
        filters.append([condition])
      }
    }
    var columns = filters.map { $0[0].column }
    var outputs: [Int?] = []
    for column in work.columns {
      guard let field = LakeScan.field(morsel.footer, column) else {
        outputs.append(nil)
        continue
      }
      if let known = known(field) {
        outputs.append(known)
      } else {
        outputs.append(fields.count)
        fields.append(field)
        columns.append(column)
      }
    }
    runs = layout.runs
    self.filters = filters
    self.outputs = outputs
    var sources: [LakeColumnSource] = []
    if !runs.isEmpty {
      for (column, field) in zip(columns, fields) {
        let index = layout.offsets[field.leaves.lowerBound]
        sources.append(try LakeColumnSource(column, morsel, field, work.shapes[column.fieldID], index, work.cache))
      }
    }
    self.sources = sources
    let isEager = filters.isEmpty || (work.passing ?? 0) >= Self.eagerPassing
    lateFrom = isEager ? sources.count : min(filters.count, sources.count)
    var ranges: [Range<Int>] = []
    for source in sources[..<lateFrom] { ranges += source.missing(layout.runs) }
    reads = ranges.isEmpty ? nil : work.cache.reads.begin(morsel.file.path, ranges)
  }

  /// Hands over the bytes of the first reads; waits for them.
  func receive() throws(Fault) {
    guard let reads else { return }
    let pieces = try reads.wait()
    for source in sources[..<lateFrom] { source.give(pieces) }
  }

  func cancel() { reads?.cancel() }
}

/// Where a morsel waits between being prepared and being opened.
final class LakeMorselSlot: Sendable {
  /// `nil` inside: closed, nothing is accepted any more.
  private final class Place: Sendable {
    private let content = Mutex<(prepared: LakePreparedMorsel?, isClosed: Bool)>((nil, false))
    func put(_ prepared: LakePreparedMorsel) {
      let isClosed = content.withLock { content in
        if !content.isClosed { content.prepared = prepared }
        return content.isClosed
      }
      if isClosed { prepared.cancel() }
    }
    func take(closing: Bool) -> LakePreparedMorsel? {
      content.withLock { content in
        content.isClosed = content.isClosed || closing
        let prepared = content.prepared
        content.prepared = nil
        return prepared
      }
    }
  }
  private let morsel: LakeMorsel
  private let work: LakeScanWork
  private let place = Place()
  private let preparing: SharedTasks
  private let isScheduled = Atomic<Bool>(false)

  init(_ morsel: LakeMorsel, _ work: LakeScanWork) {
    self.morsel = morsel
    self.work = work
    preparing = SharedTasks(count: 1) { [place] (_) throws(Fault) in
      place.put(try LakePreparedMorsel(morsel, work))
    }
  }

  /// Prepares the morsel on another thread, once.
  func prefetch() {
    guard !isScheduled.exchange(true, ordering: .relaxed) else { return }
    let preparing = preparing
    if !work.cache.reads.submit({ preparing.help() }) { isScheduled.store(false, ordering: .relaxed) }
  }

  /// The prepared morsel, for its one reader. A morsel that is opened again is prepared again.
  func take() throws(Fault) -> LakePreparedMorsel {
    if isScheduled.exchange(true, ordering: .relaxed) {
      try preparing.wait()
      if let prepared = place.take(closing: false) { return prepared }
    }
    return try LakePreparedMorsel(morsel, work)
  }

  /// The scan is over: what was not begun is not done, what was read is dropped.
  func cancel() {
    preparing.cancel()
    place.take(closing: true)?.cancel()
  }
}
