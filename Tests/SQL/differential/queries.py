"""Random queries with one right answer: what PostgreSQL leaves open (row order, ties, sums of floats) is not asked.

  Queries(rng, tables).statement() -> SQL text

An expression is made for a wanted type from the columns in scope. A statement whose rows have an order ends in ORDER BY
over all of its output columns; the others are compared as multisets.
"""

import random

ORDERED = ["bool", "int2", "int4", "int8", "numeric", "float8", "text", "date", "timestamptz", "uuid"]
NUMBERS = ["int2", "int4", "int8", "numeric", "float4", "float8"]
SQL = {
    "bool": "boolean",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "numeric": "numeric",
    "float4": "real",
    "float8": "double precision",
    "text": "text",
    "date": "date",
    "timestamptz": "timestamptz",
    "uuid": "uuid",
    "interval": "interval",
}
UNITS = ["minute", "hour", "day", "week", "month", "quarter", "year"]
FIELDS = ["year", "month", "day", "dow", "doy", "isodow", "week", "quarter", "hour", "minute", "second", "epoch"]
COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]


class Scope:
    """What names mean at a place: (qualified column, kind)."""

    def __init__(self, columns, outer=None):
        self.columns = list(columns)
        self.outer = outer

    def of(self, kind):
        found = [name for name, k in self.columns if k == kind]
        if self.outer and not found:
            found = [name for name, k in self.outer.columns if k == kind]
        return found


class Queries:
    def __init__(self, rng: random.Random, tables, features=frozenset()):
        self.rng = rng
        self.tables = tables
        self.features = features
        self.aliases = 0

    # ---- literals and columns

    def literal(self, kind):
        r = self.rng
        if r.random() < 0.06:
            return f"NULL::{SQL[kind]}"
        if kind == "bool":
            return r.choice(["true", "false"])
        if kind == "int2":
            return f"{r.randint(-50, 50)}::smallint"
        if kind == "int4":
            return str(r.choice([0, 1, 2, 7, r.randint(-100, 1000)]))
        if kind == "int8":
            return f"{r.choice([0, 1, 5_000_000_000, r.randint(-100, 1000)])}::bigint"
        if kind == "numeric":
            return r.choice(["0.0", "1.5", "-2.25", "100", "0.001", "12345.678"]) + "::numeric"
        if kind == "float4":
            return f"{r.randint(-80, 80) / 8}::real"
        if kind == "float8":
            special = ["'NaN'::float8", "'Infinity'::float8", "'-Infinity'::float8", "'-0'::float8"]
            return r.choice(special) if r.random() < 0.1 else f"{r.randint(-800, 800) / 16}::float8"
        if kind == "text":
            return r.choice(["''", "'a'", "'ab'", "'Zürich'", "'w'", "'日本'", "'x_y'", "' lead'", "'0'"])
        if kind == "date":
            return f"date '{r.choice(['2026-01-01', '2026-02-28', '2024-02-29', '1970-01-01', '2026-07-15'])}'"
        if kind == "timestamptz":
            return f"timestamptz '{r.choice(['2026-01-01 00:00:00+00', '2026-03-29 01:30:00+00', '2026-01-02 03:04:05.678901+00'])}'"
        if kind == "uuid":
            return f"'00000000-0000-0000-0000-0000000000{r.randint(0, 20):02x}'::uuid"
        if kind == "interval":
            return "interval '" + r.choice(["1 day", "36 hours", "1 month", "90 minutes", "-2 days 3 hours", "1 year 2 months"]) + "'"
        raise ValueError(kind)

    def leaf(self, kind, scope):
        names = scope.of(kind)
        if names and self.rng.random() < 0.85:
            return self.rng.choice(names)
        return self.literal(kind)

    def kind(self):
        return self.rng.choice(["bool", "int2", "int4", "int4", "int8", "int8", "numeric", "float8", "text", "text", "date", "timestamptz", "uuid"])

    # ---- expressions

    def expression(self, kind, scope, depth=2):
        r = self.rng
        if depth <= 0 or r.random() < 0.25:
            return self.leaf(kind, scope)
        if r.random() < 0.16:
            return self.general(kind, scope, depth - 1)
        make = getattr(self, f"make_{kind}", None)
        return make(scope, depth - 1) if make else self.leaf(kind, scope)

    def general(self, kind, scope, depth):
        """What every type has."""
        r, e = self.rng, lambda k=kind: self.expression(k, scope, depth)
        return r.choice(
            [
                lambda: f"CASE WHEN {e('bool')} THEN {e()} WHEN {e('bool')} THEN {e()} ELSE {e()} END",
                lambda: f"CASE WHEN {e('bool')} THEN {e()} END",
                lambda: f"coalesce({e()}, {e()})",
                lambda: f"nullif({e()}, {e()})",
                lambda: f"CASE {self.leaf('int4', scope)} WHEN 1 THEN {e()} WHEN 2 THEN {e()} ELSE {e()} END",
                lambda: f"{'greatest' if r.random() < 0.5 else 'least'}({e()}, {e()}, {e()})" if kind != "bool" else e(),
            ]
        )()

    def make_bool(self, scope, depth):
        r = self.rng
        kind = r.choice(ORDERED)
        e = lambda k: self.expression(k, scope, depth)
        number = r.choice(NUMBERS)
        return r.choice(
            [
                lambda: f"({e(kind)} {r.choice(COMPARISONS)} {e(kind)})",
                lambda: f"({e(kind)} {r.choice(COMPARISONS)} {self.literal(kind)})",
                lambda: f"({e(r.choice(NUMBERS))} {r.choice(COMPARISONS)} {e(number)})",
                lambda: f"({e('bool')} AND {e('bool')})",
                lambda: f"({e('bool')} OR {e('bool')})",
                lambda: f"(NOT {e('bool')})",
                lambda: f"({e(kind)} IS {r.choice(['', 'NOT '])}NULL)",
                lambda: f"({e('bool')} IS {r.choice(['', 'NOT '])}{r.choice(['TRUE', 'FALSE', 'UNKNOWN'])})",
                lambda: f"({e(kind)} IS {r.choice(['', 'NOT '])}DISTINCT FROM {e(kind)})",
                lambda: f"({e(kind)} {r.choice(['', 'NOT '])}BETWEEN {self.literal(kind)} AND {self.literal(kind)})",
                lambda: f"({e(kind)} {r.choice(['', 'NOT '])}IN ({', '.join(self.literal(kind) for _ in range(r.randint(1, 5)))}))",
                lambda: f"({e('text')} {r.choice(['', 'NOT '])}{r.choice(['LIKE', 'ILIKE'])} '{r.choice(['a%', '%b%', '_b', '%', 'w%1', 'Z_r%', '%日%', 'x' + chr(92) + '_y'])}')",
                lambda: f"({e('text')} {r.choice(['~', '!~', '~*'])} '{r.choice(['^a', 'b$', '[a-c]+', 'w+[0-9]', '^.{2}$', '(a|x)'])}')",
                lambda: f"({e(kind)} = ANY (ARRAY[{self.literal(kind)}, {self.literal(kind)}]))",
                lambda: f"starts_with({e('text')}, {self.literal('text')})",
                lambda: f"(({self.leaf('int4', scope)}, {self.leaf('text', scope)}) {r.choice(['=', '<', '>='])} ({self.literal('int4')}, {self.literal('text')}))",
            ]
        )()

    def make_integer(self, kind, scope, depth):
        r, e = self.rng, lambda k=kind: self.expression(k, scope, depth)
        cast = SQL[kind]
        return r.choice(
            [
                lambda: f"({e()} {r.choice(['+', '-', '*'])} {e()})",
                lambda: f"({e()} {r.choice(['/', '%'])} {e()})",
                lambda: f"({e()} / 3::{cast})",
                lambda: f"({e()} % 7::{cast})",
                lambda: f"(- {e()})",
                lambda: f"abs({e()})",
                lambda: f"({e()} {r.choice(['&', '|', '#'])} {e()})",
                lambda: f"({e('text')} || '')::text::{cast}" if r.random() < 0.1 else e(),
                lambda: f"length({e('text')})::{cast}",
                lambda: f"strpos({e('text')}, {self.literal('text')})::{cast}",
                lambda: f"extract({r.choice(FIELDS[:8])} FROM {e(r.choice(['date', 'timestamptz']))})::{cast}",
                lambda: f"{e(r.choice(NUMBERS))}::{cast}",
                lambda: f"{e('bool')}::int::{cast}",
                lambda: f"sign({e('numeric')})::{cast}",
                lambda: f"ascii({e('text')})::{cast}",
            ]
        )()

    def make_int2(self, scope, depth):
        return self.make_integer("int2", scope, depth)

    def make_int4(self, scope, depth):
        if self.rng.random() < 0.1:
            return f"({self.expression('date', scope, depth)} - {self.expression('date', scope, depth)})"
        return self.make_integer("int4", scope, depth)

    def make_int8(self, scope, depth):
        return self.make_integer("int8", scope, depth)

    def make_numeric(self, scope, depth):
        r, e = self.rng, lambda k="numeric": self.expression(k, scope, depth)
        return r.choice(
            [
                lambda: f"({e()} {r.choice(['+', '-', '*'])} {e()})",
                lambda: f"({e()} / {e()})",
                lambda: f"({e()} % {e()})",
                lambda: f"round({e()}, {r.randint(-2, 4)})",
                lambda: f"trunc({e()}, {r.randint(-2, 4)})",
                lambda: f"{r.choice(['abs', 'ceil', 'floor', 'sign', 'round', 'trunc'])}({e()})",
                lambda: f"{e(r.choice(['int2', 'int4', 'int8']))}::numeric",
                lambda: f"{e()}::numeric(20,2)",
                lambda: f"extract({r.choice(FIELDS)} FROM {e('timestamptz')})",
                lambda: f"mod({e()}, 7.5)",
                lambda: f"({e()} * {e('int4')})",
            ]
        )()

    def make_float8(self, scope, depth):
        r, e = self.rng, lambda k="float8": self.expression(k, scope, depth)
        return r.choice(
            [
                lambda: f"({e()} {r.choice(['+', '-', '*'])} {e()})",
                lambda: f"({e()} / {e()})",
                lambda: f"{r.choice(['abs', 'ceil', 'floor', 'round', 'trunc', 'sign'])}({e()})",
                lambda: f"sqrt(abs({e()}))",
                lambda: f"{e(r.choice(NUMBERS))}::float8",
                lambda: f"({e()} + {e('int4')})",
                lambda: f"(- {e()})",
            ]
        )()

    def make_float4(self, scope, depth):
        r, e = self.rng, lambda k="float4": self.expression(k, scope, depth)
        return r.choice(
            [lambda: f"({e()} {r.choice(['+', '-', '*'])} {e()})", lambda: f"abs({e()})", lambda: f"{e('int2')}::real"]
        )()

    def make_text(self, scope, depth):
        r, e = self.rng, lambda k="text": self.expression(k, scope, depth)
        small = lambda: str(r.randint(-2, 5))
        return r.choice(
            [
                lambda: f"({e()} || {e()})",
                lambda: f"{r.choice(['upper', 'lower', 'reverse', 'trim', 'ltrim', 'rtrim', 'btrim', 'md5', 'quote_literal', 'initcap'])}({e()})",
                lambda: f"substr({e()}, {small()}, {r.randint(0, 5)})",
                lambda: f"substring({e()} FROM {small()})",
                lambda: f"{r.choice(['left', 'right'])}({e()}, {small()})",
                lambda: f"replace({e()}, {self.literal('text')}, {self.literal('text')})",
                lambda: f"{r.choice(['lpad', 'rpad'])}({e()}, {r.randint(0, 12)}, '*-')",
                lambda: f"repeat({e()}, {r.randint(-1, 3)})",
                lambda: f"split_part({e()}, {r.choice(['chr(98)', chr(39) + '_' + chr(39)])}, {r.choice([1, 2, -1])})",
                lambda: f"concat({e()}, {e('int4')}, {e('bool')})",
                lambda: f"concat_ws('-', {e()}, {e('date')}, {e()})",
                lambda: f"{e(r.choice(['bool', 'int2', 'int4', 'int8', 'numeric', 'date', 'timestamptz', 'uuid', 'float8']))}::text",
                lambda: f"translate({e()}, 'abw', 'x')",
                lambda: f"to_char({e('timestamptz')}, 'YYYY-MM-DD HH24:MI:SS')",
                lambda: f"regexp_replace({e()}, '[a-c]+', '<&>', 'g')".replace("<&>", "<\\&>"),
                lambda: f"format('%s/%s', {e()}, {e('int4')})",
            ]
        )()

    def make_date(self, scope, depth):
        r, e = self.rng, lambda k="date": self.expression(k, scope, depth)
        return r.choice(
            [
                lambda: f"({e()} {r.choice(['+', '-'])} {r.randint(0, 400)})",
                lambda: f"{e('timestamptz')}::date",
                lambda: f"date_trunc('{r.choice(UNITS[2:])}', {e()})::date",
                lambda: f"({e()} + {self.literal('interval')})::date",
                lambda: f"make_date({r.randint(1990, 2030)}, {r.randint(1, 12)}, {r.randint(1, 28)})",
            ]
        )()

    def make_timestamptz(self, scope, depth):
        r, e = self.rng, lambda k="timestamptz": self.expression(k, scope, depth)
        return r.choice(
            [
                lambda: f"date_trunc('{r.choice(UNITS)}', {e()})",
                lambda: f"({e()} {r.choice(['+', '-'])} {self.literal('interval')})",
                lambda: f"{e('date')}::timestamptz",
                lambda: f"to_timestamp({r.randint(0, 2 * 10**9)})",
                lambda: f"date_bin('15 minutes', {e()}, timestamptz '2026-01-01 00:00+00')",
            ]
        )()

    # ---- FROM

    def alias(self):
        self.aliases += 1
        return f"t{self.aliases}"

    def source(self, depth, outer=None):
        """A FROM item: its text and the columns it brings."""
        r = self.rng
        if depth > 0 and r.random() < 0.2:
            name = self.alias()
            text, kinds = self.select(depth - 1)
            return f"({text}) AS {name} ({', '.join(f'c{i}' for i in range(len(kinds)))})", [
                (f"{name}.c{i}", kind) for i, kind in enumerate(kinds)
            ]
        table, name = r.choice(self.tables), self.alias()
        return f"{table.name} AS {name}", [(f"{name}.{column}", kind) for column, kind in table.all_columns]

    def from_clause(self, depth, outer=None):
        r = self.rng
        text, columns = self.source(depth)
        if r.random() < 0.45:
            for _ in range(r.choice([1, 1, 2])):
                right, more = self.source(depth - 1)
                how = r.choice(["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
                condition = self.join_condition(columns, more, full=how == "FULL JOIN")
                if condition is None:
                    continue
                text += f" {how} {right} ON {condition}"
                columns = columns + more
        return text, Scope(columns, outer)

    def join_condition(self, left, right, full):
        r = self.rng
        pairs = [
            (a, b, k) for a, k in left for b, k2 in right if k == k2 and k in ("int4", "int8", "text", "date", "uuid", "bool")
        ]
        narrow = [p for p in pairs if p[2] != "bool"]
        if not narrow:
            return None
        terms = [f"{a} = {b}" for a, b, _ in [r.choice(narrow)]]
        if r.random() < 0.3:
            terms.append("{} = {}".format(*r.choice(pairs)[:2]))
        if not full and r.random() < 0.3:
            terms.append(self.expression("bool", Scope(left + right), 1))
        return " AND ".join(terms)

    # ---- statements

    def condition(self, scope, depth):
        r = self.rng
        if depth > 0 and r.random() < 0.25:
            return self.subquery_condition(scope, depth - 1)
        text = self.expression("bool", scope, 2)
        if r.random() < 0.4:
            text += f" {r.choice(['AND', 'AND', 'OR'])} {self.condition(scope, depth - 1)}"
        return text

    def subquery_condition(self, scope, depth):
        r = self.rng
        table, name = r.choice(self.tables), self.alias()
        inner = Scope([(f"{name}.{c}", k) for c, k in table.all_columns], scope)
        kind = r.choice(["int4", "text"])
        mine, theirs = scope.of(kind), inner.of(kind)
        where = self.expression("bool", inner, 1)
        if not mine or not theirs:
            return "true"
        a, b = r.choice(mine), r.choice(theirs)
        return r.choice(
            [
                lambda: f"{r.choice(['', 'NOT '])}EXISTS (SELECT 1 FROM {table.name} AS {name} WHERE {b} = {a} AND {where})",
                lambda: f"{a} {r.choice(['', 'NOT '])}IN (SELECT {b} FROM {table.name} AS {name} WHERE {where})",
                lambda: f"{a} {r.choice(COMPARISONS)} (SELECT {r.choice(['min', 'max'])}({b}) FROM {table.name} AS {name} WHERE {where})",
                lambda: f"{r.randint(0, 3)} {r.choice(COMPARISONS)} (SELECT count(*) FROM {table.name} AS {name} WHERE {b} = {a})",
                lambda: f"{a} {r.choice(['=', '<', '>='])} {r.choice(['ANY', 'ALL'])} (SELECT {b} FROM {table.name} AS {name} WHERE {where})",
            ]
        )()

    def aggregate(self, scope):
        """An aggregate with its kind; only such as do not depend on the order of rows."""
        r, e = self.rng, lambda k, d=1: self.expression(k, scope, d)
        filtered = f" FILTER (WHERE {e('bool')})" if r.random() < 0.2 else ""
        distinct = "DISTINCT " if r.random() < 0.15 else ""
        kind = r.choice(["int2", "int4", "int8", "numeric"])
        ordered = r.choice([k for k in ORDERED if k not in ("bool", "uuid")])
        text, result = r.choice(
            [
                lambda: ("count(*)", "int8"),
                lambda: (f"count({distinct}{e(self.kind())})", "int8"),
                lambda: (f"sum({distinct}{e('int4')})", "int8"),
                lambda: (f"sum({distinct}{e('int8')})", "numeric"),
                lambda: (f"sum({distinct}{e('numeric')})", "numeric"),
                lambda: (f"avg({distinct}{e(kind)})", "numeric"),
                lambda: (f"{r.choice(['min', 'max'])}({e(ordered)})", ordered),
                lambda: (f"{r.choice(['bool_and', 'bool_or', 'every'])}({e('bool')})", "bool"),
                lambda: (f"{r.choice(['bit_and', 'bit_or'])}({e('int4')})", "int4"),
                lambda: (f"{r.choice(['stddev', 'variance', 'var_pop', 'stddev_samp'])}({e(kind)})", "numeric"),
                lambda: (f"string_agg({(t := self.leaf('text', scope))}, ',' ORDER BY {t})", "text"),
                lambda: (f"(array_agg({(t := e('int4'))} ORDER BY {t}))::text", "text"),
            ]
        )()
        if filtered and text.startswith("(array"):
            filtered = ""
        return text + filtered, result

    def window(self, scope):
        """A window call over the total order of `sequence`, or one that ties can not change."""
        r = self.rng
        partition = f"PARTITION BY {self.leaf(r.choice(['int4', 'text', 'bool']), scope)} " if r.random() < 0.6 else ""
        keys = [name for name, _ in scope.columns if name.endswith(".sequence")]
        order = ", ".join(keys) + r.choice(["", " DESC"])
        frame = r.choice(
            ["", "", "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", "ROWS BETWEEN 1 PRECEDING AND 3 FOLLOWING",
             "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
             "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING", "ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW",
             "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING", "ROWS BETWEEN 3 FOLLOWING AND 5 FOLLOWING"]
        )
        e = lambda k: self.expression(k, scope, 1)
        text, kind = r.choice(
            [
                ("row_number()", "int8"), ("rank()", "int8"), ("dense_rank()", "int8"), ("ntile(4)", "int4"),
                ("percent_rank()", "float8"), ("cume_dist()", "float8"), ("count(*)", "int8"),
                (f"sum({e('int4')})", "int8"), (f"avg({e('numeric')})", "numeric"), (f"min({e('text')})", "text"),
                (f"max({e('date')})", "date"), (f"lag({e('int4')}, {r.randint(0, 3)})", "int4"),
                (f"lead({e('text')}::text)", "text"), (f"first_value({e('int8')})", "int8"), (f"last_value({e('text')}::text)", "text"),
                (f"nth_value({e('int4')}, 2)", "int4"), (f"count({e('text')}) FILTER (WHERE {e('bool')})", "int8"),
            ]
        )
        return f"{text} OVER ({partition}ORDER BY {order} {frame})", kind

    def select(self, depth, outer=None):
        """A SELECT and the kinds of its columns."""
        r = self.rng
        text, scope = self.from_clause(depth, outer)
        where = f" WHERE {self.condition(scope, depth)}" if r.random() < 0.7 else ""
        shape = r.random()
        if shape < 0.35:
            return self.grouped(text, scope, where)
        targets, kinds = [], []
        for _ in range(r.randint(1, 4)):
            kind = self.kind()
            targets.append(self.expression(kind, scope, 3))
            kinds.append(kind)
        # Only a key of every FROM item makes the order total.
        items = {name.split(".")[0] for name, _ in scope.columns}
        keys = {name.split(".")[0] for name, _ in scope.columns if name.endswith(".sequence")}
        if "window" in self.features and shape < 0.5 and items == keys:
            target, kind = self.window(scope)
            targets.append(target)
            kinds.append(kind)
        if depth > 0 and r.random() < 0.15:
            table, name = r.choice(self.tables), self.alias()
            inner = Scope([(f"{name}.{c}", k) for c, k in table.all_columns])
            mine, theirs = scope.of("int4"), inner.of("int4")
            if mine:
                targets.append(
                    f"(SELECT {r.choice(['count(*)', 'max(' + theirs[0] + ')::bigint'])} FROM {table.name} AS {name} WHERE {r.choice(theirs)} = {r.choice(mine)})"
                )
                kinds.append("int8")
        distinct = "DISTINCT " if r.random() < 0.12 else ""
        return f"SELECT {distinct}{', '.join(targets)} FROM {text}{where}", kinds

    def grouped(self, text, scope, where):
        r = self.rng
        keys, kinds = [], []
        for _ in range(r.choice([0, 1, 1, 2, 3])):
            kind = r.choice(["bool", "int4", "text", "date", "int2", "numeric"])
            keys.append(self.expression(kind, scope, r.choice([0, 0, 1])))
            kinds.append(kind)
        # A literal as a key would be taken as a position, and one without a type as an unknown.
        keys = [key if "." in key and not key[0].isdigit() else f"({key} || '')" if k == "text" else f"coalesce({key})" for key, k in zip(keys, kinds)]
        targets = list(keys)
        for _ in range(r.randint(1, 3)):
            target, kind = self.aggregate(scope)
            targets.append(target)
            kinds.append(kind)
        having = f" HAVING {r.choice(['count(*) > 1', 'max(' + self.leaf('int4', scope) + ') IS NOT NULL'])}" if r.random() < 0.25 else ""
        group = ", ".join(keys)
        # PostgreSQL does not say which of two equal keys a grouping set means.
        if keys and len(set(keys)) == len(keys) and "grouping" in self.features and r.random() < 0.25:
            group = r.choice(["ROLLUP ({})", "CUBE ({})", "GROUPING SETS (({}), ())"]).format(group)
        groups = f" GROUP BY {group}" if keys else ""
        return f"SELECT {', '.join(targets)} FROM {text}{where}{groups}{having}", kinds

    def statement(self):
        r = self.rng
        text, kinds = self.select(2)
        if r.random() < 0.12:
            other, more = self.select(1)
            operator = r.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"] + (["INTERSECT ALL", "EXCEPT ALL"] if "setall" in self.features else []))
            width = min(len(kinds), len(more))
            first = ", ".join(f"c{i}::{SQL[kinds[i]]}" for i in range(width))
            second = ", ".join(f"c{i}::{SQL[kinds[i]]}" if more[i] == kinds[i] else f"NULL::{SQL[kinds[i]]}" for i in range(width))
            names = lambda count: ", ".join(f"c{i}" for i in range(count))
            text = (
                f"SELECT {first} FROM ({text}) AS x ({names(len(kinds))}) {operator} "
                f"SELECT {second} FROM ({other}) AS y ({names(len(more))})"
            )
            kinds = kinds[:width]
        if r.random() < 0.1:
            names = ", ".join(f"c{i}" for i in range(len(kinds)))
            text = f"WITH w ({names}) AS ({text}) SELECT * FROM w WHERE c0 IS NOT NULL UNION ALL SELECT * FROM w WHERE c0 IS NULL"
        if r.random() < 0.35:
            directions = [r.choice(["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]) for _ in kinds]
            text = f"SELECT * FROM ({text}) AS o ORDER BY " + ", ".join(f"{i + 1}{d}" for i, d in enumerate(directions))
            if r.random() < 0.6:
                text += f" LIMIT {r.randint(0, 12)}" + (f" OFFSET {r.randint(0, 5)}" if r.random() < 0.4 else "")
        return text
