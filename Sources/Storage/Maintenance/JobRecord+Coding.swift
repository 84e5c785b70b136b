// Job records as bytes: the version of the form, then the fields in order. Text is cut to a length that keeps the history
// small.

package import Bedrock
import StorageEngine

extension JobRecord {
  /// Form 1, which is still read, has no files and actions.
  private static let form: UInt8 = 2
  static let textBytesMax = 1_000

  package var encoded: [UInt8] {
    var writer = RecordWriter()
    func put(_ value: Int64?) {
      writer.put(value != nil)
      writer.put(value ?? 0)
    }
    func put(_ text: String?) {
      writer.put(text != nil)
      writer.put(String((text ?? "").prefix(Self.textBytesMax)))
    }
    writer.put(Self.form)
    writer.put(id)
    writer.put(kind.rawValue)
    writer.put(table)
    put(arguments.retentionMicros)
    writer.put(arguments.isDryRun)
    writer.put(arguments.isFull)
    writer.put(isManual)
    writer.put(state.rawValue)
    writer.put(progress.rows)
    writer.put(progress.bytes)
    put(progress.rowsTotal)
    put(progress.bytesTotal)
    writer.put(createdMicros)
    put(startedMicros)
    put(finishedMicros)
    writer.put(Int64(attempts))
    put(lastError)
    put(result)
    writer.put(nextRunMicros)
    writer.put(progress.files)
    put(progress.filesTotal)
    writer.put(progress.filesListed)
    writer.put(progress.actions)
    put(progress.actionsTotal)
    return writer.bytes
  }

  /// Throws XX001.
  package init(encoded bytes: [UInt8]) throws(Fault) {
    var reader = RecordReader(bytes)
    func optional() throws(Fault) -> Int64? {
      let has = try reader.boolean()
      let value: Int64 = try reader.integer()
      return has ? value : nil
    }
    func optionalText() throws(Fault) -> String? {
      let has = try reader.boolean()
      let value = try reader.string()
      return has ? value : nil
    }
    let form = try reader.integer(UInt8.self)
    guard form == 1 || form == Self.form else { throw .corrupt("a job record has an unknown form") }
    let id: Int64 = try reader.integer()
    guard let kind = JobKind(rawValue: try reader.string()) else { throw .corrupt("job \(id) has an unknown kind") }
    let table = try reader.string()
    var arguments = JobArguments(retentionMicros: try optional())
    arguments.isDryRun = try reader.boolean()
    arguments.isFull = try reader.boolean()
    let isManual = try reader.boolean()
    guard let state = JobState(rawValue: try reader.string()) else { throw .corrupt("job \(id) has an unknown state") }
    var progress = JobProgress()
    progress.rows = try reader.integer()
    progress.bytes = try reader.integer()
    progress.rowsTotal = try optional()
    progress.bytesTotal = try optional()
    self.init(
      id: id, kind: kind, table: table, arguments: arguments, isManual: isManual, createdMicros: try reader.integer())
    self.state = state
    startedMicros = try optional()
    finishedMicros = try optional()
    attempts = Int(clamping: try reader.integer(Int64.self))
    lastError = try optionalText()
    result = try optionalText()
    nextRunMicros = try reader.integer()
    if form >= 2 {
      progress.files = try reader.integer()
      progress.filesTotal = try optional()
      progress.filesListed = try reader.integer()
      progress.actions = try reader.integer()
      progress.actionsTotal = try optional()
    }
    self.progress = progress
  }
}
