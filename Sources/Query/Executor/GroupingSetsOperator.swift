// GROUPING SETS over one reading of the input: a hash aggregation for each set that no other set contains; the groups of
// the rest are merged from the smallest set that contains them.

import Bedrock
import Columnar
import Functions
import Plan
import Runtime

/// One aggregation a set, for one thread.
// unchecked Sendable because one thread at a time uses it: the reader, then the merger.
final class GroupingSetsSink: @unchecked Sendable {
  let sinks: [AggregateSink?]
  init(_ sinks: [AggregateSink?]) { self.sinks = sinks }

  func consume(_ chunk: Chunk) throws(Fault) { for sink in sinks { try sink?.consume(chunk) } }

  func merge(_ other: GroupingSetsSink) throws(Fault) {
    for (mine, theirs) in zip(sinks, other.sinks) { if let mine, let theirs { try mine.merge(theirs) } }
  }
}

enum GroupingSetsOperator {
  static func source(
    _ input: any RowSource, groups: [Expression], calls: [AggregateCall], _ sets: GroupingSets,
    _ environment: QueryEnvironment
  ) -> any RowSource {
    let isSerial = AggregateOperator.keepsOrder(calls)
    let parents = isSerial ? sets.sets.map { _ in nil } : parents(of: sets.sets)
    @Sendable func sink(_ set: Int) throws(Fault) -> AggregateSink {
      try AggregateSink(groups: sets.sets[set].map { groups[$0] }, calls: calls, environment)
    }
    return MaterializedSource(inputs: [input]) { () throws(Fault) in
      let threads = try ParallelRun<GroupingSetsSink>.run(
        input, pool: environment.pool, isSerial: isSerial,
        makeSink: { () throws(Fault) in
          var sinks: [AggregateSink?] = []
          for set in sets.sets.indices { sinks.append(parents[set] == nil ? try sink(set) : nil) }
          return GroupingSetsSink(sinks)
        },
        consume: { (sink, chunk) throws(Fault) in try sink.consume(chunk) })
      guard let first = threads.first else { throw Fault.bug("an aggregation without a thread") }
      for other in threads.dropFirst() {
        try environment.cancellation.check()
        try first.merge(other)
      }
      // A set comes after the one that it is made of.
      var done = first.sinks
      let order = sets.sets.indices.sorted { (sets.sets[$0].count, $1) > (sets.sets[$1].count, $0) }
      for set in order where done[set] == nil {
        guard let parent = parents[set], let finer = done[parent] else {
          throw Fault.bug("a grouping set without the set that it is made of")
        }
        try environment.cancellation.check()
        let own = try sink(set)
        let places = sets.sets[set].compactMap { sets.sets[parent].firstIndex(of: $0) }
        try own.merge(finer, keys: places)
        done[set] = own
      }
      var chunks: [Chunk] = []
      for (set, sink) in zip(sets.sets, done) {
        guard let chunk = try sink?.finish() else { continue }
        let result = arranged(chunk, set, groups, sets.groupings)
        try environment.memory.reserve(result.heldBytes)
        chunks += result.pieces()
      }
      return chunks
    }
  }

  /// For each set the smallest larger set that contains it, if there is one; of equal sets the first is read from the
  /// input, and the others are made of it.
  private static func parents(of sets: [[Int]]) -> [Int?] {
    sets.indices.map { index in
      let own = Set(sets[index])
      let candidates = sets.indices.filter { other in
        other != index && own.isSubset(of: sets[other]) && (sets[other].count > own.count || other < index)
      }
      return candidates.min { (sets[$0].count, $0) < (sets[$1].count, $1) }
    }
  }

  /// The columns of one set's result as those of all: keys that it leaves out are null.
  private static func arranged(
    _ chunk: Chunk, _ set: [Int], _ groups: [Expression], _ groupings: [[Int]]
  ) -> Chunk {
    let rows = chunk.rowCount
    var columns = groups.indices.map { key in
      set.firstIndex(of: key).map { chunk.columns[$0] } ?? .nulls(groups[key].type, count: rows)
    }
    columns += chunk.columns.dropFirst(set.count)
    for keys in groupings {
      let bits = keys.reduce(Int64(0)) { $0 << 1 | (set.contains($1) ? 0 : 1) }
      columns.append(.constant(.integer(bits), type: .int4, count: rows))
    }
    return Chunk(columns: columns, rowCount: rows)
  }
}
