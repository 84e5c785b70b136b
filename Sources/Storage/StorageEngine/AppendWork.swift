// One batch of the log becomes one synced write: chunks, error rows, seen-set change, ledger and W.

import Bedrock
import Columnar
import EventSchema
import HotTier
import Runtime
import StorageContract

struct AppendWork {
  private let batch: AppendBatch
  private let engine: StorageEngine
  private var change = HotWrite()
  private var ledger = LedgerChange()
  private var receipt = AppendReceipt(stored: 0, duplicates: 0, failed: 0)
  private var errors: [ErrorRow] = []

  init(_ batch: AppendBatch, engine: StorageEngine) {
    self.batch = batch
    self.engine = engine
  }

  /// Refuses a batch whose parts do not fit together or their table.
  static func check(_ batch: AppendBatch, _ cut: EngineCut) throws(Fault) {
    for append in batch.tables {
      guard let table = cut.tables[append.table], let layout = table.entry.layout(version: append.schemaVersion) else {
        throw .bug("a batch for a table or schema version that is not registered")
      }
      guard append.chunk.columns.count == layout.columns.count,
        zip(append.chunk.columns, layout.columns).allSatisfy({ $0.type.physical == $1.type.physical })
      else { throw .bug("a batch with other columns than \(table.entry.newest.name) has") }
      if let owner = table.owner, owner != batch.shard {
        throw Fault(
          .objectNotInPrerequisiteState, "table \(table.entry.newest.name) is fed by stream \(owner.name)",
          detail: "Events of one table have one order, so they come from one stream; these came from "
            + "\(batch.shard.name).")
      }
      for column in 0..<SystemColumn.count where column != SystemColumn.metadata {
        guard append.chunk.columns[column].nullCount == 0 else { throw .bug("a system column of a batch has a null") }
      }
      let flat = append.chunk.columns[SystemColumn.position].flat()
      let positions = flat.int64s
      var previous: Int64 = -1
      for row in 0..<positions.count {
        guard positions[row] > previous else { throw .bug("positions of a batch do not rise") }
        previous = positions[row]
      }
      guard previous <= batch.mark.position.raw else { throw .bug("a batch has rows behind its mark") }
    }
    guard batch.errors.allSatisfy({ $0.position <= batch.mark.position }) else {
      throw .bug("a batch has errors behind its mark")
    }
  }

  /// Applies the batch and leaves `state` as it is on disk.
  mutating func run(_ state: inout WriterState) throws(Fault) -> AppendReceipt {
    let before = state.marks[batch.shard]?.position.raw ?? -1
    for append in batch.tables where append.chunk.rowCount > 0 { try add(append, after: before, &state) }
    for error in batch.errors {
      if error.position.raw <= before { receipt.duplicates += 1 } else { errors.append(error) }
    }
    if batch.mark.position.raw <= before {
      // A redelivery from beginning to end: nothing to write.
      return receipt
    }
    try addErrors(&state)
    try ledger.save(over: state.view, in: &change)
    change.records.append((key: RecordKey.mark(batch.shard), value: WriterState.bytes(of: batch.mark)))
    try engine.pass("append.before_write")
    state.view = try state.hot.write(change)
    try engine.pass("append.written")
    state.marks[batch.shard] = batch.mark
    return receipt
  }

  private mutating func add(_ append: TableAppend, after before: Int64, _ state: inout WriterState) throws(Fault) {
    guard let table = state.tables[append.table], let layout = table.entry.layout(version: append.schemaVersion) else {
      throw .bug("a batch for a table that is not registered")
    }
    let chunk = append.chunk
    let rowCount = chunk.rowCount
    let positionColumn = chunk.columns[SystemColumn.position].flat()
    let sequenceColumn = chunk.columns[SystemColumn.sequence].flat()
    let receivedColumn = chunk.columns[SystemColumn.received].flat()
    let positions = positionColumn.int64s
    let sequences = sequenceColumn.int64s
    var first = 0
    while first < rowCount && positions[first] <= before { first += 1 }
    receipt.duplicates += first
    if first == rowCount { return }

    var selected: [Int32] = []
    selected.reserveCapacity(rowCount - first)
    var repeated: [Int32] = []
    var added = SequenceRuns()
    // Taken out, so that no row pays for the dictionary and the set is changed in place.
    var set = state.seen.removeValue(forKey: append.table) ?? SeenSet()
    for row in first..<rowCount {
      if set.insert(sequences[row]) {
        added.append(sequences[row])
        selected.append(Int32(row))
      } else {
        repeated.append(Int32(row))
      }
    }
    state.seen[append.table] = set
    let domain = table.entry.newest.domain
    let conflicts = try conflictingRows(repeated, selected: selected, in: append, state)
    let duplicates = conflicts.isEmpty ? repeated : repeated.filter { !conflicts.contains($0) }
    receipt.stored += selected.count
    receipt.duplicates += duplicates.count
    ledger.count(domain, received: receivedColumn.int64s, rows: selected, as: \.stored)
    ledger.count(domain, received: receivedColumn.int64s, rows: duplicates, as: \.duplicate)
    for row in conflicts.sorted() { errors.append(conflict(Int(row), append, table)) }

    if state.tables[append.table]?.owner == nil {
      state.tables[append.table]?.owner = batch.shard
      change.records.append((key: RecordKey.owner(append.table), value: Array(batch.shard.name.utf8)))
    }
    if selected.isEmpty { return }
    state.seenRecords[append.table, default: SeenRecords()].save(
      set, added: added, table: append.table, in: &change)
    let kept =
      selected.count == rowCount
      ? chunk : Chunk(columns: chunk.columns.map { $0.gather(selected.span) }, rowCount: selected.count)
    try put(kept, layout: layout, table: append.table)
  }

  /// Encodes in parts that a reader returns whole.
  private mutating func put(_ chunk: Chunk, layout: ChunkLayout, table: TableID) throws(Fault) {
    let now = engine.options.clock.nowMicros()
    var row = 0
    while row < chunk.rowCount {
      let end = min(row + Limits.chunkRowsMax, chunk.rowCount)
      let part =
        end - row == chunk.rowCount
        ? chunk : Chunk(columns: chunk.columns.map { $0.slice(row..<end) }, rowCount: end - row)
      let encoded = try ChunkCodec.encode(part, layout: layout, writtenMicros: now)
      change.chunks.append(HotWrite.NewChunk(table: table, chunk: encoded, decoded: part))
      row = end
    }
  }

  private mutating func addErrors(_ state: inout WriterState) throws(Fault) {
    if errors.isEmpty { return }
    errors.sort { $0.position < $1.position }
    for error in errors {
      var counters = LedgerCounters()
      counters.received = 1
      counters.failed = 1
      ledger.count(error.domain ?? "", minute: LedgerChange.minute(ofMicros: error.receivedMicros), counters)
    }
    receipt.failed += errors.count
    let chunk = ErrorTable.chunk(errors, firstID: state.nextErrorID)
    try put(chunk, layout: ErrorTable.layout, table: SystemTable.errors.id)
    state.nextErrorID += Int64(errors.count)
    var next = RecordWriter()
    next.put(state.nextErrorID)
    change.records.append((key: RecordKey.nextErrorID, value: next.bytes))
  }

  // MARK: Conflicts

  /// Of the `repeated` rows, those whose sequence was taken by other content: in this batch, or in a chunk still hot.
  private func conflictingRows(
    _ repeated: [Int32], selected: [Int32], in append: TableAppend, _ state: WriterState
  ) throws(Fault) -> Set<Int32> {
    if repeated.isEmpty { return [] }
    let sequenceColumn = append.chunk.columns[SystemColumn.sequence].flat()
    let hashColumn = append.chunk.columns[SystemColumn.hash].flat()
    let sequences = sequenceColumn.int64s
    let hashes = hashColumn.int64s
    // Ascending by sequence, for binary search.
    let order = repeated.sorted { sequences[Int($0)] < sequences[Int($1)] }
    let wanted = order.map { sequences[Int($0)] }
    var conflicts = Set<Int32>()
    func compare(_ sequence: Int64, _ hash: Int64) {
      var place = Self.firstIndex(of: sequence, in: wanted)
      while place < wanted.count && wanted[place] == sequence {
        if hashes[Int(order[place])] != hash { conflicts.insert(order[place]) }
        place += 1
      }
    }
    for row in selected { compare(sequences[Int(row)], hashes[Int(row)]) }
    guard let low = wanted.first, let high = wanted.last else { return conflicts }
    let asked = [SystemColumn.columns[SystemColumn.sequence], SystemColumn.columns[SystemColumn.hash]]
    for chunk in state.view.table(append.table).chunks where chunk.header.sequences.overlaps(low...high) {
      let columns = try chunk.columns(asked, in: state.view)
      let storedSequences = columns[0].flat()
      let storedHashes = columns[1].flat()
      for row in 0..<chunk.rowCount { compare(storedSequences.int64s[row], storedHashes.int64s[row]) }
    }
    return conflicts
  }

  private static func firstIndex(of value: Int64, in sorted: [Int64]) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func conflict(_ row: Int, _ append: TableAppend, _ table: CutTable) -> ErrorRow {
    let schema = table.entry.newest
    let chunk = append.chunk
    let name = chunk.columns[SystemColumn.name].scalar(at: row).text ?? ""
    // Checked in `check`: these system columns have no nulls and positions are not negative.
    let sequence = chunk.columns[SystemColumn.sequence].scalar(at: row).integer ?? 0
    let position = chunk.columns[SystemColumn.position].scalar(at: row).integer ?? 0
    let received = chunk.columns[SystemColumn.received].scalar(at: row).integer ?? 0
    let original = batch.originals?.original(at: Position(raw: position), domain: schema.domain)
    return ErrorRow(
      position: Position(raw: position), domain: schema.domain, entity: schema.entity, name: name, sequence: sequence,
      code: "sequence_conflict", stage: "identity", path: "sequence",
      message: "sequence \(sequence) of \(schema.name) was taken before by an event with other content",
      schemaVersion: append.schemaVersion, subject: original?.subject ?? "\(schema.name).\(name)",
      stream: batch.shard.name, receivedMicros: received, sealedPayload: original?.sealedPayload ?? [])
  }
}
