// Positions in the log (DESIGN.md section 3, Positions).
//
//   63    62 ............ 48  47 ......................... 0
//   0     epoch (15 bits)     sequence in the stream (48 bits)
//
// The epoch grows when the stream's identity breaks (rewound, recreated), so positions stay monotonic although stream
// sequences can repeat. A position fits the signed 64-bit `txn.version` of Delta.

/// The place of a message in a shard's log.
package struct Position: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
  package let raw: Int64
  package init(raw: Int64) {
    precondition(raw >= 0, "a position is not negative")
    self.raw = raw
  }
  package init(epoch: UInt16, sequence: UInt64) {
    precondition(epoch < 1 << 15, "an epoch has 15 bits")
    precondition(sequence < 1 << 48, "a stream sequence has 48 bits")
    raw = Int64(epoch) << 48 | Int64(sequence)
  }
  package var epoch: UInt16 { UInt16(truncatingIfNeeded: raw >> 48) }
  package var sequence: UInt64 { UInt64(raw & 0xFFFF_FFFF_FFFF) }

  /// Before every message.
  package static let zero = Position(raw: 0)
  package static func < (a: Position, b: Position) -> Bool { a.raw < b.raw }
  package var description: String { "\(epoch):\(sequence)" }
}
