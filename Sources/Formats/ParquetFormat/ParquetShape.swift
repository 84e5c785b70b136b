// What a table says of a nested column, where that is more than its files say: names of members that were renamed, members
// that the table has no more, types that were widened.
//
//   file      col-1: struct<col-2: int32, col-3: string>
//   shape     {a: int8 by the name col-2}
//   value     {"a": 7}                                       col-3 was dropped
//
// A member that the file lacks, because it is older than the member, is null in its values.

package import Columnar

/// The shape of one node below a column.
package indirect enum ParquetShape: Sendable, Hashable {
  /// A member of a struct.
  package struct Member: Sendable, Hashable {
    /// How the member is found in a file.
    package enum Key: Sendable, Hashable {
      case name(String)
      case fieldID(Int32)
    }
    package let key: Key
    package let name: String
    package let shape: ParquetShape
    package init(_ key: Key, name: String, _ shape: ParquetShape) {
      self.key = key
      self.name = name
      self.shape = shape
    }
  }
  /// A value of this type; `nil`: of the type that the file has.
  case leaf(DataType?)
  case structure([Member])
  case list(ParquetShape)
  case map(key: ParquetShape, value: ParquetShape)
}

extension NestedNode {
  /// The node as `shape` has it; parts that the shape does not fit stay as they are. Types of leaves go to `types`.
  func reshaped(_ shape: ParquetShape, _ types: inout [Int: DataType]) -> NestedNode {
    switch (kind, shape) {
    case (.leaf(let index), .leaf(let type?)):
      types[index] = type
      return self
    case (.structure(let nodes), .structure(let members)):
      var shaped: [NestedNode] = []
      for member in members {
        let found = nodes.first { node in
          switch member.key {
          case .name(let name): name == node.name
          case .fieldID(let id): id == node.fieldID
          }
        }
        shaped.append((found?.reshaped(member.shape, &types) ?? with(.missing)).named(member.name))
      }
      return with(.structure(shaped))
    case (.list(let element), .list(let inner)): return with(.list(element.reshaped(inner, &types)))
    case (.map(let key, let value), .map(key: let keyShape, value: let valueShape)):
      return with(.map(key: key.reshaped(keyShape, &types), value: value.reshaped(valueShape, &types)))
    default: return self
    }
  }

  private func named(_ name: String) -> NestedNode {
    var node = self
    node.name = name
    return node
  }

  private func with(_ kind: Kind) -> NestedNode {
    var node = self
    node.kind = kind
    return node
  }
}
