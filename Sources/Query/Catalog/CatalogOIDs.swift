// Oids of what is not built in. They follow from table ids and names alone, so they stay the same over restarts.
//
//   14320, 14321     foreign data wrappers delta and parquet
//   14325, 14326     foreign servers delta and parquet
//   14335            schema cramped
//   14336 ..< 15360  relations that the server computes, placed by name; + 1024: their row types
//   16384 + id*4096  one block a table:
//                      + 0              the table
//                      + 1 ..< 2048     its event views, placed by name
//                      + 2048 + slot    row types of both
//                      + 4095           the schema, in the block of the schema's first table
//
// "Placed by name": the slot is the name's hash, or the next free one, in order of the names; so adding a view moves
// another one only when their slots meet.

import StorageContract

enum CatalogOIDs {
  static let firstForeignWrapper: UInt32 = 14_320
  static let firstForeignServer: UInt32 = 14_325
  static let crampedSchema: UInt32 = 14_335
  static let firstServerRelation: UInt32 = 14_336
  static let serverRelationsMax: UInt32 = 1_024
  static let firstTable: UInt32 = 16_384
  static let blockSize: UInt32 = 4_096
  static let rowTypeOffset: UInt32 = 2_048
  static let schemaOffset: UInt32 = 4_095
  static let pgCatalog: UInt32 = 11
  static let publicSchema: UInt32 = 2_200
  /// The role that owns everything.
  static let owner: Int64 = 10
  /// The one database.
  static let database: Int64 = 5

  /// The first oid of a table's block, which is the table's own.
  static func block(of table: TableID) -> UInt32 {
    precondition(table.raw < (UInt32.max - firstTable) / blockSize, "more tables than oids")
    return firstTable + table.raw * blockSize
  }

  /// A slot in 0 ..< slots for every name; `nil` for those that find none free.
  static func slots(for names: [String], slots: UInt32) -> [UInt32?] {
    var taken: Set<UInt32> = []
    var result: [UInt32?] = Array(repeating: nil, count: names.count)
    for index in names.indices.sorted(by: { names[$0] < names[$1] }) where taken.count < Int(slots) {
      var slot = hash(names[index]) % slots
      while taken.contains(slot) { slot = (slot + 1) % slots }
      taken.insert(slot)
      result[index] = slot
    }
    return result
  }

  /// FNV-1a, because it must never change.
  private static func hash(_ name: String) -> UInt32 {
    name.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }
}
