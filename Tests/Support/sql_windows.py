"""Queries over windows, grouping sets and ordered-set aggregates for Tests/SQL, one of each combination that matters.

    python3 Tests/Support/sql_windows.py

writes Tests/SQL/window.slt, grouping.slt and ordered_set.slt without answers; CRAMPED_RECORD_SQL=1 swift test --filter
OracleTests records PostgreSQL's. Every ORDER BY inside a window is unique or the function does not tell peers apart, so
that each query has one right answer.
"""

import itertools
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "SQL"

AWKWARD = "awkward"


def write(name, title, queries):
    lines = [f"# {title}", "# Made by Tests/Support/sql_windows.py.", ""]
    for query in queries:
        options = ""
        if isinstance(query, tuple):
            query, options = query
        lines += [f"query{options}", " ".join(query.split()), ""]
    (FOLDER / f"{name}.slt").write_text("\n".join(lines))
    print(name, len(queries))


def windows():
    queries = []
    # ranking functions over each kind of key
    ranks = "row_number() OVER w, rank() OVER p, dense_rank() OVER p, percent_rank() OVER p, cume_dist() OVER p"
    for key in ["i", "f", "n", "d", "ts", "iv", "b", "i DESC", "f DESC NULLS LAST", "n NULLS FIRST"]:
        queries.append(
            f"SELECT id, {ranks} FROM {AWKWARD} WINDOW w AS (PARTITION BY k ORDER BY {key}, id), "
            f"p AS (PARTITION BY k ORDER BY {key}) ORDER BY id")
    for buckets in ["1", "2", "3", "5", "100", "NULL::int", "id"]:
        queries.append(f"SELECT id, ntile({buckets}) OVER (PARTITION BY k ORDER BY id) FROM {AWKWARD} ORDER BY id")
    queries += [f"SELECT ntile(0) OVER (ORDER BY id) FROM {AWKWARD}", f"SELECT ntile(-1) OVER () FROM {AWKWARD}"]
    for call in [
        "lag(i)", "lead(i)", "lag(i, 2)", "lead(i, 2, -1)", "lag(i, 0)", "lag(i, -1)", "lag(i, NULL)", "lead(i, id)",
        "lag(i, 1, id)", "lag(k, 1, 'none')", "lead(n, 1, 0)", "lag(f, 3, 0)", "lead(d)", "lag(iv, 1, interval '1 s')",
        "lag(i, 1, 2.5)", "lag(b)", "first_value(i)", "last_value(i)", "nth_value(k, 2)", "nth_value(i, id)",
        "nth_value(i, NULL)", "first_value(ts)", "last_value(n)",
    ]:
        queries.append(f"SELECT id, {call} OVER (PARTITION BY k ORDER BY id) AS v FROM {AWKWARD} ORDER BY id")
    queries += [
        f"SELECT nth_value(i, 0) OVER (ORDER BY id) FROM {AWKWARD}",
        f"SELECT lag(i, 1, 'x') OVER (ORDER BY id) FROM {AWKWARD}",
        f"SELECT lag(i, 'x') OVER (ORDER BY id) FROM {AWKWARD}",
    ]
    # every kind of frame, with every exclusion
    starts = ["UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW", "1 FOLLOWING"]
    ends = ["1 PRECEDING", "CURRENT ROW", "2 FOLLOWING", "UNBOUNDED FOLLOWING"]
    exclusions = ["", "EXCLUDE CURRENT ROW", "EXCLUDE GROUP", "EXCLUDE TIES", "EXCLUDE NO OTHERS"]
    calls = (
        "count(*) OVER w AS c, count(i) OVER w AS ci, sum(i) OVER w AS si, avg(i) OVER w AS ai, min(i) OVER w AS mi, "
        "max(i) OVER w AS ma, first_value(id) OVER w AS fi, last_value(id) OVER w AS la, nth_value(id, 2) OVER w AS nt, "
        "array_agg(id) OVER w AS ids, sum(n) OVER w AS sn")
    for unit, (start, end) in itertools.product(["ROWS", "GROUPS", "RANGE"], itertools.product(starts, ends)):
        if start == "CURRENT ROW" and end == "1 PRECEDING" or start == "1 FOLLOWING" and end in ("1 PRECEDING", "CURRENT ROW"):
            continue
        # peers have the same frame, but their order within it is not settled: ids are unique only by rows
        key = "id" if unit == "ROWS" else "i"
        for exclusion in exclusions:
            shown = calls if unit == "ROWS" else (
                "count(*) OVER w AS c, count(n) OVER w AS cn, sum(i) OVER w AS si, min(f + 0) OVER w AS mf, max(f + 0) OVER w AS xf, "
                "sum(id) OVER w AS s, bool_or(b) OVER w AS o, bool_and(b) OVER w AS a, avg(id) OVER w AS av")
            queries.append(
                f"SELECT id, {shown} FROM {AWKWARD} WINDOW w AS (PARTITION BY k ORDER BY {key} {unit} BETWEEN {start} AND "
                f"{end} {exclusion}) ORDER BY id")
    # RANGE with offsets over each type that has them
    for key, offset in [
        ("i", "5"), ("i::int2", "5"), ("i::int2", "5::int2"), ("i::int8", "5"), ("i::int8 * 1000000000000", "5"), ("f", "1.5"), ("f::float4", "1.5"),
        ("f", "'Infinity'::float8"), ("n", "1.25"), ("n", "3"), ("d", "'1 mon'"), ("d", "'31 days'::interval"), ("ts", "'1 day'"),
        ("ts", "'1 mon'::interval"), ("ts::timestamptz", "'36 hours'"), ("iv", "'1 day'"), ("ts::time", "'2 hours'"),
    ]:
        for order in ["", "DESC", "NULLS FIRST"]:
            queries.append(
                f"SELECT id, count(*) OVER w AS c, sum(id) OVER w AS s, min(id) OVER v AS m, max(id) OVER v AS x FROM {AWKWARD} WINDOW "
                f"w AS (ORDER BY {key} {order} RANGE BETWEEN {offset} PRECEDING AND {offset} FOLLOWING), "
                f"v AS (ORDER BY {key} {order} RANGE BETWEEN {offset} FOLLOWING AND UNBOUNDED FOLLOWING EXCLUDE TIES) "
                "ORDER BY id")
    # aggregates that have no way of their own
    for call in [
        "stddev(i)", "var_pop(n)", "variance(f)", "string_agg(k, ',')", "bit_and(i)", "bit_or(i)", "array_agg(n)", "max(k)", "min(n)",
        "max(n)", "min(iv)", "max(iv)", "sum(iv)", "max(d)", "min(ts)", "sum(n)", "avg(n)", "sum(i::int8)", "avg(i::int8)", "sum(id::int2)", "max(b::text)",
        "count(k)", "every(b)", "sum(id::float8)", "avg(id::float8)", "sum(id::float4)", "sum(id * 0.25)", "avg(iv)",
    ]:
        for frame in ["ORDER BY id", "ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING", "PARTITION BY k",
                      "ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW"]:
            # values of one order only: PostgreSQL adds up a partition without ORDER BY as the rows come
            # and any of two numerics that are equal but not alike may be the least
            if frame == "PARTITION BY k" and (call.split("(")[0] in ("string_agg", "array_agg") or call in ("min(n)", "max(n)", "min(iv)", "max(iv)")):
                continue
            queries.append(f"SELECT id, {call} OVER ({frame}) AS v FROM {AWKWARD} ORDER BY id")
    # FILTER
    for call in ["count(*)", "sum(i)", "avg(f)", "max(i)", "sum(1)", "array_agg(id)", "string_agg(k, '-')", "sum(100 / (id - 6))"]:
        for frame in ["ORDER BY id", "ORDER BY id ROWS 1 PRECEDING", "PARTITION BY b ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"]:
            queries.append(
                f"SELECT id, {call} FILTER (WHERE id <> 6 AND f IS NOT NULL AND f <> 'NaN' AND f <> 'Infinity') OVER ({frame}) AS v "
                f"FROM {AWKWARD} ORDER BY id")
    # larger tables: several chunks, several windows of one query, sorts that serve two
    queries += [
        "SELECT sequence, sum(sensor) OVER (ORDER BY sequence), avg(value) OVER (ORDER BY sequence ROWS 9 PRECEDING), max(value) OVER (ORDER BY sequence ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING) FROM measurement ORDER BY sequence",
        "SELECT sequence, row_number() OVER (PARTITION BY series ORDER BY sequence), rank() OVER (PARTITION BY series ORDER BY quality), count(*) OVER (PARTITION BY series), count(*) OVER () FROM measurement ORDER BY sequence",
        "SELECT series, sequence, value - lag(value) OVER (PARTITION BY series ORDER BY sequence) AS delta FROM measurement ORDER BY series, sequence",
        "SELECT DISTINCT series, first_value(sequence) OVER w, last_value(sequence) OVER w FROM measurement WINDOW w AS (PARTITION BY series ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY 1",
        "SELECT series, count(*), sum(count(*)) OVER (ORDER BY count(*) DESC, series), rank() OVER (ORDER BY sum(sensor)) FROM measurement GROUP BY series ORDER BY series",
        "SELECT series, quality, count(*), sum(count(*)) OVER (PARTITION BY series ORDER BY quality NULLS FIRST), max(sum(sensor)) OVER (PARTITION BY quality) FROM measurement GROUP BY series, quality ORDER BY 1, 2",
        "SELECT series, avg(value) FROM (SELECT series, value, row_number() OVER (PARTITION BY series ORDER BY sequence DESC) AS n FROM measurement) t WHERE n <= 3 GROUP BY series ORDER BY series",
        "SELECT * FROM (SELECT series, sequence, sum(sensor) OVER (PARTITION BY series ORDER BY sequence) AS s FROM measurement) t WHERE series = 'cpu' AND sequence < 300 ORDER BY sequence",
        "SELECT sequence FROM measurement ORDER BY row_number() OVER (ORDER BY sequence DESC) LIMIT 5",
        "SELECT sequence, 2 * row_number() OVER (ORDER BY sequence DESC) + 1 AS x FROM measurement ORDER BY x DESC LIMIT 5 OFFSET 2",
        "SELECT DISTINCT ON (series) series, sequence, rank() OVER (ORDER BY sequence) FROM measurement ORDER BY series, sequence DESC",
        "SELECT sequence, sum(value) OVER w, sum(value) OVER (w ROWS 3 PRECEDING) FROM measurement WHERE sequence < 50 WINDOW w AS (PARTITION BY ok ORDER BY sequence) ORDER BY sequence",
        "SELECT sequence, sum(value) OVER (b ORDER BY sequence), count(*) OVER b FROM measurement WHERE sequence < 50 WINDOW b AS (PARTITION BY ok) ORDER BY sequence",
        "SELECT sequence, ntile(7) OVER (ORDER BY sequence), percent_rank() OVER (PARTITION BY ok ORDER BY sensor), cume_dist() OVER (PARTITION BY ok ORDER BY sensor) FROM measurement ORDER BY sequence",
        "SELECT sequence, count(*) OVER (ORDER BY day RANGE BETWEEN '10 days' PRECEDING AND '10 days' FOLLOWING), sum(sensor) OVER (ORDER BY seen RANGE BETWEEN '1 year' PRECEDING AND CURRENT ROW) FROM measurement ORDER BY sequence",
        "SELECT sequence, sum(amount) OVER (PARTITION BY sensor ORDER BY sequence), avg(amount) OVER (PARTITION BY sensor ORDER BY sequence ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING) FROM measurement ORDER BY sequence",
        "SELECT customer, placed, sum(price) OVER (PARTITION BY customer ORDER BY placed, sequence) AS total, quantity::numeric / sum(quantity) OVER (PARTITION BY customer) AS share FROM \"order\" ORDER BY customer, placed, sequence",
        "SELECT sequence, string_agg(series, ',') OVER (PARTITION BY sensor ORDER BY sequence ROWS 2 PRECEDING), array_agg(quality) OVER (PARTITION BY sensor ORDER BY sequence ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM measurement ORDER BY sequence",
        "SELECT sequence, min(series) OVER (ORDER BY sequence ROWS 20 PRECEDING), max(amount) OVER (ORDER BY sequence ROWS BETWEEN 20 PRECEDING AND 20 FOLLOWING), stddev(sensor) OVER (ORDER BY sequence ROWS 10 PRECEDING) FROM measurement ORDER BY sequence",
        "SELECT sequence, var_samp(sensor) OVER (ORDER BY sequence) FROM measurement WHERE sequence <= 500 ORDER BY sequence",
        "SELECT count(*) OVER (), x FROM nothing", "SELECT sum(x) OVER (PARTITION BY y ORDER BY x) FROM nothing",
        "SELECT row_number() OVER (), 1", "SELECT rank() OVER (ORDER BY 'x'), dense_rank() OVER (PARTITION BY 1)",
        "SELECT sum(1) OVER (ORDER BY 1 ROWS (SELECT 1) PRECEDING)",
        "SELECT (SELECT sum(i.sequence) OVER (ORDER BY i.sequence DESC) FROM identity i WHERE i.customer = o.customer LIMIT 1), o.sequence FROM \"order\" o WHERE o.sequence < 20 ORDER BY 2",
        "SELECT sequence, generate_series(1, 2), row_number() OVER (ORDER BY sequence) FROM identity WHERE sequence < 4 ORDER BY 1, 2",
        "SELECT id, sum(i) OVER (ORDER BY id) AS s FROM " + AWKWARD + " ORDER BY s NULLS FIRST, id",
        "SELECT k, grouping(k), sum(count(*)) OVER (ORDER BY k NULLS LAST, grouping(k)) FROM " + AWKWARD + " GROUP BY ROLLUP (k) ORDER BY 1, 2",
        "SELECT rank() OVER (ORDER BY sequence) FROM identity WHERE sequence < 5 UNION ALL SELECT 100 ORDER BY 1",
    ]
    # errors
    queries += [
        "SELECT row_number() FROM identity", "SELECT rank() OVER nowhere FROM identity", "SELECT rank() OVER (nowhere) FROM identity",
        "SELECT sequence FROM identity WHERE row_number() OVER () < 3", "SELECT count(*) FROM identity GROUP BY rank() OVER ()",
        "SELECT count(*) FROM identity HAVING rank() OVER () > 1", "SELECT sum(rank() OVER ()) FROM identity",
        "SELECT rank() OVER (ORDER BY rank() OVER ()) FROM identity", "SELECT lag(rank() OVER ()) OVER () FROM identity",
        "SELECT lower(customer) OVER () FROM identity", "SELECT count(DISTINCT age) OVER () FROM identity",
        "SELECT array_agg(age ORDER BY age) OVER () FROM identity", "SELECT rank() FILTER (WHERE true) OVER () FROM identity",
        "SELECT sum(age) OVER (ORDER BY country GROUPS BETWEEN NULL PRECEDING AND CURRENT ROW) FROM identity",
        "SELECT sum(age) OVER (GROUPS 1 PRECEDING) FROM identity", "SELECT sum(age) OVER (RANGE 1 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age, country RANGE 1 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY country RANGE 1 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY born RANGE 1 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age RANGE 1.5 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age RANGE -1 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age ROWS -1 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age ROWS BETWEEN CURRENT ROW AND -1 FOLLOWING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age ROWS NULL PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age ROWS age PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age ROWS 1.5 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age ROWS 'x' PRECEDING) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW) FROM identity",
        "SELECT sum(age) OVER (ORDER BY age ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM identity",
        "SELECT sum(age) OVER (w PARTITION BY age) FROM identity WINDOW w AS (PARTITION BY country)",
        "SELECT sum(age) OVER (w ORDER BY age) FROM identity WINDOW w AS (ORDER BY country)",
        "SELECT sum(age) OVER (w) FROM identity WINDOW w AS (ORDER BY country ROWS 1 PRECEDING)",
        "SELECT sum(age) OVER (w ORDER BY age) FROM identity WINDOW w AS (PARTITION BY country ROWS 1 PRECEDING)",
        "SELECT 1 FROM identity WINDOW w AS (ORDER BY age), w AS (ORDER BY country)",
        "SELECT country, rank() OVER (ORDER BY age) FROM identity GROUP BY country",
        "SELECT sum(age) OVER (ORDER BY nothing) FROM identity", "SELECT ntile('x') OVER () FROM identity",
        "SELECT nth_value(age) OVER () FROM identity", "SELECT row_number(1) OVER () FROM identity",
        "SELECT * FROM identity a JOIN identity b ON rank() OVER () = 1", "SELECT 1 LIMIT rank() OVER ()",
        "VALUES (rank() OVER ())", "SELECT count() OVER () FROM identity", "SELECT row_number(*) OVER () FROM identity",
        "SELECT mode() WITHIN GROUP (ORDER BY age) OVER () FROM identity",
    ]
    return queries


def grouping():
    queries = []
    shapes = [
        "ROLLUP (k, b)", "CUBE (k, b)", "GROUPING SETS ((k), (b), ())", "GROUPING SETS ((k, b), (k), (k), ())",
        "k, ROLLUP (b)", "ROLLUP (k), ROLLUP (b)", "CUBE (k), b", "ROLLUP ((k, b))", "ROLLUP (k, (b, i))", "CUBE ((k, b), i)",
        "GROUPING SETS (ROLLUP (k), CUBE (b))", "GROUPING SETS (k, ROLLUP (b), (k, b))", "()", "GROUPING SETS (())",
        "GROUPING SETS ((), ())", "DISTINCT ROLLUP (k), ROLLUP (k, b)", "ROLLUP (k), ROLLUP (k, b)", "DISTINCT CUBE (k, b), ROLLUP (b)", "k, ()", "GROUPING SETS ((k, b))",
    ]
    calls = [
        "count(*)", "sum(i), avg(n)", "count(DISTINCT i)", "array_agg(id ORDER BY id)", "string_agg(DISTINCT k, ',' ORDER BY k)",
        "max(d), min(ts), sum(iv)", "sum(i) FILTER (WHERE b), count(n)",
    ]
    for shape in shapes:
        keys = [key for key in ("k", "b", "i") if key in shape.replace("CUBE", "").replace("DISTINCT", "").replace("SETS", "").replace("GROUPING", "").replace("ROLLUP", "")]
        for call in calls:
            shown = ", ".join(keys + ([f"grouping({', '.join(keys)})"] if keys else []) + [call])
            queries.append((f"SELECT {shown} FROM {AWKWARD} GROUP BY {shape}", " rowsort"))
    queries += [
        (f"SELECT k, b, grouping(k), grouping(b), grouping(b, k), count(*) FROM {AWKWARD} GROUP BY CUBE (k, b)", " rowsort"),
        (f"SELECT coalesce(k, 'all'), count(*) FROM {AWKWARD} GROUP BY ROLLUP (k) HAVING count(*) > 2", " rowsort"),
        (f"SELECT k, count(*) FROM {AWKWARD} GROUP BY ROLLUP (k) HAVING grouping(k) = 1", " rowsort"),
        (f"SELECT k, count(*) FROM {AWKWARD} GROUP BY ROLLUP (k) HAVING k = 'a'", " rowsort"),
        (f"SELECT * FROM (SELECT k, count(*) AS c FROM {AWKWARD} GROUP BY ROLLUP (k)) x WHERE k IS NULL", " rowsort"),
        (f"SELECT i + 1, count(*) FROM {AWKWARD} GROUP BY ROLLUP (i + 1)", " rowsort"),
        (f"SELECT i % 2 AS odd, count(*) FROM {AWKWARD} GROUP BY CUBE (odd)", " rowsort"),
        (f"SELECT k, sum(id) FROM {AWKWARD} GROUP BY CUBE (1)", " rowsort"),
        (f"SELECT k, sum(length(k)) FROM {AWKWARD} GROUP BY ROLLUP (k)", " rowsort"),
        f"SELECT k, b, count(*) FROM {AWKWARD} GROUP BY ROLLUP (k, b) ORDER BY grouping(k, b), k, b",
        f"SELECT k, count(*) FROM {AWKWARD} WHERE false GROUP BY ROLLUP (k)",
        f"SELECT count(*) FROM {AWKWARD} WHERE false GROUP BY ()",
        f"SELECT k, b FROM {AWKWARD} WHERE false GROUP BY GROUPING SETS ((k), (b))",
        f"SELECT grouping(k) FROM {AWKWARD} GROUP BY k ORDER BY 1",
        "SELECT series, ok, quality, count(*), sum(sensor), avg(amount), grouping(series, ok, quality) FROM measurement GROUP BY CUBE (series, ok, quality) ORDER BY 7, 1, 2, 3",
        "SELECT sensor, series, count(DISTINCT quality), max(amount) FROM measurement GROUP BY ROLLUP (sensor, series) ORDER BY 1, 2",
        f"SELECT grouping(i) FROM {AWKWARD} GROUP BY k", f"SELECT grouping(k) FROM {AWKWARD}",
        f"SELECT i FROM {AWKWARD} GROUP BY ROLLUP (k)", f"SELECT k FROM {AWKWARD} WHERE grouping(k) = 0 GROUP BY k",
        f"SELECT count(*) FROM {AWKWARD} GROUP BY CUBE (id, k, i, f, n, d, ts, iv, b, id+1, id+2, id+3, id+4)",
        f"SELECT count(*) FROM {AWKWARD} GROUP BY CUBE (id, k, i, f, n, d, ts), CUBE (iv, b, id+1, id+2, id+3, id+4)",
        f"SELECT sum(grouping(k)) FROM {AWKWARD} GROUP BY k",
    ]
    return queries


def ordered_sets():
    queries = []
    fractions = ["0", "0.25", "0.5", "0.9", "1", "NULL"]
    for fraction in fractions:
        for key in ["i", "n", "f", "iv", "i DESC", "id"]:
            queries.append(
                f"SELECT k, percentile_cont({fraction}) WITHIN GROUP (ORDER BY {key}) FROM {AWKWARD} WHERE (f IS NULL OR abs(f) < 10) AND id <> 7 "
                "GROUP BY k ORDER BY k")
        for key in ["i", "n", "f", "d", "ts", "iv", "k", "b", "id DESC", "i NULLS FIRST"]:
            queries.append(
                f"SELECT k, percentile_disc({fraction}) WITHIN GROUP (ORDER BY {key}) FROM {AWKWARD} WHERE id <> 7 GROUP BY k ORDER BY k")
    for key in ["i", "n", "f", "d", "k", "b", "i DESC", "id % 3"]:
        queries.append(f"SELECT mode() WITHIN GROUP (ORDER BY {key}) FROM {AWKWARD}")
        queries.append(f"SELECT b, mode() WITHIN GROUP (ORDER BY {key}) FROM {AWKWARD} GROUP BY ROLLUP (b) ORDER BY grouping(b), b")
    queries += [
        f"SELECT percentile_cont(ARRAY[0, 0.25, 0.5, NULL, 1]) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}",
        f"SELECT percentile_disc(ARRAY[0.1, 0.5, 0.99]) WITHIN GROUP (ORDER BY k) FROM {AWKWARD}",
        f"SELECT percentile_cont(ARRAY[0.1, 0.5]) WITHIN GROUP (ORDER BY iv) FROM {AWKWARD}",
        f"SELECT percentile_disc(ARRAY[0.5]) WITHIN GROUP (ORDER BY d) FROM {AWKWARD} WHERE false",
        f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i) FROM {AWKWARD} WHERE false",
        f"SELECT percentile_cont(2) WITHIN GROUP (ORDER BY i) FROM {AWKWARD} WHERE false",
        f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i) FILTER (WHERE id > 3) FROM {AWKWARD}",
        f"SELECT k, percentile_cont(0.5) WITHIN GROUP (ORDER BY i) FROM {AWKWARD} GROUP BY ROLLUP (k) ORDER BY grouping(k), k",
        f"SELECT count(*), percentile_cont(max(0.5)) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}",
        f"SELECT percentile_cont(id / 12.0) WITHIN GROUP (ORDER BY i) FROM {AWKWARD} GROUP BY id ORDER BY id",
        f"SELECT percentile_cont(id) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}",
        f"SELECT percentile_cont(1.5) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}",
        f"SELECT percentile_disc(-0.5) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}",
        f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY k) FROM {AWKWARD}",
        f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i, id) FROM {AWKWARD}",
        f"SELECT percentile_cont(0.5) FROM {AWKWARD}", f"SELECT mode(i) FROM {AWKWARD}",
        f"SELECT percentile_cont(DISTINCT 0.5) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}",
        f"SELECT sum(i) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}", f"SELECT lower(k) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}",
        f"SELECT rank(1, 2) WITHIN GROUP (ORDER BY i) FROM {AWKWARD}",
    ]
    for function in ["rank", "dense_rank", "percent_rank", "cume_dist"]:
        for arguments, keys in [
            ("10", "i"), ("10", "i DESC"), ("NULL", "i"), ("NULL", "i NULLS FIRST"), ("7.5", "n"), ("'b'", "k"), ("10, 2", "i, id"),
            ("10, 'NaN'", "i, f DESC"), ("date '2026-02-28'", "d"), ("1.5", "i"), ("100", "f"),
        ]:
            queries.append(f"SELECT {function}({arguments}) WITHIN GROUP (ORDER BY {keys}) FROM {AWKWARD}")
        queries.append(f"SELECT {function}(1) WITHIN GROUP (ORDER BY i) FROM {AWKWARD} WHERE false")
        queries.append(f"SELECT k, {function}(10) WITHIN GROUP (ORDER BY i) FROM {AWKWARD} GROUP BY k ORDER BY k")
    for call in ["corr", "covar_pop", "covar_samp", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy"]:
        queries.append((f"SELECT {call}(id, i) FROM {AWKWARD}", " approximate"))
        queries.append((f"SELECT k, {call}(i, id) FROM {AWKWARD} GROUP BY k ORDER BY k", " approximate"))
        queries.append(f"SELECT {call}(f, id) FROM {AWKWARD} WHERE id IN (2, 4, 6)")
        queries.append(f"SELECT {call}(i, 5) FROM {AWKWARD} WHERE id < 3")
        queries.append((f"SELECT id, {call}(i, id) OVER (ORDER BY id ROWS 3 PRECEDING) FROM {AWKWARD} ORDER BY id", " approximate"))
        queries.append((f"SELECT {call}(value, sensor) FROM measurement", " approximate"))
    queries += [
        f"SELECT bit_xor(i), bit_and(i::int8), bit_or(i::int2), every(b), bool_or(b) FROM {AWKWARD}",
        f"SELECT k, bit_xor(id) FROM {AWKWARD} GROUP BY k ORDER BY k",
        f"SELECT array_agg(DISTINCT i ORDER BY i DESC) FROM {AWKWARD}", f"SELECT array_agg(DISTINCT k) FROM {AWKWARD}",
        f"SELECT string_agg(DISTINCT k, ',' ORDER BY k DESC) FROM {AWKWARD}", f"SELECT string_agg(k, ',' ORDER BY id DESC) FROM {AWKWARD}",
        f"SELECT string_agg(DISTINCT k, ',' ORDER BY id) FROM {AWKWARD}", f"SELECT count(DISTINCT f), sum(DISTINCT n), avg(DISTINCT i) FROM {AWKWARD}",
        f"SELECT array_agg(id ORDER BY f DESC, n NULLS FIRST, id) FROM {AWKWARD}", f"SELECT sum(DISTINCT i ORDER BY i) FROM {AWKWARD}",
        f"SELECT array_agg(i ORDER BY id) FILTER (WHERE i > 5) FROM {AWKWARD}", f"SELECT count(DISTINCT i) FILTER (WHERE b) FROM {AWKWARD}",
        f"SELECT max(b::text), min(k), max(k), min(ARRAY[i]), max(ts::time) FROM {AWKWARD}",
        "SELECT series, percentile_cont(0.5) WITHIN GROUP (ORDER BY value), percentile_disc(0.9) WITHIN GROUP (ORDER BY amount), mode() WITHIN GROUP (ORDER BY quality) FROM measurement GROUP BY series ORDER BY series",
        "SELECT sensor, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY value), rank(0) WITHIN GROUP (ORDER BY value), dense_rank(0) WITHIN GROUP (ORDER BY value) FROM measurement GROUP BY sensor ORDER BY sensor",
    ]
    return queries


write("window", "Window functions: ranks, values, aggregates over every kind of frame", windows())
write("grouping", "GROUPING SETS, ROLLUP, CUBE and GROUPING", grouping())
write("ordered_set", "Ordered-set, hypothetical-set and regression aggregates", ordered_sets())
