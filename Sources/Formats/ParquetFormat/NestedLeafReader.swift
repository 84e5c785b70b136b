// The levels and values of one leaf for a run of rows. A row begins where the repetition level is 0 and ends where the
// next one begins, which may be on a later page: pages of version 1 cut rows.
//
// Levels are decoded in steps, not by the page: twenty bytes of run-length coded levels can claim two billion of them.

import Bedrock
import Columnar

/// What a leaf holds for some rows.
struct LeafRun {
  var repetition: [UInt8] = []
  var definition: [UInt8] = []
  /// The values that exist, one after the other, flat and without nulls, in the type asked for.
  var values: Column
  var rows = 0
}

final class NestedLeafReader {
  private let leaf: ParquetLeaf
  private let type: DataType
  private let conversion: Conversion
  private let pages: PageSource
  private let index: ParquetOffsetIndex?
  private let rowCount: Int
  /// Rows begun so far.
  private var row = 0

  private var page: DataPage?
  private var values: PageDecoder?
  private var repetitionLevels = HybridDecoder(width: 0, range: 0..<0)
  private var definitionLevels = HybridDecoder(width: 0, range: 0..<0)
  /// Levels of the page that are not in the window yet.
  private var levelsLeft = 0
  /// Levels decoded ahead.
  private var repetition: [UInt8] = []
  private var definition: [UInt8] = []
  private var position = 0

  private static let windowLevels = 16_384

  init(
    leaf: ParquetLeaf, chunk: ParquetColumnChunk, type: DataType, rowCount: Int, source: ParquetChunkSource
  ) throws(Fault) {
    self.leaf = leaf
    self.type = type
    self.rowCount = rowCount
    conversion = try Conversion.plan(leaf, target: type)
    pages = try PageSource(leaf: leaf, chunk: chunk, type: type, conversion: conversion, source: source)
    index = source.index
  }

  private static func damaged(_ what: String) -> Fault { Fault.corrupt("a Parquet column chunk is damaged: \(what)") }

  /// The next `rows` rows, which the chunk must have.
  func read(rows: Int) throws(Fault) -> LeafRun {
    var run = LeafRun(values: Column.nulls(type, count: 0))
    var parts: [Column] = []
    var byteCount = 0
    while let (levels, present) = try nextSlice(&run, rows: rows) {
      guard run.definition.count + levels.count <= ParquetLimits.nestedElementsMax + rows else {
        throw Fault(.programLimitExceeded, "lists of Parquet column \(leaf.name) are too long to read at once")
      }
      run.repetition.append(contentsOf: repetition[levels])
      run.definition.append(contentsOf: definition[levels])
      if present > 0 { parts.append(try decode(present, &byteCount)) }
    }
    guard run.rows == rows else { throw Self.damaged("it has fewer rows than announced") }
    if !parts.isEmpty { run.values = parts.count == 1 ? parts[0] : Column.concatenate(parts) }
    return run
  }

  /// Passes over the next `rows` rows.
  func skip(rows: Int) throws(Fault) {
    var left = rows
    while left > 0 {
      if position == repetition.count, levelsLeft == 0, let index {
        let jumped = jump(left, index)
        left -= jumped
        if jumped > 0 { continue }
      }
      let step = min(left, Limits.chunkRowsMax)
      var run = LeafRun(values: Column.nulls(type, count: 0))
      while let (_, present) = try nextSlice(&run, rows: step) {
        var ignored = 0
        if present > 0 { _ = try decode(present, &ignored) }
      }
      guard run.rows == step else { throw Self.damaged("it has fewer rows than announced") }
      left -= step
    }
  }

  /// Jumps over whole pages; returns how many rows they have.
  private func jump(_ rows: Int, _ index: ParquetOffsetIndex) -> Int {
    var target = pages.nextPage
    guard target < index.pages.count, index.pages[target].firstRow == row else { return 0 }
    func firstRow(_ page: Int) -> Int { page < index.pages.count ? index.pages[page].firstRow : rowCount }
    while target < index.pages.count, firstRow(target + 1) <= row + rows { target += 1 }
    let skipped = firstRow(target) - row
    guard skipped > 0 else { return 0 }
    pages.jump(to: target)
    row += skipped
    return skipped
  }

  /// The next levels of the window that belong to the run, and how many of them have a value; `nil` when the run is
  /// complete or the chunk has ended.
  private func nextSlice(_ run: inout LeafRun, rows: Int) throws(Fault) -> (levels: Range<Int>, present: Int)? {
    if position == repetition.count {
      if run.rows == rows && (leaf.maxRepetition == 0 || (levelsLeft == 0 && index != nil)) { return nil }
      guard try fillWindow() else { return nil }
    }
    let start = position
    var end = position
    let count = repetition.count
    if leaf.maxRepetition == 0 {
      end = min(count, position + rows - run.rows)
      run.rows += end - start
      row += end - start
    } else {
      if row == 0, run.rows == 0, repetition[start] != 0 { throw Self.damaged("its first level continues a row") }
      while end < count {
        if repetition[end] == 0 {
          if run.rows == rows { break }
          run.rows += 1
          row += 1
        }
        end += 1
      }
    }
    if end == start { return nil }
    position = end
    var present = 0
    let full = UInt8(truncatingIfNeeded: leaf.maxDefinition)
    for place in start..<end { present += Int(unsafeBitCast(definition[place] == full, to: UInt8.self)) }
    return (start..<end, present)
  }

  /// Decodes more levels into the window; false at the end of the chunk.
  private func fillWindow() throws(Fault) -> Bool {
    if levelsLeft == 0 {
      guard let next = try pages.next() else { return false }
      page = next
      levelsLeft = next.valueCount
      if let part = next.repetition {
        repetitionLevels = HybridDecoder(width: PageLevels.width(max: leaf.maxRepetition), range: part.range)
      }
      if let part = next.definition {
        definitionLevels = HybridDecoder(width: PageLevels.width(max: leaf.maxDefinition), range: part.range)
      }
      values = try PageDecoder(
        leaf: leaf, rows: next.valueCount, encoding: next.encoding, bytes: next.bytes, range: next.values, levels: nil)
    }
    let count = min(levelsLeft, Self.windowLevels)
    repetition = try levels(count, of: &repetitionLevels, page?.repetition?.bytes, max: leaf.maxRepetition)
    definition = try levels(count, of: &definitionLevels, page?.definition?.bytes, max: leaf.maxDefinition)
    position = 0
    levelsLeft -= count
    return true
  }

  private func levels(
    _ count: Int, of decoder: inout HybridDecoder, _ bytes: Buffer?, max: Int
  ) throws(Fault) -> [UInt8] {
    guard let bytes else { return [UInt8](repeating: 0, count: count) }
    var words = [UInt32](repeating: 0, count: count)
    try bytes.withUnsafeBytes { (raw) throws(Fault) in
      try words.withUnsafeMutableBufferPointer { (out) throws(Fault) in
        guard let page = raw.baseAddress, let out = out.baseAddress else { throw Self.damaged("a page has no levels") }
        try decoder.decode(count, page: page, into: out)
      }
    }
    var largest: UInt32 = 0
    for word in words { largest = Swift.max(largest, word) }
    guard largest <= UInt32(max) else { throw Self.damaged("a level is larger than its maximum") }
    return words.map { UInt8(truncatingIfNeeded: $0) }
  }

  /// The next `count` values of the page, flat.
  private func decode(_ count: Int, _ byteCount: inout Int) throws(Fault) -> Column {
    guard var decoder = values else { throw Fault.bug("no Parquet page is loaded") }
    defer { values = decoder }
    guard decoder.values == .dictionary else {
      let column = try conversion.apply(decoder.decodeRaw(count), target: type).flat()
      if case .bytes(_, let data) = column.form { try add(data.byteCount, to: &byteCount) }
      return column
    }
    let dictionary = pages.dictionary
    let (codes, _) = try decoder.decodeCodes(count, dictionaryCount: dictionary?.count ?? 0)
    guard let dictionary else { throw Self.damaged("codes without a dictionary") }
    let indices = codes.span(of: Int32.self)
    if type.physical == .bytes {
      let offsets = dictionary.offsets
      var total = 0
      for place in 0..<count {
        let code = Int(indices[place])
        total += Int(offsets[code + 1] - offsets[code])
      }
      try add(total, to: &byteCount)
    }
    return dictionary.gather(indices.extracting(0..<count))
  }

  /// Values must fit one column: a small file can otherwise ask for terabytes.
  private func add(_ count: Int, to byteCount: inout Int) throws(Fault) {
    byteCount += count
    guard byteCount <= ParquetLimits.decodedBytesMax else {
      throw Fault(.programLimitExceeded, "values of Parquet column \(leaf.name) are too large to read at once")
    }
  }
}
