import Bedrock
import SQLSyntax
import Testing

@Suite struct StatementSyntaxTests {
  private func only(_ sql: String) throws -> Statement.Kind {
    let statements = try SQLParser.parse(sql)
    return try #require(statements.count == 1 ? statements.first : nil).kind
  }

  @Test func emptyTextsHaveNoStatements() throws {
    for sql in ["", "  ", ";", "-- nothing\n", "/* a /* nested */ comment */ ; ;"] {
      #expect(try SQLParser.parse(sql).isEmpty, "\(sql)")
    }
  }

  @Test func severalStatementsKnowTheirText() throws {
    let sql = " SELECT 'é' ;\n-- next\nSELECT 2;SHOW all"
    let bytes = Array(sql.utf8)
    let texts = try SQLParser.parse(sql).map { String(decoding: bytes[$0.bytes], as: UTF8.self) }
    #expect(texts == ["SELECT 'é'", "-- next\nSELECT 2", "SHOW all"])
  }

  @Test func explain() throws {
    guard case .explain(let explain) = try only("EXPLAIN (ANALYZE, COSTS off, FORMAT json) SELECT 1") else {
      Issue.record("not EXPLAIN")
      return
    }
    #expect(explain.options.map(\.name) == ["analyze", "costs", "format"])
    #expect(explain.options.map(\.value) == [nil, .string("off"), .string("json")])
    guard case .select = explain.statement.kind else {
      Issue.record("no query")
      return
    }
  }

  @Test func settings() throws {
    func set(_ sql: String) throws -> SetStatement? {
      if case .set(let statement) = try only(sql) { statement } else { nil }
    }
    let path = try set("SET LOCAL search_path TO shop, public")
    guard let path, case .set(let values) = path.action else {
      Issue.record("no values")
      return
    }
    #expect(path.name == "search_path" && path.isLocal)
    #expect(values == [.string("shop"), .string("public")])
    if case .set(let zone)? = try set("SET TIME ZONE INTERVAL '2' HOUR")?.action { #expect(zone == [.string("2")]) }
    if case .set(let number)? = try set("SET cramped.size = -5")?.action { #expect(number == [.integer(-5)]) }
    if case .reset? = try set("RESET x.y")?.action {} else { Issue.record("RESET") }
    if case .resetAll? = try set("RESET ALL")?.action {} else { Issue.record("RESET ALL") }
    if case .setDefault? = try set("SET a TO DEFAULT")?.action {} else { Issue.record("DEFAULT") }
    guard case .setModes(let modes)? = try set("SET TRANSACTION READ ONLY")?.action else {
      Issue.record("SET TRANSACTION")
      return
    }
    #expect(modes.map(\.name) == ["transaction_read_only"])
    if case .show("search_path") = try only("SHOW search_path") {} else { Issue.record("SHOW") }
  }

  @Test func transactions() throws {
    func action(_ sql: String) throws -> TransactionStatement? {
      if case .transaction(let statement) = try only(sql) { statement } else { nil }
    }
    let begin = try action("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY")
    #expect(begin?.action == .begin)
    #expect(begin?.modes.map(\.value) == [.string("serializable"), .integer(1)])
    #expect(try action("START TRANSACTION")?.action == .start)
    #expect(try action("COMMIT AND CHAIN")?.isChained == true)
    #expect(try action("END")?.action == .commit)
    #expect(try action("ABORT")?.action == .rollback)
    #expect(try action("SAVEPOINT a")?.action == .savepoint("a"))
    #expect(try action("RELEASE a")?.action == .release("a"))
    #expect(try action("ROLLBACK TO SAVEPOINT a")?.action == .rollbackTo("a"))
  }

  @Test func preparedStatementsAndCursors() throws {
    guard case .prepare("p", let types, let inner) = try only("PREPARE p (int, text[]) AS SELECT $1") else {
      Issue.record("PREPARE")
      return
    }
    #expect(types.map(\.text) == ["pg_catalog.int4", "text[]"])
    if case .select = inner.kind {} else { Issue.record("no query") }
    if case .execute("p", let arguments) = try only("EXECUTE p (1, 'a')") { #expect(arguments.text == "1, 'a'") }
    if case .deallocate(name: nil) = try only("DEALLOCATE ALL") {} else { Issue.record("DEALLOCATE ALL") }
    if case .deallocate(name: "p") = try only("DEALLOCATE p") {} else { Issue.record("DEALLOCATE") }
    if case .declareCursor(let cursor) = try only("DECLARE c BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT 1") {
      #expect(cursor.name == "c" && cursor.isBinary && !cursor.isScrollable && cursor.isWithHold)
    } else {
      Issue.record("DECLARE")
    }
    func fetch(_ sql: String) throws -> FetchStatement? {
      if case .fetch(let statement) = try only(sql) { statement } else { nil }
    }
    #expect(try fetch("FETCH 10 FROM c")?.count == 10)
    #expect(try fetch("FETCH ALL c")?.count == .some(nil))
    #expect(try fetch("MOVE BACKWARD 2 IN c")?.isMove == true)
    #expect(try fetch("FETCH ABSOLUTE 3 c")?.direction == .absolute)
    if case .closeCursor(name: "c") = try only("CLOSE c") {} else { Issue.record("CLOSE") }
    if case .closeCursor(name: nil) = try only("CLOSE ALL") {} else { Issue.record("CLOSE ALL") }
  }

  @Test func callsAndCopies() throws {
    if case .call(let call) = try only("CALL cramped.flush('iot.measurement', force => true)") {
      #expect(call.text == "cramped.flush('iot.measurement', force => true)")
    } else {
      Issue.record("CALL")
    }
    if case .discard(.all) = try only("DISCARD ALL") {} else { Issue.record("DISCARD") }
    if case .copy(let copy) = try only("COPY (SELECT 1) TO STDOUT WITH (FORMAT csv, HEADER)") {
      #expect(!copy.isFrom && copy.fileName == nil)
      #expect(copy.options.map(\.name) == ["format", "header"])
    } else {
      Issue.record("COPY")
    }
    if case .copy(let copy) = try only("COPY shop.x (a, b) FROM '/etc/passwd'") {
      guard case .relation(let table, let columns) = copy.source else {
        Issue.record("no table")
        return
      }
      #expect(table.name == "x" && columns == ["a", "b"] && copy.isFrom && copy.fileName == "/etc/passwd")
    }
    if case .listen("c") = try only("LISTEN c") {} else { Issue.record("LISTEN") }
    if case .unlisten(nil) = try only("UNLISTEN *") {} else { Issue.record("UNLISTEN") }
  }

  @Test(arguments: [
    ("CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE TABLE AS"), ("VACUUM", "VACUUM"),
    ("GRANT SELECT ON t TO u", "GRANT"), ("ALTER TABLE t DROP COLUMN b", "ALTER TABLE"), ("LOCK t", "LOCK TABLE"),
    ("NOTIFY x", "NOTIFY"), ("DO 'x'", "DO"),
    ("DROP SERVER s", "DROP"), ("CREATE SERVER s FOREIGN DATA WRAPPER w", "CREATE SERVER"),
    ("CREATE STATISTICS s ON a, b FROM t", "this command"),
  ])
  func otherCommandsHaveTheirName(_ sql: String, _ name: String) throws {
    guard case .other(let found) = try only(sql) else {
      Issue.record("\(sql) is represented")
      return
    }
    #expect(found == name)
  }

  @Test func tableStatements() throws {
    let text = "CREATE TEMP TABLE t (a int DEFAULT f(1, ')') /* , */ NOT NULL, b text NOT NULL DEFAULT 'x, ''y', c int[] DEFAULT ARRAY[1,2])"
    guard case .table(.create(let create)) = try only(text) else {
      Issue.record("CREATE TABLE")
      return
    }
    #expect(create.table.isTemporary && create.columns.map(\.isRequired) == [true, true, false])
    #expect(create.columns.map(\.defaultText) == ["f(1, ')') /* , */", "'x, ''y'", "ARRAY[1,2]"])
    guard case .table(.write(let write)) = try only("UPDATE s.t x SET (a, b) = (1, DEFAULT) FROM u WHERE x.a = u.a RETURNING *"),
      case .update(let assignments, let from, _) = write.action
    else {
      Issue.record("UPDATE")
      return
    }
    #expect(assignments.map(\.column) == ["a", "b"] && from.count == 1 && write.returning.count == 1 && write.target.alias == "x")
    guard case .table(.createAs(let into)) = try only("SELECT 1 AS a INTO x FROM t") else {
      Issue.record("SELECT INTO")
      return
    }
    #expect(into.isSelectInto && into.table.relation.name == "x")
  }

  @Test func foreignTables() throws {
    let text = #"CREATE FOREIGN TABLE IF NOT EXISTS a.b (x int NOT NULL, "Y z" text[]) SERVER delta OPTIONS (location '/a''b', n '1')"#
    guard case .createForeignTable(let create) = try only(text) else {
      Issue.record("CREATE FOREIGN TABLE")
      return
    }
    #expect(create.table.schema == "a" && create.table.name == "b" && create.ifNotExists && create.server == "delta")
    #expect(create.columns.map(\.name) == ["x", "Y z"] && create.columns.map(\.isRequired) == [true, false])
    #expect(create.columns[1].type.arrayDimensions == 1)
    #expect(create.options.map(\.name) == ["location", "n"])
    #expect(create.options.map(\.value) == [.string("/a'b"), .string("1")])
    guard case .dropForeignTable(let drop) = try only("DROP FOREIGN TABLE IF EXISTS a, b.c CASCADE") else {
      Issue.record("DROP FOREIGN TABLE")
      return
    }
    #expect(drop.ifExists && drop.names == [["a"], ["b", "c"]])
  }

  @Test(arguments: [
    "CREATE FOREIGN TABLE t (a int DEFAULT 1) SERVER s", "CREATE FOREIGN TABLE t (a int CHECK (a > 0)) SERVER s",
    "CREATE FOREIGN TABLE t (a int, CHECK (a > 0)) SERVER s", "CREATE FOREIGN TABLE t (a int OPTIONS (b 'c')) SERVER s",
    "CREATE FOREIGN TABLE t () INHERITS (u) SERVER s", "CREATE FOREIGN TABLE t (LIKE u) SERVER s",
  ])
  func whatForeignTablesCannotHave(_ sql: String) throws {
    do {
      _ = try SQLParser.parse(sql)
      Issue.record("\(sql) is taken")
    } catch { #expect(error.state == .featureNotSupported, "\(sql): \(error)") }
  }

  @Test func namedArguments() throws {
    guard case .select(let query) = try only("SELECT * FROM read_delta('/d', version => 3)"),
      case .select(let core) = query.body, case .function(let calls, _, _, _, _)? = core.from.first,
      case .function(let call)? = calls.first?.kind
    else {
      Issue.record("a function in FROM")
      return
    }
    #expect(call.arguments.map(\.name) == [nil, "version"])
  }
}
