// Plain tables through a session, stored in a folder: definition, writes, transactions, restarts.

import Bedrock
import TestKit
import Testing

@Suite struct TableTests {
  private func server() throws -> TablesServer { try TablesServer(try TemporaryFolder("tables")) }

  @Test func makesFillsReadsAndDrops() throws {
    let session = try server().session()
    #expect(
      try session.run("CREATE TABLE country (code char(2) NOT NULL, name text DEFAULT 'none, yet', since date, area numeric(12,2))")
        == "CREATE TABLE")
    #expect(try session.run("INSERT INTO country VALUES ('DE', 'Germany', '1990-10-03', 357592.5), ('FR', DEFAULT, NULL, 1)") == "INSERT 0 2")
    #expect(try session.run("INSERT INTO country (area, code) SELECT 2 * x, 'A' || x FROM generate_series(1, 3) x") == "INSERT 0 3")
    #expect(
      try session.run("SELECT code, name FROM country ORDER BY code")
        == "A1|none, yet\nA2|none, yet\nA3|none, yet\nDE|Germany\nFR|none, yet\nSELECT 5")
    #expect(try session.run("SELECT sum(area) = 357605.5, count(since) FROM country") == "t|1\nSELECT 1")
    #expect(try session.run("INSERT INTO country (code) VALUES ('XX') RETURNING code, name, area IS NULL AS empty") == "XX|none, yet|t\nINSERT 0 1")
    #expect(session.state("INSERT INTO country (name) VALUES ('x')") == "23502")
    #expect(session.state("INSERT INTO country VALUES ('x', 'y', 'z')") == "22007")
    #expect(session.state("INSERT INTO country (code, since) VALUES ('x', 5)") == "42804")
    #expect(session.state("INSERT INTO country (nope) VALUES (1)") == "42703")
    #expect(session.state("INSERT INTO country (code) VALUES ('long')") == "22001")
    #expect(session.state("CREATE TABLE country (a int)") == "42P07")
    #expect(try session.run("CREATE TABLE IF NOT EXISTS country (a int)") == "CREATE TABLE")
    #expect(try session.run("SELECT relkind FROM pg_class WHERE relname = 'country'") == "r\nSELECT 1")
    #expect(try session.run("SELECT count(*) FROM information_schema.columns WHERE table_name = 'country'") == "4\nSELECT 1")
    #expect(try session.run("DROP TABLE country") == "DROP TABLE")
    #expect(session.state("SELECT * FROM country") == "42P01")
    #expect(session.state("DROP TABLE country") == "42P01")
    #expect(try session.run("DROP TABLE IF EXISTS country") == "DROP TABLE")
  }

  @Test func refusesWhatItCannotKeep() throws {
    let session = try server().session()
    for column in ["a int PRIMARY KEY", "a int UNIQUE", "a int REFERENCES b (c)", "a int CHECK (a > 0)", "a int, PRIMARY KEY (a)"] {
      let fault = session.fault("CREATE TABLE t (\(column))")
      #expect(fault?.state == .featureNotSupported)
      #expect(fault?.hint != nil)
    }
    #expect(session.state("CREATE TABLE t (a serial)") == "0A000")
    #expect(session.state("CREATE TABLE t (a int, a int)") == "42701")
    #expect(session.state("CREATE TABLE t (a int DEFAULT 'x')") == "22P02")
    #expect(session.state("CREATE TABLE nowhere.t (a int)") == "3F000")
    #expect(session.state("INSERT INTO shop.order VALUES (1)") == "42809")
    #expect(session.state("DELETE FROM shop.order") == "42809")
    try session.run("CREATE TABLE t (a int)")
    #expect(session.state("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING") == "0A000")
    #expect(session.state("BEGIN READ ONLY; INSERT INTO t VALUES (1)") == "25006")
  }

  @Test func updatesAndDeletes() throws {
    let session = try server().session()
    try session.run("CREATE TABLE t (id int, v text)")
    try session.run("INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 20000) g")
    try session.run("INSERT INTO t VALUES (20001, 'last')")
    #expect(try session.run("UPDATE t SET v = 'even' WHERE id % 2 = 0") == "UPDATE 10000")
    #expect(try session.run("SELECT count(*), count(DISTINCT id), sum(id) FROM t WHERE v = 'even'") == "10000|10000|100010000\nSELECT 1")
    #expect(try session.run("DELETE FROM t WHERE id <= 19998") == "DELETE 19998")
    #expect(try session.run("SELECT id, v FROM t ORDER BY id") == "19999|v19999\n20000|even\n20001|last\nSELECT 3")
    try session.run("CREATE TABLE n (id int, v text); INSERT INTO n VALUES (20000, 'from n'), (20000, 'from n'), (5, 'no')")
    #expect(try session.run("UPDATE t x SET v = n.v, id = x.id + 1 FROM n WHERE n.id = x.id RETURNING id, v") == "20001|from n\nUPDATE 1")
    #expect(try session.run("DELETE FROM t USING n WHERE t.id = n.id + 1 AND t.v = 'last' RETURNING *") == "20001|last\nDELETE 1")
    #expect(try session.run("UPDATE t SET (id, v) = (1, DEFAULT)") == "UPDATE 2")
    #expect(try session.run("SELECT id, v FROM t") == "1|-\n1|-\nSELECT 2")
    #expect(session.state("UPDATE t SET id = 1, id = 2") == "42601")
    #expect(session.state("UPDATE t SET id = 'x'") == "22P02")
    #expect(try session.run("TRUNCATE t") == "TRUNCATE TABLE")
    #expect(try session.run("SELECT count(*) FROM t") == "0\nSELECT 1")
  }

  @Test func transactionsAreStaged() throws {
    let server = try server()
    let mine = try server.session(), other = try server.session()
    try mine.run("CREATE TABLE t (a int)")
    try mine.run("BEGIN; INSERT INTO t VALUES (1); CREATE TABLE u AS SELECT * FROM t; INSERT INTO u VALUES (2)")
    #expect(try mine.run("SELECT (SELECT count(*) FROM t), (SELECT sum(a) FROM u)") == "1|3\nSELECT 1")
    #expect(try other.run("SELECT count(*) FROM t") == "0\nSELECT 1")
    #expect(other.state("SELECT * FROM u") == "42P01")
    try mine.run("SAVEPOINT s; DELETE FROM u; DROP TABLE t")
    #expect(mine.state("SELECT * FROM t") == "42P01")
    try mine.run("ROLLBACK TO s")
    #expect(try mine.run("SELECT count(*) FROM u") == "2\nSELECT 1")
    #expect(try mine.run("COMMIT") == "COMMIT")
    #expect(try other.run("SELECT (SELECT count(*) FROM t), (SELECT sum(a) FROM u)") == "1|3\nSELECT 1")
    try mine.run("BEGIN; UPDATE t SET a = 5; DROP TABLE u; ROLLBACK")
    #expect(try mine.run("SELECT (SELECT a FROM t), (SELECT count(*) FROM u)") == "1|2\nSELECT 1")
    // A failed statement leaves the block failed, and COMMIT rolls it back.
    #expect(mine.state("BEGIN; INSERT INTO t VALUES (7); SELECT 1 / 0") == "22012")
    #expect(mine.state("SELECT 1") == "25P02")
    #expect(try mine.run("COMMIT") == "ROLLBACK")
    #expect(try mine.run("SELECT count(*) FROM t") == "1\nSELECT 1")
    // Statements of one text are one transaction.
    #expect(mine.state("INSERT INTO t VALUES (8); SELECT 1 / 0") == "22012")
    #expect(try mine.run("SELECT count(*) FROM t") == "1\nSELECT 1")
  }

  @Test func writersThatMeetAreRebasedOrRefused() throws {
    let server = try server()
    let mine = try server.session(), other = try server.session()
    try mine.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
    // Appends do not hinder each other.
    try mine.run("BEGIN; INSERT INTO t VALUES (2)")
    try other.run("INSERT INTO t VALUES (3)")
    try mine.run("COMMIT")
    #expect(try other.run("SELECT a FROM t ORDER BY a") == "1\n2\n3\nSELECT 3")
    // Two changes of one row do.
    try mine.run("BEGIN; UPDATE t SET a = a + 10 WHERE a = 1")
    try other.run("UPDATE t SET a = a + 100 WHERE a = 1")
    #expect(mine.state("COMMIT") == "40001")
    #expect(try mine.run("SELECT a FROM t ORDER BY a") == "2\n3\n101\nSELECT 3")
    try mine.run("BEGIN; INSERT INTO t VALUES (4)")
    try other.run("DROP TABLE t")
    #expect(mine.state("COMMIT") == "42P01")
    // A REPEATABLE READ transaction keeps the version it has seen.
    try mine.run("CREATE TABLE r (a int)")
    try mine.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM r")
    try other.run("INSERT INTO r VALUES (1)")
    #expect(try mine.run("SELECT count(*) FROM r") == "0\nSELECT 1")
    try mine.run("COMMIT")
    #expect(try mine.run("SELECT count(*) FROM r") == "1\nSELECT 1")
  }

  @Test func survivesARestart() throws {
    let folder = try TemporaryFolder("tables")
    let all = """
      CREATE TABLE s.t (b boolean, i2 smallint, i8 bigint, f4 real, f8 float8, n numeric, t text, v varchar(5), y bytea, \
      d date, tm time, ts timestamp, tz timestamptz, iv interval, u uuid, j jsonb, ar int[])
      """
    let row = """
      INSERT INTO s.t VALUES (true, -1, 9007199254740993, 1.5, 'NaN', 12345678901234567890.123, 'ä', 'abc', '\\x00ff', \
      '2024-02-29', '12:34:56.789', '2024-02-29 01:02:03', '2024-02-29 01:02:03+02', '1 mon 2 days 03:00', \
      '5f0c21aa-0000-4000-8000-000000000001', '{"a": [1, null]}', '{1,NULL,3}'), (NULL, NULL, NULL, NULL, NULL, NULL, \
      NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
      """
    let query = "SELECT i8, n::text, t, v, y::text, d::text, tm::text, ts::text, tz::text, iv::text, u::text, j::text, ar::text FROM s.t"
    let before = try {
      let session = try TablesServer(folder).session()
      try session.run("CREATE SCHEMA s")
      try session.run(all)
      try session.run(row)
      try session.run("CREATE TABLE s.other (a int DEFAULT 1 + 1)")
      try session.run("ALTER TABLE s.other RENAME TO renamed; CREATE TABLE s.gone (a int); DROP TABLE s.gone")
      try session.run("ALTER TABLE s.renamed ADD COLUMN extra text")
      return try session.run(query)
    }()
    #expect(before.hasSuffix("SELECT 2"))
    let session = try TablesServer(folder).session()
    #expect(try session.run(query) == before)
    #expect(session.state("SELECT * FROM s.gone") == "42P01")
    #expect(try session.run("INSERT INTO s.renamed DEFAULT VALUES RETURNING *") == "2|-\nINSERT 0 1")
    #expect(session.state("DROP SCHEMA s") == "2BP01")
    #expect(try session.run("DROP SCHEMA s CASCADE") == "DROP SCHEMA")
    #expect(session.state("CREATE TABLE s.x (a int)") == "3F000")
  }

  @Test func manySmallInsertsAreJoined() throws {
    let session = try server().session()
    try session.run("CREATE TABLE t (a int)")
    for number in 1...60 { try session.run("INSERT INTO t VALUES (\(number))") }
    #expect(try session.run("SELECT count(*), sum(a) FROM t") == "60|1830\nSELECT 1")
    #expect(try session.run("DELETE FROM t WHERE a > 2") == "DELETE 58")
    #expect(try session.run("SELECT a FROM t") == "1\n2\nSELECT 2")
  }

  @Test func makesTablesFromQueries() throws {
    let session = try server().session()
    #expect(try session.run("CREATE TABLE a AS SELECT g AS id, 'x' AS t FROM generate_series(1, 5) g") == "SELECT 5")
    #expect(try session.run("CREATE TABLE b (n) AS SELECT id, t FROM a WITH NO DATA") == "CREATE TABLE AS")
    #expect(try session.run("SELECT id INTO c FROM a WHERE id > 3") == "SELECT 2")
    #expect(try session.run("SELECT (SELECT count(n) FROM b), (SELECT sum(id) FROM c)") == "0|9\nSELECT 1")
    #expect(session.state("CREATE TABLE d AS SELECT 1 AS a, 2 AS a") == "42701")
    #expect(session.state("CREATE TABLE a AS SELECT 1") == "42P07")
  }

  @Test func temporaryTablesAreOnesOwn() throws {
    let server = try server()
    let mine = try server.session(), other = try server.session()
    try mine.run("CREATE TEMP TABLE t (a int DEFAULT 7, b text)")
    try mine.run("INSERT INTO t (b) SELECT 'x' || g FROM generate_series(1, 10000) g")
    #expect(try mine.run("UPDATE t SET a = 8 WHERE b IN ('x1', 'x9999')") == "UPDATE 2")
    #expect(try mine.run("DELETE FROM t WHERE a = 7") == "DELETE 9998")
    #expect(try mine.run("SELECT a, b FROM t ORDER BY b") == "8|x1\n8|x9999\nSELECT 2")
    #expect(other.state("SELECT * FROM t") == "42P01")
    try mine.run("BEGIN; DELETE FROM t; CREATE TEMP TABLE u (a int) ON COMMIT DROP; ROLLBACK")
    #expect(try mine.run("SELECT count(*) FROM t") == "2\nSELECT 1")
    try mine.run("BEGIN; CREATE TEMP TABLE u ON COMMIT DROP AS SELECT 1 AS a")
    #expect(try mine.run("SELECT a FROM u") == "1\nSELECT 1")
    try mine.run("COMMIT")
    #expect(mine.state("SELECT * FROM u") == "42P01")
    #expect(mine.state("CREATE TEMP TABLE big AS SELECT repeat('x', 1000) || g AS t FROM generate_series(1, 100000) g") == "53200")
    try mine.run("DISCARD TEMP")
    #expect(mine.state("SELECT * FROM t") == "42P01")
  }

  @Test func deltaReadersReadThem() throws {
    guard try ChildProcess.run("python3", ["-c", "import deltalake, duckdb"]).status == 0 else { return }
    let session = try server().session()
    try session.run("CREATE TABLE t (a int, b text, n numeric(10,2), ts timestamp)")
    try session.run("INSERT INTO t SELECT g, 'v' || g, g / 4.0, '2024-01-01' FROM generate_series(1, 100) g")
    try session.run("UPDATE t SET b = 'changed' WHERE a = 7; DELETE FROM t WHERE a > 50")
    try session.run("ALTER TABLE t ADD COLUMN more text")
    try session.run("INSERT INTO t (a, more) VALUES (1000, 'x')")
    let script = """
      import glob, deltalake, duckdb
      (place,) = glob.glob("\(session.folder.path)/tables/public/t-*")
      rows = deltalake.DeltaTable(place).to_pyarrow_table()
      print(duckdb.sql("select count(*), sum(a), count(*) filter (b = 'changed'), sum(n), max(ts), max(more) from rows").fetchall())
      """
    let result = try ChildProcess.run("python3", ["-c", script])
    #expect(
      result.output.hasPrefix("[(51, 2275, 1, Decimal('318.75'), datetime.datetime(2024, 1, 1, 0, 0), 'x')]"),
      "\(result.output) \(result.errorOutput)")
  }

  @Test func copies() throws {
    let session = try server().session()
    try session.run("CREATE TABLE t (a int, b text, c numeric DEFAULT 4.5)")
    #expect(try session.run("COPY t (a, b) FROM STDIN", data: ["1\tone\n2\t\\", "N\n3\ta\\tb\\\\\n\\.\n"]) == "COPY 3")
    #expect(try session.run("SELECT a, b, c::text FROM t ORDER BY a") == "1|one|4.5\n2|-|4.5\n3|a\tb\\|4.5\nSELECT 3")
    #expect(try session.run("COPY t FROM STDIN (FORMAT csv, HEADER)", data: ["a,b,c\r\n4,\"x \"\"y\"\",\n", "z\",1\n5,\"\",\n6,,2"]) == "COPY 3")
    #expect(try session.run("SELECT b, b IS NULL, c::text FROM t WHERE a > 3 ORDER BY a") == "x \"y\",\nz|f|1\n|f|-\n-|t|2\nSELECT 3")
    let fault = session.fault("COPY t FROM STDIN", data: ["7\tx\t1\n", "eight\tx\t2\n"])
    #expect(fault?.state == .invalidTextRepresentation)
    #expect(fault?.context == "COPY t, line 2, column a: \"eight\"")
    #expect(session.fault("COPY t FROM STDIN", data: ["7\n"])?.context == "COPY t, line 1: \"7\"")
    #expect(session.fault("COPY t FROM STDIN", data: ["7\n"])?.message == "missing data for column \"b\"")
    #expect(session.state("COPY t FROM STDIN", data: ["7\ta\t1\t2\n"]) == "22P04")
    #expect(session.state("COPY t FROM STDIN (FORMAT csv)", data: ["7,\"a\n"]) == "22P04")
    #expect(session.state("COPY t TO '/tmp/x'") == "42501")
    #expect(session.state("COPY nope FROM STDIN") == "42P01")
    #expect(try session.run("SELECT count(*) FROM t") == "6\nSELECT 1")
    #expect(
      try session.run("COPY t (a, b) FROM STDIN (FORMAT csv, NULL 'nil', FORCE_NULL (b))", data: ["9,\"nil\"\n"]) == "COPY 1")
    #expect(try session.run("SELECT b IS NULL FROM t WHERE a = 9") == "t\nSELECT 1")
  }
}
