// Writes Parquet files of nested records, row by row: for metadata, such as checkpoints of a Delta log, not for data.
//
//   "PAR1" | row group: per leaf, data pages | ... | footer
//
// Data pages v1, PLAIN values, RLE levels, zstd, a CRC on every page; no dictionaries and no statistics. Every node is
// optional but the keys of maps. A record is shredded into its leaves as Dremel does: a leaf notes how deep its value, or
// the nearest thing around it, exists (definition), and which list goes on (repetition).

package import Bedrock
import Compression

/// The shape of a record.
package indirect enum ParquetRecordNode: Sendable {
  package enum Leaf: Sendable { case text, int64, int32, boolean }
  case leaf(String, Leaf)
  case group(String, [ParquetRecordNode])
  /// From text to text, whose values may be null.
  case map(String)
  /// Of text.
  case list(String)

  var name: String {
    switch self {
    case .leaf(let name, _), .group(let name, _), .map(let name), .list(let name): name
    }
  }
}

/// The values of a record, in the shape of its node.
package indirect enum ParquetRecordValue: Sendable {
  case null
  case text(String)
  case integer(Int64)
  case boolean(Bool)
  case group([ParquetRecordValue])
  case map([(key: String, value: String?)])
  case list([String])
}

/// Append rows, then `finish`. Keeps the compressed file in memory.
package struct ParquetRecordWriter: ~Copyable {
  private static let rowGroupRowsMax = 100_000
  private static let pageBytesMax = 1_048_576
  private static let pageLevelsMax = 20_000

  private struct Leaf {
    let path: [String]
    let type: ParquetRecordNode.Leaf
    let maxDefinition: UInt8
    let maxRepetition: UInt8
    var definition: [UInt32] = []
    var repetition: [UInt32] = []
    var values: [UInt8] = []
    var booleans: [Bool] = []
    var pages: [UInt8] = []
    var valueCount = 0
    var uncompressedByteCount = 0
  }
  private struct Chunk {
    let offset: Int
    let byteCount: Int
    let uncompressedByteCount: Int
    let valueCount: Int
  }

  private let roots: [ParquetRecordNode]
  private var leaves: [Leaf] = []
  private var compressor = Compressor(.zstd, level: 3)
  private var output: [UInt8] = Array("PAR1".utf8)
  private var groups: [(rowCount: Int, chunks: [Chunk])] = []
  private var rowsInGroup = 0
  package private(set) var rowCount = 0

  package init(_ roots: [ParquetRecordNode]) {
    self.roots = roots
    for root in roots { Self.collect(root, [], 0, into: &leaves) }
  }

  private static func collect(_ node: ParquetRecordNode, _ path: [String], _ level: UInt8, into leaves: inout [Leaf]) {
    let path = path + [node.name]
    switch node {
    case .leaf(_, let type):
      leaves.append(Leaf(path: path, type: type, maxDefinition: level + 1, maxRepetition: 0))
    case .group(_, let members): for member in members { collect(member, path, level + 1, into: &leaves) }
    case .map:
      let entry = path + ["key_value"]
      leaves.append(Leaf(path: entry + ["key"], type: .text, maxDefinition: level + 2, maxRepetition: 1))
      leaves.append(Leaf(path: entry + ["value"], type: .text, maxDefinition: level + 3, maxRepetition: 1))
    case .list:
      leaves.append(
        Leaf(path: path + ["list", "element"], type: .text, maxDefinition: level + 3, maxRepetition: 1))
    }
  }

  // MARK: Rows

  /// Adds a row with one value for each root.
  package mutating func append(_ row: [ParquetRecordValue]) throws(Fault) {
    precondition(row.count == roots.count, "a value for each column")
    var next = 0
    for (node, value) in zip(roots, row) { shred(node, value, definition: 0, &next) }
    precondition(next == leaves.count)
    rowsInGroup += 1
    rowCount += 1
    for index in leaves.indices
    where leaves[index].values.count >= Self.pageBytesMax || leaves[index].definition.count >= Self.pageLevelsMax {
      try cutPage(index)
    }
    if rowsInGroup == Self.rowGroupRowsMax { try endGroup() }
  }

  private mutating func shred(
    _ node: ParquetRecordNode, _ value: ParquetRecordValue, definition: UInt32, _ next: inout Int
  ) {
    switch (node, value) {
    case (.leaf, .null), (.leaf, .text), (.leaf, .integer), (.leaf, .boolean):
      put(next, value, definition)
      next += 1
    case (.group(_, let members), .group(let values)):
      precondition(members.count == values.count, "a value for each member")
      for (member, value) in zip(members, values) { shred(member, value, definition: definition + 1, &next) }
    case (.group(_, let members), .null):
      for member in members { shred(member, .null, definition: definition, &next) }
    case (.map, .null):
      note(next, definition)
      note(next + 1, definition)
      next += 2
    case (.map, .map(let entries)):
      if entries.isEmpty {
        note(next, definition + 1)
        note(next + 1, definition + 1)
      }
      for (index, entry) in entries.enumerated() {
        let repetition: UInt32 = index == 0 ? 0 : 1
        put(next, .text(entry.key), definition + 1, repetition)
        put(next + 1, entry.value.map { .text($0) } ?? .null, definition + 2, repetition)
      }
      next += 2
    case (.list, .null):
      note(next, definition)
      next += 1
    case (.list, .list(let elements)):
      if elements.isEmpty { note(next, definition + 1) }
      for (index, element) in elements.enumerated() { put(next, .text(element), definition + 2, index == 0 ? 0 : 1) }
      next += 1
    default: preconditionFailure("a value of another shape than column \(node.name)")
    }
  }

  /// A level without a value.
  private mutating func note(_ leaf: Int, _ definition: UInt32, _ repetition: UInt32 = 0) {
    leaves[leaf].definition.append(definition)
    leaves[leaf].repetition.append(repetition)
  }

  /// A leaf that may be null; `definition` is that of what is around it.
  private mutating func put(
    _ leaf: Int, _ value: ParquetRecordValue, _ definition: UInt32, _ repetition: UInt32 = 0
  ) {
    if case .null = value { return note(leaf, definition, repetition) }
    note(leaf, UInt32(leaves[leaf].maxDefinition), repetition)
    switch (value, leaves[leaf].type) {
    case (.text(let text), .text):
      leaves[leaf].values.append(littleEndian: UInt32(text.utf8.count))
      leaves[leaf].values.append(contentsOf: text.utf8)
    case (.integer(let integer), .int64): leaves[leaf].values.append(littleEndian: integer)
    case (.integer(let integer), .int32): leaves[leaf].values.append(littleEndian: Int32(clamping: integer))
    case (.boolean(let boolean), .boolean): leaves[leaf].booleans.append(boolean)
    default: preconditionFailure("a value of another type than column \(leaves[leaf].path)")
    }
  }

  // MARK: Pages

  private mutating func cutPage(_ index: Int) throws(Fault) {
    if leaves[index].definition.isEmpty { return }
    var body: [UInt8] = []
    let leaf = leaves[index]
    if leaf.maxRepetition > 0 { Self.append(leaf.repetition, max: leaf.maxRepetition, to: &body) }
    Self.append(leaf.definition, max: leaf.maxDefinition, to: &body)
    if leaf.type == .boolean {
      let bits = leaf.booleans.map { UInt32($0 ? 1 : 0) }
      bits.withUnsafeBufferPointer {
        BitPacker.append($0, paddedCount: (bits.count + 7) & ~7, width: 1, to: &body)
      }
    } else {
      body.append(contentsOf: leaf.values)
    }
    guard body.count <= Limits.parquetPageBytesMax else {
      throw Fault(.programLimitExceeded, "a Parquet page of \(body.count) bytes is larger than the limit")
    }
    var compressed: [UInt8] = []
    let size = try compressor.compress(body.span.bytes, appendingTo: &compressed)
    var header = ThriftWriter()
    header.beginElement()
    header.int32(1, 0)
    header.int32(2, Int32(body.count))
    header.int32(3, Int32(size))
    header.int32(4, Int32(bitPattern: CRC32.checksum(compressed.span.bytes)))
    header.begin(5)
    header.int32(1, Int32(leaf.definition.count))
    header.int32(2, ParquetEncoding.plain.rawValue)
    header.int32(3, ParquetEncoding.rle.rawValue)
    header.int32(4, ParquetEncoding.rle.rawValue)
    header.end()
    header.end()
    leaves[index].pages += header.bytes + compressed
    leaves[index].uncompressedByteCount += header.bytes.count + body.count
    leaves[index].valueCount += leaf.definition.count
    leaves[index].definition = []
    leaves[index].repetition = []
    leaves[index].values = []
    leaves[index].booleans = []
  }

  private static func append(_ levels: [UInt32], max: UInt8, to body: inout [UInt8]) {
    var encoded: [UInt8] = []
    levels.withUnsafeBufferPointer {
      HybridEncoder.append($0, width: HybridEncoder.width(of: Int(max) + 1), to: &encoded)
    }
    body.append(littleEndian: UInt32(encoded.count))
    body.append(contentsOf: encoded)
  }

  private mutating func endGroup() throws(Fault) {
    if rowsInGroup == 0 { return }
    var chunks: [Chunk] = []
    for index in leaves.indices {
      try cutPage(index)
      chunks.append(
        Chunk(
          offset: output.count, byteCount: leaves[index].pages.count,
          uncompressedByteCount: leaves[index].uncompressedByteCount, valueCount: leaves[index].valueCount))
      output += leaves[index].pages
      leaves[index].pages = []
      leaves[index].valueCount = 0
      leaves[index].uncompressedByteCount = 0
    }
    groups.append((rowsInGroup, chunks))
    rowsInGroup = 0
  }

  /// The whole file.
  package consuming func finish() throws(Fault) -> [UInt8] {
    try endGroup()
    let footer = footer()
    output += footer
    output.append(littleEndian: UInt32(footer.count))
    output += Array("PAR1".utf8)
    return output
  }

  // MARK: Footer

  private func footer() -> [UInt8] {
    var writer = ThriftWriter()
    writer.beginElement()
    writer.int32(1, 1)
    writer.list(2, of: ThriftReader.structure, count: 1 + roots.reduce(0) { $0 + Self.elementCount($1) })
    writer.beginElement()
    writer.string(4, "schema")
    writer.int32(5, Int32(roots.count))
    writer.end()
    for root in roots { Self.element(root, &writer) }
    writer.int64(3, rowCount)
    writer.list(4, of: ThriftReader.structure, count: groups.count)
    for (rowCount, chunks) in groups {
      writer.beginElement()
      writer.list(1, of: ThriftReader.structure, count: chunks.count)
      for (chunk, leaf) in zip(chunks, leaves) { Self.chunk(chunk, leaf, &writer) }
      writer.int64(2, chunks.reduce(0) { $0 + $1.uncompressedByteCount })
      writer.int64(3, rowCount)
      writer.end()
    }
    writer.string(6, ParquetWriter.createdBy)
    writer.end()
    return writer.bytes
  }

  private static func elementCount(_ node: ParquetRecordNode) -> Int {
    switch node {
    case .leaf: 1
    case .group(_, let members): 1 + members.reduce(0) { $0 + elementCount($1) }
    case .map: 4
    case .list: 3
    }
  }

  private static func element(_ node: ParquetRecordNode, _ writer: inout ThriftWriter) {
    switch node {
    case .leaf(let name, let type): leaf(name, type, repetition: 1, &writer)
    case .group(let name, let members):
      group(name, repetition: 1, members.count, converted: nil, &writer)
      for member in members { element(member, &writer) }
    case .map(let name):
      group(name, repetition: 1, 1, converted: 1, &writer)
      group("key_value", repetition: 2, 2, converted: nil, &writer)
      leaf("key", .text, repetition: 0, &writer)
      leaf("value", .text, repetition: 1, &writer)
    case .list(let name):
      group(name, repetition: 1, 1, converted: 3, &writer)
      group("list", repetition: 2, 1, converted: nil, &writer)
      leaf("element", .text, repetition: 1, &writer)
    }
  }

  private static func leaf(
    _ name: String, _ type: ParquetRecordNode.Leaf, repetition: Int32, _ writer: inout ThriftWriter
  ) {
    writer.beginElement()
    writer.int32(1, physical(type).rawValue)
    writer.int32(3, repetition)
    writer.string(4, name)
    if type == .text {
      writer.int32(6, 0)
      writer.begin(10)
      writer.empty(1)
      writer.end()
    }
    writer.end()
  }

  /// - Parameter converted: the old annotation, 1 for MAP and 3 for LIST; the new one is 2 and 3.
  private static func group(
    _ name: String, repetition: Int32, _ childCount: Int, converted: Int32?, _ writer: inout ThriftWriter
  ) {
    writer.beginElement()
    writer.int32(3, repetition)
    writer.string(4, name)
    writer.int32(5, Int32(childCount))
    if let converted {
      writer.int32(6, converted)
      writer.begin(10)
      writer.empty(converted == 1 ? 2 : 3)
      writer.end()
    }
    writer.end()
  }

  private static func chunk(_ chunk: Chunk, _ leaf: Leaf, _ writer: inout ThriftWriter) {
    writer.beginElement()
    writer.int64(2, 0)
    writer.begin(3)
    writer.int32(1, physical(leaf.type).rawValue)
    writer.list(2, of: ThriftReader.int32, count: 2)
    writer.element(Int(ParquetEncoding.plain.rawValue))
    writer.element(Int(ParquetEncoding.rle.rawValue))
    writer.list(3, of: ThriftReader.binary, count: leaf.path.count)
    for name in leaf.path { writer.element(Array(name.utf8)) }
    writer.int32(4, ParquetCodec.zstd.rawValue)
    writer.int64(5, chunk.valueCount)
    writer.int64(6, chunk.uncompressedByteCount)
    writer.int64(7, chunk.byteCount)
    writer.int64(9, chunk.offset)
    writer.end()
    writer.end()
  }

  private static func physical(_ type: ParquetRecordNode.Leaf) -> ParquetType {
    switch type {
    case .text: .byteArray
    case .int64: .int64
    case .int32: .int32
    case .boolean: .boolean
    }
  }
}
