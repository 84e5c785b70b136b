// A statement in execution: rows by demand, as many as the client asks for, then the command tag.

import Bedrock
package import Columnar
package import PostgresProtocol
package import Plan
import Runtime

/// What the answer to a statement consists of, in order.
package enum ResultEvent: Sendable {
  /// The columns of the rows that follow.
  case columns([OutputColumn])
  case rows(Chunk)
  /// Rows follow as the data of COPY TO STDOUT.
  case copyOut(CopyFormat, [OutputColumn])
  /// The client sends the data of COPY FROM STDIN: give it to `Session.receive(copyData:)`, then go on.
  case copyIn(CopyFormat, columnCount: Int)
  /// The end of a statement with its command tag.
  case complete(String)
  /// The rows asked for were given; the portal may have more.
  case suspended
  /// There was no statement in the text.
  case empty
}

/// How a command tag is spelled.
enum CommandTag {
  case fixed(String)
  /// The word, then the number of rows: `SELECT 5`.
  case counted(String)

  func text(rows: Int) -> String {
    switch self {
    case .fixed(let text): text
    case .counted(let word): "\(word) \(rows)"
    }
  }
}

/// What running a statement gives.
struct Outcome {
  /// `nil`: no rows, only the tag.
  let columns: [OutputColumn]?
  let source: (any RowSource)?
  let tag: CommandTag
  var copy: Copying?

  enum Copying {
    case out(CopyFormat)
    case `in`(CopyIn)
  }

  static func command(_ tag: String) -> Outcome { Outcome(columns: nil, source: nil, tag: .fixed(tag)) }
  static func rows(_ columns: [OutputColumn], _ source: any RowSource, tag: CommandTag) -> Outcome {
    Outcome(columns: columns, source: source, tag: tag)
  }
}

/// Rows of one outcome, cut to the sizes that the client asks for. Used by one thread at a time.
final class ResultRows: RowSource {
  private let source: any RowSource
  private var rest: Chunk?
  private var offset = 0
  private(set) var isAtEnd = false

  init(_ source: any RowSource) { self.source = source }

  func next() throws(Fault) -> Chunk? { try next(rowsMax: .max) }

  /// At most `rowsMax` rows (at least 1); `nil` at the end.
  func next(rowsMax: Int) throws(Fault) -> Chunk? {
    precondition(rowsMax > 0)
    if isAtEnd { return nil }
    if rest == nil {
      rest = try source.next()
      offset = 0
    }
    guard let chunk = rest else {
      isAtEnd = true
      return nil
    }
    let left = chunk.rowCount - offset
    if offset == 0 && left <= rowsMax {
      rest = nil
      return chunk
    }
    let count = min(left, rowsMax)
    let columns = chunk.columns.map { $0.slice(offset..<(offset + count)) }
    offset += count
    if offset == chunk.rowCount { rest = nil }
    return Chunk(columns: columns, rowCount: count)
  }
}

/// `FETCH n`: the next rows of a cursor.
final class FetchedRows: RowSource {
  private let rows: ResultRows
  private var left: Int
  init(_ rows: ResultRows, count: Int) {
    self.rows = rows
    left = count
  }
  func next() throws(Fault) -> Chunk? {
    guard left > 0, let chunk = try rows.next(rowsMax: left) else { return nil }
    left -= chunk.rowCount
    return chunk
  }
}

/// A named execution: of the protocol's Bind or of DECLARE.
final class Portal {
  let name: String
  let statement: PreparedStatement
  let parameters: [BoundParameter]
  /// WITH HOLD: outlives its transaction.
  let isHeld: Bool
  /// Result format codes of Bind, kept for the server.
  let formats: [Int16]
  /// A portal is cancelled as a whole: its rows cannot go on after that.
  let cancellation = Cancellation()

  /// Set when it first runs.
  var outcome: Outcome?
  var rows: ResultRows?
  /// True once the tag was given.
  var isComplete = false

  init(
    name: String, statement: PreparedStatement, parameters: [BoundParameter], isHeld: Bool = false, formats: [Int16] = []
  ) {
    self.name = name
    self.statement = statement
    self.parameters = parameters
    self.isHeld = isHeld
    self.formats = formats
  }
}
