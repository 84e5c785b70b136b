// Upkeep by hand: CALL cramped.compact('domain.entity') and its like. Each runs the job at once, on the statement's
// thread, and is a row of cramped.jobs like any other.

import Bedrock
import Columnar
import Maintenance
import Runtime
import Session

enum JobProcedures {
  static func make(_ maintenance: Maintenance) -> [Procedure] {
    let table = Procedure.Parameter(name: "table", type: .text)
    func simple(_ name: String, _ kind: JobKind, _ arguments: JobArguments = JobArguments()) -> Procedure {
      Procedure(schema: "cramped", name: name, parameters: [table]) { (values, cancellation) throws(Fault) in
        try run(maintenance, kind, values[0], arguments, cancellation)
      }
    }
    return [
      simple("compact", .compact, JobArguments(isFull: true)), simple("cluster", .cluster, JobArguments(isFull: true)),
      simple("checkpoint", .checkpoint), simple("cleanup", .cleanup), simple("retain", .retention),
      simple("analyze", .statistics), vacuum(maintenance, table), cancel(maintenance),
    ]
  }

  private static func run(
    _ maintenance: Maintenance, _ kind: JobKind, _ table: Scalar, _ arguments: JobArguments,
    _ cancellation: Cancellation
  ) throws(Fault) -> ProcedureResult {
    guard let name = table.text else {
      throw Fault(.invalidParameterValue, "the table of a \(kind.rawValue) job must not be null")
    }
    let job = try maintenance.run(kind, table: name, arguments: arguments, statement: cancellation)
    return ProcedureResult(notices: ["\(name): \(job.result ?? "done")"])
  }

  private static func vacuum(_ maintenance: Maintenance, _ table: Procedure.Parameter) -> Procedure {
    Procedure(
      schema: "cramped", name: "vacuum",
      parameters: [
        table, .init(name: "retention", type: .interval, fallback: .null),
        .init(name: "dry_run", type: .boolean, fallback: .boolean(false)),
      ]
    ) { (values, cancellation) throws(Fault) in
      var arguments = JobArguments()
      if case .interval(let interval) = values[1] {
        // A month has 30 days, as PostgreSQL's justify functions and comparisons have it.
        let days = Int64(interval.months) * 30 + Int64(interval.days)
        let (micros, overflow) = interval.micros.addingReportingOverflow(days * 86_400_000_000)
        guard !overflow, micros >= 0 else {
          throw Fault(
            .invalidParameterValue, "the retention of a vacuum must not be negative",
            hint: "Write it as an interval, such as '168 hours'.")
        }
        arguments.retentionMicros = micros
      }
      arguments.isDryRun = values[2].boolean ?? false
      return try run(maintenance, .vacuum, values[0], arguments, cancellation)
    }
  }

  private static func cancel(_ maintenance: Maintenance) -> Procedure {
    Procedure(schema: "cramped", name: "cancel_job", parameters: [.init(name: "id", type: .int8)]) {
      (values, _) throws(Fault) in
      guard let id = values[0].integer else {
        throw Fault(.invalidParameterValue, "the id of a job must not be null", hint: "cramped.jobs lists the jobs.")
      }
      try maintenance.scheduler.cancel(id: id)
      return ProcedureResult(notices: ["job \(id) is cancelled"])
    }
  }
}
