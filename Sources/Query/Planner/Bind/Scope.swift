// What names mean at a place of a query.
//
// Columns are numbered in the chunk at hand. While a SELECT is bound, six kinds of values have no column yet and take
// numbers far above any real one: results of aggregates, results of correlated subqueries, elements of set-returning
// functions, results of window functions, values of GROUPING, and columns of an enclosing query. Each is replaced before the plan is complete; column pruning,
// which looks every number up, traps on one that was left.

import Bedrock
import Columnar
import Plan
import SQLSyntax

/// The numbers of columns that do not exist yet.
enum PendingColumn {
  private static let aggregateBase = 1 << 40
  private static let subqueryBase = 1 << 41
  private static let expansionBase = 1 << 42
  private static let windowBase = 1 << 43
  private static let groupingBase = 3 << 42
  private static let levelStride = 1 << 44

  static func aggregate(_ index: Int) -> Int { aggregateBase + index }
  static func subquery(_ index: Int) -> Int { subqueryBase + index }
  static func expansion(_ index: Int) -> Int { expansionBase + index }
  static func window(_ index: Int) -> Int { windowBase + index }
  static func grouping(_ index: Int) -> Int { groupingBase + index }

  static func isReal(_ column: Int) -> Bool { column < aggregateBase }
  static func aggregateIndex(_ column: Int) -> Int? {
    column >= aggregateBase && column < subqueryBase ? column - aggregateBase : nil
  }
  static func subqueryIndex(_ column: Int) -> Int? {
    column >= subqueryBase && column < expansionBase ? column - subqueryBase : nil
  }
  static func expansionIndex(_ column: Int) -> Int? {
    column >= expansionBase && column < windowBase ? column - expansionBase : nil
  }
  static func windowIndex(_ column: Int) -> Int? {
    column >= windowBase && column < groupingBase ? column - windowBase : nil
  }
  static func groupingIndex(_ column: Int) -> Int? {
    column >= groupingBase && column < levelStride ? column - groupingBase : nil
  }
  /// 0: the query itself; 1: the one around it.
  static func level(_ column: Int) -> Int { column / levelStride }
  /// The same column seen from `levels` queries further in (negative: further out).
  static func shifted(_ column: Int, by levels: Int) -> Int { column + levels * levelStride }
}

extension Expression {
  /// Every column number changed.
  func mappingColumns(_ change: (Int) -> Int) -> Expression {
    rewritten { node in
      if case .column(let index, let type) = node { return .column(change(index), type) }
      return node
    }
  }

  /// Every column replaced by an expression.
  func substitutingColumns(_ change: (Int, DataType) -> Expression) -> Expression {
    rewritten { node in
      if case .column(let index, let type) = node { return change(index, type) }
      return node
    }
  }

  /// Whether it reads a column of an enclosing query.
  var hasOuterColumns: Bool {
    var found = false
    forEach { if case .column(let index, _) = $0, PendingColumn.level(index) > 0 { found = true } }
    return found
  }
}

/// A column that a FROM clause offers.
struct ScopeColumn {
  var name: String
  /// Over the columns of the FROM clause's plan.
  var expression: Expression
  /// The FROM item it belongs to; nil for a column merged by USING.
  var alias: String?
  var isHidden = false
  /// Where a plain column comes from, for clients that ask.
  var tableOID: UInt32 = 0
  var attributeNumber: Int16 = 0
}

/// An item of FROM that can qualify a column.
struct RangeEntry {
  let alias: String
  /// Of a table without alias: `schema.table.column` is allowed.
  let schema: String?
  /// The name of the relation when an alias hides it.
  var hiddenName: String?
  var columns: [ScopeColumn]
}

/// What a FROM clause offers: by qualified name through `entries`, by bare name and `*` through `visible`.
struct FromScope {
  var entries: [RangeEntry] = []
  var visible: [ScopeColumn] = []

  /// The same after `count` columns were put before those of its plan.
  func shifted(by count: Int) -> FromScope {
    func shift(_ column: ScopeColumn) -> ScopeColumn {
      var column = column
      column.expression = column.expression.mappingColumns { PendingColumn.isReal($0) ? $0 + count : $0 }
      return column
    }
    return FromScope(
      entries: entries.map {
        RangeEntry(alias: $0.alias, schema: $0.schema, hiddenName: $0.hiddenName, columns: $0.columns.map(shift))
      },
      visible: visible.map(shift))
  }
}

/// A WITH item in sight.
final class CommonTable {
  let syntax: CommonTableSyntax
  /// The items that its own query sees.
  let sight: CommonTableSight
  /// The query around the WITH clause.
  let parent: SelectScope?
  var isUsed = false
  var isRecursive = false
  /// In the recursive term of the item itself: its working rows.
  var working: (id: Int, columns: [BoundColumn])?
  /// Once it is computed apart: the number of that subquery, and its columns.
  var shared: (subquery: Int, columns: [BoundColumn])?
  /// How many items of FROM name it.
  var referenceCount = 1
  init(syntax: CommonTableSyntax, sight: CommonTableSight, parent: SelectScope?) {
    self.syntax = syntax
    self.sight = sight
    self.parent = parent
  }
}

/// The WITH items in sight, innermost last.
struct CommonTableSight {
  var tables: [CommonTable] = []
  func find(_ name: String) -> CommonTable? { tables.last { $0.syntax.name == name } }
}

/// The state of one SELECT while it is bound.
final class SelectScope {
  let parent: SelectScope?
  let sight: CommonTableSight
  var from = FromScope()
  /// Aggregates found so far.
  var aggregates: [AggregateCall] = []
  /// Correlated subqueries found since they were last attached.
  var pending: [PendingSubquery] = []
  /// Lists that set-returning functions among the targets give.
  var expansions: [Expression] = []
  /// Whether targets are being bound, where such functions may stand.
  var isInsideTargets = false
  /// Windows and the calls over them.
  var windows = WindowScope()
  /// The arguments of each GROUPING found so far.
  var groupings: [(keys: [Expression], location: SourceLocation)] = []
  /// Names the clause at hand when aggregates are not allowed in it.
  var clauseWithoutAggregates: String?
  /// Whether the arguments of an aggregate are being bound.
  var isInsideAggregate = false
  /// Whether this is no query but the items of FROM before a lateral one.
  var isLateralFrame = false
  /// Where each column was first named and how, for messages about grouping.
  var mentions: [Int: (text: String, location: SourceLocation)] = [:]

  init(parent: SelectScope?, sight: CommonTableSight) {
    self.parent = parent
    self.sight = sight
  }
}

/// A correlated subquery that waits for the plan to which it is joined.
struct PendingSubquery {
  enum Use {
    /// The value of the single column, null without a row.
    case value
    /// Whether there is a row.
    case exists
    /// All values as an array of that type.
    case array(DataType)
  }
  let use: Use
  /// Columns of level 1 are those of the query it stands in.
  let plan: PlanNode
  let location: SourceLocation
}
