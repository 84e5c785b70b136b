import Bedrock
import CapnpSchema
import Columnar
import EventSchema
import Foundation
import Testing

private let schemas = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("schemas").path

private func parse(_ body: String) throws(Fault) -> [EventType] {
  let text = "@0xc1c2ffe65411720e;\nusing Metadata = import \"/cramped/metadata.capnp\";\n" + body
  return try SchemaRegistry.events(in: [SchemaText(path: "t/x.capnp", text: text)])
}

private func fault(_ body: String) -> Fault? {
  do throws(Fault) {
    _ = try parse(body)
    return nil
  } catch { return error }
}

@Suite struct SchemaRegistryTests {
  @Test func embeddedTextsEqualTheFiles() throws {
    let files = try SchemaFolder.read(schemas)
    #expect(files.count == EmbeddedSchemas.files.count)
    for file in EmbeddedSchemas.files {
      #expect(files.first { $0.path == file.path }?.text == file.text, "\(file.path)")
    }
  }

  @Test func officialCompilerAcceptsTheFiles() throws {
    for file in EmbeddedSchemas.files {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["capnp", "compile", "-I", schemas, "-o-", "\(schemas)/\(file.path)"]
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(file.path)")
    }
  }

  @Test func examples() throws {
    let events = try SchemaRegistry.events(in: EmbeddedSchemas.files)
    #expect(events.map(\.name.description) == ["iot.measurement.recorded", "shop.order.placed", "user.identity.created"])
    let identity = events[2]
    #expect(identity.fields.map(\.name) == ["userId", "email", "name"])
    #expect(identity.fields.map(\.column) == ["user_id", "email", "content_name"])
    #expect(identity.fields.map(\.policy) == [.id, .hash(.sha256), .tokenize])
    #expect(identity.fields.map(\.slot.offset) == [0, 1, 2])
    #expect(identity.file == "user/identity.capnp")
    let order = events[1]
    #expect(order.fields[2].type == .numeric(.init(precision: 12, scale: 2)))
    #expect(order.fields[2].slot.kind == .int64)
    #expect(order.fields[6].enumerants == ["web", "app", "store"])
  }

  @Test func everyType() throws {
    let events = try parse(
      """
      struct A $Metadata.event("a.b.c") {
        a @0 :Bool = true; b @1 :Int8; c @2 :Int16; d @3 :Int32 = -2; e @4 :Int64; f @5 :UInt8; g @6 :UInt16;
        h @7 :UInt32; i @8 :UInt64; j @9 :Float32; k @10 :Float64 = 1.5; l @11 :Text; m @12 :Data; n @13 :E;
        o @14 :Int64 $Metadata.timestamp(micros); p @15 :Int32 $Metadata.date; q @16 :Text $Metadata.uuid;
        r @17 :Text $Metadata.decimal(precision = 30, scale = 5); s @18 :Int8 $Metadata.onError(null);
        t @19 :Int32 $Metadata.hash(sha512); u @20 :Float64 $Metadata.drop;
        enum E { x @0; y @1; }
      }
      """)
    let fields = try #require(events.first).fields
    #expect(
      fields.map(\.type) == [
        .boolean, .int2, .int2, .int4, .int8, .int2, .int4, .int8, .numeric(.init(precision: 20, scale: 0)), .float4,
        .float8, .text, .bytea, .text, .timestamptz, .date, .uuid, .numeric(.init(precision: 30, scale: 5)), .int2,
        .int4, .float8,
      ])
    #expect(fields[0].slot.defaultBits == 1)
    #expect(fields[3].slot.defaultBits == UInt64(UInt32(bitPattern: -2)))
    #expect(fields[10].slot.defaultBits == (1.5).bitPattern)
    #expect(fields[13].enumerants == ["x", "y"])
    #expect(fields[18].onError == .null && fields[17].onError == .reject)
    #expect(fields[19].policy == .hash(.sha512) && fields[20].policy == .drop)
  }

  @Test func wrongFormOfHashGetsAHint() throws {
    let found = try #require(fault(#"struct A $Metadata.event("a.b.c") { x @0 :Text $Metadata.hash.sha256; }"#))
    #expect(found.state == .invalidSchemaDefinition)
    #expect(found.message.hasPrefix("t/x.capnp:3: "), "\(found.message)")
    #expect(found.hint == "Write $Metadata.hash(sha256).")
  }

  @Test(arguments: [
    ("List(Text)", "a List field"), ("AnyPointer", "an AnyPointer field"), ("B", "a struct field"), ("Void", "a Void field"),
    ("I", "an interface field"), (":group { y @0 :Text; }", "a group or union"),
    (":union { y @0 :Text; z @1 :Text; }", "a group or union"),
  ])
  func unsupportedTypesAreRefusedByName(type: String, name: String) throws {
    let field = type.hasPrefix(":") ? "x \(type)" : "x @0 :\(type);"
    let found = try #require(
      fault("struct B { y @0 :Text; }\ninterface I {}\nstruct A $Metadata.event(\"a.b.c\") {\n  \(field)\n}"))
    #expect(found.state == .featureNotSupported)
    #expect(found.message.contains("t/x.capnp:6") && found.message.contains("\"x\" of A") && found.message.contains(name))
  }

  @Test(arguments: [
    ("x @0 :Text $Metadata.hash(sha256) $Metadata.drop;", "exclude each other"),
    ("x @0 :Text $Metadata.timestamp(micros);", "Int64 only"),
    ("x @0 :Int64 $Metadata.decimal(precision = 40, scale = 2);", "1 to 35"),
    ("x @0 :Int64 $Metadata.decimal(precision = 4, scale = 5);", "at most the precision"),
    ("userID @0 :Text; userId @1 :Text;", "same column"),
    ("x @0 :Text", "x.capnp:5"),
    ("x @0 :Text $Metadata.nothing;", "nothing"),
  ])
  func mistakesAreNamed(body: String, words: String) throws {
    let found = try #require(fault("struct A $Metadata.event(\"a.b.c\") {\n\(body)\n}"))
    #expect(found.state == .invalidSchemaDefinition)
    #expect(found.description.contains(words), "\(found)")
  }

  @Test func eventNamesAreChecked() throws {
    let found = try #require(fault("struct A $Metadata.event(\"a.B.c\") { x @0 :Text; }"))
    #expect(found.message.contains("struct A"))
    let twice = try #require(
      fault("struct A $Metadata.event(\"a.b.c\") { x @0 :Text; } struct B $Metadata.event(\"a.b.c\") { x @0 :Text; }"))
    #expect(twice.message == "event a.b.c is declared twice")
  }

  @Test func structsWithoutEventAreIgnoredAndNestedOnesFound() throws {
    let events = try parse("struct Out { y @0 :List(Text); struct In $Metadata.event(\"a.b.c\") { x @0 :Text; } }")
    #expect(events.map(\.name.name) == ["c"])
  }

  @Test func oneFieldWithTwoTypesIsRefusedByTheTable() throws {
    let events = try parse(
      """
      struct A $Metadata.event("a.b.c") { x @0 :Text; }
      struct B $Metadata.event("a.b.d") { x @0 :Int32; }
      """)
    #expect(throws: Fault.self) {
      try TableSchema.merging(domain: "a", entity: "b", events: events, previous: nil)
    }
  }

  @Test func foreignVocabularyIsRefused() throws {
    #expect(throws: Fault.self) {
      try SchemaRegistry.events(in: [SchemaText(path: SchemaRegistry.vocabularyPath, text: "@0xc1c2ffe65411720e;")])
    }
  }

  @Test func missingFolder() {
    #expect(throws: Fault.self) { try SchemaFolder.read("/nonexistent-schemas") }
  }
}
