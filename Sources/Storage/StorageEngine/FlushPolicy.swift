// When a table's hot rows go to the lake.

import Bedrock

/// A table is flushed when any of these is reached.
package struct FlushPolicy: Sendable, Equatable {
  /// Age of the oldest unflushed chunk, µs.
  package var ageMicrosMax: Int64
  package var rowsMax: Int64
  /// Encoded bytes in the hot tier.
  package var bytesMax: Int64
  package init(
    ageMicrosMax: Int64 = 300_000_000, rowsMax: Int64 = 4_000_000, bytesMax: Int64 = 128 << 20
  ) {
    precondition(ageMicrosMax > 0 && rowsMax > 0 && bytesMax > 0)
    self.ageMicrosMax = ageMicrosMax
    self.rowsMax = rowsMax
    self.bytesMax = bytesMax
  }
}

package struct FlushSettings: Sendable {
  /// For domains without a policy of their own.
  package var usual: FlushPolicy
  /// By domain.
  package var domains: [String: FlushPolicy]
  /// How often the loop looks; 0: there is no loop.
  package var checkIntervalMicros: Int64
  /// Rows of one lake commit; a larger flush makes several.
  package var commitRowsMax: Int64 = 8_000_000
  /// Neighbouring small chunks are merged when a table has this many of them.
  package var smallChunksMax = 64

  package init(
    usual: FlushPolicy = FlushPolicy(), domains: [String: FlushPolicy] = [:], checkIntervalMicros: Int64 = 1_000_000
  ) {
    precondition(checkIntervalMicros >= 0)
    self.usual = usual
    self.domains = domains
    self.checkIntervalMicros = checkIntervalMicros
  }

  package func policy(domain: String) -> FlushPolicy { domains[domain] ?? usual }
}
