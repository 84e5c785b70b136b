// Window functions in plans: values computed for each row from the rows of its partition, the input being put in order
// by partition and order keys.

package import Columnar
package import Functions

/// Which rows of the partition a call sees from each row.
package struct WindowFrame: Sendable {
  package enum Unit: String, Sendable { case rows = "ROWS", range = "RANGE", groups = "GROUPS" }
  package enum Exclusion: String, Sendable {
    case none, currentRow = "EXCLUDE CURRENT ROW", group = "EXCLUDE GROUP", ties = "EXCLUDE TIES"
  }
  /// Offsets read no column: bigint for ROWS and GROUPS, what the order key moves by for RANGE.
  package enum Bound: Sendable {
    case unboundedPreceding
    case preceding(Expression)
    case currentRow
    case following(Expression)
    case unboundedFollowing

    package var offset: Expression? {
      switch self {
      case .preceding(let offset), .following(let offset): offset
      case .unboundedPreceding, .currentRow, .unboundedFollowing: nil
      }
    }
  }
  package let unit: Unit
  package let start: Bound
  package let end: Bound
  package let exclusion: Exclusion
  package init(unit: Unit, start: Bound, end: Bound, exclusion: Exclusion) {
    self.unit = unit
    self.start = start
    self.end = end
    self.exclusion = exclusion
  }

  /// From the first row of the partition to the last peer of the row: what SQL means when it names no frame.
  package var isStandard: Bool {
    guard unit == .range, exclusion == .none, case .unboundedPreceding = start, case .currentRow = end else {
      return false
    }
    return true
  }
}

/// What a call over a window computes.
package enum WindowFunction: Sendable {
  case own(WindowFunctionKind)
  case aggregate(AggregateFunction)

  package var name: String {
    switch self {
    case .own(let kind): kind.rawValue
    case .aggregate(let function): function.name
    }
  }
}

/// One call over the window of its node.
package struct WindowCall: Sendable {
  package let function: WindowFunction
  /// Already cast to the parameter types; null on rows that the filter removes.
  package let arguments: [Expression]
  /// Rows that an aggregate does not see.
  package let filter: Expression?
  package let frame: WindowFrame
  package let type: DataType
  package init(
    function: WindowFunction, arguments: [Expression], filter: Expression?, frame: WindowFrame, type: DataType
  ) {
    self.function = function
    self.arguments = arguments
    self.filter = filter
    self.frame = frame
    self.type = type
  }
}

/// Calls that share partitions and order.
package struct WindowSpec: Sendable {
  package let partition: [Expression]
  package let order: [SortKey]
  package let calls: [WindowCall]
  /// The input is a window whose order serves this one too.
  package let isSorted: Bool
  package init(partition: [Expression], order: [SortKey], calls: [WindowCall], isSorted: Bool) {
    self.partition = partition
    self.order = order
    self.calls = calls
    self.isSorted = isSorted
  }

  /// What the rows are sorted by.
  package var sortKeys: [SortKey] {
    partition.map { SortKey(expression: $0, descending: false, nullsFirst: false) } + order
  }

  /// What is read, frame offsets included.
  package var expressions: [Expression] {
    partition + order.map(\.expression)
      + calls.flatMap { call in
        call.arguments + [call.filter, call.frame.start.offset, call.frame.end.offset].compactMap(\.self)
      }
  }

  /// The same over changed expressions.
  package func mapping<E: Error>(_ change: (Expression) throws(E) -> Expression) throws(E) -> WindowSpec {
    var partition: [Expression] = []
    for key in self.partition { partition.append(try change(key)) }
    var order: [SortKey] = []
    for key in self.order {
      order.append(
        SortKey(expression: try change(key.expression), descending: key.descending, nullsFirst: key.nullsFirst))
    }
    var calls: [WindowCall] = []
    for call in self.calls { calls.append(try call.mapping(change)) }
    return WindowSpec(partition: partition, order: order, calls: calls, isSorted: isSorted)
  }

  /// The same with what is read of each row changed: all but the frames' offsets.
  package func mappingRows(_ change: (Expression) -> Expression) -> WindowSpec {
    let changed = mapping(change)
    let calls = zip(changed.calls, self.calls).map { new, old in
      WindowCall(
        function: new.function, arguments: new.arguments, filter: new.filter, frame: old.frame, type: new.type)
    }
    return WindowSpec(partition: changed.partition, order: changed.order, calls: calls, isSorted: isSorted)
  }

  /// The same over an input that is in its order, or is not.
  package func sorted(_ isSorted: Bool) -> WindowSpec {
    WindowSpec(partition: partition, order: order, calls: calls, isSorted: isSorted)
  }

  /// The same with only the calls at these places.
  package func keeping(_ places: [Int]) -> WindowSpec {
    WindowSpec(partition: partition, order: order, calls: places.map { calls[$0] }, isSorted: isSorted)
  }
}

extension WindowCall {
  /// The same over changed expressions, the frame's offsets included.
  package func mapping<E: Error>(_ change: (Expression) throws(E) -> Expression) throws(E) -> WindowCall {
    var arguments: [Expression] = []
    for argument in self.arguments { arguments.append(try change(argument)) }
    func bound(_ bound: WindowFrame.Bound) throws(E) -> WindowFrame.Bound {
      switch bound {
      case .preceding(let offset): .preceding(try change(offset))
      case .following(let offset): .following(try change(offset))
      case .unboundedPreceding, .currentRow, .unboundedFollowing: bound
      }
    }
    var filter: Expression?
    if let old = self.filter { filter = try change(old) }
    let frame = WindowFrame(
      unit: frame.unit, start: try bound(frame.start), end: try bound(frame.end), exclusion: frame.exclusion)
    return WindowCall(function: function, arguments: arguments, filter: filter, frame: frame, type: type)
  }
}

/// GROUPING SETS, ROLLUP and CUBE: one aggregation for each set of keys, over one reading of the input.
package struct GroupingSets: Sendable {
  /// Places among the group keys.
  package let sets: [[Int]]
  /// GROUPING(...): a bit for each key named, 1 where the set leaves it out, the first the most significant.
  package let groupings: [[Int]]
  package init(sets: [[Int]], groupings: [[Int]]) {
    self.sets = sets
    self.groupings = groupings
  }
}
