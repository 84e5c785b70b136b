// Keys of the engine's records in the hot tier. The first byte tells the kind; numbers are big-endian, so that records
// of one kind come in their order.
//
//   'I'                                instance: 16 bytes
//   'M' shard name                     LogMark: position 8, message time 8, checksum 4, stream created 8
//   'O' table 4                        name of the shard that feeds the table
//   'T' table 4                        S 8, D 8
//   'C' table 4, version 4             TableSchema (SchemaCoding.swift)
//   'L' minute 8, domain               received 8, stored 8, failed 8, duplicate 8
//   'B' table 4, number 4              seen-set as of the last compaction, a part of it (SeenRecords.swift)
//   'D' table 4, number 8              what one batch added to it
//   'E'                                next error id 8
//   'J' number 8                       a job of the scheduler, by its id
//   'A' number 8                       statistics of a table, by its id

import Bedrock
import StorageContract

enum RecordKey {
  static let instance: [UInt8] = [UInt8(ascii: "I")]
  static let nextErrorID: [UInt8] = [UInt8(ascii: "E")]
  static let marks: [UInt8] = [UInt8(ascii: "M")]
  static let owners: [UInt8] = [UInt8(ascii: "O")]
  static let tiers: [UInt8] = [UInt8(ascii: "T")]
  static let schemas: [UInt8] = [UInt8(ascii: "C")]
  static let ledger: [UInt8] = [UInt8(ascii: "L")]
  static let seenBases: [UInt8] = [UInt8(ascii: "B")]
  static let seenDeltas: [UInt8] = [UInt8(ascii: "D")]

  static func maintenance(_ kind: MaintenanceRecord, number: UInt64) -> [UInt8] { [kind.rawValue] + big(number) }
  /// The number in a key of kinds J and A.
  static func maintenanceNumber(of key: [UInt8]) throws(Fault) -> UInt64 { try integer(key, at: 1) }

  static func mark(_ shard: ShardID) -> [UInt8] { marks + Array(shard.name.utf8) }
  static func owner(_ table: TableID) -> [UInt8] { owners + big(table.raw) }
  static func tier(_ table: TableID) -> [UInt8] { tiers + big(table.raw) }
  static func schema(_ table: TableID, version: Int) -> [UInt8] { schemas + big(table.raw) + big(UInt32(version)) }
  static func ledger(minute: Int64, domain: String) -> [UInt8] {
    ledger + big(UInt64(bitPattern: minute) ^ 1 << 63) + Array(domain.utf8)
  }
  static func seenBase(_ table: TableID, number: UInt32) -> [UInt8] { seenBases + big(table.raw) + big(number) }
  static func seenDelta(_ table: TableID, number: UInt64) -> [UInt8] { seenDeltas + big(table.raw) + big(number) }

  /// The table in a key of kinds O, T, C, B, D.
  static func table(of key: [UInt8]) throws(Fault) -> TableID { TableID(raw: try integer(key, at: 1)) }
  /// The number behind the table in a key of kind D.
  static func number(of key: [UInt8]) throws(Fault) -> UInt64 { try integer(key, at: 5) }
  static func shard(of key: [UInt8]) -> ShardID { ShardID(name: String(decoding: key.dropFirst(), as: UTF8.self)) }
  static func minuteAndDomain(of key: [UInt8]) throws(Fault) -> (Int64, String) {
    let flipped: UInt64 = try integer(key, at: 1)
    return (Int64(bitPattern: flipped ^ 1 << 63), String(decoding: key.dropFirst(9), as: UTF8.self))
  }

  private static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
  private static func integer<T: FixedWidthInteger & BitwiseCopyable>(_ key: [UInt8], at offset: Int) throws(Fault) -> T {
    guard key.count >= offset + MemoryLayout<T>.size else { throw .corrupt("a key of the engine is cut short") }
    return T(bigEndian: key.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) })
  }
}
