// Reads a node of the schema as one column: each of its leaves forward in step, then the levels of all of them folded into
// one column (NestedAssembly.swift).
//
//   leaf under structs      its SQL type, null where any struct above it is
//   list of leaves          an array
//   everything else         jsonb

import Bedrock
import Columnar

final class NestedColumnReader: ParquetColumnReader {
  let type: DataType
  private(set) var rowsRemaining: Int
  private let node: NestedNode
  private let leaves: [ParquetLeaf]
  private let readers: [NestedLeafReader]

  init(
    file: ParquetFile, field: ParquetField, rowGroup: ParquetRowGroup, as target: DataType?,
    shape: ParquetShape?, sources: [ParquetChunkSource]
  ) throws(Fault) {
    var types: [Int: DataType] = [:]
    let own = NestedNode(field)
    let node = shape.map { own.reshaped($0, &types) } ?? own
    guard field.isColumn else { throw Fault.unsupported("reading the Parquet field \(field.name) alone, inside of a list") }
    try Self.refuse(node)
    let natural = field.type
    let type = target ?? natural
    self.node = node
    self.type = type
    rowsRemaining = rowGroup.rowCount
    leaves = file.leaves
    let isJSON = type == .jsonb || type == .json
    guard isJSON || Self.isScalar(node) || (natural != .jsonb && type.element != nil) else {
      throw Fault.unsupported("reading Parquet column \(field.name), which has the type \(natural), as \(type)")
    }
    var readers: [NestedLeafReader] = []
    for (place, index) in field.leaves.enumerated() {
      let leaf = file.leaves[index]
      let own = Self.isScalar(node) ? type : isJSON ? Self.member(leaf, types[index]) : type.element ?? type
      readers.append(
        try NestedLeafReader(
          leaf: leaf, chunk: rowGroup.columns[index], type: own, rowCount: rowGroup.rowCount, source: sources[place]))
    }
    self.readers = readers
  }

  /// The type of a value inside of JSON: the one that the table has, if the file's can be read as it.
  private static func member(_ leaf: ParquetLeaf, _ type: DataType?) -> DataType {
    guard let type, Conversion.canPlan(leaf, target: type) else { return Conversion.naturalType(leaf) }
    return type
  }

  private static func isScalar(_ node: NestedNode) -> Bool {
    if case .leaf = node.kind { return true }
    return false
  }

  private static func refuse(_ node: NestedNode) throws(Fault) {
    switch node.kind {
    case .leaf, .missing: return
    case .refused(let what): throw Fault.unsupported("\(what) of Parquet column \(node.name)")
    case .structure(let members): for member in members { try refuse(member) }
    case .list(let element): try refuse(element)
    case .map(let key, let value):
      try refuse(key)
      try refuse(value)
    }
  }

  func decode(rows: Int) throws(Fault) -> Column {
    precondition(rows >= 0)
    let count = min(rows, rowsRemaining)
    guard count > 0 else { return ColumnBuilder(type: type).finish() }
    var runs: [LeafRun] = []
    for reader in readers { runs.append(try reader.read(rows: count)) }
    rowsRemaining -= count
    let assembly = NestedAssembly(leaves: leaves, firstLeaf: node.leaves.lowerBound, runs: runs)
    return try assembly.column(node, type: type, rows: count)
  }

  func skip(rows: Int) throws(Fault) {
    precondition(rows >= 0)
    let count = min(rows, rowsRemaining)
    for reader in readers { try reader.skip(rows: count) }
    rowsRemaining -= count
  }
}
