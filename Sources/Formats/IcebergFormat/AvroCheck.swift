// What must hold for any bytes taken as an Avro file or as Iceberg's metadata; the fuzzer and its replay call it.

import Bedrock

package enum AvroCheck {
  /// Values that one hostile file may make.
  private static let valuesMax = 200_000

  /// False when a file that reads does not read the same after it was written again.
  package static func check(hostile raw: UnsafeRawBufferPointer) -> Bool {
    let bytes = Array(raw)
    guard let file = try? AvroFile(bytes, valuesMax: valuesMax) else {  // refused
      // Refused is fine; what the fuzzer looks for is a trap. The same bytes may be metadata.
      return checkMetadata(bytes)
    }
    do throws(Fault) {
      var writer = AvroFileWriter(
        schema: file.schema, metadata: [], codec: file.codec, sync: [UInt8](repeating: 7, count: 16))
      for record in file.records { try writer.append(record) }
      let again = try AvroFile(writer.finish(), valuesMax: valuesMax)
      guard again.schema == file.schema && again.records == file.records else { return false }
    } catch { return false }
    _ = try? IcebergManifest(file)  // Avro of another kind is refused; only a trap would be a finding
    _ = try? IcebergManifestList(file)  // the same
    return true
  }

  private static func checkMetadata(_ bytes: [UInt8]) -> Bool {
    // Refusing any bytes is right; refusing what we wrote ourselves is not.
    guard let metadata = try? IcebergTableMetadata(json: bytes) else { return true }  // refused
    guard let again = try? IcebergTableMetadata(json: metadata.json) else { return false }  // a finding
    return again == metadata
  }
}
