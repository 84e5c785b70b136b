// Places of points along a space-filling curve.
//
//   Z-order   the bits of the coordinates in turn, most significant first
//   Hilbert   the same bits after J. Skilling's transform ("Programming the Hilbert curve", AIP 707, 2004), which turns
//             and mirrors each cell so that the curve only steps to a neighbour

enum ClusteringCurve {
  /// Bits of each of `count` coordinates: together they fill a number of 62 bits.
  static func bits(_ count: Int) -> Int { min(31, 62 / count) }

  /// The place of each row, which is not negative.
  static func codes(_ keys: [ClusteringRanks], _ curve: LakeClustering.Curve) -> [Int64] {
    precondition(keys.count >= 2 && keys.count <= LakeClustering.columnsMax)
    let bits = bits(keys.count), rows = keys[0].ranks.count
    var codes = [Int64](repeating: 0, count: rows)
    var point = [UInt32](repeating: 0, count: keys.count)
    for row in 0..<rows {
      for (axis, key) in keys.enumerated() { point[axis] = spread(key.ranks[row], of: key.count, bits: bits) }
      if curve == .hilbert { transform(&point, bits: bits) }
      codes[row] = Int64(interleave(point, bits: bits))
    }
    return codes
  }

  /// A rank below `count` moved to the same share of `bits` bits.
  private static func spread(_ rank: UInt32, of count: Int, bits: Int) -> UInt32 {
    if count <= 1 { return 0 }
    return UInt32(truncatingIfNeeded: UInt64(rank) * ((1 << UInt64(bits)) - 1) / UInt64(count - 1))
  }

  private static func interleave(_ point: [UInt32], bits: Int) -> UInt64 {
    var code: UInt64 = 0
    for bit in stride(from: bits - 1, through: 0, by: -1) {
      for axis in point { code = code << 1 | UInt64(axis >> UInt32(bit) & 1) }
    }
    return code
  }

  /// Coordinates to the transposed form of the Hilbert index.
  static func transform(_ point: inout [UInt32], bits: Int) {
    let last = point.count - 1
    var mask: UInt32 = 1 << UInt32(bits - 1)
    while mask > 1 {
      let low = mask - 1
      for axis in point.indices {
        if point[axis] & mask != 0 {
          point[0] ^= low
        } else {
          let swapped = (point[0] ^ point[axis]) & low
          point[0] ^= swapped
          point[axis] ^= swapped
        }
      }
      mask >>= 1
    }
    for axis in 1...last { point[axis] ^= point[axis - 1] }
    var turned: UInt32 = 0
    mask = 1 << UInt32(bits - 1)
    while mask > 1 {
      if point[last] & mask != 0 { turned ^= mask - 1 }
      mask >>= 1
    }
    for axis in point.indices { point[axis] ^= turned }
  }
}
