// rank, dense_rank, percent_rank and cume_dist WITHIN GROUP: where a row that is not there would stand.
//
// The executor, which knows how the rows are ordered, gives the state two columns: how each row compares with the row
// asked for (-1 before it, 0 its peer, 1 after it), and a number that changes with the row's keys.

import Bedrock
import Columnar

/// The hypothetical-set aggregates, which share their names with window functions.
package enum HypotheticalSets {
  /// The aggregate of that name; its arguments are made to the types of the order keys.
  package static func named(_ name: String) -> AggregateFunction? {
    guard let kind = HypotheticalState.Kind(rawValue: name) else { return nil }
    let type: DataType = kind == .rank || kind == .denseRank ? .int8 : .float8
    let nothing: Scalar =
      switch kind {
      case .rank, .denseRank: .integer(1)
      case .percentRank: .float(0)
      case .cumeDist: .float(1)
      }
    return AggregateFunction(
      name: name, parameters: [], result: .fixed(type), valueOverNothing: nothing, isHypothetical: true
    ) { _ in HypotheticalState(kind) }
  }
}

final class HypotheticalState: AggregateState {
  enum Kind: String, Sendable {
    case rank, denseRank = "dense_rank", percentRank = "percent_rank", cumeDist = "cume_dist"
  }
  private struct Place {
    var rows: Int64 = 0
    var before: Int64 = 0
    var peers: Int64 = 0
    var distinctBefore: Int64 = 0
    var lastKey: Int32 = -1
  }
  private let kind: Kind
  private var places: [Place] = [Place()]
  init(_ kind: Kind) { self.kind = kind }

  var byteCount: Int { places.capacity * MemoryLayout<Place>.stride }
  func grow(to count: Int) { Functions.grow(&places, to: count, Place()) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let comparisons = arguments[0].flat(), keys = arguments[1].flat()
    let order = comparisons.int32s, key = keys.int32s
    places.withUnsafeMutableBufferPointer { places in
      forEachSlot(groups, nil) { slot, row in
        places[slot].rows += 1
        if order[row] < 0 {
          places[slot].before += 1
          if places[slot].lastKey != key[row] { places[slot].distinctBefore += 1 }
        } else if order[row] == 0 {
          places[slot].peers += 1
        }
        places[slot].lastKey = key[row]
      }
    }
  }

  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    // Rows come only once all threads' rows are together: there is nothing to add.
    let other = sibling(other, of: HypotheticalState.self)
    precondition(other.places.allSatisfy { $0.rows == 0 })
  }

  func finish() throws(Fault) -> Column {
    switch kind {
    case .rank: return finished(.int8, places.map { $0.before + 1 }) { _ in true }
    case .denseRank: return finished(.int8, places.map { $0.distinctBefore + 1 }) { _ in true }
    case .percentRank:
      return finished(.float8, places.map { $0.rows == 0 ? 0 : Double($0.before) / Double($0.rows) }) { _ in true }
    case .cumeDist:
      return finished(.float8, places.map { Double($0.before + $0.peers + 1) / Double($0.rows + 1) }) { _ in true }
    }
  }
}
