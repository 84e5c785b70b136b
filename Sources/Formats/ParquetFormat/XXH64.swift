// XXH64 with seed 0, the hash of Parquet's bloom filters (BloomFilter.md: "xxHash, XXH64 with seed 0").
//
// Input of 32 bytes and more runs through four lanes of 8 bytes; what is left is mixed in by 8, 4 and 1 bytes. Words are
// little-endian. Reference: the xxHash specification, github.com/Cyan4973/xxHash, doc/xxhash_spec.md.

enum XXH64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// The hash of some bytes.
  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = prime5
    var at = 0
    if bytes.count >= 32 { hash = stripes(bytes, &at) }
    hash &+= UInt64(truncatingIfNeeded: bytes.count)
    while at + 8 <= bytes.count {
      hash = word(hash, bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian)
      at += 8
    }
    if at + 4 <= bytes.count {
      let half = UInt64(bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self).littleEndian)
      hash = rotate(hash ^ half &* prime1, 23) &* prime2 &+ prime3
      at += 4
    }
    while at < bytes.count {
      hash = rotate(hash ^ UInt64(bytes[at]) &* prime5, 11) &* prime1
      at += 1
    }
    return avalanche(hash)
  }

  /// The hash of the 8 little-endian bytes of `value`.
  @inline(__always)
  static func hash(_ value: UInt64) -> UInt64 { avalanche(word(prime5 &+ 8, value)) }

  /// The hash of the 4 little-endian bytes of `value`.
  @inline(__always)
  static func hash(_ value: UInt32) -> UInt64 {
    avalanche(rotate((prime5 &+ 4) ^ UInt64(value) &* prime1, 23) &* prime2 &+ prime3)
  }

  private static func stripes(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> UInt64 {
    var a = prime1 &+ prime2, b = prime2, c: UInt64 = 0, d = 0 &- prime1
    while at + 32 <= bytes.count {
      a = round(a, bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian)
      b = round(b, bytes.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self).littleEndian)
      c = round(c, bytes.loadUnaligned(fromByteOffset: at + 16, as: UInt64.self).littleEndian)
      d = round(d, bytes.loadUnaligned(fromByteOffset: at + 24, as: UInt64.self).littleEndian)
      at += 32
    }
    var hash = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
    hash = (hash ^ round(0, a)) &* prime1 &+ prime4
    hash = (hash ^ round(0, b)) &* prime1 &+ prime4
    hash = (hash ^ round(0, c)) &* prime1 &+ prime4
    hash = (hash ^ round(0, d)) &* prime1 &+ prime4
    return hash
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }

  @inline(__always)
  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ input &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func word(_ hash: UInt64, _ input: UInt64) -> UInt64 {
    rotate(hash ^ round(0, input), 27) &* prime1 &+ prime4
  }

  @inline(__always)
  private static func avalanche(_ hash: UInt64) -> UInt64 {
    var hash = hash
    hash ^= hash >> 33
    hash = hash &* prime2
    hash ^= hash >> 29
    hash = hash &* prime3
    return hash ^ hash >> 32
  }
}
