// The schema of a file to write, as a tree, and what its leaves look like to the column writers.
//
//   value                optional or required leaf
//   structure            group of any nodes
//   list   name { repeated list { element } }          LIST, three levels
//   map    name { repeated key_value { key, value } }  MAP
//
// A value that is present at every optional and repeated node of its path has the greatest definition level of its leaf.
// A repetition level of 0 begins a row. (Dremel: S. Melnik and others, VLDB 2010; parquet-format, "Nested Encoding".)

import Bedrock
package import Columnar

/// A node of the schema of a file to write.
package indirect enum ParquetNode: Sendable {
  /// A leaf; a column of an array type is a list of its elements.
  case value(ParquetColumn)
  case structure(name: String, isNullable: Bool, fieldID: Int32?, [ParquetNode])
  /// The name of the element node does not matter: it is written as `element`.
  case list(name: String, isNullable: Bool, fieldID: Int32?, element: ParquetNode)
  /// The names of key and value do not matter. Keys are required.
  case map(name: String, isNullable: Bool, fieldID: Int32?, key: ParquetColumn, value: ParquetNode)
}

/// Rows of one leaf as slots: one for each value, and one for each place where a value is missing.
package struct ParquetLeafRows: Sendable {
  /// One row a slot; null where the definition level is less than the leaf's greatest.
  package let values: Column
  /// One a slot; empty for a leaf that is always present.
  package let definitions: [UInt8]
  /// One a slot; empty for a leaf that is not inside a list or map.
  package let repetitions: [UInt8]

  package init(values: Column, definitions: [UInt8], repetitions: [UInt8] = []) {
    precondition(definitions.isEmpty || definitions.count == values.count, "one definition level a slot")
    precondition(repetitions.isEmpty || repetitions.count == values.count, "one repetition level a slot")
    self.values = values
    self.definitions = definitions
    self.repetitions = repetitions
  }
}

/// Where a leaf lies in the tree.
struct LeafShape {
  let path: [String]
  let maxDefinition: Int
  let maxRepetition: Int

  /// Optional or required, and not inside of anything.
  var isFlat: Bool { path.count == 1 }
}

/// One element of the schema list of the footer.
struct SchemaElement {
  enum Repetition: Int32 { case required, optional, repeated }
  enum Annotation { case none, list, map }
  var name: String
  var repetition: Repetition
  var fieldID: Int32?
  var childCount = 0
  var annotation = Annotation.none
  /// The index of the leaf; `nil` for groups.
  var leaf: Int?
}

/// The tree in depth-first order, with its leaves.
struct WriterSchema {
  private(set) var elements: [SchemaElement] = []
  private(set) var columns: [ParquetColumn] = []
  private(set) var shapes: [LeafShape] = []
  private(set) var rootCount = 0

  /// Field ids of array elements: those of the columns, moved behind every id a table gives out itself.
  static let elementFieldIDBase: Int32 = 1_000_000_000

  init(_ nodes: [ParquetNode]) throws(Fault) {
    rootCount = nodes.count
    for node in nodes { try add(node, named: nil, path: [], definition: 0, repetition: 0) }
    guard !columns.isEmpty, columns.count <= Limits.parquetColumnsMax else {
      throw Fault(.programLimitExceeded, "a Parquet file of \(columns.count) columns is over the limit")
    }
  }

  private mutating func add(
    _ node: ParquetNode, named name: String?, path: [String], definition: Int, repetition: Int
  ) throws(Fault) {
    guard path.count < Limits.parquetDepthMax else { throw Fault.unsupported("a Parquet schema nested so deeply") }
    switch node {
    case .value(let column):
      if case .array(let element) = column.type {
        try addArray(column, element, named: name, path: path, definition: definition, repetition: repetition)
      } else {
        addLeaf(column, named: name ?? column.name, path: path, definition: definition, repetition: repetition)
      }
    case .structure(let own, let isNullable, let fieldID, let children):
      guard !children.isEmpty else { throw Fault.unsupported("a Parquet group without columns") }
      let name = name ?? own
      group(name, isNullable ? .optional : .required, fieldID, children.count, .none)
      for child in children {
        try add(
          child, named: nil, path: path + [name], definition: definition + (isNullable ? 1 : 0), repetition: repetition)
      }
    case .list(let own, let isNullable, let fieldID, let element):
      let name = name ?? own
      group(name, isNullable ? .optional : .required, fieldID, 1, .list)
      group("list", .repeated, nil, 1, .none)
      try add(
        element, named: "element", path: path + [name, "list"], definition: definition + (isNullable ? 2 : 1),
        repetition: repetition + 1)
    case .map(let own, let isNullable, let fieldID, let key, let value):
      let name = name ?? own
      precondition(!key.isNullable, "keys of a map are required")
      group(name, isNullable ? .optional : .required, fieldID, 1, .map)
      group("key_value", .repeated, nil, 2, .none)
      let inner = definition + (isNullable ? 2 : 1), path = path + [name, "key_value"]
      addLeaf(key, named: "key", path: path, definition: inner, repetition: repetition + 1)
      try add(value, named: "value", path: path, definition: inner, repetition: repetition + 1)
    }
  }

  private mutating func addArray(
    _ column: ParquetColumn, _ element: DataType, named name: String?, path: [String], definition: Int, repetition: Int
  ) throws(Fault) {
    if element.element != nil {
      throw Fault.unsupported(
        "the type \(column.type) of column \(column.name) in a Parquet file", hint: "Use an array of one dimension.")
    }
    let leaf = ParquetColumn(
      name: "element", type: element, isNullable: true,
      fieldID: ParquetColumn.elementFieldID(of: column.fieldID), isPersonal: column.isPersonal,
      statistics: column.statistics)
    try add(
      .list(name: column.name, isNullable: column.isNullable, fieldID: column.fieldID, element: .value(leaf)),
      named: name, path: path, definition: definition, repetition: repetition)
  }

  private mutating func group(
    _ name: String, _ repetition: SchemaElement.Repetition, _ fieldID: Int32?, _ childCount: Int,
    _ annotation: SchemaElement.Annotation
  ) {
    elements.append(
      SchemaElement(
        name: name, repetition: repetition, fieldID: fieldID, childCount: childCount, annotation: annotation))
  }

  private mutating func addLeaf(
    _ column: ParquetColumn, named name: String, path: [String], definition: Int, repetition: Int
  ) {
    elements.append(
      SchemaElement(
        name: name, repetition: column.isNullable ? .optional : .required, fieldID: column.fieldID,
        leaf: columns.count))
    columns.append(column)
    shapes.append(
      LeafShape(
        path: path + [name], maxDefinition: definition + (column.isNullable ? 1 : 0), maxRepetition: repetition))
  }
}

extension ParquetLeafRows {
  /// The slots of an array column. `isNullable`: the leaf's path begins with an optional group.
  init(array column: Column, isNullable: Bool) {
    let flat = column.flat()
    guard case .list(_, let elements) = flat.form else { preconditionFailure("an array column is a list") }
    let offsets = flat.offsets
    let present: UInt8 = isNullable ? 1 : 0
    var positions: [Int32] = [], definitions: [UInt8] = [], repetitions: [UInt8] = []
    positions.reserveCapacity(elements.count + flat.count)
    for row in 0..<flat.count {
      let first = offsets[row], end = offsets[row + 1]
      if first == end || flat.isNull(at: row) {
        positions.append(-1)
        definitions.append(flat.isNull(at: row) ? 0 : present)
        repetitions.append(0)
        continue
      }
      for place in first..<end {
        let isNull = elements.isNull(at: Int(place))
        positions.append(isNull ? -1 : place)
        definitions.append(present + (isNull ? 1 : 2))
        repetitions.append(place == first ? 0 : 1)
      }
    }
    self.init(values: elements.gather(positions.span), definitions: definitions, repetitions: repetitions)
  }
}
