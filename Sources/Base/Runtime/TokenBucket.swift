// A rate limit that lends: what is taken beyond the tokens there are is a debt, and the taker waits until it is paid.
//
// So a step larger than the whole bucket passes, and the rate holds over time all the same. The bucket has no clock of
// its own and does not wait: it says how long to.

import Bedrock

package struct TokenBucket: Sendable {
  package let perSecond: Double
  /// Tokens saved up at most while nobody takes any: a second's worth.
  private let tokensMax: Double
  private var tokens: Double
  private var filledNanos: UInt64

  /// - Parameter perSecond: 0: no limit.
  package init(perSecond: Double, nowNanos: UInt64) {
    precondition(perSecond >= 0 && perSecond.isFinite)
    self.perSecond = perSecond
    tokensMax = perSecond
    tokens = perSecond
    filledNanos = nowNanos
  }

  /// Takes `count` tokens; returns how long to wait before going on, µs.
  package mutating func take(_ count: Double, nowNanos: UInt64) -> Int64 {
    precondition(count >= 0)
    guard perSecond > 0 else { return 0 }
    let elapsed = nowNanos > filledNanos ? nowNanos - filledNanos : 0
    filledNanos = max(filledNanos, nowNanos)
    tokens = min(tokensMax, tokens + Double(elapsed) / 1e9 * perSecond) - count
    if tokens >= 0 { return 0 }
    return Int64(min(-tokens / perSecond * 1e6, 1e12))
  }
}
