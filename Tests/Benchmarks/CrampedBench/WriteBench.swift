// Chunks to disk: encoding alone, and the synced writes of what it made, without anything else.

import Bedrock
import Columnar
import EventDecoding
import EventSchema
import HotTier
import Runtime
import StorageContract

enum WriteBench {
  static func run(_ options: BenchOptions, folder: String, _ report: inout Report) throws(Fault) {
    let clock = Clock.system
    let table = try Tables.measurement()
    let layout = ChunkLayout(table.schema)
    let decoder = try Tables.decoder()
    var chunks: [Chunk] = []
    var first = 0
    while first < options.events {
      let count = min(options.batch, options.events - first)
      let batch = Tables.decode(Tables.payloads(first..<(first + count)), first: first, with: decoder)
      chunks.append(batch.tables[0].chunk)
      first += count
    }
    var start = clock.monotonicNanos()
    var encoded: [EncodedChunk] = []
    for chunk in chunks { encoded.append(try ChunkCodec.encode(chunk, layout: layout, writtenMicros: 1)) }
    let bytes = encoded.reduce(0) { $0 + $1.bytes.count }
    report.add(
      "chunk encoding alone", options.events, clock.monotonicNanos() - start,
      note: "\(bytes / options.events) bytes an event")
    let tier = try HotTier(.init(folder: "\(folder)/raw", cacheBytes: 0))
    start = clock.monotonicNanos()
    for chunk in encoded {
      var write = HotWrite()
      write.chunks.append(HotWrite.NewChunk(table: table.id, chunk: chunk, decoded: nil))
      _ = try tier.write(write)
    }
    let nanos = clock.monotonicNanos() - start
    report.add(
      "RocksDB write alone, synced", options.events, nanos,
      note: "\(nanos / UInt64(encoded.count) / 1_000) µs a batch")
    try tier.close()
  }
}
