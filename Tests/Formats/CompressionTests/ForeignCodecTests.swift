// Codecs that only others write, on bytes made by their reference tools (Python's gzip and zlib modules, brotli, lz4).

import Bedrock
import Columnar
import Compression
import Testing

private func bytes(hex: String) -> [UInt8] {
  var result: [UInt8] = []
  var high: UInt8?
  for character in hex.utf8 {
    let digit = character < 0x40 ? character - 0x30 : (character | 0x20) - 0x57
    if let first = high {
      result.append(first << 4 | digit)
      high = nil
    } else {
      high = digit
    }
  }
  return result
}

private func decompress(_ input: [UInt8], _ codec: Codec, _ byteCount: Int) throws(Fault) -> [UInt8] {
  var decompressor = Decompressor()
  var fault: Fault?
  let output = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
    let out = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<byteCount])
    do throws(Fault) { try decompressor.decompress(input.span.bytes, codec: codec, into: out) } catch { fault = error }
    count = byteCount
  }
  if let fault { throw fault }
  return output
}

/// "columnar columnar columnar" in each form.
private let text = Array("columnar columnar columnar".utf8)

private let gzipOne = "1f8b08000000000002034bcecf29cdcd4b2c524846670000066433a91a000000"
private let gzipMembers = "1f8b08000000000002034bcecf29cdcd4b2c5200005c08fc48090000001f8b08000000000002034bcecf29cdcd4b2c5248863200a505e17a11000000"
private let zlibStream = "789c4bcecf29cdcd4b2c5248466700008c210a64"
private let brotliStream = "1b1900002441c2e48a106d8ab1c437"
private let lz4Block = "98636f6c756d6e617220090050756d6e6172"
private let lz4Frame = "04224d186040821200000098636f6c756d6e617220090050756d6e617200000000"
private let lz4Hadoop = "000000090000000a90636f6c756d6e6172200000001100000013f002636f6c756d6e617220636f6c756d6e6172"

@Suite struct ForeignCodecTests {
  @Test(arguments: [
    (gzipOne, Codec.gzip), (gzipMembers, .gzip), (zlibStream, .gzip), (brotliStream, .brotli), (lz4Hadoop, .lz4Hadoop),
    (lz4Block, .lz4Hadoop), (lz4Frame, .lz4Hadoop), (lz4Block, .lz4Raw),
  ])
  func readsTheTextBack(hex: String, codec: Codec) throws {
    #expect(try decompress(bytes(hex: hex), codec, text.count) == text)
  }

  @Test(arguments: [
    (gzipOne, Codec.gzip), (gzipMembers, .gzip), (brotliStream, .brotli), (lz4Hadoop, .lz4Hadoop), (lz4Frame, .lz4Hadoop),
  ])
  func anotherSizeIsCorrupt(hex: String, codec: Codec) {
    for byteCount in [0, 1, text.count - 1, text.count + 1, 1_000] {
      #expect(throws: Fault.self) { try decompress(bytes(hex: hex), codec, byteCount) }
    }
  }

  @Test(arguments: [
    (gzipOne, Codec.gzip), (gzipMembers, .gzip), (brotliStream, .brotli), (lz4Hadoop, .lz4Hadoop), (lz4Frame, .lz4Hadoop),
    (lz4Block, .lz4Raw),
  ])
  func cutAndFlippedBytesGiveAFaultOrAnyText(hex: String, codec: Codec) {
    let whole = bytes(hex: hex)
    for count in 0..<whole.count {
      // A cut LZ4 block or gzip member may happen to be complete; it may never give the whole text.
      if let found = try? decompress(Array(whole[..<count]), codec, text.count) { #expect(found.count == text.count) }
    }
    for place in whole.indices {
      for bit in 0..<8 {
        var damaged = whole
        damaged[place] ^= 1 << UInt8(bit)
        // Whatever it gives, it ends, and it writes no more than was asked for.
        if let found = try? decompress(damaged, codec, text.count) { #expect(found.count == text.count) }
      }
    }
  }

  @Test func aBombEndsAtItsAnnouncedSize() {
    // One LZ4 block that announces 4 GiB of output in Hadoop's frame.
    #expect(throws: Fault.self) { try decompress([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 0], .lz4Hadoop, 16) }
  }
}
