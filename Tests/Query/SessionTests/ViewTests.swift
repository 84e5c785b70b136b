// Views that SQL made, EXPLAIN in its forms, and recursions that have no end.

import Bedrock
import Runtime
import StorageContract
import Synchronization
import Testing

@testable import Session

@Suite struct ViewTests {
  @Test func viewsAreMadeReadReplacedAndDropped() throws {
    let session = try ExternalSession()
    #expect(
      try session.run("CREATE VIEW paid (number, sum) AS SELECT sequence, amount FROM shop.\"order\" WHERE name = 'paid'")
        == "CREATE VIEW")
    #expect(try session.run("SELECT number, sum FROM paid") == "2|20")
    #expect(try session.run("SELECT p.sum + 1 FROM public.paid AS p (a, sum) WHERE a = 2") == "21")
    #expect(session.state("CREATE VIEW paid AS SELECT 1") == "42P07")
    #expect(session.state("CREATE OR REPLACE VIEW paid AS SELECT 1 AS number") == "42P16")
    #expect(session.state("CREATE OR REPLACE VIEW paid AS SELECT 1::int8 AS other, 2::int8 AS sum") == "42P16")
    #expect(session.state("CREATE OR REPLACE VIEW paid AS SELECT 1::text AS number, 2::int8 AS sum") == "42P16")
    #expect(
      try session.run("CREATE OR REPLACE VIEW paid AS SELECT 7::int8 AS number, 8::int8 AS sum, 'x' AS more")
        == "CREATE VIEW")
    #expect(try session.run("SELECT * FROM paid") == "7|8|x")
    #expect(try session.run("CREATE VIEW twice AS SELECT sum * 2 AS d FROM paid UNION ALL SELECT 1") == "CREATE VIEW")
    #expect(try session.run("SELECT d FROM twice ORDER BY d") == "1\n16")
    #expect(try session.run("DROP VIEW twice") == "DROP VIEW")
    #expect(session.state("SELECT * FROM twice") == "42P01")
    #expect(session.state("DROP VIEW twice") == "42P01")
    #expect(try session.run("DROP VIEW IF EXISTS twice, paid") == "DROP VIEW")
  }

  @Test func conditionsReachTheScanThroughAView() throws {
    let session = try ExternalSession()
    _ = try session.run("CREATE VIEW d AS SELECT id, label FROM read_delta('/d')")
    #expect(try session.run("SELECT label FROM d WHERE id > 1") == "b")
    let request = try #require(session.external.state.withLock { $0.requests.last })
    #expect(request.predicates.count == 1)
  }

  @Test func namesInAViewMeanWhatTheyMeantWhenItWasMade() throws {
    let session = try ExternalSession()
    _ = try session.run("SET search_path = shop; CREATE VIEW public.v AS SELECT count(*) AS n FROM \"order\"; RESET search_path")
    _ = try session.run("SET search_path = public")
    #expect(try session.run("SELECT n FROM v") == "3")
  }

  @Test func catalogsShowViews() throws {
    let session = try ExternalSession()
    _ = try session.run("/* as */ CREATE VIEW \"x as y\" (a) AS -- the query\n SELECT 1 AS b /* end */")
    #expect(try session.run("SELECT a FROM \"x as y\"") == "1")
    let definition = " -- the query\n SELECT 1 AS b /* end */;"
    #expect(try session.run("SELECT definition FROM pg_views WHERE viewname = 'x as y'") == definition)
    #expect(try session.run("SELECT pg_get_viewdef('\"x as y\"'::regclass)") == definition)
    #expect(try session.run("SELECT relkind, relnatts FROM pg_class WHERE relname = 'x as y'") == "v|1")
    #expect(
      try session.run("SELECT table_type FROM information_schema.tables WHERE table_name = 'x as y'") == "VIEW")
  }

  @Test(arguments: [
    ("CREATE VIEW v AS SELECT nothing", "42703"), ("CREATE VIEW v AS SELECT $1", "42P02"),
    ("CREATE VIEW v (a, b) AS SELECT 1", "42601"), ("CREATE VIEW v AS SELECT 1 AS a, 2 AS a", "42701"),
    ("CREATE VIEW nowhere.v AS SELECT 1", "3F000"), ("CREATE VIEW pg_catalog.v AS SELECT 1", "42501"),
    ("CREATE TEMP VIEW v AS SELECT 1", "0A000"), ("CREATE VIEW shop.\"order\" AS SELECT 1", "42P07"),
    ("CREATE OR REPLACE VIEW shop.\"order\" AS SELECT 1", "42809"), ("DROP VIEW shop.\"order\"", "42809"),
    ("BEGIN; CREATE VIEW v AS SELECT 1", "25001"), ("CREATE VIEW \"v@1\" AS SELECT 1", "22023"),
    ("CREATE VIEW v WITH (security_barrier) AS SELECT 1", "0A000"),
  ])
  func wrongViewsAreRefused(_ sql: String, _ state: String) throws {
    let found = try ExternalSession().state(sql)
    #expect(found == state, "\(sql)")
  }

  // MARK: EXPLAIN

  @Test func explainAnalyzeCountsEveryOperator() throws {
    let session = try ExternalSession()
    let plan = try session.run(
      "EXPLAIN ANALYZE SELECT a.id, n FROM read_delta('/d') a, LATERAL (SELECT count(*) AS n FROM generate_series(1, a.id)) s")
    let lines = plan.split(separator: "\n")
    #expect(lines.contains { $0.contains("Foreign Scan") && $0.contains("rows=2") && $0.contains("actual time=") }, "\(plan)")
    #expect(plan.contains("Rows: 2"))
    #expect(plan.contains("Execution Time: "))
    let recursive = try session.run(
      "EXPLAIN ANALYZE WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT count(*) FROM t")
    #expect(recursive.contains("Recursive Union All  (actual time="), "\(recursive)")
    #expect(recursive.contains("rows=5"), "\(recursive)")
  }

  @Test func explainGivesJSON() throws {
    let session = try ExternalSession()
    let plan = try session.run("EXPLAIN (FORMAT JSON) SELECT id FROM read_delta('/d') WHERE label = '\"'")
    #expect(plan.hasPrefix("[\n  {\n    \"Plan\": {\n      \"Node Type\": "), "\(plan)")
    #expect(plan.contains("\"Node Type\": \"Foreign Scan on read_delta('/d')\""), "\(plan)")
    #expect(try session.run("SELECT '\(plan.split(separator: "'").joined(separator: "''"))'::jsonb IS NOT NULL") == "t")
    let analyzed = try session.run("EXPLAIN (ANALYZE, FORMAT JSON) SELECT (SELECT max(id) FROM read_delta('/d'))")
    for key in ["\"Actual Rows\": 1", "\"Execution Time\": ", "\"Subplan Name\": \"SubPlan 1\"", "\"Plans\": ["] {
      #expect(analyzed.contains(key), "\(analyzed)")
    }
    #expect(session.state("EXPLAIN (FORMAT XML) SELECT 1") == "0A000")
  }

  // MARK: Recursion

  @Test(.timeLimit(.minutes(1))) func aRunawayRecursionEndsWithItsMemory() throws {
    let session = try ExternalSession(bytesMax: 1 << 20)
    let rows = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n * 2 + g FROM t, generate_series(0, 1) g) SELECT count(*) FROM t"
    #expect(["53200", "53400", "54000"].contains(session.state(rows)))
    let keys = "WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n * 2 + g FROM t, generate_series(0, 1) g) SELECT count(*) FROM t"
    #expect(["53200", "53400", "54000"].contains(session.state(keys)))
    // The memory came back.
    #expect(try session.run("SELECT count(*) FROM generate_series(1, 10)") == "10")
  }

  @Test func aRunawayRecursionStopsWhenItIsCancelled() throws {
    let session = try ExternalSession()
    let query = try session.session.simpleQuery(
      "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t")
    var events = 0
    let fault = #expect(throws: Fault.self) {
      while try query.next() != nil, events < 10_000 {
        events += 1
        if events == 10 { session.session.slot.cancel(.userRequest) }
      }
    }
    #expect(fault?.state.text == "57014")
    session.session.fail()
  }
}
