// SIMILAR TO: SQL's patterns as regular expressions. The grammar writes `x ~ similar_to_escape(pattern, escape)`.
//
//   %  any text        _  one character        | * + ? {m,n} ( ) [ ]  as in regular expressions
// All other characters mean themselves, and one after the escape character always does.

import Bedrock
import Columnar

enum SimilarPattern {
  static let functions: [ScalarFunction] = [
    .rowwise("similar_to_escape", [.text], .text) { (a, row, out) throws(Fault) in
      out.append(expression(a.string(0, row), escape: "\\"))
    },
    .rowwise("similar_to_escape", [.text, .text], .text) { (a, row, out) throws(Fault) in
      let escape = a.string(1, row)
      guard escape.unicodeScalars.count <= 1 else {
        throw Fault(
          .invalidEscapeSequence, "invalid escape string",
          hint: "Escape string must be empty or one character.")
      }
      out.append(expression(a.string(0, row), escape: escape.unicodeScalars.first))
    },
  ]

  /// - Parameter escape: nil when no character escapes.
  static func expression(_ pattern: String, escape: Unicode.Scalar?) -> String {
    var text = "^(?:"
    var isEscaped = false
    var isInBrackets = false
    for character in pattern.unicodeScalars {
      if isEscaped {
        if needsBackslash(character) { text.unicodeScalars.append("\\") }
        text.unicodeScalars.append(character)
        isEscaped = false
      } else if character == escape {
        isEscaped = true
      } else if isInBrackets {
        if character == "\\" { text.unicodeScalars.append("\\") }
        text.unicodeScalars.append(character)
        if character == "]" { isInBrackets = false }
      } else {
        switch character {
        case "[":
          text.unicodeScalars.append(character)
          isInBrackets = true
        case "%": text += ".*"
        case "_": text += "."
        case "(": text += "(?:"
        case "\\", ".", "^", "$":
          text.unicodeScalars.append("\\")
          text.unicodeScalars.append(character)
        default: text.unicodeScalars.append(character)
        }
      }
    }
    return text + ")$"
  }

  private static func needsBackslash(_ character: Unicode.Scalar) -> Bool {
    "\\.^$|*+?{}()[]".unicodeScalars.contains(character)
  }
}
