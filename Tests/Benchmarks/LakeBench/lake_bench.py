#!/usr/bin/env python3
"""Decode and filter rates of the lake's reader beside DuckDB's, over the same Parquet files, one thread each.

    swift build -c release --product LakeBench
    python3 Tests/Benchmarks/LakeBench/lake_bench.py --program .build/release/LakeBench [--rows N] [--rounds N]
        [--only NAME] [--folder PATH]

Files are made once by pyarrow (needs pyarrow and duckdb), one Delta table for each case. Both engines are asked for a
value that depends on every value of the column; the answers are compared, and a differing one ends the run. Rates are
rows a second of processor time (user + system, the whole process): the two take turns, the best round of each counts.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import duckdb
import numpy
import pyarrow
import pyarrow.compute
import pyarrow.parquet

SEED = 20_260_101


def values(rows):
    """The columns of the cases: name -> (array, writer options)."""
    random = numpy.random.default_rng(SEED)
    rising = numpy.cumsum(random.integers(0, 2_000, rows)).astype(numpy.int64) + 1_764_000_000_000_000
    wide = random.integers(-(2**62), 2**62, rows)
    small = random.integers(0, 5_000, rows) * 977
    measured = numpy.round(random.normal(20, 8, rows), 2)
    noise = random.normal(0, 1e6, rows)
    words = numpy.array([f"series-{index:05d}/temperature" for index in range(3_000)])
    word = random.integers(0, len(words), rows)
    null = random.random(rows) < 0.1
    codes = pyarrow.array(word.astype(numpy.int32))
    text = pyarrow.DictionaryArray.from_arrays(codes, pyarrow.array(words)).cast(pyarrow.string())
    unique = pyarrow.array([f"{a:016x}-{b:08x}" for a, b in zip(wide.view(numpy.uint64).tolist(), small.tolist())])
    paths = pyarrow.array([f"https://shop.example/p/{index // 7:09d}/view?n={index % 7}" for index in range(rows)])
    accents = pyarrow.array([f"Zürich-Straße-{index:04d}" for index in range(1_000)]).take(
        pyarrow.array((word % 1_000).astype(numpy.int32)))
    cents = pyarrow.array(small).cast(pyarrow.decimal128(19, 0)).cast(pyarrow.decimal128(21, 2))
    halves = numpy.stack([wide, random.integers(-(2**62), 2**62, rows)], axis=1)
    identifiers = pyarrow.ExtensionArray.from_storage(
        pyarrow.uuid(), pyarrow.FixedSizeBinaryArray.from_buffers(
            pyarrow.binary(16), rows, [None, pyarrow.py_buffer(halves.tobytes())]))
    plain, coded = {"use_dictionary": False}, {"use_dictionary": True}

    def encoded(name):
        return {"use_dictionary": False, "column_encoding": {"c": name}}

    def nullable(array):
        return pyarrow.compute.if_else(pyarrow.array(~null), array, pyarrow.scalar(None, array.type))

    integers = pyarrow.array(wide)
    times = pyarrow.array(rising).cast(pyarrow.timestamp("us", tz="UTC"))
    cases = {
        "int8_plain": (integers, plain),
        "int8_delta": (pyarrow.array(rising), encoded("DELTA_BINARY_PACKED")),
        "int8_dict": (pyarrow.array(small), coded),
        "int4_plain": (pyarrow.array((wide >> 33).astype(numpy.int32)), plain),
        "int4_delta": (pyarrow.array((small % 100_000).astype(numpy.int32)), encoded("DELTA_BINARY_PACKED")),
        "timestamp_plain": (times, plain),
        "timestamp_delta": (times, encoded("DELTA_BINARY_PACKED")),
        "float8_plain": (pyarrow.array(noise), plain),
        "float8_dict": (pyarrow.array(measured), coded),
        "float8_split": (pyarrow.array(noise), encoded("BYTE_STREAM_SPLIT")),
        "decimal_plain": (cents.cast(pyarrow.decimal128(18, 2)), {**plain, "store_decimal_as_integer": True}),
        "decimal_dict": (cents.cast(pyarrow.decimal128(18, 2)), {**coded, "store_decimal_as_integer": True}),
        "float4_plain": (pyarrow.array(noise.astype(numpy.float32)), plain),
        "float4_dict": (pyarrow.array(measured.astype(numpy.float32)), coded),
        "float4_split": (pyarrow.array(noise.astype(numpy.float32)), encoded("BYTE_STREAM_SPLIT")),
        # 38 digits lie in 16 bytes, most significant first.
        "widedecimal_plain": (cents.cast(pyarrow.decimal128(38, 4)), plain),
        "widedecimal_dict": (cents.cast(pyarrow.decimal128(38, 4)), coded),
        "bytea_plain": (unique.cast(pyarrow.binary()), plain),
        "bytea_dict": (text.cast(pyarrow.binary()), coded),
        "uuid_plain": (identifiers, plain),
        "bool_plain": (pyarrow.array(null), plain),
        "bool_rle": (pyarrow.array(word < 100), {**encoded("RLE"), "data_page_version": "2.0"}),
        "text_dict": (text, coded),
        "text_dict_utf8": (accents, coded),
        "text_plain": (unique, plain),
        "text_delta_length": (unique, encoded("DELTA_LENGTH_BYTE_ARRAY")),
        "text_delta": (paths, encoded("DELTA_BYTE_ARRAY")),
    }
    for name in ("int8_plain", "int8_delta", "int8_dict", "float8_plain", "float4_plain", "widedecimal_plain", "uuid_plain", "timestamp_delta", "decimal_plain",
                 "bool_plain", "text_dict", "text_plain"):
        array, options = cases[name]
        cases[name + "_null"] = (nullable(array), options)
    events = pyarrow.table({
        "at": times, "device": text, "value": pyarrow.array(measured), "id": integers,
        "url": paths, "grade": nullable(pyarrow.array((small % 10).astype(numpy.int32))),
    })
    return cases, events


# Delta has no uuid; the reader takes the file's own type for the column's.
SQL_TYPES = {"int64": "long", "int32": "integer", "double": "double", "float": "float", "bool": "boolean",
             "string": "string", "binary": "binary", "extension<arrow.uuid>": "string"}


def delta_type(kind):
    if pyarrow.types.is_timestamp(kind):
        return "timestamp"
    if pyarrow.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return SQL_TYPES[str(kind)]


def write_table(folder, table, options):
    """One Delta table of one file, its log written by hand."""
    os.makedirs(os.path.join(folder, "_delta_log"), exist_ok=True)
    path = os.path.join(folder, "part-0.parquet")
    pyarrow.parquet.write_table(
        table, path, compression="zstd", compression_level=3, row_group_size=1_000_000, data_page_size=256 * 1024,
        dictionary_pagesize_limit=16 << 20, write_page_index=True, **options)
    fields = [
        {"name": field.name, "type": delta_type(field.type), "nullable": True, "metadata": {}}
        for field in table.schema]
    schema = json.dumps({"type": "struct", "fields": fields})
    actions = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {"id": "5a7d1c6e-0000-4000-8000-000000000001", "format": {"provider": "parquet", "options": {}},
                      "schemaString": schema, "partitionColumns": [], "configuration": {}}},
        {"add": {"path": "part-0.parquet", "partitionValues": {}, "size": os.path.getsize(path),
                 "modificationTime": 0, "dataChange": True}},
    ]
    with open(os.path.join(folder, "_delta_log", "00000000000000000000.json"), "w") as log:
        log.write("\n".join(json.dumps(action) for action in actions) + "\n")


def make(folder, rows):
    done = os.path.join(folder, f"done-{rows}")
    if os.path.exists(done):
        return
    print(f"writing {rows} rows a case to {folder}", file=sys.stderr)
    cases, events = values(rows)
    for name, (array, options) in cases.items():
        write_table(os.path.join(folder, "lake", "bench", name), pyarrow.table({"c": array}), options)
    write_table(os.path.join(folder, "lake", "bench", "events"), events, {
        "use_dictionary": ["device", "value", "grade"],
        "column_encoding": {"at": "DELTA_BINARY_PACKED", "id": "PLAIN", "url": "DELTA_BYTE_ARRAY"}})
    open(done, "w").close()


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def duck(connection, sql):
    start = cpu_seconds()
    row = connection.execute(sql).fetchone()
    return cpu_seconds() - start, "\t".join("" if value is None else str(value) for value in row)


def ours(program, folder, name, extra=()):
    """Processor seconds and answer of one scan, measured inside of the program around the scan."""
    output = subprocess.run(
        [program, folder, name, *extra], check=True, capture_output=True, text=True).stdout.rstrip("\n").split("\t", 1)
    return int(output[0]) / 1e9, output[1]


# What both are asked, for each case of one column. Every value takes part in the answer, and none of it is in the
# statistics of the file (as least and greatest would be).
FOLDS = {
    "int8": "count(c), bit_xor(c), 0", "int4": "count(c), bit_xor(c), 0",
    "timestamp": "count(c), bit_xor(epoch_us(c)), 0",
    "float8": "count(c), sum(c), 0", "float4": "count(c), sum(c), 0", "widedecimal": "count(c), sum(c), 0",
    "bytea": "count(c), sum(octet_length(c)), 0", "uuid": "count(c), sum(uuid_extract_version(c)), 0", "decimal": "count(c), sum(c), 0", "bool": "count(c), sum(c::int), 0",
    "text": "count(c), sum(strlen(c)), 0",
}
# Scans with filters: the query here and the case of the same name in LakeBench.swift.
FILTERS = {
    "filter_point": "SELECT count(*), bit_xor(id), 0 FROM t WHERE id = (SELECT id FROM t OFFSET 777777 LIMIT 1)",
    "filter_device": "SELECT count(*), sum(value), 0 FROM t WHERE device = 'series-00042/temperature'",
    "filter_devices_value": "SELECT count(*), bit_xor(id), 0 FROM t WHERE device IN ('series-00042/temperature', "
                            "'series-00077/temperature', 'series-02999/temperature') AND value > 30",
    "filter_value_10": "SELECT count(*), bit_xor(id), 0 FROM t WHERE value > 30.25",
    "filter_value_90": "SELECT count(*), bit_xor(id), 0 FROM t WHERE value > 9.75",
    "filter_time_1": "SELECT count(*), sum(value), 0 FROM t WHERE \"at\" >= make_timestamptz({low}) "
                     "AND \"at\" < make_timestamptz({high})",
    "filter_url": "SELECT count(*), bit_xor(id), 0 FROM t WHERE url = "
                  "'https://shop.example/p/000012345/view?n=3'",
    "filter_grade_null": "SELECT count(*), bit_xor(id), 0 FROM t WHERE grade IS NULL",
    "count": "SELECT count(*), 0, 0 FROM t",
}


def same(left, right):
    def plain(text):
        parts = []
        for part in text.split("\t"):
            try:
                parts.append(float(part))
            except ValueError:
                parts.append(part)
        return parts
    return len(plain(left)) == len(plain(right)) and all(
        a == b or isinstance(a, float) and isinstance(b, float) and abs(a - b) <= 1e-6 * max(abs(a), abs(b))
        for a, b in zip(plain(left), plain(right)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=".build/release/LakeBench")
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--folder", default=os.path.join(tempfile.gettempdir(), "cramped-lake-bench"))
    options = parser.parse_args()
    make(options.folder, options.rows)
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute("SET TimeZone = 'UTC'")
    names = sorted(os.listdir(os.path.join(options.folder, "lake", "bench")))
    cases = [(name, f"SELECT {FOLDS[name.split('_')[0]]} FROM t", name) for name in names if name != "events"]
    low = 1_764_000_000_000_000 + options.rows * 500
    high = low + options.rows * 10
    cases += [(name, sql.format(low=low, high=high), "events") for name, sql in FILTERS.items()]
    print(f"DuckDB {duckdb.__version__}, pyarrow {pyarrow.__version__}, {options.rows} rows, "
          f"best of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}\n")
    print("| case | ours, Mrows/s | DuckDB, Mrows/s | ratio | with hot pages |")
    print("|---|---:|---:|---:|---:|")
    worst = None
    for name, sql, table in cases:
        if options.only and options.only not in name:
            continue
        path = os.path.join(options.folder, "lake", "bench", table, "part-0.parquet")
        sql = sql.replace("FROM t", f"FROM read_parquet('{path}')")
        if name == "filter_point":
            sql = sql.replace(sql[sql.index("(SELECT"):], str(connection.execute(
                f"SELECT id FROM read_parquet('{path}') OFFSET 777777 LIMIT 1").fetchone()[0]))
        best_ours = best_duck = best_hot = 1e9
        extra = (sql.rsplit("=", 1)[1].strip(),) if name == "filter_point" else \
            (str(low), str(high)) if name == "filter_time_1" else ()
        for _ in range(options.rounds):
            seconds, answer = ours(options.program, options.folder, name, extra)
            best_ours = min(best_ours, seconds)
            hot, _ = ours(options.program, options.folder, name, (*extra, "--hot"))
            best_hot = min(best_hot, hot)
            seconds, expected = duck(connection, sql)
            best_duck = min(best_duck, seconds)
            if not same(answer, expected):
                sys.exit(f"{name}: ours {answer!r}, DuckDB {expected!r}")
        rate = lambda seconds: f"{options.rows / max(seconds, 1e-6) / 1e6:,.1f}"
        ratio = best_duck / max(best_ours, 1e-6)
        worst = min(worst or ratio, ratio)
        print(f"| {name} | {rate(best_ours)} | {rate(best_duck)} | {ratio:.2f} | {rate(best_hot)} |", flush=True)
    print(f"\nworst ratio {worst:.2f}")


if __name__ == "__main__":
    main()
