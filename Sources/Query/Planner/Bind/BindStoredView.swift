// Views that SQL made: their text is parsed and bound where FROM names them, with the search path of their making.

import Bedrock
import Columnar
import EventSchema
import Plan
import SQLSyntax
import StorageContract

extension Binder {
  /// Views inside views, at most.
  private static let viewDepthMax = 64

  func bindStoredView(
    _ view: StoredView, _ relation: Relation, _ syntax: RelationSyntax
  ) throws(Fault) -> BoundTable {
    guard viewDepth < Self.viewDepthMax else {
      throw Fault(.statementTooComplex, "views are nested too deeply", position: syntax.location.position)
    }
    let bound: BoundQuery
    do throws(Fault) {
      bound = try query(of: view)
    } catch {
      // Positions point into the view's own text.
      throw Fault(
        error.state, error.message, detail: error.detail ?? "It stands in view \"\(view.name)\".", hint: error.hint,
        position: syntax.location.position)
    }
    guard bound.columns.count == view.columns.count else {
      throw Fault(
        SQLState("42P16"), "view \"\(view.name)\" does not fit the relations it reads any more",
        detail: "It has \(bound.columns.count) columns now, and had \(view.columns.count).",
        hint: "Make it anew with CREATE OR REPLACE VIEW.", position: syntax.location.position)
    }
    let types = view.columns.map(\.type)
    let columns = zip(view.columns, bound.columns).enumerated().map { index, pair in
      BoundColumn(
        name: pair.0.name, type: types[index], tableOID: relation.oid, attributeNumber: Int16(clamping: index + 1))
    }
    return try offered(
      try converted(bound, to: types), columns, alias: syntax.alias, name: relation.name, schema: relation.schema,
      at: syntax.location)
  }

  private func query(of view: StoredView) throws(Fault) -> BoundQuery {
    let statements = try SQLParser.parse(view.query)
    guard statements.count == 1, case .select(let query) = statements[0].kind else {
      throw Fault.corrupt("the text of view \"\(view.name)\" is not one query")
    }
    let outer = searchPath
    searchPath = view.searchPath
    viewDepth += 1
    defer {
      searchPath = outer
      viewDepth -= 1
    }
    return try bindQuery(query, parent: nil, sight: CommonTableSight())
  }
}
