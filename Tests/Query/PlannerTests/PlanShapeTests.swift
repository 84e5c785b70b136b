// Plans as text: what moves where, what is read, what is pruned.

import Bedrock
import Columnar
import Functions
import Plan
import Planner
import StorageContract
import Testing

@Suite struct PlanShapeTests {
  private func expect(_ sql: String, _ lines: [String], _ place: SourceLocation = #_sourceLocation) throws {
    let found = try Fixture.text(sql)
    #expect(found == lines.joined(separator: "\n"), sourceLocation: place)
  }

  @Test func filtersAndColumnsReachTheScan() throws {
    try expect(
      "SELECT series FROM (SELECT series, value * 2 AS v, n FROM m) t WHERE n > 3 AND series IN ('a', 'b')",
      [
        "Project", "  Output: series",
        "  ->  Scan on iot.m",
        "        Columns: series, n",
        "        Filter: ((n > 3) AND (series IN ('a', 'b')))",
        "        Pruning: n > 3, series in 2 values",
      ])
  }

  @Test func countTouchesNoColumn() throws {
    try expect(
      "SELECT count(*) FROM m",
      ["Aggregate", "  Aggregates: count(*)", "  ->  Scan on iot.m", "        Columns: none"])
  }

  @Test func groupsSortAndTopRows() throws {
    try expect(
      """
      SELECT date_trunc('hour', published) AS hour, count(DISTINCT series) c FROM m
      WHERE published >= '2020-01-01' GROUP BY 1 HAVING count(*) > 1 ORDER BY c DESC, hour LIMIT 10 OFFSET 5
      """,
      [
        "Limit", "  Count: 10", "  Offset: 5",
        "  ->  Sort (top 15)",
        "        Sort Key: count(DISTINCT series) DESC, date_trunc('hour', published)",
        "        ->  Project",
        "              Output: date_trunc('hour', published), count(DISTINCT series)",
        "              ->  Filter",
        "                    Condition: (count(*) > 1)",
        "                    ->  Hash Aggregate",
        "                          Group Key: date_trunc('hour', published)",
        "                          Aggregates: count(DISTINCT series), count(*)",
        "                          ->  Scan on iot.m",
        "                                Columns: published, series",
        "                                Filter: (published >= '2020-01-01 00:00:00+00'::timestamp with time zone)",
        "                                Pruning: published >= '2020-01-01 00:00:00+00'::timestamp with time zone",
      ])
  }

  @Test func windowsShareTheirSortAndLetPartitionsBeChosen() throws {
    try expect(
      """
      SELECT * FROM (
        SELECT series, n, count(*) OVER (PARTITION BY series) AS c, sum(n) OVER (PARTITION BY series ORDER BY n) AS s
        FROM m) t
      WHERE series > 'a' AND s > 3 ORDER BY series, n
      """,
      [
        "Project", "  Output: series, n, count(*) OVER (?), sum(n) OVER (?)",
        "  ->  Filter",
        "        Condition: (sum(n) OVER (?) > 3)",
        "        ->  Window (sorted already)",
        "              Partition Key: series",
        "              Calls: count(*) OVER (?)",
        "              ->  Window",
        "                    Partition Key: series",
        "                    Order Key: n",
        "                    Calls: sum(n) OVER (?)",
        "                    ->  Scan on iot.m",
        "                          Columns: series, n",
        "                          Filter: (series > 'a')",
        "                          Pruning: series > 'a'",
      ])
  }

  @Test func groupingSetsReadTheirInputOnce() throws {
    try expect(
      "SELECT series, n, count(*), grouping(series, n) FROM m GROUP BY ROLLUP (series, n)",
      [
        "Grouping Sets (3)", "  Group Key: series, n", "  Group Key: series", "  Group Key: ()", "  Aggregates: count(*)",
        "  ->  Scan on iot.m",
        "        Columns: series, n",
      ])
  }

  @Test func equalitiesBecomeHashJoinsWithTheSmallSideBuilt() throws {
    try expect(
      "SELECT city, sum(value) FROM s, m WHERE s.series = m.series AND city LIKE 'A%' GROUP BY city",
      [
        "Hash Aggregate", "  Group Key: city", "  Aggregates: sum(value)",
        "  ->  Project",
        "        Output: city, value",
        "        ->  Hash Join",
        "              Hash Cond: series = series",
        "              ->  Scan on iot.m",
        "                    Columns: series, value",
        "              ->  Scan on iot.s",
        "                    Columns: series, city",
        "                    Filter: (city ~~ 'A%')",
      ])
  }

  @Test func outerJoinsKeepTheirRows() throws {
    let kept = try Fixture.text("SELECT 1 FROM m LEFT JOIN s ON s.series = m.series AND s.city = 'x' AND m.n = 1 WHERE m.n > 2")
    #expect(kept.contains("Hash Left Join"))
    #expect(kept.contains("Join Filter: (n = 1)"))
    #expect(kept.contains("Filter: (city = 'x')"))
    #expect(kept.contains("Filter: (n > 2)"))
    #expect(try Fixture.text("SELECT 1 FROM m LEFT JOIN s USING (series) WHERE s.city = 'x'").contains("Hash Join"))
    #expect(try Fixture.text("SELECT 1 FROM m LEFT JOIN s USING (series) WHERE s.city IS NULL").contains("Hash Left Join"))
    #expect(try Fixture.text("SELECT 1 FROM s RIGHT JOIN m USING (series)").contains("Hash Left Join"))
    #expect(try Fixture.text("SELECT 1 FROM s FULL JOIN m USING (series) WHERE m.n = 1").contains("Hash Full Join"))
  }

  @Test func subqueriesBecomeJoins() throws {
    let exists = try Fixture.text("SELECT n FROM m WHERE EXISTS (SELECT 1 FROM s WHERE s.series = m.series AND city = 'x')")
    #expect(exists.contains("Hash Semi Join") && exists.contains("Hash Cond: series = series"))
    #expect(
      try Fixture.text("SELECT n FROM m WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.series = m.series)").contains("Hash Anti Join"))
    #expect(try Fixture.text("SELECT n FROM m WHERE series IN (SELECT series FROM s)").contains("Hash Semi Join"))
    #expect(
      try Fixture.text("SELECT n FROM m WHERE series NOT IN (SELECT series FROM s)").contains("Hash Anti (null aware) Join"))
    #expect(
      try Fixture.text("SELECT (SELECT city FROM s WHERE s.series = m.series) FROM m").contains("Hash Single Join"))
    let counted = try Fixture.text("SELECT (SELECT count(*) FROM s WHERE s.series = m.series) FROM m")
    #expect(counted.contains("Hash Single Join") && counted.contains("ELSE 0 END"))
    let first = try Fixture.text("SELECT n FROM m WHERE value > (SELECT avg(value) FROM m) AND EXISTS (SELECT 1 FROM s)")
    #expect(first.contains("SubPlan 1") && first.contains("SubPlan 2"))
    #expect(
      try Fixture.text("SELECT EXISTS (SELECT 1 FROM s WHERE s.series = m.series) AND n > 1 FROM m").contains("Hash Left Join"))
  }

  @Test func viewsFilterByName() throws {
    try expect(
      "SELECT * FROM m_recorded",
      [
        "Project", "  Output: sequence, published, series, value",
        "  ->  Scan on iot.m_recorded",
        "        Columns: sequence, published, series, value, column 1",
        "        Filter: (column 1 = 'recorded')",
        "        Pruning: column 1 = 'recorded'",
      ])
  }

  @Test func setOperations() throws {
    #expect(try Fixture.text("SELECT 1 UNION ALL SELECT 2").hasPrefix("Append"))
    #expect(try Fixture.text("SELECT 1 UNION SELECT 2").hasPrefix("Distinct"))
    #expect(try Fixture.text("SELECT n FROM m INTERSECT SELECT n FROM o").contains("Hash Aggregate"))
    let pushed = try Fixture.text("SELECT * FROM (SELECT n FROM m UNION ALL SELECT n FROM o) t WHERE n = 1")
    #expect(pushed.components(of: "Filter:") == 2)
  }

  @Test func parametersTakeTheTypeOfTheirPlace() throws {
    let planned = try Fixture.plan("SELECT $1, $2 + n, $3::date FROM m WHERE series = $4 AND n = $5", [.int8])
    #expect(planned.parameterTypes == [.int8, .int4, .date, .text, .int4])
    #expect(Fixture.fault("SELECT $2")?.state == .indeterminateDatatype)
    let ready = try Planner.prepareToRun(
      try Fixture.plan("SELECT n FROM m WHERE n = $1 AND published > now() - interval '5 minutes'"),
      parameters: [.integer(7)], context: Fixture.context)
    guard case .project(.scan(_, let request, _, _), _) = ready.root else {
      Issue.record("\(ready.root)")
      return
    }
    #expect(request.predicates.count == 2)
    #expect(throws: Fault.self) { try Planner.prepareToRun(planned, parameters: [], context: Fixture.context) }
  }

  @Test(arguments: [
    ("SELECT 1 + 1", ["?column?"], [DataType.int4]),
    ("SELECT 1 + 2.5, 7 / 2, 1 + 3000000000, 1.0::float8 + 1", ["?column?", "?column?", "?column?", "?column?"],
      [.numeric, .int4, .int8, .float8]),
    ("SELECT count(*), sum(n), avg(n), max(series), sum(value) FROM m", ["count", "sum", "avg", "max", "sum"],
      [.int8, .int8, .numeric, .text, .float8]),
    ("SELECT 'a' || 1, now() - interval '1 day', date '2020-01-01' + 1, extract(epoch FROM now())",
      ["?column?", "?column?", "?column?", "extract"], [.text, .timestamptz, .date, .numeric]),
    ("SELECT CASE WHEN ok THEN 1 ELSE 2.5 END, coalesce(n, 0), n::text, value::int FROM m",
      ["case", "coalesce", "n", "value"], [.numeric, .int4, .text, .int4]),
    ("SELECT * FROM s", ["sequence", "name", "published", "received", "metadata", "series", "city"],
      [.int8, .text, .timestamptz, .timestamptz, .jsonb, .text, .text]),
    ("SELECT series, s.city FROM m JOIN s USING (series)", ["series", "city"], [.text, .text]),
    ("SELECT current_date, current_timestamp, current_user", ["current_date", "current_timestamp", "current_user"],
      [.date, .timestamptz, .name]),
    ("SELECT a, b FROM (VALUES (1, 'x'), (2.5, NULL)) v (a, b)", ["a", "b"], [.numeric, .text]),
    ("WITH t (x) AS (SELECT n FROM m) SELECT x + 1 AS y FROM t", ["y"], [.int4]),
    ("SELECT * FROM generate_series(1, 3) g", ["g"], [.int4]),
    ("SELECT n IN (1, NULL), series LIKE 'x%', n BETWEEN 1 AND 2, tags[1] FROM o CROSS JOIN (SELECT series FROM s) t",
      ["?column?", "?column?", "?column?", "tags"], [.boolean, .boolean, .boolean, .text]),
  ])
  func namesAndTypes(_ sql: String, _ names: [String], _ types: [DataType]) throws {
    let planned = try Fixture.plan(sql)
    #expect(planned.columns.map(\.name) == names)
    #expect(planned.columns.map(\.type) == types)
    #expect(planned.root.outputTypes.map(\.withoutModifier) == types.map(\.withoutModifier))
  }

  @Test func plainColumnsKnowTheirTable() throws {
    let columns = try Fixture.plan("SELECT city, city || 'x' FROM s").columns
    #expect(columns[0].tableOID != 0 && columns[0].attributeNumber == 7)
    #expect(columns[1].tableOID == 0 && columns[1].attributeNumber == 0)
  }
}

extension String {
  /// How often a text occurs.
  fileprivate func components(of text: String) -> Int { split(separator: text, omittingEmptySubsequences: false).count - 1 }
}
