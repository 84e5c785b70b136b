// How long rows stay in each place.

import Bedrock

/// The clocks of a domain, µs.
package struct RetentionPolicy: Sendable, Equatable {
  /// How long rows that are in the lake also stay in the hot tier, from when they were written there. 0: not at all.
  package var hotMicros: Int64
  /// How long rows stay in the lake, by `published`. 0: for ever.
  package var lakeMicros: Int64
  /// How long rows of cramped.errors stay, by `received`. 0: for ever.
  package var errorsMicros: Int64
  package init(hotMicros: Int64 = 0, lakeMicros: Int64 = 0, errorsMicros: Int64 = 0) {
    precondition(hotMicros >= 0 && lakeMicros >= 0 && errorsMicros >= 0)
    self.hotMicros = hotMicros
    self.lakeMicros = lakeMicros
    self.errorsMicros = errorsMicros
  }
}

package struct RetentionSettings: Sendable, Equatable {
  /// For domains without a policy of their own, and for errors without a domain.
  package var usual: RetentionPolicy
  package var domains: [String: RetentionPolicy]
  package init(usual: RetentionPolicy = RetentionPolicy(), domains: [String: RetentionPolicy] = [:]) {
    self.usual = usual
    self.domains = domains
  }

  package func policy(domain: String?) -> RetentionPolicy { domain.flatMap { domains[$0] } ?? usual }
}
