// Fetches deletion vectors: out of the log entry, or out of a file of the table.

import Bedrock
import DeltaFormat
import ObjectStore

enum LakeDeletionVectors {
  static func read(_ vector: DeltaDeletionVector, _ place: LakePlace) throws(Fault) -> DeletedRows {
    let byteCount = Int(vector.sizeInBytes)
    guard byteCount >= 0, byteCount <= DeletionVectorDecoder.bytesMax else {
      throw Fault.corrupt("a deletion vector of \(byteCount) bytes is over \(DeletionVectorDecoder.bytesMax)")
    }
    let path: ObjectPath
    switch try vector.place() {
    case .inline(let text):
      guard let data = DeletionVectorDecoder.z85(text), data.count >= byteCount else {
        throw Fault.corrupt("an inline deletion vector of \(place.name) is damaged")
      }
      // Z85 text has a multiple of four bytes; the log says how many are the vector's.
      return try DeletionVectorDecoder.decode(data: Array(data.prefix(byteCount)), cardinality: vector.cardinality)
    case .relative(let name): path = try place.path(name)
    case .absolute(let location): path = try place.path(try DeltaPath.decode(location))
    }
    let offset = vector.offset.map { Int64($0) } ?? 1
    guard offset >= 1 else { throw Fault.corrupt("a deletion vector begins at byte \(offset) of its file") }
    do throws(Fault) {
      let version = try bytes(path, at: 0, count: 1, place)
      guard version == [1] else { throw Fault.unsupported("format \(version[0]) of deletion vector files") }
      let stored = try bytes(path, at: offset, count: byteCount + 8, place)
      return try DeletionVectorDecoder.decode(stored: stored, byteCount: byteCount, cardinality: vector.cardinality)
    } catch {
      let source = "Deletion vector file \"\(path)\"."
      throw Fault(error.state, error.message, kind: error.kind, detail: error.detail.map { "\($0) \(source)" } ?? source)
    }
  }

  private static func bytes(
    _ path: ObjectPath, at offset: Int64, count: Int, _ place: LakePlace
  ) throws(Fault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: Fault?
    bytes.withUnsafeMutableBytes { raw in
      do throws(Fault) { try place.store.read(path, at: offset, into: raw) } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }
}
