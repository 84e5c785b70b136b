import Bedrock
import SQLSyntax
import Testing

/// The only statement of a text, described.
func described(_ sql: String) throws -> String {
  let statements = try SQLParser.parse(sql)
  #expect(statements.count == 1)
  guard case .select(let query)? = statements.first?.kind else { return "not a query" }
  return query.text
}

@Suite struct SelectSyntaxTests {
  @Test(arguments: [
    ("SELECT 1", "select 1"),
    ("SELECT 3000000000, 1.50, 1e3, 'it''s', b'01', x'1F', null, true", 
      "select #3000000000, #1.50, #1e3, 'it's', bit b01, bit x1F, null, true"),
    ("SELECT -1, - a, +a, a + 1 * 2", "select -1, (- a), (+ a), (a + (1 * 2))"),
    ("SELECT a.b.c, t.*, *, $2", "select a.b.c, t.*, *, $2"),
    ("SELECT a OPERATOR(pg_catalog.~) 'x' COLLATE pg_catalog.default",
      "select (a pg_catalog.~ 'x' collate pg_catalog.default)"),
    ("SELECT a LIKE 'x', a NOT LIKE 'x' ESCAPE '!', a ILIKE b, a SIMILAR TO 'z'",
      "select (a ~~ 'x'), (a !~~ pg_catalog.like_escape('x', '!')), (a ~~* b), (a ~ pg_catalog.similar_to_escape('z'))"),
    ("SELECT a BETWEEN 1 AND 2, a NOT BETWEEN SYMMETRIC 1 AND 2",
      "select (a between 1, 2), (a not between symmetric 1, 2)"),
    ("SELECT a IN (1, 2), a NOT IN (SELECT 1), (a, b) IN ((1, 2))",
      "select (a in [1, 2]), not((a = any{select 1})), (row(a, b) in [row(1, 2)])"),
    ("SELECT a = ANY ($1), a <> ALL (ARRAY[1, 2]), a > ALL (SELECT 1)",
      "select (a = any[$1]), (a <> all[array[1, 2]]), (a > all{select 1})"),
    ("SELECT EXISTS (SELECT 1), (SELECT 2), ARRAY(SELECT 3), ARRAY[[1],[2]]",
      "select exists{select 1}, {select 2}, array{select 3}, array[array[1], array[2]]"),
    ("SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END, CASE WHEN a THEN 1 END",
      "select case a {1 -> 'x'} else 'y', case _ {a -> 1} else _"),
    ("SELECT COALESCE(a, 1), NULLIF(a, b), GREATEST(a, b), LEAST(a, b)",
      "select coalesce(a, 1), nullif(a, b), greatest(a, b), least(a, b)"),
    ("SELECT CAST(a AS numeric(10, 2)), a::int[], '1'::\"char\", interval '1 day', date '2020-01-01', a::varchar(3)",
      "select a::pg_catalog.numeric(10, 2), a::pg_catalog.int4[], '1'::char, '1 day'::pg_catalog.interval, "
        + "'2020-01-01'::date, a::pg_catalog.varchar(3)"),
    ("SELECT a IS NULL, a IS NOT NULL, a IS TRUE, a IS NOT FALSE, a IS UNKNOWN, a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b",
      "select (a is null), (a is not null), (a is true), (a is not false), (a is unknown), (a distinct b), (a same b)"),
    ("SELECT a AND b AND NOT c OR d", "select or(and(a, b, not(c)), d)"),
    ("SELECT count(*), count(DISTINCT a), string_agg(a, ',' ORDER BY b DESC NULLS LAST) FILTER (WHERE c)",
      "select count(*), count(distinct a), string_agg(a, ',' order b desc nulls last) filter c"),
    ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a), f(x => 1, 2), g(VARIADIC a), pg_catalog.now()",
      "select percentile_cont(#0.5) within order a, f(x => 1, 2), g(variadic a), pg_catalog.now()"),
    ("SELECT rank() OVER w, sum(a) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES) FROM t WINDOW w AS (ORDER BY d)",
      "select rank() over [name w], sum(a) over [partition b; order c; rows -1..+inf ties] from t "
        + "window [name w; order d]"),
    ("SELECT current_date, current_timestamp(3), localtime, current_user, session_user, current_schema, current_catalog",
      "select current_date, current_timestamp(3), localtime, current_user, session_user, current_schema, "
        + "current_catalog"),
    ("SELECT a AT TIME ZONE 'UTC', extract(epoch FROM a), position('a' IN b), substring(a FROM 1 FOR 2), trim(both from a)",
      "select pg_catalog.timezone('UTC', a), pg_catalog.extract('epoch', a), pg_catalog.position(b, 'a'), "
        + "pg_catalog.substring(a, 1, 2), pg_catalog.btrim(a)"),
    ("SELECT a[1], a[1:2], a[:], (a).b, (a).*, (f(x)).c[2]",
      "select a[1], a[1:2], a[:], (a).b, (a).*, (f(x)).c[2]"),
    ("SELECT ROW(1, 2), (1, 2), grouping(a, b)", "select row(1, 2), row(1, 2), grouping(a, b)"),
  ])
  func expressions(_ sql: String, _ expected: String) throws {
    let found = try described(sql)
    #expect(found == expected)
  }

  @Test(arguments: [
    ("SELECT * FROM a, shop.\"order\" AS o (x, y)", "select * from a, shop.order as o(x,y)"),
    ("SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (y, z) AS u",
      "select * from ((a inner b on (a.x = b.x)) left c using(y,z) as u)"),
    ("SELECT * FROM a RIGHT JOIN b ON true FULL JOIN c ON true CROSS JOIN d NATURAL JOIN e",
      "select * from ((((a right b on true) full c on true) cross d) inner e natural)"),
    ("SELECT * FROM (SELECT 1) AS s (n), LATERAL (SELECT s.n) l, generate_series(1, 3) WITH ORDINALITY g (a, b)",
      "select * from {select 1} as s(n), lateral {select s.n} as l, generate_series(1, 3) ordinality as g(a,b)"),
    ("SELECT * FROM ROWS FROM (f(1), g(2)) AS x", "select * from f(1), g(2) as x"),
    ("WITH RECURSIVE a (n) AS NOT MATERIALIZED (SELECT 1), b AS MATERIALIZED (VALUES (1, 2), (3, 4)) SELECT * FROM a, b",
      "with recursive a(n) inline {select 1}, b mat {values (1, 2), (3, 4)} select * from a, b"),
    ("SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3 ORDER BY 1 LIMIT 5 OFFSET 2",
      "{{select 1} UNION ALL {select 2}} EXCEPT {select 3} order 1 offset 2 limit 5"),
    ("(SELECT 1 LIMIT 1) INTERSECT SELECT 1", "{select 1 limit 1} INTERSECT {select 1}"),
    ("SELECT DISTINCT a FROM t", "select distinct a from t"),
    ("SELECT DISTINCT ON (a, b) c FROM t", "select distinct on (a, b) c from t"),
    ("SELECT a AS x, count(*) n FROM t WHERE a > 1 GROUP BY a, 2 HAVING count(*) > 1 ORDER BY x USING >, 2 NULLS FIRST",
      "select a as x, count(*) as n from t where (a > 1) group a, 2 having (count(*) > 1) order x desc, 2 nulls first"),
    ("SELECT 1 FROM t GROUP BY (), ROLLUP (a, b), CUBE (c), GROUPING SETS ((a, b), (a), ())",
      "select 1 from t group (), rollup(a, b), cube(c), sets(row(a, b), a, ())"),
    ("SELECT 1 ORDER BY 1 FETCH FIRST 3 ROWS WITH TIES", "select 1 order 1 limit 3 ties"),
    ("SELECT 1 FROM t ORDER BY a LIMIT ALL FOR UPDATE", "select 1 from t order a limit null locking"),
    ("TABLE shop.x", "select * from shop.x"),
    ("SELECT FROM t", "select  from t"),
    ("VALUES (1, 'a'), (DEFAULT, 'b')", "values (1, 'a'), (default, 'b')"),
  ])
  func clauses(_ sql: String, _ expected: String) throws {
    let found = try described(sql)
    #expect(found == expected)
  }

  @Test(arguments: [
    ("WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a", "INSERT inside a query is not supported"),
    ("SELECT * FROM f() AS x (a int)", "a column definition list for a function is not supported"),
    ("SELECT xmlelement(name a)", "XML is not supported"),
  ])
  func refused(_ sql: String, _ message: String) {
    #expect { try SQLParser.parse(sql) } throws: { error in
      guard let fault = error as? Fault else { return false }
      return fault.state == .featureNotSupported && fault.message == message
    }
  }
}
