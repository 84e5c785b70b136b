// The schema as a tree, and what each part of it means as a SQL value.
//
//   leaf at the top                         its own SQL type
//   list of leaves                          an array
//   struct, map, list of anything else      jsonb
//
// A group annotated LIST or MAP is read by the rules of LogicalTypes.md, the rules for old writers included; a repeated
// field outside of such a group is a list of required elements. `NestedNode` holds the result: the levels at which a
// value exists, and the levels at which an element of it exists.

import Bedrock
package import Columnar

/// One node of the schema tree.
package struct ParquetField: Sendable {
  package enum Repetition: Int32, Sendable { case required, optional, repeated }
  /// What a group is annotated with.
  package enum Group: Sendable, Equatable { case structure, list, map, variant }

  package let name: String
  package let fieldID: Int32?
  package let repetition: Repetition
  /// `nil` for a leaf.
  package let group: Group?
  package let children: [ParquetField]
  /// The leaves below this node, as indices into `ParquetFile.leaves`; one for a leaf.
  package let leaves: Range<Int>
  /// The levels of a value that is present down to this node.
  package let maxDefinition: Int
  package let maxRepetition: Int
  /// The SQL type of the column that a reader of this node returns by itself.
  package internal(set) var type: DataType

  package var isLeaf: Bool { group == nil }
  /// True when a column can hold it: nothing above it repeats.
  package var isColumn: Bool { maxRepetition == 0 || (maxRepetition == 1 && repetition == .repeated) }

  package func child(named name: String) -> ParquetField? { children.first { $0.name == name } }
}

extension ParquetFile {
  /// The node at `path`, names from the top.
  package func field(path: [String]) -> ParquetField? {
    guard let first = path.first, var node = fields.first(where: { $0.name == first }) else { return nil }
    for name in path.dropFirst() {
      guard let next = node.child(named: name) else { return nil }
      node = next
    }
    return node
  }
}

/// A node as a value: lists, maps and structs found, old forms made equal to new ones.
struct NestedNode: Sendable {
  indirect enum Kind: Sendable {
    case leaf(Int)
    case structure([NestedNode])
    case list(NestedNode)
    case map(key: NestedNode, value: NestedNode)
    /// A type that this reader does not have.
    case refused(String)
    /// A member that the table has and the file has not: null.
    case missing
  }

  var name: String
  let fieldID: Int32?
  var kind: Kind
  /// The value is not null where the definition level is at least this.
  let definition: Int
  /// Lists and maps: an element exists where the definition level is at least this ...
  let elementDefinition: Int
  /// ... and a repetition level of this continues the list.
  let repetition: Int
  let leaves: Range<Int>

  init(_ field: ParquetField) { self.init(field, asElement: false) }

  private init(_ field: ParquetField, asElement: Bool) {
    name = field.name
    fieldID = field.fieldID
    leaves = field.leaves
    if field.repetition == .repeated && !asElement {
      kind = .list(NestedNode(field, asElement: true))
      definition = field.maxDefinition - 1
      elementDefinition = field.maxDefinition
      repetition = field.maxRepetition
      return
    }
    definition = field.maxDefinition
    guard let group = field.group else {
      (kind, elementDefinition, repetition) = (.leaf(field.leaves.lowerBound), 0, 0)
      return
    }
    guard !field.children.isEmpty else {
      (kind, elementDefinition, repetition) = (.refused("an empty group"), 0, 0)
      return
    }
    let inner = field.children[0]
    let isRepeatedOnce = field.children.count == 1 && inner.repetition == .repeated
    switch group {
    case .variant: (kind, elementDefinition, repetition) = (.refused("the VARIANT type"), 0, 0)
    case .list where isRepeatedOnce:
      kind = .list(Self.element(of: field, inner))
      elementDefinition = inner.maxDefinition
      repetition = inner.maxRepetition
    case .map where isRepeatedOnce && (inner.children.count == 1 || inner.children.count == 2):
      let key = NestedNode(inner.children[0], asElement: false)
      // A map without values is a set of its keys.
      kind = inner.children.count == 2
        ? .map(key: key, value: NestedNode(inner.children[1], asElement: false)) : .list(key)
      elementDefinition = inner.maxDefinition
      repetition = inner.maxRepetition
    default:
      kind = .structure(field.children.map { NestedNode($0, asElement: false) })
      (elementDefinition, repetition) = (0, 0)
    }
  }

  /// LogicalTypes.md, "Lists", the backward-compatibility rules in their order.
  private static func element(of list: ParquetField, _ repeated: ParquetField) -> NestedNode {
    let isElement =
      repeated.isLeaf || repeated.children.count != 1 || repeated.children[0].repetition == .repeated
      || repeated.name == "array" || repeated.name == list.name + "_tuple"
    return isElement ? NestedNode(repeated, asElement: true) : NestedNode(repeated.children[0], asElement: false)
  }

  /// The SQL type of a column of these values.
  func type(_ leaves: [ParquetLeaf]) -> DataType {
    switch kind {
    case .leaf(let index): return Conversion.naturalType(leaves[index])
    case .list(let element):
      if case .leaf(let index) = element.kind { return .array(Conversion.naturalType(leaves[index])) }
      return .jsonb
    case .structure, .map, .refused, .missing: return .jsonb
    }
  }
}
