// Hostile Delta logs: nothing traps, nothing is taken that does not survive a round trip.
//
// The input is a run of commit files, parted by NUL bytes, fed to the replay as versions 0, 1, 2 ...

import Bedrock
import DeltaFormat

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDeltaLog(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  var decoder = DeltaCommitDecoder()
  var snapshot = DeltaSnapshot()
  for file in input.split(separator: 0, omittingEmptySubsequences: false) {
    guard let actions = attempt({ () throws(Fault) in try decoder.decode(UnsafeRawBufferPointer(rebasing: file)) })
    else { continue }
    roundTrip(actions, &decoder)
    _ = attempt { () throws(Fault) in try snapshot.apply(version: snapshot.version + 1, actions) }
  }
  let schema = snapshot.metadata.flatMap { metadata in
    attempt { () throws(Fault) in try DeltaSchema(json: metadata.schemaString) }
  }
  guard let schema else { return 0 }
  let again = attempt { () throws(Fault) in try DeltaSchema(json: schema.json) }
  precondition(again == schema, "a schema reads back equal")
  for add in snapshot.files.values {
    guard let json = add.stats else { continue }
    let stats = attempt { () throws(Fault) in try DeltaStatistics(json: json, schema) }
    if let stats { _ = attempt { () throws(Fault) in try DeltaStatistics(json: stats.json(schema), schema) } }
  }
  return 0
}

private func roundTrip(_ actions: [DeltaAction], _ decoder: inout DeltaCommitDecoder) {
  guard let bytes = attempt({ () throws(Fault) in try DeltaCommitEncoder.encode(actions) }) else { return }
  let again = attempt { () throws(Fault) in try decoder.decode(bytes) }
  precondition(again == actions, "actions read back equal")
}

private func attempt<R>(_ body: () throws(Fault) -> R) -> R? {
  do throws(Fault) { return try body() } catch { return nil }
}
