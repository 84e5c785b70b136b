import Bedrock
import Columnar
import EventSchema
import Testing

@Suite("Table schemas")
struct TableSchemaTests {
  func field(_ name: String, _ type: DataType, _ policy: FieldPolicy = .keep) -> EventField {
    EventField(
      name: name, column: EventField.columnName(of: name), type: type,
      slot: CapnpSlot(kind: .text, offset: 0, defaultBits: 0), policy: policy, onError: .reject)
  }

  func event(_ name: String, _ fields: [EventField]) throws -> EventType {
    EventType(name: try EventName(name), fields: fields, typeID: 1, file: "a.capnp")
  }

  @Test func columnNames() {
    #expect(EventField.columnName(of: "userId") == "user_id")
    #expect(EventField.columnName(of: "value") == "value")
    #expect(EventField.columnName(of: "HTTPStatus") == "http_status")
    #expect(EventField.columnName(of: "orderID") == "order_id")
  }

  @Test func eventsOfOneEntityShareColumns() throws {
    let created = try event("user.identity.created", [field("userId", .text, .id), field("email", .text, .hash(.sha256))])
    let renamed = try event("user.identity.renamed", [field("userId", .text, .id), field("age", .int4)])
    let schema = try TableSchema.merging(domain: "user", entity: "identity", events: [renamed, created], previous: nil)
    #expect(schema.version == 1)
    #expect(schema.columns.dropFirst(SystemColumn.count).map(\.name) == ["user_id", "email", "age"])
    #expect(schema.columns.dropFirst(SystemColumn.count).map(\.fieldID) == [16, 17, 18])
    #expect(schema.columns.filter(\.isPersonal).map(\.name) == ["user_id", "email"])
  }

  @Test func versionsOnlyAdd() throws {
    let first = try TableSchema.merging(
      domain: "a", entity: "b", events: [event("a.b.c", [field("x", .int8)])], previous: nil)
    let same = try TableSchema.merging(
      domain: "a", entity: "b", events: [event("a.b.c", [field("x", .int8)])], previous: first)
    #expect(same == first)
    let second = try TableSchema.merging(
      domain: "a", entity: "b", events: [event("a.b.c", [field("y", .text)])], previous: first)
    #expect(second.version == 2)
    #expect(second.columns.suffix(2).map(\.name) == ["x", "y"])
    #expect(second.columns.suffix(2).map(\.fieldID) == [16, 17])
  }

  @Test func aColumnHasOneType() throws {
    let one = try event("a.b.c", [field("x", .int8)])
    let other = try event("a.b.d", [field("x", .text)])
    let fault = #expect(throws: Fault.self) {
      try TableSchema.merging(domain: "a", entity: "b", events: [one, other], previous: nil)
    }
    #expect(fault?.state == .invalidSchemaDefinition)
    #expect(fault?.detail?.contains("a.b.d") == true)
  }

  @Test func systemColumnsCannotBeHidden() throws {
    let hiding = try event("a.b.c", [field("published", .text)])
    #expect(throws: Fault.self) { try TableSchema.merging(domain: "a", entity: "b", events: [hiding], previous: nil) }
  }

  @Test(arguments: ["", "a", "a.b", "a.b.c.d", "A.b.c", "a..c", "a.b.c d", "a.b.1c", "ä.b.c"])
  func namesOfTheWrongForm(_ text: String) {
    #expect(throws: Fault.self) { try EventName(text) }
  }
}
