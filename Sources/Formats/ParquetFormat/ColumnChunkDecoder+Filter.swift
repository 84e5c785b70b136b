// Filters on encoded data, and decoding of the rows that are left (late materialisation).
//
//   filter(rows: 8192, by: f)                    dictionary page, f true for no entry   page not even decompressed
//                                                dictionary page                        one look-up a code, one a run
//                                                other page                             decoded, then f's loop
//   decode(rows: 8192, picks: [3, 17, 4000])     dictionary page                        codes, then 3 values
//                                                plain page of a fixed width            3 loads
//                                                plain text                             lengths walked, 3 copies
//                                                other page                             decoded, then gathered
//
// Both take a window of rows off the chunk, as `decode(rows:)` does.

package import Bedrock
package import Columnar

/// What a filter says of each entry of a dictionary.
struct DictionaryMask {
  enum Passing { case none, some, all }
  let dictionary: ColumnDictionary
  /// One byte an entry: 0 or 1.
  let flags: Buffer
  let passing: Passing

  init(_ filter: ColumnFilter, _ dictionary: ColumnDictionary) {
    self.dictionary = dictionary
    let flags = filter.mask(dictionary)
    let bytes = flags.span(of: UInt8.self)
    var count = 0
    for index in 0..<bytes.count { count += Int(bytes[index]) }
    self.flags = flags
    passing = count == 0 ? .none : count == dictionary.count ? .all : .some
  }
}

extension ColumnChunkDecoder {
  /// The rows of the next `rows`, or of those among them that `picks` names, that pass `filter`; and their values when
  /// these are asked for. One filter a decoder: what it says of the dictionary is kept.
  package func filter(
    rows: Int, among picks: PickedRows? = nil, by filter: ColumnFilter, keepingValues: Bool
  ) throws(Fault) -> (picks: PickedRows, values: Column?) {
    precondition(rows > 0 && rows <= rowsRemaining, "a window inside of the chunk")
    var found: [(base: Int, rows: PickedRows)] = []
    var values: [Column] = []
    var base = 0
    while base < rows {
      let take = min(rows - base, try nextPageRows())
      let among = picks?.within(base..<(base + take))
      if among?.count == 0 {
        try skip(rows: take)
        base += take
        continue
      }
      let encoding = try nextPageEncoding()
      let isCoded = encoding == ParquetEncoding.rleDictionary.rawValue
        || encoding == ParquetEncoding.plainDictionary.rawValue
      if isCoded && !filter.acceptsNull && mask(filter).passing == .none {
        try skip(rows: take)
        base += take
        continue
      }
      if let statistics = nextPageStatistics(rows: take), filter.excludes(leaf, statistics, rows: take) {
        try skip(rows: take)
        base += take
        continue
      }
      try settle()
      _ = try loadPage()
      let part = try isCoded
        ? filterCodes(take, among, filter, keepingValues) : filterValues(take, among, filter, keepingValues)
      if part.picks.count > 0 {
        found.append((base, part.picks))
        if let column = part.values { values.append(column) }
      }
      base += take
    }
    let kept = PickedRows.joining(found)
    if !keepingValues { return (kept, nil) }
    return (kept, values.isEmpty ? ColumnBuilder(type: type).finish() : try join(values))
  }

  /// The rows that `picks` names among the next `rows`.
  package func decode(rows: Int, picks: PickedRows) throws(Fault) -> Column {
    precondition(rows > 0 && rows <= rowsRemaining, "a window inside of the chunk")
    if picks.count == rows { return try decode(rows: rows) }
    var parts: [Column] = []
    var base = 0
    while base < rows {
      let take = min(rows - base, try nextPageRows())
      let among = picks.within(base..<(base + take))
      if among.count == 0 {
        try skip(rows: take)
        base += take
        continue
      }
      try settle()
      _ = try loadPage()
      parts.append(try decodeFromPage(take, among))
      base += take
    }
    return parts.isEmpty ? ColumnBuilder(type: type).finish() : try join(parts)
  }

  private func mask(_ filter: ColumnFilter) -> DictionaryMask {
    // A page of codes without a dictionary holds nulls only.
    let entries = dictionary ?? ColumnDictionary(ColumnBuilder(type: type).finish())
    if let mask, mask.dictionary === dictionary { return mask }
    let made = DictionaryMask(filter, entries)
    mask = made
    return made
  }

  private func filterCodes(
    _ rows: Int, _ among: PickedRows?, _ filter: ColumnFilter, _ keepingValues: Bool
  ) throws(Fault) -> (picks: PickedRows, values: Column?) {
    guard var loaded = page else { throw Fault.bug("no Parquet page is loaded") }
    let count = dictionary?.count ?? 0
    let mask = self.mask(filter)
    if among == nil, !keepingValues, case .some = mask.passing,
      let picks = try loaded.pickRuns(rows, flags: mask.flags, dictionaryCount: count)
    {
      advance(loaded, by: rows)
      return (picks, nil)
    }
    let (codes, validity) = try loaded.decodeCodes(rows, dictionaryCount: count)
    advance(loaded, by: rows)
    let entries = mask.dictionary
    let coded = Column(
      type: type, count: rows, validity: validity, form: .dictionary(codes: codes, dictionary: entries))
    let window = among.map { coded.gather($0.rows) } ?? coded
    let places = filter.isByNull ? filter.pick(window) : pickCodes(window, mask)
    let picks = among.map { $0.picking(places) } ?? places
    guard keepingValues else { return (picks, nil) }
    let kept = places.count == window.count ? window : window.gather(places.rows)
    guard case .dictionary(let keptCodes, _) = kept.form else { throw Fault.bug("codes in a wrong form") }
    return (picks, try materialise(codes: keptCodes, validity: kept.validity, rows: kept.count))
  }

  private func pickCodes(_ column: Column, _ mask: DictionaryMask) -> PickedRows {
    let codes = column.codes, flags = mask.flags.span(of: UInt8.self), rows = column.count
    if flags.isEmpty { return PickedRows(capacity: 0) { _ in 0 } }
    guard let validity = column.validity else {
      return PickedRows(capacity: rows) { out in
        var kept = 0
        for row in 0..<rows {
          out[kept] = Int32(truncatingIfNeeded: row)
          kept += Int(flags[Int(codes[row])])
        }
        return kept
      }
    }
    let words = validity.words
    return PickedRows(capacity: rows) { out in
      var kept = 0
      for row in 0..<rows {
        out[kept] = Int32(truncatingIfNeeded: row)
        kept += Int(flags[Int(codes[row])]) & Int(truncatingIfNeeded: words[row >> 6] &>> UInt64(row & 63) & 1)
      }
      return kept
    }
  }

  private func filterValues(
    _ rows: Int, _ among: PickedRows?, _ filter: ColumnFilter, _ keepingValues: Bool
  ) throws(Fault) -> (picks: PickedRows, values: Column?) {
    let window: Column
    if let among {
      window = try decodeFromPage(rows, among)
    } else {
      guard var loaded = page else { throw Fault.bug("no Parquet page is loaded") }
      let raw = try loaded.decodeRaw(rows)
      advance(loaded, by: rows)
      window = try conversion.apply(raw, target: type)
    }
    let places = filter.pick(window)
    let picks = among.map { $0.picking(places) } ?? places
    guard keepingValues else { return (picks, nil) }
    return (picks, places.count == window.count ? window : window.gather(places.rows))
  }

  private func decodeFromPage(_ rows: Int, _ picks: PickedRows) throws(Fault) -> Column {
    guard var loaded = page else { throw Fault.bug("no Parquet page is loaded") }
    if loaded.values == .dictionary {
      let (codes, validity) = try loaded.decodeCodes(rows, dictionaryCount: dictionary?.count ?? 0)
      advance(loaded, by: rows)
      guard picks.count < rows else { return try materialise(codes: codes, validity: validity, rows: rows) }
      let coded = Column.fixed(.int4, count: rows, validity: validity, codes).gather(picks.rows)
      guard case .fixed(let few) = coded.form else { throw Fault.bug("codes in a wrong form") }
      return try materialise(codes: few, validity: coded.validity, rows: picks.count)
    }
    let raw: Column
    if let few = try loaded.decodePicked(rows, picks) { raw = few } else {
      let all = try loaded.decodeRaw(rows)
      raw = picks.count < rows ? all.gather(picks.rows) : all
    }
    advance(loaded, by: rows)
    return try conversion.apply(raw, target: type)
  }
}

extension ColumnFilter {
  /// True for tests that look at validity only.
  var isByNull: Bool {
    switch test {
    case .isNull, .isNotNull: true
    default: false
    }
  }
}
