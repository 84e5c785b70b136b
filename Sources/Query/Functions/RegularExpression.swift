// A regular expression of PostgreSQL, compiled: its syntax is translated (RegularExpressionSyntax) and matched by RE2, in
// time linear in the text whatever the pattern. What RE2 has not (back references, lookaround) is refused by name.

import Bedrock
import CRE2

/// A compiled pattern. Immutable; any thread may match with it.
final class RegularExpression: @unchecked Sendable {
  // unchecked because RE2 is safe to share once it is made.
  private let compiled: OpaquePointer
  /// How many groups capture.
  let groupCount: Int

  /// Bytes that a compiled pattern may take: counted repetitions multiply what a pattern compiles to.
  private static let bytesMax: Int64 = 4 << 20
  /// More groups than this are matched, but not captured.
  private static let groupsMax = 63

  /// Faults: 2201B for a pattern that is not one, 0A000 for what is not offered, 22023 for an unknown flag.
  /// - Parameter flags: the letters that regexp_replace and its like take, without `g`.
  init(_ pattern: String, flags: String = "", ignoresCase: Bool = false) throws(Fault) {
    var syntax = RegularExpressionSyntax(ignoresCase: ignoresCase)
    try syntax.apply(flags: flags)
    let translated = try syntax.translate(pattern)
    var made: OpaquePointer?
    let status = cramped_re2_create(
      translated, translated.utf8.count, syntax.ignoresCase ? 1 : 0, syntax.isGreedy ? 1 : 0, Self.bytesMax, &made)
    guard status == CRAMPED_RE2_OK, let made else {
      if status == CRAMPED_RE2_TOO_LARGE {
        throw Fault(.invalidRegularExpression, "invalid regular expression: regular expression is too complex")
      }
      if status == CRAMPED_RE2_NO_MEMORY { throw Fault(.outOfMemory, "no memory for a regular expression") }
      throw Fault(.invalidRegularExpression, "invalid regular expression: invalid pattern")
    }
    compiled = made
    groupCount = min(Int(cramped_re2_groups(made)), Self.groupsMax)
  }

  deinit { cramped_re2_destroy(compiled) }

  func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    var bounds: (Int64, Int64) = (0, 0)
    return text.withMemoryRebound(to: CChar.self) { text in
      // With no pair asked for, RE2 need not find where the match is.
      withUnsafeMutablePointer(to: &bounds.0) { cramped_re2_match(compiled, text.baseAddress, text.count, 0, $0, 0) == 1 }
    }
  }

  /// Byte ranges of the first match at or after byte `start` and of its groups; empty when there is none.
  func groups(_ text: [UInt8], from start: Int = 0) -> [Range<Int>?] {
    var bounds = [Int64](repeating: -1, count: 2 * (groupCount + 1))
    let found = text.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { text in
        cramped_re2_match(compiled, text.baseAddress, text.count, start, &bounds, Int32(groupCount + 1)) == 1
      }
    }
    guard found else { return [] }
    return (0...groupCount).map { bounds[2 * $0] < 0 ? nil : Int(bounds[2 * $0])..<Int(bounds[2 * $0 + 1]) }
  }

  /// All matches from byte `start`, left to right, each with its groups. After an empty match it goes on a character later.
  func forEachMatch(
    _ text: [UInt8], from start: Int = 0, _ visit: ([Range<Int>?]) throws(Fault) -> Bool
  ) throws(Fault) {
    var position = start
    while position <= text.count {
      let groups = groups(text, from: position)
      guard let first = groups.first, let whole = first else { return }
      if try !visit(groups) { return }
      position = whole.upperBound
      if whole.isEmpty { position += position < text.count ? Characters.width(text[position]) : 1 }
    }
  }
}
