// What `cramped publish` can be told.

package import EventSchema

/// How events of a file get their sequence.
package enum SequenceRule: Sendable, Equatable {
  /// From the file's name and the record's number in it: the same file gives the same sequences again, whatever else is
  /// published, so a second publication is recognised. CRC-32C of the base name (31 bits) * 2^32 + record number from 1.
  case auto
  /// Counted on from a number, over all files in the order given.
  case start(Int64)
  /// Taken from a column, or from a key of the content.
  case column(String)
}

package struct PublishOptions: Sendable {
  /// `.csv` is CSV with a header line (RFC 4180); everything else is NDJSON.
  package var files: [String] = []
  /// The event of records that do not name one: every CSV record, and NDJSON lines without the key `event`.
  package var event: EventName?
  package var sequence = SequenceRule.auto
  /// The column, or key of the content, with the time: RFC 3339, the same without offset (then UTC), or microseconds since
  /// 1970. Not part of the content. `nil`: the time of publishing, so a second publication is a conflict, no duplicate.
  package var publishedColumn: String?
  /// Content fields with one value for all records of a file; `{file}` in it is the base name without its ending, `{path}`
  /// the path as given.
  package var literals: [(field: String, value: String)] = []
  /// Content fields and the column each comes from. Empty: every column left is a field of its own name.
  package var mappings: [(field: String, column: String)] = []
  /// What is known of the events: a value then has its field's JSON type. Unknown fields are guessed: numbers and booleans
  /// by their look, all else is text.
  package var eventTypes: [EventType] = []
  /// Events a second; `nil`: as fast as the broker takes them.
  package var ratePerSecond: Double?
  /// Records to publish in all; `nil`: all.
  package var recordsMax: Int?
  /// Whether events carry a Nats-Msg-Id, by which the broker drops repeats inside its window by itself.
  package var sendsMessageIDs = true
  /// Ends at the first bad record. Otherwise bad records are listed and left out.
  package var stopAtFirstProblem = false

  package init() {}
}

/// A record that could not be published.
package struct PublishProblem: Sendable, CustomStringConvertible {
  package let file: String
  package let line: Int
  package let message: String
  package var description: String { "\(file):\(line): \(message)" }
}

package struct PublishProgress: Sendable {
  package var file = ""
  package var fileIndex = 0
  package var fileCount = 0
  package var bytesRead: Int64 = 0
  package var bytesTotal: Int64 = 0
  package var events: UInt64 = 0
}

package struct PublishReport: Sendable {
  package var events: UInt64 = 0
  package var totals = PublishTotals()
  package var problemCount = 0
  /// The first hundred.
  package var problems: [PublishProblem] = []
  package var seconds = 0.0
}
