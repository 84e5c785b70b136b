// The options of COPY, as PostgreSQL 15 knows them.

import Bedrock

/// How the data of a COPY looks.
package struct CopyFormat: Sendable, Equatable {
  package enum Kind: Sendable, Equatable { case text, csv, binary }
  package var kind = Kind.text
  package var delimiter = UInt8(ascii: "\t")
  /// The text that stands for null.
  package var null: [UInt8] = Array("\\N".utf8)
  package var quote = UInt8(ascii: "\"")
  package var escape = UInt8(ascii: "\"")
  package var hasHeader = false
  /// HEADER MATCH: the names must be those of the columns.
  package var matchesHeader = false
  /// Columns that are quoted whatever they hold; null is not.
  package var forceQuote: Set<Int> = []
  /// Columns whose unquoted null text is an empty text.
  package var forceNotNull: Set<Int> = []
  /// Columns whose quoted null text is null.
  package var forceNull: Set<Int> = []

  package init() {}

  package var isBinary: Bool { kind == .binary }
  /// What begins binary data: a signature, flags and the length of an extension.
  static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
}

extension WireBuffer {
  /// CopyInResponse and CopyOutResponse: the client shall send, or gets, data of so many columns.
  package mutating func copyResponse(isIn: Bool, _ format: CopyFormat, columnCount: Int) {
    precondition(columnCount <= Int(Int16.max))
    let mark = begin(message: isIn ? UInt8(ascii: "G") : UInt8(ascii: "H"))
    append(format.isBinary ? 1 : 0 as UInt8)
    append(Int16(columnCount))
    for _ in 0..<columnCount { append(format.isBinary ? 1 : 0 as Int16) }
    end(message: mark)
  }

  package mutating func copyData(_ bytes: [UInt8]) {
    let mark = begin(message: UInt8(ascii: "d"))
    append(bytes)
    end(message: mark)
  }
}
