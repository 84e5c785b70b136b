// In which order the rows of a data file lie, so that bounds of its pages are narrow for the columns people filter by.
//
//   no key        by `published`
//   one key       by the key, then by `published`
//   several keys  along a curve through the space of the keys, then by `published`
//
// A curve runs over ranks, not values: each key's distinct values are numbered in order and spread over the same number
// of bits, so that skewed keys count as much as even ones. Hilbert's curve keeps neighbours together better than Z-order,
// whose order is cheaper to explain; Hilbert is the default.

import Bedrock
import Columnar
import EventSchema

/// The keys by which files of a table are laid out.
package struct LakeClustering: Sendable, Hashable {
  package enum Curve: Sendable, Hashable { case hilbert, zOrder }
  /// Column names; the first is the only one when there is one.
  package var columns: [String]
  package var curve: Curve
  /// More keys would leave each with too few bits to narrow anything.
  package static let columnsMax = 4

  package init(columns: [String], curve: Curve = .hilbert) {
    self.columns = columns
    self.curve = curve
  }

  /// The usual layout.
  package static let published = LakeClustering(columns: ["published"])

  /// True when rows are in the order of `published` alone.
  package var isByTime: Bool { columns.isEmpty || columns == Self.published.columns }

  /// Places of the keys among `columns`; empty for the order by time. Throws 42703 for an unknown column and 42P15 for one
  /// that cannot be a key.
  func keys(_ all: [TableColumn]) throws(Fault) -> [Int] {
    if isByTime { return [] }
    guard columns.count <= Self.columnsMax, Set(columns).count == columns.count else {
      throw Fault(
        .invalidSchemaDefinition, "a table is clustered by up to \(Self.columnsMax) different columns")
    }
    var keys: [Int] = []
    for name in columns {
      guard let index = all.firstIndex(where: { $0.name == name }) else {
        throw Fault(.undefinedColumn, "column \"\(name)\" to cluster by does not exist")
      }
      guard !all[index].isPersonal else {
        throw Fault(
          .invalidSchemaDefinition, "personal column \"\(name)\" cannot be a clustering key",
          detail: "The order of rows would tell its values.")
      }
      guard ClusteringRanks.hasOrder(all[index].type) else {
        throw Fault(.invalidSchemaDefinition, "column \"\(name)\" of type \(all[index].type) cannot be a clustering key")
      }
      keys.append(index)
    }
    return keys
  }

  /// The order of rows: `nil` when they lie as they should. `column` gives all rows of a column.
  func order(_ keys: [Int], published: Int, rowCount: Int, column: (Int) -> Column) -> [Int32]? {
    let times = column(published).flat()
    var order = RadixSort.order(times.int64s)
    if keys.isEmpty { return order }
    let ranks = keys.map { ClusteringRanks(column($0).flat()) }
    let codes = ranks.count == 1 ? ranks[0].ranks.map { Int64($0) } : ClusteringCurve.codes(ranks, curve)
    guard let byTime = order else { return RadixSort.order(codes.span) }
    let sorted = byTime.map { codes[Int($0)] }
    if let byKey = RadixSort.order(sorted.span) { order = byKey.map { byTime[Int($0)] } }
    return order
  }
}
