// Commit files: lines of JSON to actions. Compacted logs and JSON checkpoints have the same form.
//
//   00000000000000000007.json      one action a line; with in-commit timestamps commitInfo is the first
//
// Limits: file and line as in `Limits`, actions below. A line that breaks its form is refused with its number.

package import Bedrock
import JSONTape

/// Reads commit files; reuses one parser.
package struct DeltaCommitDecoder: ~Copyable {
  package static let actionsMax = 10_000_000
  private var parser = JSONParser(bytesMax: Limits.deltaLineBytesMax, depthMax: Limits.jsonDepthMax)

  package init() {}

  /// The actions of a commit file, in order. Throws XX001 with the line for text that is no commit.
  package mutating func decode(_ file: UnsafeRawBufferPointer) throws(Fault) -> [DeltaAction] {
    guard file.count <= Limits.deltaCommitBytesMax else {
      throw Fault.corrupt("a Delta commit of \(file.count) bytes is over the maximum of \(Limits.deltaCommitBytesMax)")
    }
    var actions: [DeltaAction] = []
    var line = 0
    var start = 0
    while start < file.count {
      var end = start
      while end < file.count && file[end] != UInt8(ascii: "\n") { end += 1 }
      line += 1
      let text = UnsafeRawBufferPointer(rebasing: file[start..<end])
      start = end + 1
      if text.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      guard actions.count < Self.actionsMax else {
        throw Fault.corrupt("a Delta commit has more than \(Self.actionsMax) actions")
      }
      do throws(Fault) {
        let action = try parser.parse(text) { (root) throws(Fault) in try DeltaActionReader.action(root) }
        if let action { actions.append(action) }
      } catch {
        if error.kind == .tryLater || error.kind == .unsupported { throw error }
        throw Fault.corrupt("line \(line) of a Delta commit is broken: \(error.message)", detail: error.detail)
      }
    }
    return actions
  }

  package mutating func decode(_ file: [UInt8]) throws(Fault) -> [DeltaAction] {
    try file.withUnsafeBufferPointer { (raw) throws(Fault) in try decode(UnsafeRawBufferPointer(raw)) }
  }
}
