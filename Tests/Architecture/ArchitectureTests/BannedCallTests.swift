import Foundation
import Testing

@Suite("Calls that only one module may make")
struct BannedCallTests {
  struct Ban {
    let word: String
    let instead: String
    /// Path prefixes where the word is at home.
    let home: [String]
  }

  static let bans: [Ban] = [
    Ban(word: "Date()", instead: "Runtime.Clock", home: []),
    Ban(word: "ContinuousClock()", instead: "Runtime.Clock", home: []),
    Ban(word: "clock_gettime", instead: "Runtime.Clock", home: ["Sources/Base/Runtime"]),
    Ban(word: "SystemRandomNumberGenerator", instead: "Runtime.Entropy", home: ["Sources/Base/Runtime"]),
    Ban(word: ".random(in:", instead: "Runtime.Entropy or SeededGenerator", home: ["Sources/Base/Runtime"]),
    Ban(word: "Task.detached", instead: "Runtime.WorkerPool or a service", home: []),
    Ban(word: "Thread.", instead: "Runtime.WorkerThread", home: []),
    Ban(word: "pthread_create", instead: "Runtime.WorkerThread", home: ["Sources/Base/Runtime"]),
    Ban(word: "usleep(", instead: "a condition to wait for", home: []),
    Ban(word: "ProcessInfo", instead: "the configuration", home: ["Sources/Server"]),
    Ban(word: "getenv", instead: "the configuration", home: ["Sources/Base/Runtime/FaultPoint.swift"]),
    Ban(word: "fatalError(", instead: "a Fault, or preconditionFailure with a sentence", home: []),
    Ban(word: "try!", instead: "a typed throw", home: []),
  ]

  @Test func bannedWords() {
    for file in SourceTree.swiftFiles(under: "Sources") {
      for (index, line) in file.code.enumerated() {
        for ban in Self.bans where line.contains(ban.word) && !ban.home.contains(where: { file.path.hasPrefix($0) }) {
          Issue.record("\(file.path):\(index + 1): \(ban.word); use \(ban.instead)")
        }
      }
    }
  }

  @Test func printOnlyInCommands() {
    for file in SourceTree.swiftFiles(under: "Sources") where !file.path.hasPrefix("Sources/Server/cramped/Commands") {
      for (index, line) in file.code.enumerated() where line.contains(/(^|[^.\w])print\(/) {
        Issue.record("\(file.path):\(index + 1): print; use the logger")
      }
    }
  }

  @Test func noFoundationBelowTheEdge() {
    for folder in ["Base", "Formats", "Storage", "Query"] {
      for file in SourceTree.swiftFiles(under: "Sources/\(folder)") {
        for (module, line) in file.imports where module.hasPrefix("Foundation") {
          Issue.record("\(file.path):\(line): Foundation below the edge")
        }
      }
    }
  }
}
