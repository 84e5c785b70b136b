// Upkeep of the Delta log and of the files behind it.

import Bedrock
import Lake
import StorageContract

extension LakeUpkeep {
  func isCheckpointDue(_ table: LakeTable) -> Bool { false }

  func checkpoint(_ table: LakeTable, isManual: Bool) throws(Fault) -> String { "nothing to do" }

  func cleanUp(_ table: LakeTable) throws(Fault) -> String { "nothing to do" }

  func vacuum(_ registered: RegisteredTable, _ table: LakeTable, _ arguments: JobArguments, _ control: JobControl) throws(Fault) -> String {
    "nothing to do"
  }
}
