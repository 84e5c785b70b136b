// The files of Tests/SQL: queries with the answers that PostgreSQL 15 gave.
//
//   # comment
//   # zone: Europe/Vienna              the session's TimeZone from here on; UTC at first
//   query [rowsort] [approximate]      rowsort: the order of rows means nothing; approximate: floats to 12 digits
//   SELECT ...
//   ----
//   name type|name type                the columns
//   1|NULL|x                           the rows, as psql prints them unaligned
//   (blank line)
//   error 42703 column "x" does not exist
//   SELECT x
//
// Without `----` a query has no recorded answer yet: run the tests with CRAMPED_RECORD_SQL=1 to record it from PostgreSQL.

import Foundation
import TestKit

struct RecordedQuery {
  enum Answer: Equatable {
    case rows(columns: String, rows: [String])
    case error(state: String, message: String)
  }
  var comments: [String]
  var sql: String
  var isSorted: Bool
  var isApproximate: Bool
  var answer: Answer?
  let zone: String
  let line: Int
}

struct QueryFile {
  let path: String
  var queries: [RecordedQuery]
  private var tail: [String] = []

  static func all() throws -> [QueryFile] {
    let folder = "\(checkout)/Tests/SQL"
    return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".slt") }.sorted().map {
      try QueryFile(path: "\(folder)/\($0)")
    }
  }

  init(path: String) throws {
    self.path = path
    queries = []
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var index = 0
    var comments: [String] = []
    var zone = "UTC"
    while index < lines.count {
      let line = lines[index]
      if line.hasPrefix("query") || line.hasPrefix("error") {
        let start = index
        index += 1
        var sql: [String] = []
        while index < lines.count, !lines[index].isEmpty, lines[index] != "----" {
          sql.append(lines[index])
          index += 1
        }
        var answer: RecordedQuery.Answer?
        if line.hasPrefix("error") {
          let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
          if parts.count == 3 { answer = .error(state: parts[1], message: parts[2]) }
        } else if index < lines.count, lines[index] == "----" {
          var body: [String] = []
          index += 1
          while index < lines.count, !lines[index].isEmpty {
            body.append(lines[index])
            index += 1
          }
          if let columns = body.first { answer = .rows(columns: columns, rows: Array(body.dropFirst())) }
        }
        let words = line.split(separator: " ")
        queries.append(
          RecordedQuery(
            comments: comments, sql: sql.joined(separator: "\n"), isSorted: words.contains("rowsort"),
            isApproximate: words.contains("approximate"), answer: answer, zone: zone, line: start + 1))
        comments = []
      } else {
        if line.hasPrefix("#") { comments.append(line) }
        if line.hasPrefix("# zone: ") { zone = String(line.dropFirst(8)) }
        index += 1
      }
    }
    tail = comments
  }

  func write() throws {
    var out = ""
    for query in queries {
      for comment in query.comments { out += comment + "\n" }
      let words = ["query"] + (query.isSorted ? ["rowsort"] : []) + (query.isApproximate ? ["approximate"] : [])
      switch query.answer {
      case .rows(let columns, let rows):
        out += words.joined(separator: " ") + "\n" + query.sql + "\n----\n" + ([columns] + rows).joined(separator: "\n")
      case .error(let state, let message): out += "error \(state) \(message)\n\(query.sql)"
      case nil: out += words.joined(separator: " ") + "\n" + query.sql
      }
      out += "\n\n"
    }
    out += tail.joined(separator: "\n")
    while out.hasSuffix("\n\n") { out.removeLast() }
    try out.write(toFile: path, atomically: true, encoding: .utf8)
  }
}
