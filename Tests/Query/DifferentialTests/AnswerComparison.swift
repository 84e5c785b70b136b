// When two answers are the same.

enum AnswerComparison {
  /// What differs, in words; `nil` when nothing does.
  static func difference(
    _ expected: RecordedQuery.Answer, _ actual: RecordedQuery.Answer, sorted: Bool, approximate: Bool
  ) -> String? {
    switch (expected, actual) {
    case (.error(let state, let message), .error(let otherState, let otherMessage)):
      if state == otherState && message == otherMessage { return nil }
      return "expected error \(state) \(message)\n     got error \(otherState) \(otherMessage)"
    case (.error(let state, let message), .rows(_, let rows)):
      return "expected error \(state) \(message)\n     got \(rows.count) rows \(rows.prefix(3))"
    case (.rows(_, let rows), .error(let state, let message)):
      return "expected \(rows.count) rows\n     got error \(state) \(message)"
    case (.rows(let columns, let rows), .rows(let otherColumns, let otherRows)):
      if columns != otherColumns { return "expected columns \(columns)\n     got columns \(otherColumns)" }
      let (a, b) = sorted ? (rows.sorted(), otherRows.sorted()) : (rows, otherRows)
      for index in 0..<max(a.count, b.count) {
        let left = index < a.count ? a[index] : "(no row)"
        let right = index < b.count ? b[index] : "(no row)"
        if left != right && !(approximate && isClose(left, right)) {
          return "expected row \(index + 1): \(left)\n     got row \(index + 1): \(right)"
        }
      }
      return nil
    }
  }

  private static func isClose(_ a: String, _ b: String) -> Bool {
    let left = a.split(separator: "|", omittingEmptySubsequences: false)
    let right = b.split(separator: "|", omittingEmptySubsequences: false)
    guard left.count == right.count else { return false }
    return zip(left, right).allSatisfy { x, y in
      if x == y { return true }
      guard let x = Double(x), let y = Double(y) else { return false }
      return abs(x - y) <= 1e-12 * max(abs(x), abs(y), 1)
    }
  }
}
