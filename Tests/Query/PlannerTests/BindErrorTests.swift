// Every text, SQLSTATE and position here is PostgreSQL 15's.

import Bedrock
import Functions
import Testing

@Suite struct BindErrorTests {
  @Test(arguments: [
    ("SELECT * FROM nothing", "42P01", "relation \"nothing\" does not exist", 15),
    ("SELECT * FROM iot.nothing", "42P01", "relation \"iot.nothing\" does not exist", 15),
    ("SELECT valu FROM m", "42703", "column \"valu\" does not exist", 8),
    ("SELECT m.valu FROM m", "42703", "column m.valu does not exist", 8),
    ("SELECT x.value FROM m", "42P01", "missing FROM-clause entry for table \"x\"", 8),
    ("SELECT x.* FROM m", "42P01", "missing FROM-clause entry for table \"x\"", 8),
    ("SELECT series FROM m, s", "42702", "column reference \"series\" is ambiguous", 8),
    ("SELECT 1 FROM m, m", "42712", "table name \"m\" specified more than once", nil),
    ("SELECT nofunc(1, 'a')", "42883", "function nofunc(integer, unknown) does not exist", 8),
    ("SELECT lower(1)", "42883", "function lower(integer) does not exist", 8),
    ("SELECT series + n FROM m", "42883", "operator does not exist: text + integer", 15),
    ("SELECT 1 WHERE 1", "42804", "argument of WHERE must be type boolean, not type integer", 16),
    ("SELECT CASE WHEN true THEN 1 ELSE 'x' END", "22P02", "invalid input syntax for type integer: \"x\"", 35),
    ("SELECT CASE WHEN true THEN 1 ELSE true END", "42804", "CASE types boolean and integer cannot be matched", 28),
    ("SELECT n = 'abc' FROM m", "22P02", "invalid input syntax for type integer: \"abc\"", 12),
    ("SELECT series, count(*) FROM m", "42803",
      "column \"m.series\" must appear in the GROUP BY clause or be used in an aggregate function", 8),
    ("SELECT n FROM m GROUP BY series", "42803",
      "column \"m.n\" must appear in the GROUP BY clause or be used in an aggregate function", 8),
    ("SELECT 1 FROM m HAVING value > 1", "42803",
      "column \"m.value\" must appear in the GROUP BY clause or be used in an aggregate function", 24),
    ("SELECT 1 FROM m WHERE count(*) > 1", "42803", "aggregate functions are not allowed in WHERE", 23),
    ("SELECT sum(count(*)) FROM m", "42803", "aggregate function calls cannot be nested", 12),
    ("SELECT count(*) FROM m GROUP BY 1", "42803", "aggregate functions are not allowed in GROUP BY", 33),
    ("SELECT 1 ORDER BY 2", "42P10", "ORDER BY position 2 is not in select list", 19),
    ("SELECT n FROM m GROUP BY 3", "42P10", "GROUP BY position 3 is not in select list", 26),
    ("SELECT DISTINCT n FROM m ORDER BY value", "42P10",
      "for SELECT DISTINCT, ORDER BY expressions must appear in select list", 35),
    ("SELECT (SELECT 1, 2)", "42601", "subquery must return only one column", 8),
    ("SELECT 1 UNION SELECT 1, 2", "42601", "each UNION query must have the same number of columns", 23),
    ("SELECT 1 UNION SELECT true", "42804", "UNION types integer and boolean cannot be matched", 23),
    ("SELECT $1", nil, "", nil),
    ("SELECT 1 LIMIT -1", "2201W", "LIMIT must not be negative", nil),
    ("SELECT n FROM m LIMIT n", "42P10", "argument of LIMIT must not contain variables", 23),
    ("SELECT '1'::nope", "42704", "type \"nope\" does not exist", 13),
    ("SELECT true::date", "42846", "cannot cast type boolean to date", 12),
    ("SELECT now()::float8", "42846", "cannot cast type timestamp with time zone to double precision", 13),
    ("SELECT * FROM m JOIN s USING (city)", "42703",
      "column \"city\" specified in USING clause does not exist in left table", nil),
    ("SELECT a COLLATE nowhere FROM (SELECT 'x' AS a) t", "42704",
      "collation \"nowhere\" for encoding \"UTF8\" does not exist", 10),
    ("SELECT lower(*)", "42809", "lower(*) specified, but lower is not an aggregate function", 8),
    ("SELECT count()", "42809", "count(*) must be used to call a parameterless aggregate function", 8),
    ("SELECT lower(DISTINCT 'a')", "42809", "DISTINCT specified, but lower is not an aggregate function", 8),
    ("VALUES (1), (1, 2)", "42601", "VALUES lists must all be the same length", 14),
    ("SELECT *", "42601", "SELECT * with no tables specified is not valid", 8),
    ("SELECT ARRAY[]", "42P18", "cannot determine type of empty array", 8),
    ("SELECT (SELECT m.n FROM s LIMIT 1) FROM m GROUP BY series", "42803",
      "subquery uses ungrouped column \"m.n\" from outer query", 16),
    ("WITH a AS (SELECT nope) SELECT 1", "42703", "column \"nope\" does not exist", 19),
    ("SELECT rank() FROM m", "42809", "window function rank requires an OVER clause", 8),
    ("SELECT 1 FROM m WHERE rank() OVER () > 1", "42P20", "window functions are not allowed in WHERE", 23),
    ("SELECT sum(rank() OVER ()) FROM m", "42803",
      "aggregate function calls cannot contain window function calls", 12),
    ("SELECT rank() OVER w FROM m", "42704", "window \"w\" does not exist", 20),
    ("SELECT sum(n) OVER (ORDER BY series RANGE 1 PRECEDING) FROM m", "0A000",
      "RANGE with offset PRECEDING/FOLLOWING is not supported for column type text", 43),
    ("SELECT grouping(n) FROM m GROUP BY series", "42803",
      "arguments to GROUPING must be grouping expressions of the associated query level", 17),
    ("SELECT mode(n) FROM m", "42809", "WITHIN GROUP is required for ordered-set aggregate mode", 8),
  ])
  func faults(_ sql: String, _ state: String?, _ message: String, _ position: Int?) throws {
    guard let state else {
      #expect(Fixture.fault(sql) == nil)
      return
    }
    let fault = try #require(Fixture.fault(sql))
    #expect(fault.state.text == state)
    #expect(fault.message == message)
    #expect(fault.position == position)
  }

  @Test func hints() throws {
    #expect(Fixture.fault("SELECT valu FROM m")?.hint == "Perhaps you meant to reference the column \"m.value\".")
    #expect(
      Fixture.fault("SELECT serie FROM m, s")?.hint
        == "Perhaps you meant to reference the column \"m.series\" or the column \"s.series\".")
    #expect(Fixture.fault("SELECT zzzzz FROM m")?.hint == nil)
    #expect(
      Fixture.fault("SELECT nofunc(1)")?.hint
        == "No function matches the given name and argument types. You might need to add explicit type casts.")
  }

  @Test func deepExpressionsAreRefusedNotFatal() throws {
    let chain = "SELECT 1" + String(repeating: " + n", count: 480) + " FROM m"
    #expect(Fixture.fault(chain) == nil)
    #expect(Fixture.fault("SELECT " + String(repeating: "abs(", count: 480) + "1" + String(repeating: ")", count: 480)) == nil)
    var nested = "SELECT 1 AS a"
    for level in 0..<150 { nested = "SELECT a + 1 AS a FROM (\(nested)) t\(level)" }
    let fault = Fixture.fault(nested)
    #expect(fault == nil || fault?.state == .statementTooComplex)
    var with = "WITH t0 AS (SELECT 1 AS a)"
    for level in 1...40 { with += ", t\(level) AS (SELECT x.a FROM t\(level - 1) x, t\(level - 1) y)" }
    #expect(Fixture.fault(with + " SELECT * FROM t40")?.state == .statementTooComplex)
  }
}
