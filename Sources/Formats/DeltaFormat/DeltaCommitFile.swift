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
    var part = DeltaCheckpointPart()
    try decode(file, into: &part)
    return part.actions
  }

  /// A v2 checkpoint in JSON, which may name sidecars.
  package mutating func decode(checkpoint file: [UInt8]) throws(Fault) -> DeltaCheckpointPart {
    var part = DeltaCheckpointPart()
    try file.withUnsafeBufferPointer { (raw) throws(Fault) in try decode(UnsafeRawBufferPointer(raw), into: &part) }
    return part
  }

  private mutating func decode(_ file: UnsafeRawBufferPointer, into part: inout DeltaCheckpointPart) throws(Fault) {
    guard file.count <= Limits.deltaCommitBytesMax else {
      throw Fault.corrupt("a Delta commit of \(file.count) bytes is over the maximum of \(Limits.deltaCommitBytesMax)")
    }
    var line = 0
    var start = 0
    while start < file.count {
      var end = start
      while end < file.count && file[end] != UInt8(ascii: "\n") { end += 1 }
      line += 1
      let text = UnsafeRawBufferPointer(rebasing: file[start..<end])
      start = end + 1
      if text.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
      guard part.actions.count < Self.actionsMax else {
        throw Fault.corrupt("a Delta commit has more than \(Self.actionsMax) actions")
      }
      do throws(Fault) {
        try parser.parse(text) { (root) throws(Fault) in
          if let action = try DeltaActionReader.action(root) { part.actions.append(action) }
          if let sidecar = try DeltaActionReader.sidecar(root) { part.sidecars.append(sidecar) }
        }
      } catch {
        if error.kind == .tryLater || error.kind == .unsupported { throw error }
        throw Fault.corrupt("line \(line) of a Delta commit is broken: \(error.message)", detail: error.detail)
      }
    }
  }

  package mutating func decode(_ file: [UInt8]) throws(Fault) -> [DeltaAction] {
    try file.withUnsafeBufferPointer { (raw) throws(Fault) in try decode(UnsafeRawBufferPointer(raw)) }
  }
}
