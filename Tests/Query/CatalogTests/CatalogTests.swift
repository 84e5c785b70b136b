import Bedrock
import Catalog
import Columnar
import EventSchema
import Functions
import Plan
import StorageContract
import Testing

@Suite struct LookUpTests {
  let catalog = makeCatalog()

  @Test func findsTablesViewsAndComputedRelations() throws {
    let table = try #require(catalog.relation(schema: "user", name: "identity", searchPath: []))
    #expect(table.columns.filter { !$0.isHidden }.map(\.attributeNumber) == [1, 2, 3, 4, 5, 6, 7])
    #expect(table.columns.filter(\.isHidden).map(\.name) == ["_pos", "_hash"])
    let view = try #require(catalog.relation(schema: "user", name: "identity_deleted", searchPath: []))
    #expect(view.columns.map(\.name) == ["sequence", "name", "published", "age"])
    #expect(view.columns.map(\.sourceIndex) == [0, 1, 2, 8])
    let jobs = try #require(catalog.relation(schema: "cramped", name: "jobs", searchPath: []))
    #expect(jobs.columns.map(\.name) == ["id", "state"])
    #expect(catalog.relation(schema: "user", name: "nothing", searchPath: []) == nil)
    #expect(catalog.relation(schema: "nowhere", name: "identity", searchPath: []) == nil)
  }

  @Test func searchPathDecides() throws {
    func schema(_ name: String, _ path: [String]) -> String? {
      catalog.relation(schema: nil, name: name, searchPath: path)?.schema
    }
    #expect(schema("identity", ["public"]) == nil)
    #expect(schema("identity", ["zoo", "user"]) == "zoo")
    #expect(schema("identity", ["$user", "public", "$domains"]) == "user")
    #expect(schema("jobs", ["$domains"]) == "cramped")
    #expect(schema("pg_class", []) == "pg_catalog")
    #expect(schema("tables", ["information_schema"]) == "information_schema")
    #expect(schema("tables", ["public"]) == nil)
    #expect(catalog.expanded(["$user", "public", "$domains"]) == ["public", "shop", "user", "zoo", "cramped"])
    #expect(catalog.expanded(["$user", "missing"], userName: "user") == ["user"])
  }

  @Test func visibilityFollowsTheFirstMatch() throws {
    let path = ["public", "$domains"]
    let user = try #require(catalog.relationOID("\"user\".identity", searchPath: path))
    let zoo = try #require(catalog.relationOID("zoo.identity", searchPath: path))
    #expect(catalog.isRelationVisible(oid: user, searchPath: path))
    #expect(!catalog.isRelationVisible(oid: zoo, searchPath: path))
    #expect(catalog.isRelationVisible(oid: zoo, searchPath: ["zoo", "user"]))
    #expect(catalog.isRelationVisible(oid: 1259, searchPath: []))
    #expect(!catalog.isRelationVisible(oid: 999_999_999, searchPath: path))
    #expect(catalog.relationName(oid: user, searchPath: path) == "identity")
    #expect(catalog.relationName(oid: user, searchPath: []) == "\"user\".identity")
    #expect(catalog.relationName(oid: zoo, searchPath: path) == "zoo.identity")
  }

  @Test(arguments: [
    ("a.b", ["a", "b"]), ("A.\"B\"", ["a", "B"]), ("\"x\"\"y\"", ["x\"y"]), (" t ", ["t"]), ("a . b", ["a", "b"]),
  ])
  func readsQualifiedNames(text: String, parts: [String]) {
    let table = TableDescription(
      id: TableID(raw: 9), schema: parts.count > 1 ? parts[0] : "s", name: parts[parts.count - 1],
      columns: SystemColumn.columns, estimatedRows: 0)
    #expect(makeCatalog([table]).relationOID(text, searchPath: ["s"]) != nil)
  }

  @Test(arguments: ["", ".", "a.", "a..b", "a b", "\"", "a\"b\"", "a.b.c.d"])
  func refusesWhatIsNoName(text: String) {
    #expect(catalog.relationOID(text, searchPath: ["$domains"]) == nil)
  }
}

@Suite struct OIDTests {
  @Test func stayWhenTablesAndViewsAreAdded() throws {
    let before = makeCatalog([identity])
    let grown = table(
      3, "user", "identity", [column(16, "user_id", .text), column(17, "age", .int4)],
      views: [
        ("identity_changed", "changed", [0]), ("identity_created", "created", [0, 1, 2, 7]),
        ("identity_deleted", "deleted", [0, 1, 2, 8]),
      ])
    let after = makeCatalog([table(8, "user", "session", []), grown, order])
    for name in ["\"user\".identity", "\"user\".identity_created", "\"user\".identity_deleted", "cramped.jobs"] {
      #expect(before.relationOID(name, searchPath: []) != nil)
      #expect(before.relationOID(name, searchPath: []) == after.relationOID(name, searchPath: []))
    }
    #expect(before.namespaceOID("user") == after.namespaceOID("user"))
    #expect(after.namespaceName(oid: try #require(after.namespaceOID("shop"))) == "shop")
  }

  @Test func areUnique() throws {
    let views = (0..<1_500).map { ("v\($0)", "v\($0)", [0]) }
    let catalog = makeCatalog([table(1, "a", "b", [], views: views), table(2, "a", "c", [], views: views)])
    let oids = try rows("pg_catalog", "pg_class", catalog).compactMap { $0["oid"]?.integer }
    #expect(Set(oids).count == oids.count)
    #expect(oids.count > 3_000)
    let types = try rows("pg_catalog", "pg_type", catalog).compactMap { $0["oid"]?.integer }
    #expect(Set(types).count == types.count)
  }
}

@Suite struct CatalogRowTests {
  @Test func everyRelationCanBeScanned() throws {
    let all = try rows("pg_catalog", "pg_class").filter { $0["relkind"]?.text == "r" || $0["relkind"]?.text == "v" }
    let catalog = makeCatalog()
    var scanned = 0
    for row in all {
      let namespace = try #require(row["relnamespace"]?.integer)
      let schema = try #require(catalog.namespaceName(oid: UInt32(namespace)))
      guard schema == "pg_catalog" || schema == "information_schema" else { continue }
      let name = try #require(row["relname"]?.text)
      let relation = try #require(catalog.relation(schema: schema, name: name, searchPath: []))
      guard case .virtual(let virtual) = relation.source else { continue }
      let context = FunctionContext(
        transactionMicros: 0, statementMicros: 0, session: TestSession(catalog: catalog))
      for chunk in try virtual.rows(context: context) {
        #expect(chunk.columns.count == relation.columns.count)
        #expect(chunk.rowCount > 0 && chunk.rowCount <= Limits.chunkRowsMax)
        for (column, described) in zip(chunk.columns, relation.columns) {
          #expect(column.type == described.type, "\(name).\(described.name)")
          #expect(described.isNullable || column.nullCount == 0, "\(name).\(described.name) has nulls")
        }
      }
      scanned += 1
    }
    #expect(scanned > 200)
  }

  @Test func attributesDescribeTablesWithoutHiddenColumns() throws {
    let oid = try #require(makeCatalog().relationOID("shop.\"order\"", searchPath: []))
    let attributes = try rows("pg_catalog", "pg_attribute").filter { $0["attrelid"]?.integer == Int64(oid) }
    #expect(
      attributes.map { $0["attname"]?.text }
        == ["sequence", "name", "published", "received", "metadata", "amount", "code"])
    #expect(attributes.map { $0["atttypid"]?.integer } == [20, 25, 1184, 1184, 3802, 1700, 1043])
    #expect(attributes.map { $0["atttypmod"]?.integer } == [-1, -1, -1, -1, -1, 786_438, 44])
    #expect(attributes.map { $0["attnotnull"]?.boolean } == [true, true, true, true, false, false, false])
    #expect(attributes.map { $0["attlen"]?.integer } == [8, -1, 8, 8, -1, -1, -1])
  }

  @Test func typesHaveWhatDriversJoinOn() throws {
    let types = try rows("pg_catalog", "pg_type")
    let functions = try rows("pg_catalog", "pg_proc")
    let names = Dictionary(
      functions.map { ($0["oid"]?.integer ?? 0, $0["proname"]?.text ?? "") }, uniquingKeysWith: { a, _ in a })
    let int4 = try #require(types.first { $0["typname"]?.text == "int4" })
    #expect(int4["oid"]?.integer == 23 && int4["typarray"]?.integer == 1007 && int4["typcategory"]?.text == "N")
    let array = try #require(types.first { $0["typname"]?.text == "_int4" })
    #expect(array["typelem"]?.integer == 23)
    #expect(names[array["typreceive"]?.integer ?? 0] == "array_recv")
    for type in types where type["typtype"]?.text == "b" {
      #expect(names[type["typinput"]?.integer ?? 0] != nil, "\(type["typname"]?.text ?? "")")
    }
    // our own numbers of types agree with PostgreSQL's
    for type in DataType.scalarTypes {
      let row = types.first { $0["oid"]?.integer == Int64(type.oid) }
      #expect(row?["typlen"]?.integer == Int64(type.typeLength), "\(type)")
    }
  }

  @Test func viewsHaveDefinitions() throws {
    let view = try #require(
      try rows("information_schema", "views").first { $0["table_name"]?.text == "identity_deleted" })
    #expect(
      view["view_definition"]?.text
        == """
           SELECT identity.sequence,
              identity.name,
              identity.published,
              identity.age
             FROM "user".identity
            WHERE (identity.name = 'deleted'::text);
          """)
  }

  @Test func settingsAreTheSessionsOwn() throws {
    let settings = try rows("pg_catalog", "pg_settings")
    #expect(settings.map { $0["name"]?.text } == ["DateStyle", "work_mem"])
    #expect(settings.map { $0["setting"]?.text } == ["ISO, MDY", "4MB"])
  }

  @Test func manyRowsComeInChunks() throws {
    let columns = (0..<1_000).map { column(Int32(100 + $0), "c\($0)", .int4) }
    let catalog = makeCatalog((1...20).map { table(UInt32($0), "wide", "t\($0)", columns) })
    let count = try rows("information_schema", "columns", catalog).filter { $0["table_schema"]?.text == "wide" }.count
    #expect(count == 20 * 1_005)
  }
}
