// Deflate without a header (RFC 1951), as Avro's codec "deflate" has it. The size of the result is not written down, so
// the caller names a maximum.

package import Bedrock
import CCodecs

package enum RawDeflate {
  /// No zlib header and no checksum; the largest window.
  private static let windowBits: Int32 = -15
  private static let streamBytes = Int32(MemoryLayout<z_stream>.size)

  /// The compressed form of `bytes` by zlib's level 6.
  package static func compress(_ bytes: [UInt8]) throws(Fault) -> [UInt8] {
    var stream = z_stream()
    guard deflateInit2_(&stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, streamBytes) == Z_OK
    else { throw Fault(.outOfMemory, "no memory for a compression context") }
    defer { deflateEnd(&stream) }
    guard let sourceCount = UInt32(exactly: bytes.count) else {
      throw Fault(.programLimitExceeded, "a block of \(bytes.count) bytes is too large for deflate")
    }
    var source = bytes
    let bound = Int(deflateBound(&stream, UInt(sourceCount)))
    guard let boundCount = UInt32(exactly: bound) else {
      throw Fault(.programLimitExceeded, "a block of \(bytes.count) bytes is too large for deflate")
    }
    var status = Z_OK
    let output = source.withUnsafeMutableBufferPointer { input in
      [UInt8](unsafeUninitializedCapacity: bound) { target, count in
        stream.next_in = input.baseAddress
        stream.avail_in = sourceCount
        stream.next_out = target.baseAddress
        stream.avail_out = boundCount
        status = deflate(&stream, Z_FINISH)
        count = bound - Int(stream.avail_out)
      }
    }
    guard status == Z_STREAM_END else { throw Fault.bug("deflate refused to compress a block") }
    return output
  }

  /// What `bytes` were before. Throws XX001 when they do not decode, 54000 when the result is over `bytesMax`.
  package static func decompress(_ bytes: [UInt8], bytesMax: Int) throws(Fault) -> [UInt8] {
    var stream = z_stream()
    guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, streamBytes) == Z_OK else {
      throw Fault(.outOfMemory, "no memory for a decompression context")
    }
    defer { inflateEnd(&stream) }
    guard let sourceCount = UInt32(exactly: bytes.count) else { throw Fault.corrupt("a deflate block is too long") }
    var source = bytes
    var output: [UInt8] = []
    // Grows with what really comes out: a short hostile block cannot make the reader allocate much.
    var step = min(max(bytes.count * 4, 4_096), 1 << 20)
    var status = Z_OK
    source.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = sourceCount
      while status == Z_OK && output.count <= bytesMax {
        let piece = [UInt8](unsafeUninitializedCapacity: step) { target, count in
          stream.next_out = target.baseAddress
          stream.avail_out = UInt32(step)
          status = inflate(&stream, Z_NO_FLUSH)
          count = step - Int(stream.avail_out)
        }
        if piece.isEmpty && status == Z_OK { status = Z_BUF_ERROR }
        output += piece
        step = min(step * 2, 1 << 20)
      }
    }
    guard output.count <= bytesMax else {
      throw Fault(.programLimitExceeded, "a deflate block decodes to more than \(bytesMax) bytes")
    }
    guard status == Z_STREAM_END, stream.avail_in == 0 else { throw Fault.corrupt("a deflate block does not decode") }
    return output
  }
}
