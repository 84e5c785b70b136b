// XXH64 (Yann Collet, xxHash specification 0.1.1, seed 0): the 64-bit hash of a payload in column `_hash`. It is stored,
// so it must give the same value for ever.

enum XXHash64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard let base = bytes.baseAddress else { return finish(prime5, nil, 0, 0) }
    let count = bytes.count
    var offset = 0
    var hash: UInt64
    if count >= 32 {
      var a = prime1 &+ prime2, b = prime2, c: UInt64 = 0, d = 0 &- prime1
      while count - offset >= 32 {
        a = round(a, word(base, offset))
        b = round(b, word(base, offset + 8))
        c = round(c, word(base, offset + 16))
        d = round(d, word(base, offset + 24))
        offset += 32
      }
      hash = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
      hash = merge(merge(merge(merge(hash, a), b), c), d)
    } else {
      hash = prime5
    }
    return finish(hash &+ UInt64(count), base, offset, count)
  }

  private static func finish(_ start: UInt64, _ base: UnsafeRawPointer?, _ from: Int, _ count: Int) -> UInt64 {
    var hash = start
    if let base {
      var offset = from
      while count - offset >= 8 {
        hash = rotate(hash ^ round(0, word(base, offset)), 27) &* prime1 &+ prime4
        offset += 8
      }
      if count - offset >= 4 {
        let half = UInt64(base.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian)
        hash = rotate(hash ^ half &* prime1, 23) &* prime2 &+ prime3
        offset += 4
      }
      while offset < count {
        hash = rotate(hash ^ UInt64(base.load(fromByteOffset: offset, as: UInt8.self)) &* prime5, 11) &* prime1
        offset += 1
      }
    }
    hash = (hash ^ hash >> 33) &* prime2
    hash = (hash ^ hash >> 29) &* prime3
    return hash ^ hash >> 32
  }

  private static func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    base.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
  }
  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 { rotate(lane &+ word &* prime2, 31) &* prime1 }
  private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 { (hash ^ round(0, lane)) &* prime1 &+ prime4 }
}
