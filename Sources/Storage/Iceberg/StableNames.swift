// Names and numbers that follow from the table and its version alone, so that the same version is always the same bytes.
//
//   _iceberg/metadata/v<N>.metadata.json      the table at Delta version N
//   _iceberg/metadata/snap-<N>-<id>.avro      the manifest list of version N
//   _iceberg/metadata/<N>-m<k>.avro           the manifests that version N added
//   _iceberg/metadata/version-hint.text       N of the newest

import Bedrock
import ObjectStore

enum StableNames {
  static let folder = "_iceberg/metadata"
  static let hint = "version-hint.text"

  static func metadata(_ version: Int64) -> String { "v\(version).metadata.json" }
  static func list(_ version: Int64, snapshotID: Int64) -> String { "snap-\(version)-\(snapshotID).avro" }
  static func manifest(_ version: Int64, _ index: Int) -> String { "\(version)-m\(index).avro" }

  /// What a file of the folder is.
  enum Kind: Equatable {
    case metadata(Int64), list(Int64), manifest(Int64), other
  }

  static func kind(_ name: String) -> Kind {
    if name.hasPrefix("v"), name.hasSuffix(".metadata.json"), let version = number(name.dropFirst().dropLast(14)) {
      return .metadata(version)
    }
    guard name.hasSuffix(".avro") else { return .other }
    let parts = name.dropLast(5).split(separator: "-", omittingEmptySubsequences: false)
    if parts.count == 3, parts[0] == "snap", let version = number(parts[1]), number(parts[2]) != nil {
      return .list(version)
    }
    if parts.count == 2, let version = number(parts[0]), parts[1].hasPrefix("m"), number(parts[1].dropFirst()) != nil {
      return .manifest(version)
    }
    return .other
  }

  private static func number(_ text: Substring) -> Int64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
    return Int64(text)
  }

  /// A positive id for the snapshot of a version; differs from table to table.
  static func snapshotID(_ tableUUID: String, _ version: Int64) -> Int64 {
    max(1, Int64(bitPattern: hash(tableUUID, version, 0) >> 1))
  }

  /// The 16 bytes between the blocks of an Avro file; `index` tells the files of a version apart.
  static func sync(_ tableUUID: String, _ version: Int64, _ index: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for half in 0..<2 {
      let word = hash(tableUUID, version, UInt64(index) &* 2 &+ UInt64(half) &+ 1)
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }
    return bytes
  }

  /// FNV-1a over the text, then the finalizer of SplitMix64.
  private static func hash(_ text: String, _ version: Int64, _ salt: UInt64) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = hash &+ UInt64(bitPattern: version) &* 0x9E37_79B9_7F4A_7C15 &+ salt &* 0xD1B5_4A32_D192_ED03
    hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
    return hash ^ hash >> 31
  }
}
