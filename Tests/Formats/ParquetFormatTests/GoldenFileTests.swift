// Every file of apache/parquet-testing: the values that pyarrow reads, or a fault where there is nothing right to read.

import Bedrock
import Columnar
import ParquetFormat
import Testing

/// Fields of a file that give a fault, with it.
private func faults(_ path: String) throws -> [String: Fault] {
  let bytes = try GoldenFiles.bytes(path)
  let file = try Files.parse(bytes)
  var faults: [String: Fault] = [:]
  for field in file.fields {
    do { _ = try GoldenFiles.tokens(bytes, file, field, run: 1_000) } catch let fault as Fault { faults[field.name] = fault }
  }
  return faults
}

private func values(_ path: String, _ name: String) throws -> [String] {
  let bytes = try GoldenFiles.bytes(path)
  let file = try Files.parse(bytes)
  return try GoldenFiles.tokens(bytes, file, #require(file.field(path: [name])), run: 1_000)
}

@Suite(.enabled(if: GoldenFiles.areThere, GoldenFiles.absent)) struct GoldenFileTests {
  @Test(arguments: [Limits.chunkRowsMax, 3])
  func valuesAreThoseOfPyarrow(run: Int) throws {
    var files = 0
    for (name, lines) in try GoldenFiles.expected() where lines[0][0] != "refused" {
      files += 1
      let bytes = try GoldenFiles.bytes("data/" + name)
      let file = try Files.parse(bytes)
      #expect(file.fields.map(\.name) == lines.map { $0[0] }, "\(name)")
      for (field, line) in zip(file.fields, lines) {
        do {
          let found = try GoldenFiles.summary(GoldenFiles.tokens(bytes, file, field, run: run))
          #expect(found == Array(line[1...]), "\(name) column \(field.name) of type \(field.type)")
        } catch {
          Issue.record("\(name) column \(field.name): \(error)")
        }
      }
    }
    #expect(files == 71)
  }

  @Test func skippedRowsLeaveTheOthers() throws {
    for (name, lines) in try GoldenFiles.expected() where lines[0][0] != "refused" {
      let bytes = try GoldenFiles.bytes("data/" + name)
      let file = try Files.parse(bytes)
      for field in file.fields where file.rowCount < 2_000 {
        let all = try GoldenFiles.tokens(bytes, file, field, run: 5_000)
        var row = 0
        for group in file.rowGroups.indices {
          let reader = try GoldenFiles.reader(bytes, file, field, group: group)
          while reader.rowsRemaining > 0 {
            let before = reader.rowsRemaining
            try reader.skip(rows: 2)
            row += before - reader.rowsRemaining
            let column = try reader.decode(rows: 1)
            for scalar in column.scalars {
              #expect(GoldenFiles.token(scalar, column.type) == all[row], "\(name) column \(field.name) row \(row)")
              row += 1
            }
          }
        }
        #expect(row == all.count)
      }
    }
  }

  @Test func checksumsAreProved() throws {
    let v1 = try faults("data/datapage_v1-corrupt-checksum.parquet")
    #expect(Set(v1.keys) == ["a", "b"])
    let dictionary = try faults("data/rle-dict-uncompressed-corrupt-checksum.parquet")
    #expect(Set(dictionary.keys) == ["long_field", "binary_field"])
    for fault in Array(v1.values) + Array(dictionary.values) {
      #expect(fault.state == .dataCorrupted && fault.message.contains("checksum"))
    }
  }

  @Test func encryptionIsRefusedByName() throws {
    for name in ["encrypt_columns_and_footer", "uniform_encryption"] {
      let bytes = try GoldenFiles.bytes("data/\(name).parquet.encrypted")
      let fault = #expect(throws: Fault.self) { try Files.parse(bytes) }
      #expect(fault?.state == .featureNotSupported && fault?.message.contains("encrypted") == true)
    }
  }

  @Test func plainColumnsOfAFileWithEncryptedOnesAreRead() throws {
    let path = "data/encrypt_columns_plaintext_footer.parquet.encrypted"
    let refused = try faults(path)
    #expect(Set(refused.keys) == ["double_field", "float_field"])
    for fault in refused.values { #expect(fault.message.contains("encrypted Parquet column")) }
    #expect(try values(path, "boolean_field").prefix(4) == ["true", "false", "true", "false"])
    #expect(try values(path, "int32_field").prefix(4) == ["0", "1000", "2000", "3000"])
  }

  @Test func aMapWithKeysThatMayBeNullIsAMap() throws {
    // pyarrow refuses the schema; the keys that exist are no less keys.
    #expect(try values("data/incorrect_map_schema.parquet", "my_map") == [#"{"name": "report", "parent": "another"}"#])
  }

  @Test func variantsAreRefusedByName() throws {
    let found = try faults("shredded_variant/case-001.parquet")
    #expect(Array(found.keys) == ["var"])
    #expect(found["var"]?.state == .featureNotSupported && found["var"]?.message.contains("VARIANT") == true)
  }

  @Test func aMemberOfAStructIsAColumn() throws {
    let bytes = try GoldenFiles.bytes("data/nested_structs.rust.parquet")
    let file = try Files.parse(bytes)
    let member = try #require(file.field(path: ["CVA_2012", "max"]))
    #expect(member.type == .int8 && file.field(path: ["CVA_2012", "absent"]) == nil)
    #expect(try GoldenFiles.tokens(bytes, file, member, run: 10) == ["32150509"])
    let nulls = try GoldenFiles.bytes("data/nulls.snappy.parquet")
    let nullFile = try Files.parse(nulls)
    let inner = try #require(nullFile.field(path: ["b_struct", "b_c_int"]))
    #expect(inner.type == .int4)
    #expect(try GoldenFiles.tokens(nulls, nullFile, inner, run: 3) == [String](repeating: "null", count: 8))
  }

  @Test func nestedValuesHaveTheirTypes() throws {
    for (path, name, type) in [
      ("list_columns", "int64_list", DataType.array(.int8)), ("list_columns", "utf8_list", .array(.text)),
      ("nested_lists.snappy", "a", .jsonb), ("nested_maps.snappy", "a", .jsonb), ("nulls.snappy", "b_struct", .jsonb),
      ("map_no_value", "my_map_no_v", .array(.int4)), ("repeated_primitive_no_list", "Int32_list", .array(.int4)),
      ("old_list_structure", "a", .jsonb), ("int96_from_spark", "a", .timestamp),
    ] {
      let file = try Files.parse(GoldenFiles.bytes("data/\(path).parquet"))
      #expect(file.field(path: [name])?.type == type, "\(path) column \(name)")
    }
  }

  @Test func aDecompressionBombIsRefused() throws {
    // Four kilobytes of brotli that unfold to two gigabytes of one string.
    for fault in try faults("data/large_string_map.brotli.parquet").values {
      #expect(fault.state == .programLimitExceeded || fault.state == .dataCorrupted)
    }
    #expect(try faults("data/large_string_map.brotli.parquet").count == 1)
  }

  @Test func badFilesGiveFaults() throws {
    let schema = try GoldenFiles.bytes("bad_data/PARQUET-1481.parquet")
    #expect(throws: Fault.self) { try Files.parse(schema) }
    let footer = try GoldenFiles.bytes("bad_data/ARROW-RS-GH-6229-DICTHEADER.parquet")
    #expect(throws: Fault.self) { try Files.parse(footer) }
    for (name, columns) in [
      // timestamp_s_no_tz: only the statistics in its page header are damaged, but they are part of the header.
      ("ARROW-GH-41317", ["timestamp_s_no_tz", "timestamp_us_no_tz"]), ("ARROW-GH-45185", ["x"]), ("ARROW-RS-GH-6229-LEVELS", ["outer"]),
      ("ARROW-GH-41321", ["fixed_size_list_float64", "int64", "large_binary", "map_float32"]),
      ("ARROW-GH-47662", ["flba_field"]),
    ] {
      let found = try faults("bad_data/\(name).parquet")
      #expect(found.keys.sorted() == columns, "\(name)")
      for fault in found.values { #expect(fault.state == .dataCorrupted) }
    }
    // Codes of no bits: odd, but every one is 0.
    #expect(try faults("bad_data/ARROW-GH-43605.parquet").isEmpty)
  }
}
