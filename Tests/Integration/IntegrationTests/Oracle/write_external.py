# Tables of others for ExternalTablesTests: Parquet by pyarrow, Delta by delta-rs and DuckDB.
#
#   write_external.py files <folder>     Parquet files in key=value folders, a damaged one, a text
#   write_external.py delta <folder>     a Delta table of three versions with partitions and nested columns
#   write_external.py append <folder>    one more version, by DuckDB where its extension is there, else by delta-rs
import datetime
import decimal
import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def files(root):
    for year in (2025, 2026):
        for country in ("de", "fr"):
            folder = f"{root}/sales/year={year}/country={country}"
            os.makedirs(folder)
            start = datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc)
            count = range(1000)
            table = pa.table({
                "id": pa.array(count, pa.int32() if year == 2025 else pa.int64()),
                "amount": pa.array([decimal.Decimal(i) / 100 for i in count], pa.decimal128(10, 2)),
                "at": pa.array([start + datetime.timedelta(minutes=i) for i in count], pa.timestamp("us", "UTC")),
                "tags": pa.array([[f"t{i % 3}", "x"] for i in count]),
                "who": pa.array([{"name": f"n{i % 7}", "age": i % 90} for i in count]),
                "m": pa.array([[("a", i)] for i in count], pa.map_(pa.string(), pa.int64())),
            })
            if year == 2026:
                table = table.append_column("note", pa.array(["n"] * 1000))
            pq.write_table(table, f"{folder}/part-0.parquet", row_group_size=250)
    with open(f"{root}/text.parquet", "w") as file:
        file.write("this is a text and no Parquet file")
    pq.write_table(pa.table({"id": [1, 2, 3]}), f"{root}/damaged.parquet")
    with open(f"{root}/damaged.parquet", "r+b") as file:
        size = os.path.getsize(f"{root}/damaged.parquet")
        file.seek(size - 40)
        file.write(b"\xff" * 32)


ROWS = pa.table({
    "id": pa.array([1, 2, 3], pa.int64()),
    "day": [datetime.date(2026, 1, 1), datetime.date(2026, 1, 2), datetime.date(2026, 1, 2)],
    "v": [1.5, None, 3.5],
    "s": ["a", "b", None],
    "st": pa.array([{"a": 1, "b": ["x"]}, {"a": 2, "b": []}, None],
                   pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))])),
})


def delta(root):
    from deltalake import DeltaTable, write_deltalake
    write_deltalake(f"{root}/dt", ROWS, partition_by=["day"])
    write_deltalake(f"{root}/dt", ROWS, mode="append")
    DeltaTable(f"{root}/dt").delete("id = 2")


def append(root):
    from deltalake import write_deltalake
    write_deltalake(f"{root}/dt", ROWS.slice(0, 1), mode="append")


{"files": files, "delta": delta, "append": append}[sys.argv[1]](sys.argv[2])
