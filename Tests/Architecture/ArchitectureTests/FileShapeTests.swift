import Testing

@Suite("Shape of files")
struct FileShapeTests {
  static let linesMax = 800

  @Test func filesAreShort() {
    // Generated tables are data.
    for file in SourceTree.swiftFiles(under: "Sources") where !file.path.contains("/Generated/") {
      #expect(file.lines.count <= Self.linesMax, "\(file.path) has \(file.lines.count) lines")
    }
  }

  @Test func nothingIsLeftUnfinished() {
    for file in SourceTree.swiftFiles(under: "Sources") {
      for (index, line) in file.lines.enumerated() {
        #expect(!line.contains(/\b(TODO|FIXME|XXX|HACK)\b/), "\(file.path):\(index + 1)")
      }
    }
  }
}
