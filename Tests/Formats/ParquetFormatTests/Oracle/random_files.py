"""Random files of pyarrow over the whole matrix: types (nested too), encodings, codecs, page versions, page sizes.

  random_files.py FOLDER SEED COUNT     writes COUNT files and prints what they hold, in the lines of golden.py
"""

import io
import decimal
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq

import golden

CODECS = ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]
ENCODINGS = {
    "BOOLEAN": ["PLAIN", "RLE"],
    "INT32": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "INT64": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "FLOAT": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "DOUBLE": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "BYTE_ARRAY": ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"],
    "FIXED_LEN_BYTE_ARRAY": ["PLAIN", "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT"],
}


def scalars(rng):
    """Types with a maker of values."""
    words = ["", "a", "ä€𝄞", "quote\" slash\\ tab\t bell\u0007", "key-%d" % rng.randint(0, 9), "prefix-prefix-x"]
    return [
        (pa.bool_(), lambda: rng.random() < 0.4),
        (pa.int8(), lambda: rng.randint(-128, 127)),
        (pa.uint8(), lambda: rng.randint(0, 255)),
        (pa.int16(), lambda: rng.randint(-(2**15), 2**15 - 1)),
        (pa.uint16(), lambda: rng.randint(0, 2**16 - 1)),
        (pa.int32(), lambda: rng.choice([0, 7, -(2**31), 2**31 - 1, rng.randint(-1000, 1000)])),
        (pa.uint32(), lambda: rng.randint(0, 2**32 - 1)),
        (pa.int64(), lambda: rng.choice([0, -(2**63), 2**63 - 1, rng.randint(-(10**6), 10**6)])),
        (pa.uint64(), lambda: rng.choice([0, 2**64 - 1, rng.getrandbits(40)])),
        (pa.float16(), lambda: rng.randint(-100, 100) / 8),
        (pa.float32(), lambda: rng.choice([0.0, -0.0, 0.1, 1e20, -3.5, float("nan"), float("inf"), rng.gauss(0, 5)])),
        (pa.float64(), lambda: rng.choice([0.0, -0.0, 0.1, 1e-9, 1e300, float("nan"), float("-inf"), rng.gauss(0, 5)])),
        (pa.string(), lambda: rng.choice(words)),
        (pa.string(), lambda: "w" * rng.randint(0, 30) + str(rng.randint(0, 10**9))),
        (pa.binary(), lambda: rng.randbytes(rng.randint(0, 20))),
        (pa.binary(5), lambda: rng.randbytes(5)),
        (pa.date32(), lambda: rng.randint(-800_000, 3_000_000)),
        (pa.time32("ms"), lambda: rng.randint(0, 86_399_999)),
        (pa.time64("us"), lambda: rng.randint(0, 86_399_999_999)),
        (pa.time64("ns"), lambda: rng.randint(0, 86_399_999_999_999)),
        (pa.timestamp("ms"), lambda: rng.randint(-(10**13), 10**14)),
        (pa.timestamp("us", "UTC"), lambda: rng.randint(-(10**16), 10**17)),
        (pa.timestamp("ns", "UTC"), lambda: rng.randint(-(10**18), 10**18)),
        (pa.decimal128(5, 2), lambda: decimal.Decimal(rng.randint(-99_999, 99_999)).scaleb(-2)),
        (pa.decimal128(15, 0), lambda: decimal.Decimal(rng.randint(-(10**15) + 1, 10**15 - 1))),
        (pa.decimal128(33, 7), lambda: decimal.Decimal(rng.randint(-(10**33) + 1, 10**33 - 1)).scaleb(-7)),
    ]


def shape(rng, depth):
    """A type with a maker of values, None where a value may be absent."""
    kind = rng.choice(["scalar"] * 2 + ["list", "struct", "map"]) if depth > 0 else "scalar"
    if kind == "scalar":
        return rng.choice(scalars(rng))
    nulls = rng.choice([0, 0.1, 0.6])

    def maybe(make):
        return lambda: None if rng.random() < nulls else make()

    if kind == "list":
        inner, make = shape(rng, depth - 1)
        # A list without nulls is declared so, which gives other levels.
        field = pa.field("element", inner, nullable=nulls > 0)
        long = rng.choice([2, 5, 40])
        return pa.list_(field), lambda: [maybe(make)() for _ in range(rng.randint(0, long))]
    if kind == "struct":
        members = [("m%d" % i + "x" * rng.randint(0, 3), *shape(rng, depth - 1)) for i in range(rng.randint(1, 4))]
        fields = [pa.field(name, inner, nullable=nulls > 0) for name, inner, _ in members]
        return pa.struct(fields), lambda: {name: maybe(make)() for name, _, make in members}
    key, make_key = rng.choice([s for s in scalars(rng) if s[0] in (pa.string(), pa.int32(), pa.date32())])
    inner, make = shape(rng, depth - 1)
    return pa.map_(key, pa.field("value", inner, nullable=nulls > 0)), lambda: [
        (make_key(), maybe(make)()) for _ in range(rng.randint(0, 4))]


def write(path, rng):
    rows = rng.choice([0, 1, 7, 100, 1_000, 2_500])
    columns, fields = [], []
    for number in range(rng.randint(3, 7)):
        kind, make = shape(rng, rng.randint(0, 3))
        nulls = rng.choice([0, 0.2, 1]) if number else 0
        values = [None if rng.random() < nulls else make() for _ in range(rows)]
        columns.append(pa.array(values, kind))
        fields.append(pa.field("c%d" % number, kind, nullable=nulls > 0))
    table = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    probe = io.BytesIO()
    pq.write_table(table, probe)
    schema = pq.ParquetFile(probe).schema
    leaves = [schema.column(i) for i in range(len(schema))]
    plain = [leaf for leaf in leaves if rng.random() < 0.6]
    pq.write_table(
        table, path, compression=rng.choice(CODECS), data_page_version=rng.choice(["1.0", "2.0"]),
        data_page_size=rng.choice([64, 1_024, 2**20]), row_group_size=rng.choice([300, 10_000]),
        write_page_index=rng.random() < 0.5, write_page_checksum=rng.random() < 0.5,
        use_dictionary=[leaf.path for leaf in leaves if leaf not in plain and leaf.physical_type != "BOOLEAN"],
        column_encoding={leaf.path: rng.choice(ENCODINGS[leaf.physical_type]) for leaf in plain})


if __name__ == "__main__":
    folder, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for number in range(count):
        write(f"{folder}/random-{seed}-{number:03}.parquet", random.Random(seed * 1_000 + number))
    golden.main(folder)
