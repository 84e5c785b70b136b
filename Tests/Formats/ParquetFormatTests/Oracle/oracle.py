"""Other readers and writers of Parquet, as judges.

  oracle.py check FILE EXPECTED    read FILE with pyarrow (checksums on) and DuckDB, compare with EXPECTED
  oracle.py write FOLDER           write files of every encoding, codec and page version, each with its EXPECTED

EXPECTED has one line a column: name, then one token a row, separated by tabs. Tokens: null, true, false, integers (dates
in days, times in microseconds), decimals as unscaled integers, floats as the bits of the double, bytes as hex with an x
in front.
"""

import decimal
import itertools
import random
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

decimal.getcontext().prec = 60


def tokens(column):
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column = column.cast(kind.storage_type)
        kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        scale = {"s": 10**6, "ms": 10**3, "us": 1, "ns": -1000}[kind.unit]
        column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        return [
            "null" if v is None else str(v * scale if scale > 0 else v // -scale) for v in column.to_pylist()
        ]
    if pa.types.is_date32(kind):
        return ["null" if v is None else str(v) for v in column.cast(pa.int32()).to_pylist()]
    result = []
    for value in column.to_pylist():
        if value is None:
            result.append("null")
        elif isinstance(value, bool):
            result.append("true" if value else "false")
        elif isinstance(value, int):
            result.append(str(value))
        elif isinstance(value, decimal.Decimal):
            result.append(str(int(value.scaleb(kind.scale))))
        elif isinstance(value, float):
            result.append("nan" if value != value else struct.pack(">d", value).hex())
        elif isinstance(value, str):
            result.append("x" + value.encode().hex())
        elif isinstance(value, bytes):
            result.append("x" + value.hex())
        else:
            result.append(struct.pack(">d", float(value)).hex())
    return result


def compare(reader, table, expected):
    for name, values in expected:
        found = tokens(table.column(name))
        if found != values:
            row = next(i for i, (a, b) in enumerate(itertools.zip_longest(found, values)) if a != b)
            sys.exit(f"{reader}: column {name} row {row}: {found[row:row+1]} instead of {values[row:row+1]}")


def check(path, expected_path):
    with open(expected_path) as file:
        expected = [(line.rstrip("\n").split("\t")[0], line.rstrip("\n").split("\t")[1:]) for line in file]
    compare("pyarrow", pq.ParquetFile(path, page_checksum_verification=True).read(), expected)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    compare("duckdb", connection.execute(f"SELECT * FROM read_parquet('{path}')").to_arrow_table(), expected)
    metadata = pq.ParquetFile(path).metadata
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            personal = column.path_in_schema.startswith("personal")
            if not column.has_offset_index:
                sys.exit(f"{column.path_in_schema}: no offset index")
            if personal and (column.is_stats_set or column.has_column_index):
                sys.exit(f"{column.path_in_schema}: statistics of a personal column")
            if not personal and not column.is_stats_set:
                sys.exit(f"{column.path_in_schema}: no statistics")
    # Filters use the statistics: pruning must not change an answer.
    for name, values in expected:
        if name.startswith("prune"):
            number = int(next(v for v in values if v != "null"))
            query = f"SELECT count(*) FROM read_parquet('{path}') WHERE {name} = {number}"
            if connection.execute(query).fetchone()[0] != values.count(str(number)):
                sys.exit(f"duckdb: wrong count of {name} = {number}")


def table(rows, seed):
    rng = random.Random(seed)

    def column(kind, make, nulls=0.1):
        return pa.array([None if rng.random() < nulls else make() for _ in range(rows)], kind)

    rising = itertools.count(1_000_000, 7)
    wide = lambda: rng.getrandbits(64) - 2**63
    day = 86_400 * 10**6
    columns = {
        "boolean": column(pa.bool_(), lambda: rng.random() < 0.3),
        "flag": column(pa.bool_(), lambda: True, 0),
        "int8": column(pa.int8(), lambda: rng.randint(-128, 127)),
        "uint16": column(pa.uint16(), lambda: rng.randint(0, 65535)),
        "int32": column(pa.int32(), lambda: rng.randint(-(2**31), 2**31 - 1)),
        "uint32": column(pa.uint32(), lambda: rng.randint(0, 2**32 - 1)),
        "int64": column(pa.int64(), wide),
        "uint64": column(pa.uint64(), lambda: rng.getrandbits(64)),
        "rising": column(pa.int64(), lambda: next(rising), 0),
        "float": column(pa.float32(), lambda: struct.unpack("f", struct.pack("f", rng.gauss(0, 9)))[0]),
        "double": column(pa.float64(), lambda: rng.choice([rng.gauss(0, 1), float("nan"), float("inf"), -0.0])),
        "half": column(pa.float16(), lambda: rng.randint(-100, 100) / 4),
        "string": column(pa.string(), lambda: "key-%d" % rng.randint(0, 50)),
        "text": column(pa.string(), lambda: "é" * rng.randint(0, 9) + str(rng.random())),
        "binary": column(pa.binary(), lambda: rng.randbytes(rng.randint(0, 40))),
        "fixed": column(pa.binary(7), lambda: rng.randbytes(7)),
        "uuid": pa.array([None if rng.random() < 0.1 else rng.randbytes(16) for _ in range(rows)], pa.uuid()),
        "date": column(pa.date32(), lambda: rng.randint(-9999, 99999)),
        "time_ms": column(pa.time32("ms"), lambda: rng.randint(0, 86_399_999)),
        "time_us": column(pa.time64("us"), lambda: rng.randint(0, day - 1)),
        "stamp_ms": column(pa.timestamp("ms", "UTC"), lambda: rng.randint(-(10**13), 10**13)),
        "stamp_us": column(pa.timestamp("us"), lambda: rng.randint(-(10**16), 10**16)),
        "stamp_ns": column(pa.timestamp("ns", "UTC"), lambda: rng.randint(-(10**18), 10**18)),
        "decimal9": column(pa.decimal128(9, 2), lambda: decimal.Decimal(rng.randint(-(10**9) + 1, 10**9 - 1)).scaleb(-2)),
        "decimal34": column(pa.decimal128(34, 5), lambda: decimal.Decimal(rng.randint(-(10**34) + 1, 10**34 - 1)).scaleb(-5)),
        "nulls": pa.array([None] * rows, pa.int64()),
    }
    return pa.table(columns)


INTEGERS = ["int8", "uint16", "int32", "uint32", "int64", "uint64", "rising", "date", "time_ms", "time_us", "stamp_ms",
            "stamp_us", "stamp_ns", "nulls"]
STRINGS = ["string", "text", "binary"]
SPLIT = ["int32", "int64", "float", "double", "half", "fixed", "uuid", "rising", "decimal34"]


def write(folder):
    data = table(3_000, 42)
    plans = {"dictionary": {"use_dictionary": True}, "plain": {"use_dictionary": False}}
    for name, columns in [
        ("DELTA_BINARY_PACKED", INTEGERS),
        ("DELTA_LENGTH_BYTE_ARRAY", STRINGS),
        ("DELTA_BYTE_ARRAY", STRINGS + ["fixed", "decimal34"]),
        ("BYTE_STREAM_SPLIT", SPLIT),
        ("RLE", ["boolean", "flag"]),
    ]:
        plans[name.lower()] = {"use_dictionary": False, "column_encoding": {c: name for c in columns}}
    plans["fallback"] = {"use_dictionary": True, "dictionary_pagesize_limit": 2_000}
    plans["int96"] = {"use_deprecated_int96_timestamps": True, "use_dictionary": False}
    plans["legacy_decimal"] = {"store_decimal_as_integer": True}
    codecs = ["none", "snappy", "lz4", "zstd", "none", "zstd", "lz4"]
    for number, ((name, options), version) in enumerate(itertools.product(plans.items(), ["1.0", "2.0"])):
        codec = codecs[number % len(codecs)]
        path = f"{folder}/{name}-v{version[0]}-{codec}.parquet"
        written = data.drop_columns(["stamp_ms", "stamp_us"]) if name == "int96" else data
        pq.write_table(
            written, path, compression=codec, data_page_version=version, data_page_size=4_096, row_group_size=1_700,
            write_page_index=True, write_page_checksum=True, **options)
        with open(path + ".expected", "w") as file:
            for column in written.column_names:
                file.write("\t".join([column] + tokens(written.column(column))) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "check":
        check(sys.argv[2], sys.argv[3])
    else:
        write(sys.argv[2])
