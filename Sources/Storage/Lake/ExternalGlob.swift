// Globs over the folders of a store.
//
//   *        any characters of one name          [a-z]  [!a]   one character of a set
//   ?        one character                       {a,b}          either text
//   **       any folders, none too
//
// As in a shell, a wildcard does not match a name that begins with a dot, nor, as engines of the lake have it, with an
// underscore: what is hidden (`_delta_log`, `_temporary`) is only found by its name.

import Bedrock
import ObjectStore

/// A file that a location means.
struct ExternalFile: Sendable, Hashable {
  let path: ObjectPath
  let size: Int64
  let modifiedMicros: Int64?
}

enum ExternalGlob {
  private static let expansionsMax = 1_000
  private static let folderEntriesMax = 1_000_000
  private static let foldersMax = 100_000
  private static let depthMax = 64
  /// Files of one glob.
  static let filesMax = 100_000

  static func isPattern(_ text: some StringProtocol) -> Bool {
    text.utf8.contains { byte in
      byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{")
    }
  }

  /// The files that match, in byte order of their paths, each once. Throws 54000 when there are too many.
  static func files(_ pattern: String, in store: any FolderStore) throws(Fault) -> [ExternalFile] {
    var found: [ObjectPath: ExternalFile] = [:]
    var walk = Walk(store: store)
    for text in try expanded(pattern) {
      let parts = text.split(separator: "/").map { Array($0.unicodeScalars) }
      guard parts.count <= depthMax else { throw Fault(.programLimitExceeded, "a glob has more than \(depthMax) parts") }
      try walk.visit(nil, parts[...], depth: 0) { (file) throws(Fault) in
        found[file.path] = file
        guard found.count <= filesMax else {
          throw Fault(.programLimitExceeded, "a glob matches more than \(filesMax) files")
        }
      }
    }
    return found.values.sorted { $0.path < $1.path }
  }

  private struct Walk {
    let store: any FolderStore
    var folders = 0

    mutating func visit(
      _ folder: ObjectPath?, _ parts: ArraySlice<[Unicode.Scalar]>, depth: Int,
      _ found: (ExternalFile) throws(Fault) -> Void
    ) throws(Fault) {
      guard let part = parts.first else { return }
      let rest = parts.dropFirst()
      if !part.contains(where: { "*?[{".unicodeScalars.contains($0) }) {
        let path = try ExternalGlob.path(folder, text(part))
        if !rest.isEmpty { return try visit(path, rest, depth: depth + 1, found) }
        if let entry = try store.entry(at: path), !entry.isFolder {
          try found(ExternalFile(path: path, size: entry.size, modifiedMicros: entry.modifiedMicros))
        }
        return
      }
      folders += 1
      guard folders <= foldersMax, depth <= depthMax else {
        throw Fault(.programLimitExceeded, "a glob walks through too many folders")
      }
      let isDeep = part.count == 2 && part[0] == "*" && part[1] == "*"
      // `**` as the last part means every file below.
      if isDeep && !rest.isEmpty { try visit(folder, rest, depth: depth + 1, found) }
      for entry in try contents(folder) {
        let name = Array(entry.name.unicodeScalars)
        let isHidden = name.first == "." || name.first == "_"
        if isHidden && part.first != name.first { continue }
        let path = try ExternalGlob.path(folder, entry.name)
        if isDeep {
          if entry.isFolder {
            try visit(path, parts, depth: depth + 1, found)
          } else if rest.isEmpty {
            try found(ExternalFile(path: path, size: entry.size, modifiedMicros: entry.modifiedMicros))
          }
        } else if ExternalGlob.matches(part[...], name[...]) {
          if rest.isEmpty {
            if !entry.isFolder {
              try found(ExternalFile(path: path, size: entry.size, modifiedMicros: entry.modifiedMicros))
            }
          } else if entry.isFolder {
            try visit(path, rest, depth: depth + 1, found)
          }
        }
      }
    }

    private func contents(_ folder: ObjectPath?) throws(Fault) -> [FolderEntry] {
      if let folder { return try store.contents(of: folder, limit: folderEntriesMax) }
      guard let root = store as? any RootFolderStore else {
        throw Fault.unsupported("a glob in the first part of a location")
      }
      return try root.rootContents(limit: folderEntriesMax)
    }

    private func text(_ part: [Unicode.Scalar]) -> String {
      var text = String.UnicodeScalarView()
      text.append(contentsOf: part)
      return String(text)
    }
  }

  private static func path(_ folder: ObjectPath?, _ name: String) throws(Fault) -> ObjectPath {
    if let folder { return try folder.appending(name) }
    return try ObjectPath(name)
  }

  /// Whether one name matches one part of a pattern. Linear in their lengths but for each `*`, which may be tried once
  /// for each character: only the last `*` is gone back to.
  static func matches(_ pattern: ArraySlice<Unicode.Scalar>, _ name: ArraySlice<Unicode.Scalar>) -> Bool {
    var p = pattern.startIndex, n = name.startIndex
    var star: (p: Int, n: Int)?
    while n < name.endIndex {
      if p < pattern.endIndex, pattern[p] == "*" {
        star = (p + 1, n)
        p += 1
        continue
      }
      if p < pattern.endIndex, let next = one(pattern, p, name[n]) {
        p = next
        n += 1
        continue
      }
      guard let last = star else { return false }
      p = last.p
      n = last.n + 1
      star = (last.p, n)
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }

  /// The place behind the element at `p` when it matches the character.
  private static func one(_ pattern: ArraySlice<Unicode.Scalar>, _ p: Int, _ character: Unicode.Scalar) -> Int? {
    if pattern[p] == "?" { return p + 1 }
    // A bracket that is never closed, or closed at once, stands for itself.
    guard pattern[p] == "[", let end = pattern[(p + 1)...].dropFirst().firstIndex(of: "]") else {
      return pattern[p] == character ? p + 1 : nil
    }
    var set = pattern[(p + 1)..<end]
    let isNegated = set.first == "!" || set.first == "^"
    if isNegated { set = set.dropFirst() }
    var found = false
    while let first = set.popFirst() {
      if set.count >= 2, set.first == "-" {
        set = set.dropFirst()
        let last = set.removeFirst()
        if first <= last && (first...last).contains(character) { found = true }
      } else if first == character {
        found = true
      }
    }
    return found != isNegated ? end + 1 : nil
  }

  /// `a{b,c}d` as `abd` and `acd`; braces may be nested.
  static func expanded(_ pattern: String) throws(Fault) -> [String] {
    var open = [Array(pattern.unicodeScalars)]
    var done: [String] = []
    while let text = open.popLast() {
      guard open.count + done.count <= expansionsMax else {
        throw Fault(.programLimitExceeded, "a glob has more than \(expansionsMax) alternatives")
      }
      guard let start = text.firstIndex(of: "{"), let (parts, end) = alternatives(text, start) else {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text)
        done.append(String(view))
        continue
      }
      for part in parts { open.append(Array(text[..<start]) + part + Array(text[end...])) }
    }
    return done.reversed()
  }

  /// The texts between the commas of a brace, and the place behind it; nil for one that is never closed.
  private static func alternatives(
    _ text: [Unicode.Scalar], _ start: Int
  ) -> (parts: [[Unicode.Scalar]], end: Int)? {
    var parts: [[Unicode.Scalar]] = [[]]
    var level = 0
    for index in start..<text.count {
      let character = text[index]
      if character == "{" {
        level += 1
        if level == 1 { continue }
      }
      if character == "}" {
        level -= 1
        if level == 0 { return (parts, index + 1) }
      }
      if character == ",", level == 1 {
        parts.append([])
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return nil
  }
}
