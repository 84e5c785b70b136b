// Structured logs on standard error: a line for people or a JSON object for collectors.
//
//   2026-11-23T08:00:00.123456Z info  ingest: consumer ready  stream=EVENTS position=0:142
//   {"time":"...","level":"info","label":"ingest","message":"consumer ready","stream":"EVENTS"}
//
// Control characters are escaped, so that no value can forge a line; a field is cut at 8 KiB.

import Bedrock
import Glibc
package import Logging
package import Runtime

package struct StandardErrorLogHandler: LogHandler {
  package enum Format: Sendable {
    case text, json
  }
  private static let fieldBytesMax = 8_192

  private let label: String
  private let format: Format
  private let clock: Clock
  package var metadata: Logger.Metadata = [:]
  package var logLevel: Logger.Level

  package init(label: String, level: Logger.Level, format: Format, clock: Clock) {
    self.label = label
    self.format = format
    self.clock = clock
    logLevel = level
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var fields = metadata
    if let more = event.metadata { fields.merge(more) { _, new in new } }
    let sorted = fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
    let time = Self.timestamp(clock.nowMicros())
    var line: String
    switch format {
    case .text:
      line = "\(time) \(event.level)\(String(repeating: " ", count: max(1, 8 - "\(event.level)".count)))"
      line += "\(label): \(Self.escaped(event.message.description))"
      if !sorted.isEmpty { line += " " }
      for (key, value) in sorted { line += " \(key)=\(Self.escaped(value))" }
    case .json:
      line = "{\"time\":\"\(time)\",\"level\":\"\(event.level)\",\"label\":\"\(Self.escaped(label))\""
      line += ",\"message\":\"\(Self.escaped(event.message.description))\""
      for (key, value) in sorted { line += ",\"\(Self.escaped(key))\":\"\(Self.escaped(value))\"" }
      line += "}"
    }
    line += "\n"
    line.withUTF8 { bytes in
      // One write call a line keeps lines of several threads apart. A log that cannot be written has no reader to tell.
      _ = write(2, bytes.baseAddress, bytes.count)
    }
  }

  /// RFC 3339 in UTC with microseconds.
  package static func timestamp(_ micros: Int64) -> String {
    let dayMicros: Int64 = 86_400_000_000
    let day = micros >= 0 ? micros / dayMicros : (micros - dayMicros + 1) / dayMicros
    let rest = micros - day * dayMicros
    let date = CivilDate(daysSinceEpoch: Int(day))
    let seconds = rest / 1_000_000
    func padded(_ value: Int64, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return "\(padded(Int64(date.year), 4))-\(padded(Int64(date.month), 2))-\(padded(Int64(date.day), 2))T"
      + "\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))."
      + "\(padded(rest % 1_000_000, 6))Z"
  }

  /// JSON string escapes; text lines use the same.
  static func escaped(_ text: String) -> String {
    var out = ""
    var bytes = 0
    for scalar in text.unicodeScalars {
      bytes += scalar.utf8.count
      if bytes > fieldBytesMax { return out + "..." }
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F || 0x80...0x9F ~= scalar.value {
          let digits = String(scalar.value, radix: 16)
          out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out
  }
}

/// Sends all loggers of the process to standard error. Once, at start.
package func bootstrapLogging(level: Logger.Level, format: StandardErrorLogHandler.Format, clock: Clock) {
  LoggingSystem.bootstrap { label in
    StandardErrorLogHandler(label: label, level: level, format: format, clock: clock)
  }
}
