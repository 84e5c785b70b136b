import Functions
import Plan
import Planner
import Testing

@Suite struct PsqlStatementTests {
  @Test(arguments: PsqlStatement.all.indices)
  func isPlanned(_ index: Int) throws {
    let planned = try Fixture.plan(PsqlStatement.all[index].sql)
    #expect(!planned.columns.isEmpty, "\(PsqlStatement.all[index].command)")
    let ready = try Planner.prepareToRun(planned, context: Fixture.context)
    #expect(ready.root.outputTypes.count == planned.columns.count)
  }
}
