// The source tree as text: the floor table of Package.swift and the Swift files of every module.

import Foundation

struct SourceFile {
  /// Relative to the root of the checkout.
  let path: String
  let lines: [String]

  /// Modules that `import` lines name, with their line numbers.
  var imports: [(module: String, line: Int)] {
    var found: [(String, Int)] = []
    for (index, line) in lines.enumerated() {
      var words = line.split(separator: " ").map(String.init)
      while let first = words.first, ["package", "public", "internal", "private", "@testable", "@preconcurrency"].contains(first) {
        words.removeFirst()
      }
      guard words.first == "import", words.count >= 2 else { continue }
      let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "typealias"]
      let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
      found.append((String(name.prefix { $0 != "." }), index + 1))
    }
    return found
  }

  /// Lines with comments and string literals blanked, so that words in them are not taken for code.
  var code: [String] {
    lines.map { line in
      var out = ""
      var inString = false
      var previous: Character = " "
      var characters = Array(line)[...]
      while let character = characters.popFirst() {
        if inString {
          if character == "\"" && previous != "\\" { inString = false }
          previous = character
          continue
        }
        if character == "\"" {
          inString = true
          previous = character
          continue
        }
        if character == "/" && characters.first == "/" { break }
        out.append(character)
        previous = character
      }
      return out
    }
  }
}

enum SourceTree {
  static let root: URL = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    return url
  }()

  static func swiftFiles(under folder: String) -> [SourceFile] {
    let base = root.appendingPathComponent(folder)
    guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
    var files: [SourceFile] = []
    for case let name as String in walk where name.hasSuffix(".swift") {
      guard let data = FileManager.default.contents(atPath: base.appendingPathComponent(name).path) else { continue }
      let lines = String(decoding: data, as: UTF8.self).components(separatedBy: "\n")
      files.append(SourceFile(path: "\(folder)/\(name)", lines: lines))
    }
    return files.sorted { $0.path < $1.path }
  }

  struct TableEntry {
    let name: String
    let floor: String
    let room: String
    let uses: Set<String>
  }

  /// The `allModules` array of Package.swift, read as text.
  static func floorTable() throws -> [TableEntry] {
    let text = try String(contentsOf: root.appendingPathComponent("Package.swift"), encoding: .utf8)
    let start = try found(text.range(of: "let allModules: [Module] = ["))
    let end = try found(text.range(of: "\n]\n", range: start.upperBound..<text.endIndex))
    let body = String(text[start.upperBound..<end.lowerBound])
    let products = ["log": "Logging", "nio": "NIOCore", "nioHTTP": "NIOHTTP1", "nioPosix": "NIOPosix", "nioSSL": "NIOSSL", "crypto": "Crypto",
      "lifecycle": "ServiceLifecycle", "signals": "UnixSignals", "yams": "Yams", "arguments": "ArgumentParser", "http": "AsyncHTTPClient",
      "hummingbird": "Hummingbird", "hummingbirdCore": "HummingbirdCore"]
    return body.components(separatedBy: "Module(").dropFirst().map { piece in
      let quoted = quotedStrings(piece)
      let floor = piece.firstMatch(of: /\.(base|formats|engine|edge|server)\b/).map { String($0.1) } ?? ""
      var uses = Set(quoted.dropFirst(2))
      if let list = piece.firstMatch(of: /products: \[([^\]]*)\]/) {
        for product in list.1.split(separator: ",") {
          uses.insert(products[product.trimmingCharacters(in: .whitespaces)] ?? "?")
        }
      }
      return TableEntry(name: quoted[0], floor: floor, room: quoted[1], uses: uses)
    }
  }

  private static func quotedStrings(_ text: String) -> [String] {
    text.matches(of: /"([^"]*)"/).map { String($0.1) }
  }

  struct Missing: Error {}
  private static func found<T>(_ value: T?) throws -> T {
    guard let value else { throw Missing() }
    return value
  }
}
