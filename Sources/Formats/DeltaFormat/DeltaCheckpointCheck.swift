// What the fuzzers assert about hostile checkpoints and deletion vectors, and what the tests replay: nothing traps, no
// length is believed, and what is taken survives a round trip.

package import Bedrock
import Columnar
import ParquetFormat

package enum DeltaCheckpointCheck {
  /// The actions of a checkpoint file that is wholly in memory.
  package static func read(_ bytes: [UInt8]) throws(Fault) -> DeltaCheckpointPart {
    let tail = Buffer.copying(bytes)
    guard case .file(let file) = try ParquetFooter.parse(tail: tail.bytes, fileByteCount: bytes.count) else {
      throw Fault.corrupt("a Parquet footer is longer than its file")
    }
    return try DeltaCheckpointReader.read(file) { (range) throws(Fault) in
      guard range.lowerBound >= 0, range.upperBound <= bytes.count else {
        throw Fault.corrupt("a Parquet file is shorter than its footer says")
      }
      return Buffer.copying(Array(bytes[range]))
    }
  }

  /// False when a state that was read from a checkpoint does not read back equal.
  package static func check(checkpoint input: UnsafeRawBufferPointer) -> Bool {
    guard let part = attempt({ () throws(Fault) in try read(Array(input)) }) else { return true }
    var state = DeltaSnapshot()
    guard attempt({ () throws(Fault) in try state.load(checkpoint: part.actions) }) != nil,
      attempt({ () throws(Fault) in try state.finish(checkpoint: 3) }) != nil,
      let written = attempt({ () throws(Fault) in try DeltaCheckpointWriter.write(state, tombstonesAfter: .min) })
    else { return true }
    var again = DeltaSnapshot()
    // Texts over the limits of a page need not survive.
    guard let back = attempt({ () throws(Fault) in try read(written.bytes) }) else { return written.bytes.count > 1 << 20 }
    guard attempt({ () throws(Fault) in try again.load(checkpoint: back.actions) }) != nil,
      attempt({ () throws(Fault) in try again.finish(checkpoint: 3) }) != nil
    else { return false }
    return again.isEqual(to: state, tombstonesAfter: .min)
  }

  /// False when the rows of a vector contradict each other.
  package static func check(deletionVector input: UnsafeRawBufferPointer) -> Bool {
    let bytes = Array(input)
    _ = attempt { () throws(Fault) in
      try DeletionVectorDecoder.decode(stored: bytes, byteCount: max(0, bytes.count - 8), cardinality: 1)
    }
    if let text = String(validating: bytes, as: UTF8.self) { _ = DeletionVectorDecoder.z85(text) }
    guard let rows = attempt({ () throws(Fault) in try DeletionVectorDecoder.decode(data: bytes, cardinality: nil) })
    else { return true }
    let deleted = rows.rows
    guard deleted.count == rows.count else { return false }
    guard let first = deleted.first else { return rows.survivors(of: 0..<100_000) == nil }
    let range = max(0, first - 3)..<(first + 10_000)
    let live = rows.survivors(of: range) ?? range.map { Int32($0 - range.lowerBound) }
    return live == range.filter { !rows.contains($0) }.map { Int32($0 - range.lowerBound) } && rows.contains(first)
  }

  /// Nil for input that is refused, as most hostile input is.
  private static func attempt<R>(_ body: () throws(Fault) -> R) -> R? {
    do throws(Fault) { return try body() } catch { return nil }
  }
}
