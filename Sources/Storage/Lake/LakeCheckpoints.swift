// Reading checkpoints of a log.

import Bedrock
import DeltaFormat
import ObjectStore

struct LakeCheckpoints {
  let log: LakeLog

  /// The state that a checkpoint holds; nil when one of its files is not there. Throws XX001 for broken ones.
  func read(_ files: DeltaCheckpointFiles) throws(Fault) -> DeltaSnapshot? {
    throw Fault.corrupt("checkpoint \(files.names[0]) cannot be read")
  }
}
