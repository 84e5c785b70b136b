// approx_count_distinct: HyperLogLog over 64-bit hashes.
//
// A group counts exactly up to 256 values. Beyond that it has 4,096 registers (12 bits of the hash choose one, which
// keeps the longest run of leading zeros of the other 52, plus one): a standard error of 1.6 per cent, 4 KiB a group.
// Small estimates are corrected by the number of registers still empty. The result does not depend on the order of rows.

import Bedrock
import Columnar
import Glibc
import Kernels

final class DistinctSketchState: AggregateState {
  private static let exactMax = 256
  private static let registerBits = 12

  private struct Sketch {
    var exact: Set<UInt64> = []
    /// Empty while the count is exact.
    var registers: [UInt8] = []

    mutating func add(_ hash: UInt64) {
      if registers.isEmpty {
        exact.insert(hash)
        if exact.count > exactMax { spill() }
        return
      }
      note(hash)
    }

    @inline(__always)
    private mutating func note(_ hash: UInt64) {
      let register = Int(hash >> UInt64(64 - registerBits))
      // the bit set below the rest ends every run
      let rest = hash << UInt64(registerBits) | 1 << UInt64(registerBits - 1)
      registers[register] = max(registers[register], UInt8(rest.leadingZeroBitCount + 1))
    }

    private mutating func spill() {
      registers = [UInt8](repeating: 0, count: 1 << registerBits)
      for hash in exact { note(hash) }
      exact = []
    }

    mutating func add(_ other: Sketch) {
      for hash in other.exact { add(hash) }
      if other.registers.isEmpty { return }
      if registers.isEmpty { spill() }
      for index in registers.indices { registers[index] = max(registers[index], other.registers[index]) }
    }

    var estimate: Int64 {
      if registers.isEmpty { return Int64(exact.count) }
      let m = Double(registers.count)
      var sum = 0.0
      var empty = 0.0
      for register in registers {
        sum += Double(sign: .plus, exponent: -Int(register), significand: 1)
        if register == 0 { empty += 1 }
      }
      let raw = 0.7213 / (1 + 1.079 / m) * m * m / sum
      return Int64((raw <= 2.5 * m && empty > 0 ? m * Glibc.log(m / empty) : raw).rounded())
    }
  }

  private var sketches: [Sketch] = [Sketch()]
  private var held = 0
  var byteCount: Int { sketches.capacity * MemoryLayout<Sketch>.stride + held }
  func grow(to count: Int) { Functions.grow(&sketches, to: count, Sketch()) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let column = arguments[0]
    var hashes = [UInt64](repeating: 0, count: groups.count)
    KeyHash.combine(column, into: &hashes)
    for row in 0..<groups.count where groups[row] >= 0 && !column.isNull(at: row) {
      add(hashes[row], Int(groups[row]) + 1)
    }
  }
  private func add(_ hash: UInt64, _ slot: Int) {
    let wasExact = sketches[slot].registers.isEmpty
    sketches[slot].add(hash)
    held += wasExact ? sketches[slot].registers.isEmpty ? 16 : 1 << Self.registerBits : 0
  }
  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: DistinctSketchState.self)
    for group in 0..<mapping.count { sketches[Int(mapping[group]) + 1].add(other.sketches[group + 1]) }
    held += other.held
  }
  func finish() throws(Fault) -> Column { finished(.int8, sketches.map(\.estimate)) { _ in true } }
}
