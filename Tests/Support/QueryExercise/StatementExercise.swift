// SQL text through parser, binder, optimiser, EXPLAIN and the last step before execution. Nothing may trap or hang; a
// fault has a SQLSTATE, is no bug of ours (XX000), and points into the text.

package import Bedrock
import Catalog
import Columnar
import Functions
import Plan
import Planner
import SQLSyntax

package enum StatementExercise {
  /// Gives the fault that a client would see, nil when the statements have plans.
  @discardableResult
  package static func run(_ bytes: [UInt8]) -> Fault? {
    do throws(Fault) {
      for statement in try SQLParser.parse(utf8: bytes) { try plan(statement) }
      return nil
    } catch {
      precondition(error.kind != .bug, "\(error)")
      if let position = error.position { precondition(position >= 1 && position <= bytes.count + 1, "\(error)") }
      return error
    }
  }

  private static func plan(_ statement: Statement) throws(Fault) {
    guard case .select(let query) = statement.kind else { return }
    let context = ExerciseCatalog.context
    let planner = Planner(catalog: ExerciseCatalog.catalog, settings: PlannerSettings(context: context))
    let planned = try planner.plan(query)
    precondition(!PlanText(planner).lines(planned).isEmpty)
    let ready = try Planner.prepareToRun(
      planned, parameters: planned.parameterTypes.map { _ in .null }, context: context)
    precondition(ready.columns.count == planned.columns.count)
  }
}
