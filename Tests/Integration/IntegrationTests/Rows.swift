// Rows as psql prints them unaligned, compared field by field.

import Foundation

enum Rows {
  /// The first difference, or `nil`. Texts must be equal; numbers that are not equal as text may differ by rounding in
  /// the last places, since float sums depend on the order of their rows.
  static func difference(_ ours: String, _ theirs: String) -> String? {
    let a = ours.split(separator: "\n", omittingEmptySubsequences: false)
    let b = theirs.split(separator: "\n", omittingEmptySubsequences: false)
    if a.count != b.count { return "\(a.count - 1) rows, PostgreSQL has \(b.count - 1)\nours: \(ours.prefix(500))" }
    for (index, (x, y)) in zip(a, b).enumerated() where x != y {
      let left = x.split(separator: "|", omittingEmptySubsequences: false)
      let right = y.split(separator: "|", omittingEmptySubsequences: false)
      let same = left.count == right.count && zip(left, right).allSatisfy(isSame)
      if !same { return "row \(index + 1): \(x)\nPostgreSQL: \(y)" }
    }
    return nil
  }

  private static func isSame(_ a: Substring, _ b: Substring) -> Bool {
    if a == b { return true }
    guard a.contains("."), b.contains("."), let x = Double(a), let y = Double(b) else { return false }
    return abs(x - y) <= 1e-12 * max(abs(x), abs(y))
  }
}
