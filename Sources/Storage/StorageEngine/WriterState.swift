// What the writer knows, all of it read from disk at open and thrown away when a write fails.

import Bedrock
import EventSchema
import HotTier
import StorageContract

struct WriterState: Sendable {
  let hot: HotTier
  /// 32 hexadecimal digits, made once for a data folder.
  let instance: String
  var tables: [TableID: CutTable] = [:]
  var marks: [ShardID: LogMark] = [:]
  var seen: [TableID: SeenSet] = [:]
  var seenRecords: [TableID: SeenRecords] = [:]
  var nextErrorID: Int64 = 1
  /// The newest view, with all that the fields above say.
  var view: HotView

  var cut: EngineCut { EngineCut(hot: view, tables: tables, marks: marks) }

  func appID(_ table: TableSchema, owner: ShardID) -> String {
    "cramped/\(instance)/\(table.domain).\(table.entity)/\(owner.name)"
  }

  static func bytes(of mark: LogMark) -> [UInt8] {
    var writer = RecordWriter()
    writer.put(mark.position.raw)
    writer.put(mark.messageTimeMicros)
    writer.put(mark.checksum)
    writer.put(mark.streamCreatedMicros)
    return writer.bytes
  }

  static func mark(_ bytes: [UInt8]) throws(Fault) -> LogMark {
    var reader = RecordReader(bytes)
    let raw = try reader.integer(Int64.self)
    guard raw >= 0 else { throw .corrupt("a stored log mark has a negative position") }
    return LogMark(
      position: Position(raw: raw), messageTimeMicros: try reader.integer(), checksum: try reader.integer(),
      streamCreatedMicros: try reader.integer())
  }
}
