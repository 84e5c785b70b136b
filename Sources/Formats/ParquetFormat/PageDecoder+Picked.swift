// A page of which few rows are wanted: plain values are loaded one by one, and codes of a dictionary are looked up run by
// run without being written down.

import Bedrock
import Columnar

extension PageDecoder {
  /// The rows of the next `rows` whose code has a flag; `nil`, and nothing taken, when the page may have nulls.
  mutating func pickRuns(_ rows: Int, flags: Buffer, dictionaryCount: Int) throws(Fault) -> PickedRows? {
    guard !hasLevels else { return nil }
    _ = try takeLevels(rows)
    var decoder = hybrid
    var failure: Fault?
    let page = bytes
    let picked = PickedRows(capacity: rows) { out in
      page.withUnsafeBytes { raw in
        flags.withUnsafeBytes { flags in
          guard let base = raw.baseAddress, let table = flags.baseAddress else { return 0 }
          do throws(Fault) {
            return try decoder.pick(
              rows, page: base, flags: table.assumingMemoryBound(to: UInt8.self), flagCount: dictionaryCount, into: out)
          } catch {
            failure = error
            return 0
          }
        }
      }
    }
    if let failure { throw failure }
    hybrid = decoder
    return picked
  }

  /// The picked rows of the next `rows` as a raw column, without decoding the others; `nil`, and nothing taken, when the
  /// page's form does not allow that or too many are wanted.
  mutating func decodePicked(_ rows: Int, _ picks: PickedRows) throws(Fault) -> Column? {
    guard values == .plain, !hasLevels, picks.count * 2 <= rows else { return nil }
    switch leaf.physical {
    case .int32, .float: return try loadWords(UInt32.self, rows, picks)
    case .int64, .double: return try loadWords(UInt64.self, rows, picks)
    case .byteArray: return try copyBytes(rows, picks)
    default: return nil
    }
  }

  private mutating func loadWords<Word: FixedWidthInteger & BitwiseCopyable>(
    _ type: Word.Type, _ rows: Int, _ picks: PickedRows
  ) throws(Fault) -> Column {
    let width = MemoryLayout<Word>.stride
    guard rows <= (end - position) / width else { throw Self.damaged("it ends too early") }
    _ = try takeLevels(rows)
    let first = position, wanted = picks.rows, page = bytes
    position += rows * width
    let buffer = page.withUnsafeBytes { raw in
      Buffer.of(Word.self, count: wanted.count) { out in
        // Picks are below `rows`, whose bytes were checked above.
        for index in 0..<wanted.count {
          out[index] = raw.loadUnaligned(fromByteOffset: first + Int(wanted[index]) * width, as: Word.self)
        }
      }
    }
    return Column.fixed(leaf.rawType, count: wanted.count, buffer)
  }

  private mutating func copyBytes(_ rows: Int, _ picks: PickedRows) throws(Fault) -> Column {
    _ = try takeLevels(rows)
    var starts = [Int](repeating: 0, count: picks.count)
    var offsets = [Int32](repeating: 0, count: picks.count + 1)
    let wanted = picks.rows, end = self.end, page = bytes
    var cursor = position
    try page.withUnsafeBytes { (raw) throws(Fault) in
      var next = 0, total = 0
      for row in 0..<rows {
        guard end - cursor >= 4 else { throw Self.damaged("it ends too early") }
        let length = Int(UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: cursor, as: UInt32.self)))
        guard length <= end - cursor - 4 else { throw Self.damaged("a value is longer than the page") }
        if next < wanted.count && Int(wanted[next]) == row {
          starts[next] = cursor + 4
          total += length
          offsets[next + 1] = Int32(truncatingIfNeeded: total)
          next += 1
        }
        cursor += 4 + length
      }
    }
    position = cursor
    let data = Buffer(uninitializedByteCount: Int(offsets[picks.count])) { out in
      page.withUnsafeBytes { raw in
        for index in 0..<starts.count {
          let length = Int(offsets[index + 1] - offsets[index])
          if length == 0 { continue }
          UnsafeMutableRawBufferPointer(rebasing: out[Int(offsets[index])...]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: raw[starts[index]..<(starts[index] + length)]))
        }
      }
    }
    return Column(
      type: leaf.rawType, count: picks.count, validity: nil, form: .bytes(offsets: .copying(offsets), data: data))
  }
}

extension HybridDecoder {
  /// Writes the places, among the next `count` values, of those with a flag, and returns how many. A run is looked up
  /// once. `out` has room for `count`.
  mutating func pick(
    _ count: Int, page: UnsafeRawPointer, flags: UnsafePointer<UInt8>, flagCount: Int,
    into out: UnsafeMutablePointer<Int32>
  ) throws(Fault) -> Int {
    var kept = 0
    var row = 0
    try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1_024) { (codes) throws(Fault) in
      guard let codes = codes.baseAddress else { return }
      while row < count {
        if let (value, length) = try takeRun(count - row, page: page) {
          guard Int(value) < flagCount else { throw PageDecoder.damaged("a code outside of the dictionary") }
          if flags[Int(value)] != 0 {
            for place in row..<(row + length) {
              out[kept] = Int32(truncatingIfNeeded: place)
              kept += 1
            }
          }
          row += length
          continue
        }
        let length = min(packedLeft, count - row, 1_024)
        try decode(length, page: page, into: codes)
        var largest: UInt32 = 0
        for index in 0..<length { largest = max(largest, codes[index]) }
        guard Int(largest) < flagCount else { throw PageDecoder.damaged("a code outside of the dictionary") }
        for index in 0..<length {
          out[kept] = Int32(truncatingIfNeeded: row + index)
          kept += Int(flags[Int(codes[index])])
        }
        row += length
      }
    }
    return kept
  }
}
