#!/usr/bin/env python3
"""Records what other engines read from Delta tables, for DeltaTablesTests.

  record.py <folder of tables> [more tables ...] > expected.tsv

One line a table: its name, the number of rows, the columns, and a digest of all values; or `-` and why the engines
refuse it. DuckDB (delta extension) answers, else delta-rs (DataFusion); where both answer they must agree.

A value in its canonical form: null "~", integers and booleans as digits, floating point as the bits of the double,
decimals as digits with their scale, dates in days and timestamps in microseconds since 1970, text after a quote, bytes
in hexadecimal, lists in brackets, structs and maps in braces with sorted keys. Rows are sorted; the digest is FNV-1a, 64 bits, of the
rows with a line feed after each and a tab between values.
"""
import datetime
import decimal
import os
import struct
import sys
import sysconfig

import deltalake
import duckdb
import pyarrow

EPOCH = datetime.datetime(1970, 1, 1)


def canonical(value, kind=None):
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "f%d" % struct.unpack("<Q", struct.pack("<d", value))[0]
    if isinstance(value, decimal.Decimal):
        sign, digits, exponent = value.as_tuple()
        number = int("".join(map(str, digits))) * (-1 if sign else 1)
        return "%d/%d" % (number, -exponent)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return str((value - EPOCH) // datetime.timedelta(microseconds=1))
    if isinstance(value, datetime.date):
        return str((value - EPOCH.date()).days)
    if isinstance(value, (bytes, bytearray)):
        return "x" + bytes(value).hex()
    if isinstance(value, str):
        return "'" + value.replace("\n", "\\n").replace("\t", "\\t")
    if isinstance(value, dict):
        return "{" + ",".join(sorted("%s=%s" % (key, canonical(item)) for key, item in value.items())) + "}"
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) for item in value):
            return "{" + ",".join(sorted("%s=%s" % (key, canonical(item)) for key, item in value)) + "}"
        return "[" + ",".join(canonical(item) for item in value) + "]"
    raise TypeError(type(value))


def digest(table):
    columns = [column.to_pylist() for column in table.columns]
    rows = ["\t".join(canonical(column[row]) for column in columns) for row in range(table.num_rows)]
    rows.sort(key=lambda row: row.encode())
    hash_ = 0xCBF29CE484222325
    for row in rows:
        for byte in (row + "\n").encode():
            hash_ = (hash_ ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return "%d\t%s\t%016x" % (table.num_rows, ",".join(table.column_names), hash_)


def duck_db(path):
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set timezone='UTC'")
    folder = sysconfig.get_paths()["purelib"]
    connection.execute(
        f"load '{folder}/duckdb_extension_delta/extensions/v{duckdb.__version__}/delta.duckdb_extension'")
    return pyarrow.table(connection.sql(f"select * from delta_scan('{path}')").to_arrow_table())


def delta_rs(path):
    table = deltalake.DeltaTable(path)
    return pyarrow.table(deltalake.QueryBuilder().register("t", table).execute("select * from t").read_all())


def record(path):
    answers = []
    refusals = []
    for reader in (duck_db, delta_rs):
        try:
            answers.append(digest(reader(path)))
        except Exception as error:  # an engine may refuse a table in any way
            refusals.append(reader.__name__ + ": " + " ".join(str(error).split())[:160])
    if not answers:
        return "-\t" + "; ".join(refusals)
    if len(answers) == 2 and answers[0] != answers[1]:
        print(os.path.basename(path), "engines differ", answers, file=sys.stderr)
    return answers[0]


if __name__ == "__main__":
    for root in sys.argv[1:]:
        for folder, names, _ in sorted(os.walk(root)):
            if "_delta_log" in names:
                print(os.path.relpath(folder, root) + "\t" + record(folder), flush=True)
