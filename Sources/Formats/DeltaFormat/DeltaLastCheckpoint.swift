// `_last_checkpoint`: where a recent checkpoint of the log is. PROTOCOL.md, "Last Checkpoint File Schema".
//
//   {"version":40,"size":13,"sizeInBytes":20480,"numOfAddFiles":9}
//
// A hint: whoever reads it must do without when it is missing, broken or out of date, so there is no fault here.

import Bedrock
import JSONTape

package struct DeltaLastCheckpoint: Hashable, Sendable {
  package var version: Int64
  /// How many actions the checkpoint has.
  package var actionCount: Int64?
  /// How many files it has; nil for one.
  package var parts: Int64?
  package var byteCount: Int64?
  package var addCount: Int64?

  package init(version: Int64, actionCount: Int64, byteCount: Int64, addCount: Int64) {
    self.version = version
    self.actionCount = actionCount
    self.byteCount = byteCount
    self.addCount = addCount
  }

  /// Nil for text that is no hint.
  package init?(json: [UInt8]) {
    var parser = JSONParser(bytesMax: Limits.deltaLineBytesMax, depthMax: Limits.jsonDepthMax)
    var version: Int64?
    do throws(Fault) {
      try parser.parse(json) { (root) throws(Fault) in version = root.object?.value(of: "version")?.int64 }
    } catch { return nil }
    guard let version, version >= 0 else { return nil }
    self.version = version
  }

  package var json: [UInt8] {
    var writer = JSONWriter(capacity: 128)
    writer.beginObject()
    for (key, value) in [
      ("version", version), ("size", actionCount), ("parts", parts), ("sizeInBytes", byteCount),
      ("numOfAddFiles", addCount),
    ] {
      guard let value else { continue }
      writer.key(key)
      writer.value(value)
    }
    writer.endObject()
    return writer.bytes
  }
}
