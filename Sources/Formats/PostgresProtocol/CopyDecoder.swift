// The data of COPY FROM STDIN to columns, in pieces of any size.
//
//   text, csv   to columns of text, one for each field; casts make values of them
//   binary      to columns of the types themselves
//
// A line that the end of a piece cuts waits for the next one. Faults are PostgreSQL's: 22P04 with the line in CONTEXT.
//
// A line that comes in many pieces is looked through once: `scanned` says how far, and in which state. So bytes cost the
// same however they are cut.
//
// Invariant: what is held is at most the rows that were not taken yet and one line of `lineBytesMax`.

package import Bedrock
package import Columnar

/// The values of one column that wait to be taken.
private final class CopyColumn {
  var builder: ColumnBuilder
  private let type: DataType

  init(type: DataType) {
    self.type = type
    builder = ColumnBuilder(type: type)
  }

  func take() -> Column {
    var taken = ColumnBuilder(type: type)
    swap(&taken, &builder)
    return taken.finish()
  }
}

package struct CopyDecoder {
  /// Bytes of one line, or of one binary row.
  package static let lineBytesMax = 64 << 20
  private let format: CopyFormat
  private let types: [DataType]
  /// For CONTEXT and HEADER MATCH.
  private let relation: String
  private let names: [String]
  private var held: [UInt8] = []
  /// Bytes at the start of `held` that are known not to end the line, and whether they end behind a backslash (text) or
  /// inside of quotes (csv).
  private var scanned = 0
  private var isScanInside = false
  private let builders: [CopyColumn]
  /// Whole rows that wait to be taken.
  package private(set) var rowCount = 0
  /// The number of the line that comes next, from 1.
  private var line = 1
  /// The line of each waiting row.
  private var lines: [Int] = []
  private var isAtStart = true
  private var isAtEnd = false
  private var field: [UInt8] = []

  package init(format: CopyFormat, types: [DataType], relation: String, names: [String]) {
    precondition(types.count == names.count)
    self.format = format
    self.types = types
    self.relation = relation
    self.names = names
    builders = types.map { CopyColumn(type: format.isBinary ? $0 : .text) }
  }

  /// Takes the waiting rows: their columns, and the line that each came from.
  package mutating func take() -> (chunk: Chunk, lines: [Int]) {
    defer {
      rowCount = 0
      lines = []
    }
    return (Chunk(columns: builders.map { $0.take() }, rowCount: rowCount), lines)
  }

  /// Adds bytes; rows that are whole now wait to be taken.
  package mutating func receive(_ bytes: [UInt8]) throws(Fault) {
    if isAtEnd { return }
    held += bytes
    try decode(isLast: false)
  }

  /// No more bytes come.
  package mutating func finish() throws(Fault) {
    if isAtEnd { return }
    try decode(isLast: true)
    if format.isBinary && (isAtStart || !held.isEmpty) {
      throw isAtStart ? badSignature() : malformed("unexpected EOF in COPY data")
    }
  }

  private mutating func decode(isLast: Bool) throws(Fault) {
    // The bytes are moved out so that rows can be read while builders change.
    let bytes = held
    held = []
    var at = 0
    scan: while at < bytes.count, !isAtEnd {
      let next: Int?
      switch format.kind {
      case .text: next = try textLine(bytes, at, isLast)
      case .csv: next = try csvLine(bytes, at, isLast)
      case .binary: next = try binaryRow(bytes, at)
      }
      guard let next else { break scan }
      at = next
    }
    // A long line that is still not whole stays where it is.
    held = isAtEnd ? [] : at == 0 ? bytes : Array(bytes[at...])
    guard held.count <= Self.lineBytesMax else {
      throw Fault(.programLimitExceeded, "a line of COPY is longer than \(Self.lineBytesMax) bytes").inside(place(line))
    }
  }

  // MARK: Faults

  /// `COPY t, line 3`.
  package func place(_ line: Int) -> String { "COPY \(relation), line \(line)" }

  private func malformed(_ message: String, _ text: ArraySlice<UInt8>? = nil) -> Fault {
    let shown = text.map { ": \"\(String(decoding: $0.prefix(100), as: UTF8.self))\"" } ?? ""
    return Fault(SQLState("22P04"), message).inside(place(line) + shown)
  }

  private func badSignature() -> Fault { Fault(SQLState("22P04"), "COPY file signature not recognized") }

  // MARK: Text

  /// Reads the line at `start`; gives where the next one begins, nil when it is not whole.
  private mutating func textLine(_ bytes: [UInt8], _ start: Int, _ isLast: Bool) throws(Fault) -> Int? {
    var end = start + scanned
    var isEscaped = isScanInside
    // A backslash keeps a line end inside of its value.
    while end < bytes.count, isEscaped || bytes[end] != 0x0A {
      isEscaped = !isEscaped && bytes[end] == UInt8(ascii: "\\")
      end += 1
    }
    guard end < bytes.count || isLast else {
      (scanned, isScanInside) = (end - start, isEscaped)
      return nil
    }
    (scanned, isScanInside) = (0, false)
    let next = min(end + 1, bytes.count)
    if end > start, bytes[end - 1] == 0x0D { end -= 1 }
    let text = bytes[start..<end]
    if text.elementsEqual([0x5C, 0x2E]) {
      isAtEnd = true
      return next
    }
    if isAtStart {
      isAtStart = false
      if format.hasHeader {
        try checkHeader(text.split(separator: format.delimiter, omittingEmptySubsequences: false).map { Array($0) })
        line += 1
        return next
      }
    }
    try textFields(bytes, start, end)
    return next
  }

  private mutating func textFields(_ bytes: [UInt8], _ start: Int, _ end: Int) throws(Fault) {
    var column = 0
    var at = start
    while true {
      var stop = at
      var hasEscape = false
      while stop < end, bytes[stop] != format.delimiter {
        if bytes[stop] == UInt8(ascii: "\\") {
          hasEscape = true
          stop += 1
        }
        stop += 1
      }
      stop = min(stop, end)
      guard column < types.count else { throw malformed("extra data after last expected column", bytes[start..<end]) }
      if bytes[at..<stop].elementsEqual(format.null) {
        builders[column].builder.appendNull()
      } else if hasEscape {
        unescape(bytes[at..<stop])
        try append(field, column)
      } else {
        try append(bytes, at..<stop, column)
      }
      column += 1
      if stop >= end { break }
      at = stop + 1
    }
    try endRow(column, bytes[start..<end], lineCount: 1)
  }

  /// Into `field`.
  private mutating func unescape(_ bytes: ArraySlice<UInt8>) {
    field.removeAll(keepingCapacity: true)
    var at = bytes.startIndex
    func digit(_ index: Int, _ base: UInt8) -> UInt8? {
      guard index < bytes.endIndex else { return nil }
      let byte = bytes[index]
      let value: UInt8
      switch byte {
      case 0x30...0x39: value = byte - 0x30
      case 0x41...0x46: value = byte - 0x37
      case 0x61...0x66: value = byte - 0x57
      default: return nil
      }
      return value < base ? value : nil
    }
    while at < bytes.endIndex {
      guard bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.endIndex else {
        field.append(bytes[at])
        at += 1
        continue
      }
      let letter = bytes[at + 1]
      at += 2
      switch letter {
      case UInt8(ascii: "b"): field.append(0x08)
      case UInt8(ascii: "f"): field.append(0x0C)
      case UInt8(ascii: "n"): field.append(0x0A)
      case UInt8(ascii: "r"): field.append(0x0D)
      case UInt8(ascii: "t"): field.append(0x09)
      case UInt8(ascii: "v"): field.append(0x0B)
      case UInt8(ascii: "x") where digit(at, 16) != nil:
        var value: UInt8 = 0
        for _ in 0..<2 {
          guard let next = digit(at, 16) else { break }
          value = value &* 16 &+ next
          at += 1
        }
        field.append(value)
      case 0x30...0x37:
        var value = letter - 0x30
        for _ in 0..<2 {
          guard let next = digit(at, 8) else { break }
          value = value &* 8 &+ next
          at += 1
        }
        field.append(value)
      default: field.append(letter)
      }
    }
  }

  // MARK: CSV

  private mutating func csvLine(_ bytes: [UInt8], _ start: Int, _ isLast: Bool) throws(Fault) -> Int? {
    guard let end = try csvEnd(bytes, start, isLast) else { return nil }
    let next = min(end + 1, bytes.count)
    let stop = end > start && bytes[end - 1] == 0x0D ? end - 1 : end
    if bytes[start..<stop].elementsEqual([0x5C, 0x2E]) {
      isAtEnd = true
      return next
    }
    let lineCount = bytes[start..<next].reduce(0) { $1 == 0x0A ? $0 + 1 : $0 }
    if isAtStart {
      isAtStart = false
      if format.hasHeader {
        try checkHeader(csvHeader(bytes, start, stop))
        line += max(1, lineCount)
        return next
      }
    }
    try csvFields(bytes, start, stop, lineCount: max(1, lineCount))
    return next
  }

  /// The end of the line at `start`: the first line end outside of quotes; nil when it is not there yet.
  private mutating func csvEnd(_ bytes: [UInt8], _ start: Int, _ isLast: Bool) throws(Fault) -> Int? {
    var isQuoted = isScanInside
    var at = start + scanned
    while at < bytes.count {
      let byte = bytes[at]
      if isQuoted, byte == format.escape, format.escape != format.quote {
        guard at + 1 < bytes.count else { break }
        if bytes[at + 1] == format.quote || bytes[at + 1] == format.escape { at += 1 }
      } else if byte == format.quote {
        isQuoted.toggle()
      } else if byte == 0x0A, !isQuoted {
        (scanned, isScanInside) = (0, false)
        return at
      }
      at += 1
    }
    guard isLast else {
      (scanned, isScanInside) = (at - start, isQuoted)
      return nil
    }
    if isQuoted { throw malformed("unterminated CSV quoted field", bytes[start...]) }
    return bytes.count
  }

  private func csvHeader(_ bytes: [UInt8], _ start: Int, _ end: Int) -> [[UInt8]] {
    var fields: [[UInt8]] = []
    var at = start
    while true {
      let (value, _, stop) = csvField(bytes, at, end)
      fields.append(value)
      if stop >= end { return fields }
      at = stop + 1
    }
  }

  /// The value at `start`, whether any of it was quoted, and where it ends.
  private func csvField(_ bytes: [UInt8], _ start: Int, _ end: Int) -> (value: [UInt8], wasQuoted: Bool, end: Int) {
    var value: [UInt8] = []
    var wasQuoted = false
    var isQuoted = false
    var at = start
    while at < end {
      let byte = bytes[at]
      if isQuoted {
        if byte == format.escape, at + 1 < end, bytes[at + 1] == format.quote || bytes[at + 1] == format.escape {
          value.append(bytes[at + 1])
          at += 1
        } else if byte == format.quote {
          isQuoted = false
        } else {
          value.append(byte)
        }
      } else if byte == format.delimiter {
        break
      } else if byte == format.quote {
        (isQuoted, wasQuoted) = (true, true)
      } else {
        value.append(byte)
      }
      at += 1
    }
    return (value, wasQuoted, at)
  }

  private mutating func csvFields(_ bytes: [UInt8], _ start: Int, _ end: Int, lineCount: Int) throws(Fault) {
    var column = 0
    var at = start
    while true {
      guard column < types.count else { throw malformed("extra data after last expected column", bytes[start..<end]) }
      // Most values have no quotes: they are taken as they lie.
      var stop = at
      while stop < end, bytes[stop] != format.delimiter, bytes[stop] != format.quote { stop += 1 }
      if stop < end, bytes[stop] == format.quote {
        let (value, wasQuoted, fieldEnd) = csvField(bytes, at, end)
        stop = fieldEnd
        if value == format.null, !wasQuoted || format.forceNull.contains(column) {
          builders[column].builder.appendNull()
        } else {
          try append(value, column)
        }
      } else if bytes[at..<stop].elementsEqual(format.null), !format.forceNotNull.contains(column) {
        builders[column].builder.appendNull()
      } else {
        try append(bytes, at..<stop, column)
      }
      column += 1
      if stop >= end { break }
      at = stop + 1
    }
    try endRow(column, bytes[start..<end], lineCount: lineCount)
  }

  // MARK: Rows

  private mutating func append(_ value: [UInt8], _ column: Int) throws(Fault) {
    try append(value, 0..<value.count, column)
  }

  private mutating func append(_ bytes: [UInt8], _ range: Range<Int>, _ column: Int) throws(Fault) {
    let isPlain = bytes[range].allSatisfy { $0 < 0x80 && $0 != 0 }
    guard isPlain || !bytes[range].contains(0) && String(validating: bytes[range], as: UTF8.self) != nil else {
      throw Fault(.characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"").inside(place(line))
    }
    bytes.withUnsafeBytes { builders[column].builder.append(utf8: UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  private mutating func endRow(_ columns: Int, _ text: ArraySlice<UInt8>, lineCount: Int) throws(Fault) {
    guard columns == types.count else {
      throw malformed("missing data for column \"\(names[columns])\"", text)
    }
    rowCount += 1
    lines.append(line)
    line += lineCount
  }

  private func checkHeader(_ fields: [[UInt8]]) throws(Fault) {
    guard format.matchesHeader else { return }
    guard fields.count == names.count else {
      throw malformed("wrong number of fields in header line: got \(fields.count), expected \(names.count)")
    }
    for (index, field) in fields.enumerated() where String(decoding: field, as: UTF8.self) != names[index] {
      throw malformed(
        "column name mismatch in header line field \(index + 1): got \"\(String(decoding: field.prefix(100), as: UTF8.self))\""
          + ", expected \"\(names[index])\"")
    }
  }

  // MARK: Binary

  private mutating func binaryRow(_ bytes: [UInt8], _ start: Int) throws(Fault) -> Int? {
    var at = start
    func integer(_ index: Int, _ count: Int) -> Int {
      bytes[index..<(index + count)].reduce(0) { $0 << 8 | Int($1) }
    }
    if isAtStart {
      guard bytes.count - at >= 19 else { return nil }
      guard bytes[at..<(at + 11)].elementsEqual(CopyFormat.signature) else { throw badSignature() }
      guard integer(at + 11, 4) & 0xFFFF_0000 == 0 else { throw malformed("unrecognized critical flags in COPY file header") }
      let extra = integer(at + 15, 4)
      guard extra <= Self.lineBytesMax else { throw malformed("invalid COPY file header (wrong length)") }
      guard bytes.count - at >= 19 + extra else { return nil }
      at += 19 + extra
      isAtStart = false
    }
    guard bytes.count - at >= 2 else { return at == start ? nil : at }
    let count = Int(Int16(truncatingIfNeeded: integer(at, 2)))
    if count == -1 {
      isAtEnd = true
      return at + 2
    }
    guard count == types.count else { throw malformed("row field count is \(count), expected \(types.count)") }
    // A row that is not whole leaves nothing behind: its values are found before any is read.
    var ranges: [Range<Int>?] = []
    var next = at + 2
    for _ in 0..<count {
      guard bytes.count - next >= 4 else { return at == start ? nil : at }
      let length = Int(Int32(truncatingIfNeeded: integer(next, 4)))
      next += 4
      guard length >= -1, length <= Self.lineBytesMax else { throw malformed("invalid field size") }
      if length < 0 {
        ranges.append(nil)
        continue
      }
      guard bytes.count - next >= length else { return at == start ? nil : at }
      ranges.append(next..<(next + length))
      next += length
    }
    for (column, range) in ranges.enumerated() {
      guard let range else {
        builders[column].builder.appendNull()
        continue
      }
      do throws(Fault) {
        builders[column].builder.append(try BinaryForm.decode(Array(bytes[range]), as: types[column]))
      } catch { throw error.inside("\(place(line)), column \(names[column])") }
    }
    rowCount += 1
    lines.append(line)
    line += 1
    return next
  }
}
