// Avro object container files. Apache Avro 1.12 specification, "Object Container Files".
//
//   "Obj" 0x01 | metadata: map of bytes (avro.schema, avro.codec, ...) | sync, 16 bytes
//   block ...    count of records (long) | length (long) | records, by the codec | sync
//
// Codecs: null and deflate. The sync marker is the caller's, so that equal records give equal bytes.

package import Bedrock
import Compression

package enum AvroCodec: String, Sendable, CaseIterable {
  case null, deflate
}

/// Writes one file in memory.
package struct AvroFileWriter {
  /// Bytes of records before compression at which a block ends.
  static let blockBytesTarget = 1_048_576
  private let schema: AvroSchema
  private let codec: AvroCodec
  private let sync: [UInt8]
  private var output = AvroEncoder()
  private var block = AvroEncoder()
  private var blockCount: Int64 = 0

  /// - Parameters:
  ///   - metadata: further entries of the header, in this order.
  ///   - sync: 16 bytes.
  package init(schema: AvroSchema, metadata: [(key: String, value: String)], codec: AvroCodec, sync: [UInt8]) {
    precondition(sync.count == 16, "a sync marker has 16 bytes")
    self.schema = schema
    self.codec = codec
    self.sync = sync
    output.raw([0x4F, 0x62, 0x6A, 0x01])
    output.long(Int64(metadata.count + 2))
    output.string("avro.schema")
    output.string(schema.json)
    output.string("avro.codec")
    output.string(codec.rawValue)
    for entry in metadata {
      output.string(entry.key)
      output.string(entry.value)
    }
    output.long(0)
    output.raw(sync)
  }

  /// Appends a record of the schema's form.
  package mutating func append(_ record: AvroValue) throws(Fault) {
    block.value(record, schema)
    blockCount += 1
    if block.bytes.count >= Self.blockBytesTarget { try endBlock() }
  }

  private mutating func endBlock() throws(Fault) {
    if blockCount == 0 { return }
    output.long(blockCount)
    switch codec {
    case .null: output.bytes(block.bytes)
    case .deflate: output.bytes(try RawDeflate.compress(block.bytes))
    }
    output.raw(sync)
    block = AvroEncoder()
    blockCount = 0
  }

  /// The whole file.
  package mutating func finish() throws(Fault) -> [UInt8] {
    try endBlock()
    return output.bytes
  }
}

/// A file that was read whole.
package struct AvroFile: Sendable {
  /// Values of one file at most, nested ones counted.
  package static let valuesMax = 64_000_000
  package let schema: AvroSchema
  package let codec: AvroCodec
  /// The header's entries but for schema and codec.
  package let metadata: [String: [UInt8]]
  package let records: [AvroValue]

  /// Reads a file. Throws XX001 when it is broken, 0A000 for another codec, 54000 when it is over a limit.
  package init(_ bytes: [UInt8], valuesMax: Int = AvroFile.valuesMax) throws(Fault) {
    guard bytes.count <= Limits.avroFileBytesMax else {
      throw Fault(.programLimitExceeded, "an Avro file of \(bytes.count) bytes is over \(Limits.avroFileBytesMax)")
    }
    var decoder = AvroDecoder(bytes[...], valuesMax: 0)
    guard try decoder.raw(4) == [0x4F, 0x62, 0x6A, 0x01] else { throw Fault.corrupt("an Avro file has no magic bytes") }
    var metadata: [String: [UInt8]] = [:]
    while var left = try decoder.blockCount() {
      while left > 0 {
        let key = try decoder.string()
        metadata[key] = try decoder.byteString()
        left -= 1
      }
    }
    guard let schemaText = metadata.removeValue(forKey: "avro.schema") else {
      throw Fault.corrupt("an Avro file has no schema")
    }
    let codecName = metadata.removeValue(forKey: "avro.codec").map { String(decoding: $0, as: UTF8.self) } ?? "null"
    guard let codec = AvroCodec(rawValue: codecName) else {
      throw Fault.unsupported("the Avro codec \"\(codecName.prefix(40))\"")
    }
    schema = try AvroSchema(json: schemaText)
    self.codec = codec
    self.metadata = metadata
    let sync = try decoder.raw(16)
    var records: [AvroValue] = []
    var budget = valuesMax
    while !decoder.isAtEnd {
      let block = try Self.block(&decoder, sync, codec, schema, &budget)
      records += block
    }
    self.records = records
  }

  private static func block(
    _ decoder: inout AvroDecoder, _ sync: [UInt8], _ codec: AvroCodec, _ schema: AvroSchema, _ budget: inout Int
  ) throws(Fault) -> [AvroValue] {
    let count = try decoder.long()
    guard count >= 0, count <= Int64(budget) else { throw Fault.corrupt("an Avro block has \(count) records") }
    var body = try decoder.byteString()
    guard body.count <= Limits.avroBlockBytesMax else {
      throw Fault(.programLimitExceeded, "an Avro block of \(body.count) bytes is over \(Limits.avroBlockBytesMax)")
    }
    if codec == .deflate { body = try RawDeflate.decompress(body, bytesMax: Limits.avroBlockBytesMax) }
    guard try decoder.raw(16) == sync else { throw Fault.corrupt("an Avro block does not end with the sync marker") }
    var reader = AvroDecoder(body[...], valuesMax: budget)
    var records: [AvroValue] = []
    for _ in 0..<count { records.append(try reader.value(schema)) }
    guard reader.isAtEnd else { throw Fault.corrupt("an Avro block has bytes behind its records") }
    budget = reader.valuesLeft
    return records
  }
}
