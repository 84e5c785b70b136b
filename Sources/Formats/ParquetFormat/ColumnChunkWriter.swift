// One leaf of the row group that is being written: pending slots, finished pages, statistics.
//
// A slot is a value or the place of a missing one (ParquetNode.swift); for a flat column it is a row. Pending slots are cut
// into pages of `pageRowsMax` slots or about `pageByteCountMax` bytes, between rows. The first slots of a row group (up to
// `probeSlots`) are held back until the encoding is chosen from them (EncodingChoice.swift):
//
//   probing ──► dictionary ──(dictionary full)──► plain
//          ├──► delta       whole numbers whose differences are small: sequences, times, positions
//          ├──► plain
//          └──► streams, deltaLength, deltaBytes: only in files of the compact profile
//
// Subclasses hold the values: words of 32 and 64 bits, booleans, byte strings. Memory: compressed pages of the row group,
// one dictionary, at most one bloom filter, and the pending slots. One thread at a time; leaves know nothing of each other.

import Bedrock
import Columnar
import Compression

/// What the footer and the page index say about a page.
struct PageRecord {
  let rowCount: Int
  let slotCount: Int
  let nullCount: Int
  /// Header and body, from the first page of the chunk.
  let byteRange: Range<Int>
  let encoding: ParquetEncoding
  let bounds: Bounds
  /// Bytes of the values of a BYTE_ARRAY without their lengths.
  let valueByteCount: Int
  /// Slots by level; empty where the level is always 0.
  let definitionHistogram: [Int]
  let repetitionHistogram: [Int]
}

class ColumnChunkWriter {
  enum Mode { case probing, dictionary, delta, plain, streams, deltaLength, deltaBytes }

  let column: ParquetColumn
  let layout: ColumnLayout
  let shape: LeafShape
  let options: ParquetWriterOptions
  final var mode = Mode.probing

  /// One a pending slot, where the leaf has levels.
  private final var definitions: [UInt8] = []
  private final var repetitions: [UInt8] = []
  private final var pendingSlots = 0
  /// The last pending row goes on in slots that are still to come.
  private final var isRowOpen = false

  private(set) final var pages: [UInt8] = []
  private(set) final var records: [PageRecord] = []
  private(set) final var uncompressedByteCount = 0
  /// The compressed dictionary page, made when the row group ends.
  private(set) final var dictionaryBytes: [UInt8] = []
  /// Made when the row group ends; empty when none is worth its bytes.
  private(set) final var bloomFilterBytes: [UInt8] = []
  final var bloom: BloomFilterBuilder?
  /// What went wrong on another thread.
  final var fault: Fault?
  private final var body: [UInt8] = []
  private final var compressed: [UInt8] = []

  static let probeSlots = 65_536

  init(_ column: ParquetColumn, layout: ColumnLayout, shape: LeafShape, options: ParquetWriterOptions) {
    self.column = column
    self.layout = layout
    self.shape = shape
    self.options = options
  }

  // MARK: For subclasses

  /// Takes the values of slots of a physical column until a page is full; returns the end of what it took.
  func take(_ column: Column, from start: Int, to end: Int) -> Int { preconditionFailure("abstract") }
  /// Chooses the mode from the pending values; `isAll`: no more will come in this row group.
  func choose(_ trial: inout EncodingTrial, isAll: Bool) { preconditionFailure("abstract") }
  /// How many of the values from `start` on make a page by their bytes.
  func valuesOfPage(from start: Int) -> Int { .max }
  /// Appends the encoded values, which are pending, to `body`.
  func encode(_ values: Range<Int>, to body: inout [UInt8]) -> EncodedPage { preconditionFailure("abstract") }
  /// Forgets the first pending values, which are in pages.
  func drop(_ count: Int) { preconditionFailure("abstract") }
  /// True when the pending values are enough for a page although the slots are not.
  var isPageFull: Bool { false }
  /// The dictionary takes no more: what is pending of an unfinished row goes on plain.
  func leaveDictionary() {}
  /// The dictionary page's values, if pages refer to one.
  func dictionaryPage() -> (bytes: [UInt8], count: Int)? { nil }
  /// Enters the hashes of the dictionary's entries.
  func enterDictionary(into filter: inout BloomFilterBuilder) {}
  /// Bytes of memory that pending values and the dictionary take.
  var valuesHeldByteCount: Int { preconditionFailure("abstract") }
  /// Forgets the dictionary, for the next row group.
  func resetValues() { preconditionFailure("abstract") }

  struct EncodedPage {
    var encoding: ParquetEncoding
    var bounds: Bounds
    /// Bytes of the values of a BYTE_ARRAY without their lengths.
    var valueByteCount = 0
  }

  /// The most slots that may be pending before something must be done.
  final var roomForSlots: Int {
    max(1, (mode == .probing ? Self.probeSlots : options.pageRowsMax) - pendingSlots)
  }

  /// True when bounds of this leaf may be written.
  final var hasBounds: Bool { column.statistics == .full && !column.isPersonal && layout.isOrdered }

  // MARK: For ParquetWriter

  /// Bytes of memory that this leaf takes: finished pages, pending slots and values, dictionary, bloom filter.
  final var heldByteCount: Int {
    let levels = definitions.capacity + repetitions.capacity
    let filters = bloomFilterBytes.capacity + (bloom?.byteCount ?? 0)
    return pages.capacity + dictionaryBytes.capacity + body.capacity + compressed.capacity + levels + filters
      + valuesHeldByteCount
  }

  /// Appends rows of a flat column of the declared type.
  final func append(_ source: Column, _ compressors: CompressorPool) throws(Fault) {
    precondition(shape.maxRepetition == 0 && shape.maxDefinition <= 1)
    let source = try checked(source)
    let physical = try layout.physicalColumn(source)
    var row = 0
    while row < physical.count {
      let end = take(physical, from: row, to: min(physical.count, row + roomForSlots))
      if shape.maxDefinition == 1 { noteValidity(physical, row..<end) }
      pendingSlots += end - row
      row = end
      try settle(compressors, isFinal: false)
    }
  }

  /// Appends whole rows of a leaf with levels.
  final func append(_ rows: ParquetLeafRows, _ compressors: CompressorPool) throws(Fault) {
    try check(rows)
    let physical = try layout.physicalColumn(rows.values)
    var slot = 0
    while slot < physical.count {
      let end = take(physical, from: slot, to: min(physical.count, slot + roomForSlots))
      if shape.maxDefinition > 0 { definitions.append(contentsOf: rows.definitions[slot..<end]) }
      if shape.maxRepetition > 0 {
        repetitions.append(contentsOf: rows.repetitions[slot..<end])
        isRowOpen = end < physical.count && rows.repetitions[end] != 0
      }
      pendingSlots += end - slot
      slot = end
      try settle(compressors, isFinal: false)
    }
  }

  private final func checked(_ source: Column) throws(Fault) -> Column {
    if column.isNullable || !source.mayHaveNulls { return source }
    guard source.nullCount == 0 else {
      throw Fault(.notNullViolation, "column \"\(column.name)\" of a Parquet file may not be null")
    }
    if case .constant(let one) = source.form {
      let value = Column(type: one.type, count: 1, validity: nil, form: one.form)
      return Column(type: source.type, count: source.count, validity: nil, form: .constant(value))
    }
    return Column(type: source.type, count: source.count, validity: nil, form: source.form)
  }

  /// Levels that contradict the values would make a file that nobody can read.
  private final func check(_ rows: ParquetLeafRows) throws(Fault) {
    let count = rows.values.count
    precondition(shape.maxDefinition == 0 || rows.definitions.count == count, "definition levels of \(column.name)")
    precondition(shape.maxRepetition == 0 || rows.repetitions.count == count, "repetition levels of \(column.name)")
    precondition(shape.maxRepetition == 0 || count == 0 || rows.repetitions[0] == 0, "rows begin with level 0")
    for slot in 0..<count where shape.maxDefinition > 0 {
      let isValue = Int(rows.definitions[slot]) == shape.maxDefinition
      precondition(Int(rows.definitions[slot]) <= shape.maxDefinition && isValue != rows.values.isNull(at: slot))
      precondition(shape.maxRepetition == 0 || Int(rows.repetitions[slot]) <= shape.maxRepetition)
    }
  }

  private final func noteValidity(_ source: Column, _ rows: Range<Int>) {
    guard let validity = source.validity else {
      definitions.append(contentsOf: repeatElement(1, count: rows.count))
      return
    }
    let words = validity.words
    var levels = definitions
    definitions = []
    levels.reserveCapacity(levels.count + rows.count)
    for row in rows { levels.append(UInt8(truncatingIfNeeded: words[row >> 6] >> UInt64(row & 63) & 1)) }
    definitions = levels
  }

  /// Cuts pages while enough slots are pending, or until none is left.
  private final func settle(_ compressors: CompressorPool, isFinal: Bool) throws(Fault) {
    if pendingSlots == 0 { return }
    if !isFinal && !isPageFull {
      if mode == .probing ? pendingSlots < Self.probeSlots : pendingSlots < options.pageRowsMax { return }
    }
    let compressor = compressors.take()
    defer { compressors.give(compressor) }
    if mode == .probing {
      var trial = EncodingTrial(compressor: compressor, rowGroupRowsMax: options.rowGroupRowsMax)
      choose(&trial, isAll: isFinal)
      if let fault = trial.fault { throw fault }
    }
    var slot = 0, value = 0
    while slot < pendingSlots && (isFinal || isPageFull || pendingSlots - slot >= options.pageRowsMax) {
      guard let end = endOfPage(slot, firstValue: value) else { break }
      value += try cutPage(slot..<end, firstValue: value, compressor)
      slot = end
    }
    drop(value)
    definitions.removeFirst(min(slot, definitions.count))
    repetitions.removeFirst(min(slot, repetitions.count))
    pendingSlots -= slot
    if isPageFull && mode == .dictionary { leaveDictionary() }
  }

  /// Where the page that begins at `slot` ends; `nil` when its last row is not complete.
  private final func endOfPage(_ slot: Int, firstValue: Int) -> Int? {
    var end = min(pendingSlots, slot + options.pageRowsMax)
    let valuesMax = max(1, valuesOfPage(from: firstValue))
    if shape.maxDefinition == 0 {
      end = min(end, valuesMax == .max ? end : slot + valuesMax)
    } else if valuesMax < end - slot {
      var values = 0
      for place in slot..<end where Int(definitions[place]) == shape.maxDefinition {
        values += 1
        if values == valuesMax {
          end = place + 1
          break
        }
      }
    }
    if shape.maxRepetition == 0 { return end }
    var boundary = end
    while boundary > slot && !beginsRow(boundary) { boundary -= 1 }
    if boundary > slot { return boundary }
    // One row fills more than a page: it stays together.
    boundary = end
    while boundary < pendingSlots && !beginsRow(boundary) { boundary += 1 }
    return beginsRow(boundary) ? boundary : nil
  }

  private final func beginsRow(_ slot: Int) -> Bool { slot < pendingSlots ? repetitions[slot] == 0 : !isRowOpen }

  /// Writes a page; returns how many values it has.
  private final func cutPage(
    _ slots: Range<Int>, firstValue: Int, _ compressor: PageCompressor
  ) throws(Fault) -> Int {
    precondition(!slots.isEmpty)
    body.removeAll(keepingCapacity: true)
    var rows = slots.count, valid = slots.count
    var repetitionHistogram: [Int] = [], definitionHistogram: [Int] = []
    if shape.maxRepetition > 0 {
      repetitionHistogram = Self.appendLevels(repetitions, slots, max: shape.maxRepetition, to: &body)
      rows = repetitionHistogram[0]
    }
    if shape.maxDefinition > 0 {
      definitionHistogram = Self.appendLevels(definitions, slots, max: shape.maxDefinition, to: &body)
      valid = definitionHistogram[shape.maxDefinition]
    }
    let page = encode(firstValue..<(firstValue + valid), to: &body)
    let start = pages.count
    // Strings have no header statistics: they would repeat what the page index holds.
    let hasHeader = !column.isPersonal && layout.physical != .byteArray
    let statistics = hasHeader ? page.bounds.statistics(layout, nullCount: slots.count - valid) : nil
    uncompressedByteCount += try appendPage(
      dictionary: false, valueCount: slots.count, encoding: page.encoding, statistics: statistics, compressor, to: &pages)
    records.append(
      PageRecord(
        rowCount: rows, slotCount: slots.count, nullCount: slots.count - valid, byteRange: start..<pages.count,
        encoding: page.encoding, bounds: page.bounds, valueByteCount: page.valueByteCount,
        definitionHistogram: definitionHistogram, repetitionHistogram: repetitionHistogram))
    return valid
  }

  /// Appends header and compressed `body`; returns the size with an uncompressed body.
  private final func appendPage(
    dictionary: Bool, valueCount: Int, encoding: ParquetEncoding, statistics: ParquetStatistics?,
    _ compressor: PageCompressor, to output: inout [UInt8]
  ) throws(Fault) -> Int {
    guard body.count <= Limits.parquetPageBytesMax else {
      throw Fault(.programLimitExceeded, "a Parquet page of \(body.count) bytes is larger than the limit")
    }
    compressed.removeAll(keepingCapacity: true)
    let size = try compressor.compress(body, appendingTo: &compressed)
    let start = output.count
    PageHeader.write(
      dictionary: dictionary, uncompressedByteCount: body.count, compressedByteCount: size,
      crc: CRC32.checksum(compressed.span.bytes), valueCount: valueCount, encoding: encoding,
      statistics: statistics, to: &output)
    let headerByteCount = output.count - start
    output.append(contentsOf: compressed)
    return headerByteCount + body.count
  }

  /// Appends the levels of some slots; returns how many slots have each level.
  private static func appendLevels(
    _ levels: [UInt8], _ slots: Range<Int>, max: Int, to body: inout [UInt8]
  ) -> [Int] {
    var histogram = [Int](repeating: 0, count: max + 1)
    let start = body.count
    body.append(littleEndian: UInt32(0))
    levels.withUnsafeBufferPointer { levels in
      let levels = UnsafeBufferPointer(rebasing: levels[slots])
      if max == 1 {
        var ones = 0
        for level in levels { ones += Int(level) }
        histogram = [levels.count - ones, ones]
      } else {
        for level in levels { histogram[Int(level)] += 1 }
      }
      HybridEncoder.append(levels, width: HybridEncoder.width(of: max + 1), to: &body)
    }
    let size = UInt32(body.count - start - 4)
    for byte in 0..<4 { body[start + byte] = UInt8(truncatingIfNeeded: size >> UInt32(byte * 8)) }
    return histogram
  }

  /// Ends the row group: everything is in pages afterwards.
  final func finishRowGroup(_ compressors: CompressorPool) throws(Fault) {
    precondition(!isRowOpen)
    try settle(compressors, isFinal: true)
    precondition(pendingSlots == 0)
    if let page = dictionaryPage() {
      let compressor = compressors.take()
      defer { compressors.give(compressor) }
      body = page.bytes
      uncompressedByteCount += try appendPage(
        dictionary: true, valueCount: page.count, encoding: .plain, statistics: nil, compressor, to: &dictionaryBytes)
    }
    finishBloomFilter()
    // They are in pages now: leaves that are written one after the other do not keep all their dictionaries.
    bloom = nil
    resetValues()
  }

  /// Whether a filter is worth its bytes: README of the writer profile, "bloom filters".
  private final func finishBloomFilter() {
    guard column.bloomFilter == .automatic, !column.isPersonal else { return }
    let values = records.reduce(0) { $0 + $1.slotCount - $1.nullCount }
    // Bounds find every value of a sorted column.
    guard values >= Self.bloomValuesMin, !isSorted else { return }
    var filter = bloom ?? BloomFilterBuilder(valueCountMax: values)
    enterDictionary(into: &filter)
    if filter.distinctCount * Self.bloomRepeatsMax < Double(values) { return }
    bloomFilterBytes = filter.write()
  }

  /// Fewer values are read faster than a filter.
  static let bloomValuesMin = 4_096
  /// A value that comes more often than this on average is not an id; a dictionary of such values is small.
  static let bloomRepeatsMax = 64.0

  /// Pages do not overlap and rise.
  private final var isSorted: Bool {
    var last: Bound?
    for record in records {
      guard let min = record.bounds.min, let max = record.bounds.max else { continue }
      if let last, !(last < min), min < last || min.isCut { return false }
      last = max
    }
    return records.count > 1 && last != nil
  }

  /// Makes room for the next row group.
  final func reset() {
    pages.removeAll()
    records = []
    dictionaryBytes = []
    bloomFilterBytes = []
    uncompressedByteCount = 0
    mode = .probing
  }
}
