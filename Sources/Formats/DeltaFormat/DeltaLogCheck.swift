// What the fuzzer asserts about hostile logs, and what the tests replay: nothing traps, and what is taken survives a
// round trip.

import Bedrock

package enum DeltaLogCheck {
  /// Feeds a run of commit files, parted by NUL bytes, to the replay as versions 0, 1, 2 ... False when something that
  /// was read does not read back equal.
  package static func check(hostile input: UnsafeRawBufferPointer) -> Bool {
    var decoder = DeltaCommitDecoder()
    var snapshot = DeltaSnapshot()
    for file in input.split(separator: 0, omittingEmptySubsequences: false) {
      guard let actions = attempt({ () throws(Fault) in try decoder.decode(UnsafeRawBufferPointer(rebasing: file)) })
      else { continue }
      if !survives(actions, &decoder) { return false }
      _ = attempt { () throws(Fault) in try snapshot.apply(version: snapshot.version + 1, actions) }
    }
    guard let metadata = snapshot.metadata,
      let schema = attempt({ () throws(Fault) in try metadata.schema() })
    else { return true }
    guard attempt({ () throws(Fault) in try DeltaSchema(json: schema.json) }) == schema else { return false }
    for add in snapshot.files.values {
      guard let json = add.stats,
        let stats = attempt({ () throws(Fault) in try DeltaStatistics(json: json, schema) })
      else { continue }
      let again = attempt { () throws(Fault) in try DeltaStatistics(json: stats.json(schema), schema) }
      if again?.numRecords != stats.numRecords { return false }
    }
    return true
  }

  /// True when the actions are the same after a round trip; text over the limits of a commit need not survive.
  private static func survives(_ actions: [DeltaAction], _ decoder: inout DeltaCommitDecoder) -> Bool {
    guard let bytes = attempt({ () throws(Fault) in try DeltaCommitEncoder.encode(actions) }) else { return true }
    return attempt { () throws(Fault) in try decoder.decode(bytes) } == actions
  }

  /// Nil for input that is refused, as most hostile input is.
  private static func attempt<R>(_ body: () throws(Fault) -> R) -> R? {
    do throws(Fault) { return try body() } catch { return nil }
  }
}
