// Settings in a startup packet: each parameter, and the `-c name=value` words of `options`.

import Bedrock
import PostgresProtocol

enum StartupOptions {
  /// Settings in the order in which they count. Throws 42601 for words that are no settings.
  static func settings(
    of startup: FrontendMessage.Startup
  ) throws(Fault) -> [(name: String, value: String)] {
    var settings: [(name: String, value: String)] = []
    for parameter in startup.parameters {
      switch parameter.name {
      case "user", "database", "replication": continue
      case "options": settings += try options(parameter.value)
      default:
        if parameter.name.hasPrefix("_pq_.") { continue }
        settings.append((parameter.name, parameter.value))
      }
    }
    return settings
  }

  private static func options(_ text: String) throws(Fault) -> [(name: String, value: String)] {
    var settings: [(name: String, value: String)] = []
    var words = words(text)[...]
    while let word = words.popFirst() {
      var assignment: String
      if word == "-c" || word == "--" {
        assignment = words.popFirst() ?? ""
      } else if word.hasPrefix("-c") || word.hasPrefix("--") {
        assignment = String(word.dropFirst(2))
      } else {
        throw Fault(.syntaxError, "invalid command-line argument for server process: \(word)")
      }
      guard let equals = assignment.firstIndex(of: "=") else {
        throw Fault(.syntaxError, "-c \(assignment) requires a value")
      }
      let value = String(assignment[assignment.index(after: equals)...])
      assignment = String(assignment[..<equals])
      settings.append((assignment.split(separator: "-").joined(separator: "_"), value))
    }
    return settings
  }

  /// Splits at spaces; a backslash keeps the character after it.
  private static func words(_ text: String) -> [String] {
    var words: [String] = []
    var word = ""
    var isEscaped = false
    for character in text {
      if isEscaped {
        word.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == " " {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.append(character)
      }
    }
    if !word.isEmpty { words.append(word) }
    return words
  }
}
