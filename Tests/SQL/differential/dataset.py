"""Random event tables for the differential test: a Cap'n Proto schema, PostgreSQL's table, and the same rows for both.

Each column has a kind; a kind knows its SQL type, its Cap'n Proto field and how a value is written for either side. The
values lean to what breaks engines: nulls, extremes, duplicated keys, skew, empty and odd strings, NaN and infinities.
"""

import decimal
import json
import random
import uuid as uuids
from dataclasses import dataclass

EPOCH = 1_767_225_600_000_000  # 2026-01-01 in µs
WORDS = ["", "a", "A", "ab", "abc", "b%", "x_y", "Zürich", "ß", "日本", "😀", "naïve", "null", " lead", "trail ", "tab\t", "quote'", "back\\", "0", "-1", "1e3", "true"]


@dataclass(frozen=True)
class Kind:
    name: str
    sql: str
    field: str  # Cap'n Proto type and annotations


KINDS = {
    kind.name: kind
    for kind in [
        Kind("bool", "boolean", ":Bool $Metadata.none"),
        Kind("int2", "smallint", ":Int16 $Metadata.none"),
        Kind("int4", "integer", ":Int32 $Metadata.none"),
        Kind("int8", "bigint", ":Int64 $Metadata.none"),
        Kind("float4", "real", ":Float32 $Metadata.none"),
        Kind("float8", "double precision", ":Float64 $Metadata.none"),
        Kind("numeric", "numeric(14,3)", ":Text $Metadata.none $Metadata.decimal(precision = 14, scale = 3)"),
        Kind("text", "text", ":Text $Metadata.none"),
        Kind("date", "date", ":Int32 $Metadata.none $Metadata.date"),
        Kind("timestamptz", "timestamp with time zone", ":Int64 $Metadata.none $Metadata.timestamp(micros)"),
        Kind("uuid", "uuid", ":Text $Metadata.none $Metadata.uuid"),
    ]
}


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple  # of (name, kind name), without `sequence` and `published`

    @property
    def all_columns(self):
        return (("sequence", "int8"), ("published", "timestamptz")) + self.columns


def random_tables(rng: random.Random):
    tables = []
    for name in ("a", "b", "c"):
        kinds = ["int4", "text"]  # every pair of tables can be joined on these
        kinds += rng.sample(sorted(KINDS), rng.randint(4, 9))
        tables.append(Table(name, tuple((f"{kind[:2]}{kind[-1]}{index}", kind) for index, kind in enumerate(kinds))))
    return tables


def value(rng: random.Random, kind: str, nulls: float):
    """A value as Python's None, bool, int, float, Decimal or str; the extremes of the type come often."""
    if rng.random() < nulls:
        return None
    rare = rng.random() < 0.04
    if kind == "bool":
        return rng.random() < 0.6
    if kind in ("int2", "int4", "int8"):
        bits = int(kind[3:]) * 8 - 1
        if rare:
            return rng.choice([-(2**bits), 2**bits - 1, -(2**bits) + 1, 0, -1])
        return min(int(rng.paretovariate(0.9)), 30) if rng.random() < 0.7 else rng.randint(-50, 200)
    if kind == "float4":
        return rng.choice([1e30, -1e-30, 0.0]) if rare else rng.randint(-400, 400) / 8
    if kind == "float8":
        # JSON has no NaN; see SPECIAL in the expressions for it.
        return rng.choice([1e300, -1e-300, 0.0, 123456789.123]) if rare else rng.randint(-4000, 4000) / 16
    if kind == "numeric":
        units = rng.choice([99_999_999_999_999, -99_999_999_999_999, 0, 1]) if rare else rng.randint(-99_999, 999_999)
        return decimal.Decimal(units).scaleb(-3)
    if kind == "text":
        return rng.choice(WORDS) if rng.random() < 0.8 else "w" * rng.randint(0, 40) + str(rng.randint(0, 99))
    if kind == "date":
        return rng.choice([-25567, 0, 11016, 20512]) if rare else 20_454 + rng.randint(-40, 400)
    if kind == "timestamptz":
        return rng.choice([0, -1, 951_782_400_000_000]) if rare else EPOCH + rng.randint(0, 10**6) * 997_003
    if kind == "uuid":
        return str(uuids.UUID(int=rng.choice([0, 2**128 - 1, rng.randint(0, 20), rng.getrandbits(128)])))
    raise ValueError(kind)


def random_rows(rng: random.Random, table: Table, count: int):
    nulls = {name: rng.choice([0, 0.1, 0.5, 0.97]) for name, _ in table.columns}
    return [
        [sequence, EPOCH + (sequence * 7_919_000_003) % 86_400_000_000]
        + [value(rng, kind, nulls[name]) for name, kind in table.columns]
        for sequence in range(1, count + 1)
    ]


def schema_text(domain: str, table: Table, rng: random.Random):
    fields = "\n".join(f"  {name} @{i} {KINDS[kind].field};" for i, (name, kind) in enumerate(table.columns))
    return (
        f"@0x{rng.getrandbits(63) | 1 << 63:016x};\n\nusing Metadata = import \"/cramped/metadata.capnp\";\n\n"
        f'struct Recorded $Metadata.event("{domain}.{table.name}.recorded") {{\n'
        # The presence of a null is told by JSON; scalar fields are nullable columns all the same.
        f"{fields}\n}}\n"
    )


def event(domain: str, table: Table, row):
    """A line of NDJSON for `cramped publish`."""

    def written(value, kind):
        if isinstance(value, decimal.Decimal):
            return format(value, "f")
        return value

    content = {
        name: written(value, kind) for (name, kind), value in zip(table.columns, row[2:]) if value is not None
    }
    return json.dumps(
        {
            "event": f"{domain}.{table.name}.recorded",
            "sequence": row[0],
            "metadata": {"published": row[1]},
            "content": content,
        },
        ensure_ascii=False,
    )


def postgres_table(table: Table):
    columns = ", ".join(f"{name} {KINDS[kind].sql}" for name, kind in table.all_columns)
    return f"CREATE TABLE {table.name} ({columns})"


def copy_line(table: Table, row):
    """A line of PostgreSQL's COPY in text format."""

    def written(value, kind):
        if value is None:
            return "\\N"
        if kind == "bool":
            return "t" if value else "f"
        if kind == "date":
            return date_text(value)
        if kind == "timestamptz":
            return timestamp_text(value)
        if isinstance(value, str):
            return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
        return format(value, "f") if isinstance(value, decimal.Decimal) else repr(value)

    return "\t".join(written(value, kind) for value, (_, kind) in zip(row, table.all_columns)) + "\n"


def date_text(days: int):
    import datetime

    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=days)).isoformat()


def timestamp_text(micros: int):
    import datetime

    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)
    return moment.isoformat(sep=" ") + "+00"
