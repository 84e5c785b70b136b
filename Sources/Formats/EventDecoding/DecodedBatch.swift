// What a batch of messages decodes to.

package import Bedrock
package import Columnar
package import EventSchema
package import StorageContract

/// Values of one field that must be hashed before anything is stored. `values[i]` belongs to row `rows[i]` of text column
/// `column`, which is null there until then. Rows rise.
package struct PendingHash: Sendable {
  package let column: Int
  package let algorithm: HashAlgorithm
  package let rows: [Int32]
  /// bytea without nulls: text as UTF-8, integers as decimal digits, UUIDs in lower case, Data as it is.
  package let values: Column
}

/// The rows of one table, in log order.
package struct DecodedTable: Sendable {
  package let table: TableID
  package let schemaVersion: Int
  package let domain: String
  package let entity: String
  /// All columns of the schema version. Not fit to be stored while `pendingHashes` is not empty.
  package let chunk: Chunk
  package let pendingHashes: [PendingHash]
}

package struct DecodedBatch: Sendable {
  package var tables: [DecodedTable] = []
  package var errors: [ErrorRow] = []
  /// Content keys that no schema names, and values that `onError(null)` turned to null.
  package var unknownFields = 0
  package var nulledValues = 0
}

/// A message as the broker delivers it. The pointers must be valid during `EventDecoder.decode`.
package struct IncomingEvent {
  package let subject: UnsafeBufferPointer<UInt8>
  package let payload: UnsafeRawBufferPointer
  package let position: Position
  /// The broker's time of the message, µs since 1970.
  package let receivedMicros: Int64
  /// Whatever the header look-up needs to find this message's headers; `nil`: it has none.
  package let message: OpaquePointer?

  package init(
    subject: UnsafeBufferPointer<UInt8>, payload: UnsafeRawBufferPointer, position: Position, receivedMicros: Int64,
    message: OpaquePointer? = nil
  ) {
    self.subject = subject
    self.payload = payload
    self.position = position
    self.receivedMicros = receivedMicros
    self.message = message
  }
}
