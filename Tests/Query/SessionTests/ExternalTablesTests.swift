// Foreign tables, functions over files, and versions in names, as a session handles them.

import Bedrock
import Columnar
import StorageContract
import Synchronization
import Testing

@testable import Session

@Suite struct ExternalTablesTests {
  @Test func functionsReadPlaces() throws {
    let session = try ExternalSession()
    #expect(try session.run("SELECT id, label FROM read_delta('/d') ORDER BY id") == "1|a\n2|b")
    #expect(try session.run("SELECT id FROM read_delta('/d', version => 0)") == "1")
    #expect(try session.run("SELECT t.x FROM read_delta('/' || 'd') AS t(x, y) WHERE y = 'b'") == "2")
    #expect(try session.run("SELECT filename FROM read_parquet(ARRAY['a', 'b'], filename => true) ORDER BY 1") == "a\nb")
    #expect(try session.run("SELECT count(*) FROM read_delta('/d') a JOIN shop.\"order\" o ON o.sequence = a.id") == "2")
  }

  @Test func conditionsAndColumnsReachTheScan() throws {
    let session = try ExternalSession()
    _ = try session.run("SELECT label FROM read_delta('/d') WHERE id > 1")
    let request = try #require(session.external.state.withLock { $0.requests.last })
    #expect(request.columns == [0, 1])
    guard case .compare(.greater, .integer(1))? = request.predicates.first?.test else {
      Issue.record("the condition is not pushed down")
      return
    }
    _ = try session.run("SELECT count(*) FROM read_delta('/d')")
    #expect(session.external.state.withLock { $0.requests.last?.columns } == [])
  }

  @Test func aStatementOpensAPlaceOnce() throws {
    let session = try ExternalSession()
    _ = try session.run("SELECT count(*) FROM read_delta('/d') a, read_delta('/d') b")
    #expect(session.external.state.withLock { $0.opened.count } == 1)
  }

  @Test func aRepeatableReadTransactionKeepsWhatItOpened() throws {
    let session = try ExternalSession()
    _ = try session.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
    #expect(try session.run("SELECT count(*) FROM read_delta('/d')") == "2")
    session.external.state.withLock { $0.versions.append([(7, "x")]) }
    #expect(try session.run("SELECT count(*) FROM read_delta('/d')") == "2")
    _ = try session.run("COMMIT")
    #expect(try session.run("SELECT count(*) FROM read_delta('/d')") == "1")
  }

  @Test(arguments: [
    ("SELECT * FROM read_delta('missing')", "58P01"), ("SELECT * FROM read_delta(NULL)", "22023"),
    ("SELECT * FROM read_delta()", "42883"), ("SELECT * FROM read_delta('/d', colour => 1)", "22023"),
    ("SELECT * FROM read_delta('/d', version => 99)", "42704"), ("SELECT * FROM read_delta('/d', version => 'x')", "22P02"),
    ("SELECT * FROM read_delta('/d', version => 1, as_of => now())", "42883"),
    ("SELECT * FROM read_delta('/d', version => 1, version => 1)", "42601"),
    ("SELECT * FROM shop.\"order\" o, read_delta(o.name)", "42P01"), ("SELECT read_delta('/d')", "42883"),
  ])
  func wrongCallsAreRefused(_ sql: String, _ state: String) throws {
    let session = try ExternalSession()
    let found = session.state(sql)
    // A column as location: nothing of the FROM list is in sight.
    #expect(found == state || (sql.contains("o.name") && found.hasPrefix("4")), "\(sql): \(found)")
  }

  @Test func versionsStandInNames() throws {
    let session = try ExternalSession()
    #expect(try session.run("SELECT count(*) FROM shop.\"order\"") == "3")
    #expect(try session.run("SELECT count(*) FROM shop.\"order@v0\"") == "1")
    #expect(try session.run("SELECT sum(amount)::bigint FROM \"order@closing\"") == "30")
    #expect(try session.run("SELECT \"order@v1\".amount FROM \"order@v1\" WHERE name = 'paid'") == "20")
    #expect(try session.run("SELECT count(*) FROM shop.\"order_placed@v1\"") == "1")
    #expect(try session.run("SELECT a.c, b.c FROM (SELECT count(*) c FROM \"order@v0\") a, (SELECT count(*) c FROM \"order\") b") == "1|3")
    #expect(session.state("SELECT * FROM \"order@v9\"") == "42704")
    #expect(session.state("SELECT * FROM \"order@\"") == "22023")
    #expect(session.state("SELECT * FROM \"order@2026-99-99\"") == "22008")
    #expect(session.state("SELECT * FROM \"nothing@v1\"") == "42P01")
    #expect(session.state("SELECT * FROM pg_catalog.\"pg_class@v1\"") == "42809")
    _ = try session.run("SELECT * FROM \"order@2026-11-23 10:00+02\"")
    let source = try #require(session.external.state.withLock { $0.opened.last })
    #expect(source == ExternalSource(.lake(TableID(raw: 1_000)), version: .asOf(micros: 1_795_420_800_000_000)))
  }

  @Test func asOfMovesAllEventTables() throws {
    let session = try ExternalSession()
    #expect(try session.run("SHOW cramped.as_of") == "")
    _ = try session.run("SET cramped.as_of = 0")
    #expect(try session.run("SELECT count(*) FROM shop.\"order\"") == "1")
    #expect(try session.run("SELECT count(*) FROM shop.order_placed") == "1")
    #expect(try session.run("SELECT count(*) FROM shop.\"order@v1\"") == "2")
    _ = try session.run("SET cramped.as_of = '2026-11-23 10:00:00+02'")
    #expect(try session.run("SHOW cramped.as_of") == "2026-11-23 08:00:00+00")
    #expect(try session.run("SELECT count(*) FROM shop.\"order\"") == "2")
    #expect(session.state("SET cramped.as_of = 'yesterdayish'") == "22007")
    _ = try session.run("BEGIN; SET LOCAL cramped.as_of = 0")
    #expect(try session.run("SELECT count(*) FROM shop.\"order\"") == "1")
    _ = try session.run("ROLLBACK; RESET cramped.as_of")
    #expect(try session.run("SELECT count(*) FROM shop.\"order\"") == "3")
  }

  @Test func foreignTablesAreMadeReadAndDropped() throws {
    let session = try ExternalSession()
    #expect(
      try session.run("CREATE FOREIGN TABLE prices () SERVER delta OPTIONS (location '/d')") == "CREATE FOREIGN TABLE")
    #expect(try session.run("SELECT id, label FROM prices ORDER BY 1") == "1|a\n2|b")
    #expect(try session.run("SELECT id FROM public.\"prices@v0\"") == "1")
    session.external.state.withLock { $0.versions.append([(1, "a"), (2, "b"), (3, "c")]) }
    #expect(try session.run("SELECT count(*) FROM prices") == "3")
    #expect(session.state("CREATE FOREIGN TABLE prices () SERVER delta OPTIONS (location '/d')") == "42P07")
    #expect(
      try session.run("CREATE FOREIGN TABLE IF NOT EXISTS prices () SERVER delta OPTIONS (location '/d')")
        == "CREATE FOREIGN TABLE")
    #expect(
      try session.run("CREATE FOREIGN TABLE shop.old (label text) SERVER delta OPTIONS (location '/d', version '0')")
        == "CREATE FOREIGN TABLE")
    #expect(try session.run("SELECT * FROM shop.old") == "a")
    #expect(try session.run("DROP FOREIGN TABLE prices, shop.old") == "DROP FOREIGN TABLE")
    #expect(session.state("SELECT * FROM prices") == "42P01")
    #expect(session.state("DROP FOREIGN TABLE prices") == "42P01")
    #expect(try session.run("DROP FOREIGN TABLE IF EXISTS prices") == "DROP FOREIGN TABLE")
  }

  @Test(arguments: [
    ("CREATE FOREIGN TABLE t () SERVER oracle OPTIONS (location '/d')", "42704"),
    ("CREATE FOREIGN TABLE t () SERVER delta", "HV00J"),
    ("CREATE FOREIGN TABLE t () SERVER delta OPTIONS (location '/d', colour 'red')", "HV00D"),
    ("CREATE FOREIGN TABLE t () SERVER parquet OPTIONS (location '/d', version '1')", "HV00D"),
    ("CREATE FOREIGN TABLE t () SERVER delta OPTIONS (location 'missing')", "58P01"),
    ("CREATE FOREIGN TABLE nowhere.t () SERVER delta OPTIONS (location '/d')", "3F000"),
    ("CREATE FOREIGN TABLE pg_catalog.t () SERVER delta OPTIONS (location '/d')", "42501"),
    ("CREATE FOREIGN TABLE \"t@v1\" () SERVER delta OPTIONS (location '/d')", "22023"),
    ("CREATE FOREIGN TABLE shop.\"order\" () SERVER delta OPTIONS (location '/d')", "42P07"),
    ("CREATE FOREIGN TABLE t (nope int) SERVER delta OPTIONS (location '/d')", "42703"),
    ("CREATE FOREIGN TABLE t (id text) SERVER delta OPTIONS (location '/d')", "42804"),
    ("CREATE FOREIGN TABLE t (id int8 DEFAULT 1) SERVER delta OPTIONS (location '/d')", "0A000"),
    ("BEGIN; CREATE FOREIGN TABLE t () SERVER delta OPTIONS (location '/d')", "25001"),
    ("CREATE SERVER s FOREIGN DATA WRAPPER w", "0A000"), ("DROP FOREIGN TABLE shop.\"order\"", "42809"),
    ("DROP TABLE t", "42P01"), ("CREATE FOREIGN TABLE t SERVER delta OPTIONS (location '/d')", "42601"),
  ])
  func wrongDefinitionsAreRefused(_ sql: String, _ state: String) throws {
    #expect(try ExternalSession().state(sql) == state, "\(sql)")
  }

  @Test func catalogsShowForeignTables() throws {
    let session = try ExternalSession()
    _ = try session.run("CREATE FOREIGN TABLE prices () SERVER delta OPTIONS (location '/d', version '1')")
    #expect(try session.run("SELECT relkind, relnatts FROM pg_class WHERE relname = 'prices'") == "f|2")
    #expect(
      try session.run(
        """
        SELECT n.nspname, c.relname, s.srvname, w.fdwname, ft.ftoptions FROM pg_foreign_table ft
        JOIN pg_class c ON c.oid = ft.ftrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_foreign_server s ON s.oid = ft.ftserver JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
        """) == "public|prices|delta|delta|{location=/d,version=1}")
    #expect(
      try session.run("SELECT foreign_table_schema, foreign_table_name, foreign_server_name FROM information_schema.foreign_tables")
        == "public|prices|delta")
    #expect(
      try session.run("SELECT table_type FROM information_schema.tables WHERE table_name = 'prices'") == "FOREIGN")
    #expect(try session.run("SELECT 'prices'::regclass::oid > 0, 'public.prices'::regclass = 'prices'::regclass") == "t|t")
    #expect(
      try session.run("SELECT o.option_name, o.option_value FROM pg_options_to_table(ARRAY['a=1', 'b=x=y']) o")
        == "a|1\nb|x=y")
    #expect(try session.run("SELECT count(*) FROM pg_namespace WHERE nspname = 'public'") == "1")
  }

  @Test func explainNamesTheSource() throws {
    let session = try ExternalSession()
    let plan = try session.run("EXPLAIN SELECT id FROM read_delta('/d') WHERE id = 2")
    #expect(plan.contains("Foreign Scan on read_delta('/d')"), "\(plan)")
    #expect(plan.contains("Source: Delta table /d, version 1"))
    #expect(plan.contains("Columns: id"))
    #expect(plan.contains("Pruning: id = 2"))
    #expect(plan.contains("delta: files: 1 of 1"))
  }
}
