// What kinds of work the scheduler knows, and which goes first.

/// The order of the cases is the order of `cramped.jobs` documentation, not of priority.
package enum JobKind: String, Sendable, CaseIterable {
  /// Hot rows to the lake. Run by the engine's own loop; only reported here.
  case flush
  /// Small files into files of the target size.
  case compact
  /// Files whose key ranges overlap into files whose ranges do not.
  case cluster
  /// The state of the Delta log in one file.
  case checkpoint
  /// Log entries that a checkpoint covers and no kept version needs.
  case cleanup
  /// Files that no kept version names.
  case vacuum
  /// Rows past the clocks of their domain.
  case retention
  /// What the planner knows of values.
  case statistics

  /// Larger goes first. What keeps reads and opens fast comes before what saves space, and that before what is only
  /// good to know.
  var priority: Int {
    switch self {
    case .flush: 8
    case .checkpoint: 7
    case .retention: 6
    case .compact: 5
    case .cleanup: 4
    case .vacuum: 3
    case .statistics: 2
    case .cluster: 1
    }
  }
}
