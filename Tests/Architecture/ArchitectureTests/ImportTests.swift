import Testing

@Suite("Imports against the floor table")
struct ImportTests {
  /// What a module may import besides the table: the language's own modules.
  static let languageModules: Set<String> = ["Swift", "Synchronization", "Glibc", "Dispatch"]

  @Test func everyImportIsInTheTable() throws {
    let table = try SourceTree.floorTable()
    #expect(table.count >= 20)
    for entry in table {
      let files = SourceTree.swiftFiles(under: "Sources/\(entry.room)/\(entry.name)")
      #expect(!files.isEmpty, "\(entry.name) has no source")
      var used: Set<String> = []
      for file in files {
        for (module, line) in file.imports {
          used.insert(module)
          if Self.languageModules.contains(module) { continue }
          if module.hasPrefix("Foundation") && (entry.floor == "edge" || entry.floor == "server") { continue }
          #expect(entry.uses.contains(module), "\(file.path):\(line): \(entry.name) imports \(module)")
        }
      }
      let idle = entry.uses.subtracting(used)
      #expect(idle.isEmpty, "the table lets \(entry.name) use \(idle.sorted()), which it does not import")
    }
  }

  @Test func everySourceFileBelongsToTheTable() throws {
    let rooms = Set(try SourceTree.floorTable().map { "Sources/\($0.room)/\($0.name)/" })
    for file in SourceTree.swiftFiles(under: "Sources") {
      #expect(rooms.contains { file.path.hasPrefix($0) }, "\(file.path) is in no module of the table")
    }
  }
}
