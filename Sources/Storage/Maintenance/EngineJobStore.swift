// Jobs as records of the storage engine: a few hundred bytes each, written with the engine's synced writes.

package import Bedrock
package import StorageEngine

package struct EngineJobStore: JobStore {
  private let engine: StorageEngine
  package init(_ engine: StorageEngine) { self.engine = engine }

  package func load() throws(Fault) -> [JobRecord] {
    var jobs: [JobRecord] = []
    for (_, value) in try engine.records(.job) { jobs.append(try JobRecord(encoded: value)) }
    return jobs
  }

  package func save(_ jobs: [JobRecord], removing ids: [Int64]) throws(Fault) {
    try engine.write(
      .job, jobs.map { (number: UInt64($0.id), value: $0.encoded) }, removing: ids.map { UInt64($0) })
  }
}
