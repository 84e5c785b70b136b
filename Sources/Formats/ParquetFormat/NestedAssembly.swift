// From levels to values, a node at a time (never a row at a time).
//
// A node lives in a context: the repetition level R of the innermost list around it, and the definition level S at which a
// place in that list exists. An entry of a leaf is a slot of the context when its repetition level is at most R and its
// definition level at least S. All nodes of one context have the same number of slots; a struct above that is null
// leaves a slot that is null.
//
//   leaf     null where the definition level is below its maximum, else the next value
//   struct   null where the level is below its own; its members have the same slots
//   list     its own slots in the context; the elements are the slots of (R of the list, its element level)
//
// Leaves of one group come from different parts of the file: their slots are counted and compared, since a damaged file
// can contradict itself.

import Bedrock
import Columnar

struct NestedAssembly {
  let leaves: [ParquetLeaf]
  /// The leaf that `runs[0]` belongs to.
  let firstLeaf: Int
  let runs: [LeafRun]

  /// Repetition and definition level of a context.
  struct Context {
    var repetition: UInt8
    var definition: UInt8
    static let top = Context(repetition: 0, definition: 0)
  }

  static func damaged() -> Fault { Fault.corrupt("the leaves of a nested Parquet column do not fit together") }

  /// The column of the whole node.
  func column(_ node: NestedNode, type: DataType, rows: Int) throws(Fault) -> Column {
    let result: Column
    switch node.kind {
    case .leaf(let index): result = try leafColumn(index, .top)
    case .list(let element) where type.element != nil:
      guard case .leaf(let index) = element.kind else { throw Fault.bug("an array of nested values") }
      let shape = try listShape(node, .top)
      let elements = try leafColumn(index, node.elementContext)
      result = Column(
        type: type, count: shape.slots, validity: shape.validity,
        form: .list(offsets: .copying(shape.offsets), elements: elements))
    default:
      let text = try JSONAssembly(self).text(node, .top)
      result = text.column(type, validity: validity(node, .top))
    }
    guard result.count == rows else { throw Self.damaged() }
    return result
  }

  /// The levels of the first leaf below a node tell the shape of the node.
  private func run(_ node: NestedNode) -> LeafRun { runs[node.leaves.lowerBound - firstLeaf] }

  func run(leaf: Int) -> LeafRun { runs[leaf - firstLeaf] }

  // MARK: Leaves

  /// A leaf's values at the slots of a context, nulls where they have none.
  func leafColumn(_ leaf: Int, _ context: Context) throws(Fault) -> Column {
    let run = self.run(leaf: leaf)
    let full = UInt8(truncatingIfNeeded: leaves[leaf].maxDefinition)
    var indices: [Int32] = []
    indices.reserveCapacity(run.definition.count)
    var next: Int32 = 0
    for entry in run.definition.indices {
      let isValue = run.definition[entry] == full
      if run.repetition[entry] <= context.repetition && run.definition[entry] >= context.definition {
        indices.append(isValue ? next : -1)
      }
      next += isValue ? 1 : 0
    }
    guard Int(next) == run.values.count else { throw Fault.bug("values of a Parquet leaf without their levels") }
    if indices.count == run.values.count { return run.values }
    if run.values.count == 0 { return Column.nulls(run.values.type, count: indices.count).flat() }
    return run.values.gather(indices.span)
  }

  // MARK: Shapes

  /// Which slots of a node have a value; `nil`: all.
  func validity(_ node: NestedNode, _ context: Context) -> Bitmap? {
    let present = presence(node, context)
    return Bitmap.make(count: present.count) { present[$0] }
  }

  /// One flag a slot: true where the node is not null.
  func presence(_ node: NestedNode, _ context: Context) -> [Bool] {
    let run = self.run(node)
    let own = UInt8(truncatingIfNeeded: node.definition)
    var present: [Bool] = []
    present.reserveCapacity(run.definition.count)
    for entry in run.definition.indices
    where run.repetition[entry] <= context.repetition && run.definition[entry] >= context.definition {
      present.append(run.definition[entry] >= own)
    }
    return present
  }

  /// Offsets of the elements of a list or map, and which of its slots are not null.
  func listShape(
    _ node: NestedNode, _ context: Context
  ) throws(Fault) -> (slots: Int, offsets: [Int32], validity: Bitmap?) {
    let offsets = try listOffsets(node, context, leaf: node.leaves.lowerBound)
    for leaf in node.leaves.dropFirst() {
      guard try listOffsets(node, context, leaf: leaf) == offsets else { throw Self.damaged() }
    }
    return (offsets.count - 1, offsets, validity(node, context))
  }

  private func listOffsets(_ node: NestedNode, _ context: Context, leaf: Int) throws(Fault) -> [Int32] {
    let run = self.run(leaf: leaf)
    let inner = node.elementContext
    var offsets: [Int32] = [0]
    offsets.reserveCapacity(run.definition.count + 1)
    var elements: Int32 = 0
    var isInside = false
    for entry in run.definition.indices {
      let repetition = run.repetition[entry], definition = run.definition[entry]
      if repetition <= context.repetition {
        // The slot before ends here; the first one has begun at 0.
        if isInside { offsets.append(elements) }
        isInside = definition >= context.definition
      }
      if repetition <= inner.repetition && definition >= inner.definition {
        guard isInside else { throw Self.damaged() }
        elements += 1
      }
    }
    if isInside { offsets.append(elements) }
    return offsets
  }
}

extension NestedNode {
  /// Where the elements of a list or map live.
  var elementContext: NestedAssembly.Context {
    NestedAssembly.Context(
      repetition: UInt8(truncatingIfNeeded: repetition), definition: UInt8(truncatingIfNeeded: elementDefinition))
  }
}
