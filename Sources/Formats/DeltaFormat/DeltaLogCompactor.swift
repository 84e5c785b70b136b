// Several commits as one compacted log: what is left of their actions after reconciliation. PROTOCOL.md, "Log Compaction
// Files".

package import Bedrock

/// Fed with the actions of commits in order.
package struct DeltaLogCompactor {
  private var files: [DeltaFileKey: DeltaAction] = [:]
  private var transactions: [String: DeltaTransaction] = [:]
  private var domains: [String: DeltaDomainMetadata] = [:]
  private var metadata: DeltaMetadata?
  private var protocolVersion: DeltaProtocol?

  package init() {}

  package mutating func append(_ actions: [DeltaAction]) {
    for action in actions {
      switch action {
      case .add(let add): files[add.key] = action
      case .remove(let remove): files[remove.key] = action
      case .transaction(let transaction): transactions[transaction.appID] = transaction
      // A removed domain stays as such: an older commit may have set it.
      case .domainMetadata(let domain): domains[domain.domain] = domain
      case .metadata(let value): metadata = value
      case .protocolVersion(let value): protocolVersion = value
      case .commitInfo: break
      }
    }
  }

  /// The file; equal commits give equal bytes.
  package func encode() throws(Fault) -> [UInt8] {
    var actions: [DeltaAction] = []
    if let protocolVersion { actions.append(.protocolVersion(protocolVersion)) }
    if let metadata { actions.append(.metadata(metadata)) }
    actions += transactions.values.sorted { $0.appID < $1.appID }.map { .transaction($0) }
    actions += domains.values.sorted { $0.domain < $1.domain }.map { .domainMetadata($0) }
    actions += files.sorted {
      ($0.key.path, $0.key.deletionVectorID ?? "") < ($1.key.path, $1.key.deletionVectorID ?? "")
    }.map(\.value)
    return try DeltaCommitEncoder.encode(actions)
  }
}
