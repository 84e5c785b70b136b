// Decoded rows to what may be stored, and from there into the storage: hashes are put in their place, then one synced
// append. Nothing raw that a policy hides passes `AppendBatch`.

import Bedrock
import Columnar
import EventDecoding
import EventSchema
import Privacy
import StorageContract

/// The decoder of the current schema generation, with the keys of all domains.
final class BatchApplier {
  private let sink: any AppendSink
  private let directory: any TableDirectory
  private let keyring: Keyring
  private let stream: StreamOptions
  private var generation: UInt64?
  private var decoder: EventDecoder?

  init(sink: any AppendSink, directory: any TableDirectory, keyring: Keyring, stream: StreamOptions) {
    self.sink = sink
    self.directory = directory
    self.keyring = keyring
    self.stream = stream
  }

  /// The decoder for the next batch; a new one when schemas were published since the last.
  func currentDecoder() -> EventDecoder {
    let now = directory.generation
    if let decoder, generation == now { return decoder }
    let keyring = self.keyring
    let made = EventDecoder(
      stream: stream.name, subjectPrefix: stream.subjectPrefix, tables: directory.registeredTables(),
      headers: MessageView.header,
      seal: { domain, payload in PayloadSeal.seal(payload, keyring.keys(domain: domain ?? PayloadSeal.unknownDomain)) })
    generation = now
    decoder = made
    return made
  }

  /// Forgets rows that were decoded and not applied.
  func discard() {
    decoder = nil
    generation = nil
  }

  /// One synced write. When it throws, the outcome is unknown. `messages` are those of the batch, alive for this call.
  func append(
    _ batch: DecodedBatch, messages: [OpaquePointer], shard: ShardID, mark: LogMark
  ) throws(Fault) -> AppendReceipt {
    let tables = batch.tables.map { table in
      TableAppend(table: table.table, schemaVersion: table.schemaVersion, chunk: protected(table))
    }
    return try sink.append(
      AppendBatch(
        shard: shard, mark: mark, tables: tables, errors: batch.errors,
        originals: BatchMessages(messages, keyring: keyring)))
  }

  private func protected(_ table: DecodedTable) -> Chunk {
    if table.pendingHashes.isEmpty { return table.chunk }
    let keys = keyring.keys(domain: table.domain)
    var columns = table.chunk.columns
    for pending in table.pendingHashes {
      let hashed = FieldHashing.hash(pending.values, pending.algorithm, keys)
      columns[pending.column] = FieldHashing.place(hashed, rows: pending.rows, in: columns[pending.column])
    }
    return Chunk(columns: columns, rowCount: table.chunk.rowCount)
  }
}

/// The messages of a batch by their place in the stream.
// unchecked Sendable because the storage asks on the thread that appends, while the batch holds its messages.
private struct BatchMessages: AppendOriginals, @unchecked Sendable {
  private let messages: [OpaquePointer]
  private let keyring: Keyring

  /// - Parameter messages: with rising sequences.
  init(_ messages: [OpaquePointer], keyring: Keyring) {
    self.messages = messages
    self.keyring = keyring
  }

  func original(at position: Position, domain: String) -> (subject: String, sealedPayload: [UInt8])? {
    var low = 0, high = messages.count
    while low < high {
      let middle = (low + high) / 2
      let view = MessageView(messages[middle])
      guard let sequence = view.delivery?.streamSequence else { return nil }
      if sequence == position.sequence {
        let payload = PayloadSeal.seal(view.payload, keyring.keys(domain: domain))
        return (String(decoding: view.subject, as: UTF8.self), payload)
      }
      if sequence < position.sequence { low = middle + 1 } else { high = middle }
    }
    return nil
  }
}
