// The session settings that change how values look as text.

import Bedrock
package import Columnar

/// Seconds east of UTC as they change over time.
package struct ZoneOffsets: Sendable, Equatable {
  /// Moments of change, µs since 1970-01-01 UTC, ascending.
  package let transitions: [Int64]
  /// `offsets[0]` before the first transition, `offsets[i + 1]` from transition i on; seconds east of UTC.
  package let offsets: [Int32]

  package init(transitions: [Int64], offsets: [Int32]) {
    precondition(offsets.count == transitions.count + 1)
    self.transitions = transitions
    self.offsets = offsets
  }

  package static let utc = ZoneOffsets.fixed(seconds: 0)
  /// A zone that never changes.
  package static func fixed(seconds: Int32) -> ZoneOffsets { ZoneOffsets(transitions: [], offsets: [seconds]) }

  /// Seconds east of UTC at a moment (µs since 1970-01-01 UTC).
  package func seconds(at micros: Int64) -> Int32 {
    if transitions.isEmpty { return offsets[0] }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= micros { low = middle + 1 } else { high = middle }
    }
    return offsets[low]
  }
}

/// How values are written as text. Dates are ISO, intervals in PostgreSQL's style.
package struct TextStyle: Sendable {
  /// TimeZone, for timestamptz.
  package var zone = ZoneOffsets.utc
  /// extra_float_digits: 1 and more is the shortest text that reads back as the same number.
  package var extraFloatDigits = 1
  /// bytea_output = escape.
  package var byteaEscape = false
  /// The name behind the oid of a regclass, regtype, regproc or regnamespace; without one the number is written.
  package var nameOf: (@Sendable (DataType, UInt32) -> String?)?

  package init() {}
}
