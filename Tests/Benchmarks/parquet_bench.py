"""Writes the same rows with pyarrow and with our writer and compares rows a second and bytes.

  parquet_bench.py BINARY [--rows N] [--rounds N] [--threads N] [--level N] [--keep FOLDER]

BINARY is the release build of ParquetBench. Both write to memory: zstd of the same level, row groups of 1,000,000 rows,
dictionaries on, statistics, page index and checksums on. Runs take turns, the best of each is shown. The rows of both files
are compared at the end.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def table(rows):
    """Events of a shop and its sensors, in the order of publication."""
    rng = np.random.default_rng(2_026)
    start = 1_764_000_000_000_000
    published = start + np.cumsum(rng.exponential(4_000, rows).astype(np.int64))
    names = np.array(["recorded", "calibrated", "placed", "paid", "shipped", "cancelled"])
    devices = np.array([f"plant-{i % 40:02d}/line-{i % 7}/sensor-{i:05d}" for i in range(2_000)])
    words = np.array(["delayed", "the", "carrier", "customer", "left", "parcel", "door", "asked", "refund", "broken"])
    hexes = np.char.mod("%08x", rng.integers(0, 2**32, (rows // 3 + 1, 4), dtype=np.int64))
    uuids = np.char.add(np.char.add(np.char.add(hexes[:, 0], "-"), np.char.add(hexes[:, 1], "-")),
                        np.char.add(np.char.add(hexes[:, 2], "-"), hexes[:, 3]))
    order = np.minimum(np.arange(rows) // 3 + rng.integers(0, 40, rows), rows // 3)
    notes = words[rng.integers(0, len(words), (rows, 5))]
    note = notes[:, 0]
    for index in range(1, 5):
        note = np.char.add(np.char.add(note, " "), notes[:, index])
    amount = rng.integers(100, 9_999_999, rows)
    city = np.array([f"city of {i}" for i in range(300)])
    null = lambda share: rng.random(rows) < share
    return pa.table({
        "sequence": pa.array(np.arange(1, rows + 1, dtype=np.int64)),
        "name": pa.array(names[rng.choice(6, rows, p=[.5, .02, .2, .15, .1, .03])]),
        "published": pa.array(published, pa.timestamp("us", tz="UTC")),
        "received": pa.array(published + rng.integers(500, 90_000, rows), pa.timestamp("us", tz="UTC")),
        "device": pa.array(devices[rng.zipf(1.3, rows) % 2_000]),
        "value": pa.array(np.round(rng.normal(20, 4, rows), 2), mask=null(.02)),
        "raw": pa.array(rng.normal(0, 1, rows).astype(np.float32)),
        "status": pa.array(rng.integers(0, 60, rows).astype(np.int32), mask=null(.3)),
        "ok": pa.array(rng.random(rows) < .97),
        "order_id": pa.array(uuids[order]),
        "customer": pa.array(rng.integers(1, 400_000, rows).astype(np.int64)),
        "amount": pa.array(amount).cast(pa.decimal128(19, 0)).cast(pa.decimal128(12, 2), safe=False),
        "day": pa.array((published // 86_400_000_000 - rng.integers(0, 30, rows)).astype(np.int32), pa.date32()),
        "city": pa.array(city[rng.integers(0, 300, rows)], mask=null(.1)),
        "note": pa.array(note, mask=null(.6)),
    })


def pyarrow_write(data, level, **options):
    sink = pa.BufferOutputStream()
    wall, cpu = time.monotonic(), time.process_time()
    pq.write_table(
        data, sink, compression="zstd", compression_level=level, row_group_size=1_000_000, write_statistics=True,
        write_page_index=True, write_page_checksum=True, data_page_version="1.0", **options)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    return wall, cpu, sink.getvalue()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--level", type=int, default=3)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    folder = arguments.keep or tempfile.mkdtemp()
    source = os.path.join(folder, f"input-{arguments.rows}.parquet")
    if not os.path.exists(source):
        pq.write_table(table(arguments.rows), source, compression="none", use_dictionary=False, row_group_size=1_000_000,
                       store_decimal_as_integer=True)
    data = pq.read_table(source)
    delta = {"use_dictionary": [n for n in data.column_names if n not in ("sequence", "published", "received")],
             "column_encoding": {n: "DELTA_BINARY_PACKED" for n in ("sequence", "published", "received")},
             "dictionary_pagesize_limit": 16 * 1_048_576, "store_decimal_as_integer": True}
    results = {}

    def note(name, wall, cpu, size):
        if name not in results or wall < results[name][0]:
            results[name] = (wall, cpu, size)

    for _ in range(arguments.rounds):
        wall, cpu, bytes_ = pyarrow_write(data, arguments.level, use_dictionary=True)
        note("pyarrow", wall, cpu, len(bytes_))
        wall, cpu, bytes_ = pyarrow_write(data, arguments.level, **delta)
        note("pyarrow, tuned by hand", wall, cpu, len(bytes_))
        for threads in sorted({1, arguments.threads}):
            ours = os.path.join(folder, "ours.parquet")
            line = subprocess.run([arguments.binary, source, ours, str(threads), "1", str(arguments.level)],
                                  check=True, capture_output=True, text=True).stdout.split()
            note(f"ours, {threads} thread{'s' * (threads > 1)}", float(line[2]), float(line[3]), int(line[4]))
    read = pq.ParquetFile(ours, page_checksum_verification=True).read()
    for name in data.column_names:
        if not read.column(name).cast(data.column(name).type).equals(data.column(name)):
            sys.exit(f"column {name} differs")
    base = results["pyarrow"]
    print(f"{arguments.rows:,} rows, {data.num_columns} columns, zstd {arguments.level}; pyarrow {pa.__version__}; same rows")
    print("| writer | rows/s | against pyarrow | µs of CPU a row | bytes a row | size against pyarrow |\n|---|---:|---:|---:|---:|---:|")
    for name, (wall, cpu, size) in results.items():
        print(f"| {name} | {arguments.rows / wall:,.0f} | {base[0] / wall:.2f} | {cpu / arguments.rows * 1e6:.2f} "
              f"| {size / arguments.rows:.1f} | {size / base[2]:.2f} |")


if __name__ == "__main__":
    main()
