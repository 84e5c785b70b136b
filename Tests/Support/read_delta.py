#!/usr/bin/env python3
"""Delta readers that are not ours, for tests.

  read_delta.py check                          which readers there are, one a line
  read_delta.py compare <table> <expected>     every reader must see what the file says; prints the differences
  read_delta.py write <table>                  writes a small table with delta-rs, for our own reader
  read_delta.py create <table> <schema>        makes an empty table with delta-rs; the file has Delta's schema text
  read_delta.py count <table> <reader>         how many rows a reader sees
  read_delta.py append <table> <first> <count> appends rows with _pos from <first> on, one commit each, with delta-rs

The expected file is JSON: {"columns": [name ...], "rows": [[value ...] ...]}, rows in the order of _pos, timestamps in
microseconds since 1970, dates as text, bytes in hexadecimal, decimals as text, NaN and infinity as text.
"""
import datetime
import decimal
import json
import math
import os
import sys
import sysconfig

import deltalake
import duckdb
import pyarrow
import pyarrow.ipc

try:
    import polars
except ImportError:
    polars = None
try:
    import datafusion
except ImportError:
    datafusion = None
try:
    import chdb
except ImportError:
    chdb = None

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(value):
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def delta_rs(path):
    return deltalake.DeltaTable(path).to_pyarrow_table()


def data_fusion(path):
    query = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(path)).execute("select * from t")
    return pyarrow.table(query.read_all())


def duck_db(path):
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set timezone='UTC'")
    connection.execute(f"load '{duck_db_extension()}'")
    return pyarrow.table(connection.sql(f"select * from delta_scan('{path}')").to_arrow_table())


def arrow_dataset(path):
    return deltalake.DeltaTable(path).to_pyarrow_dataset().to_table()


def polars_delta(path):
    return polars.scan_delta(path).collect().to_arrow()


def data_fusion_provider(path):
    context = datafusion.SessionContext()
    context.register_table("t", deltalake.DeltaTable(path))
    return context.sql("select * from t").to_arrow_table()


def click_house(path):
    os.chdir("/")  # ClickHouse reads only files inside the working directory
    data = chdb.query(
        f"select * from deltaLakeLocal('{path}')"
        " settings output_format_arrow_string_as_string=0, session_timezone='UTC'", "Arrow")
    table = pyarrow.ipc.open_file(pyarrow.py_buffer(data.bytes())).read_all()
    # ClickHouse has one type for text and bytes: the values are its own, the types those of the table.
    types = {field.name: field.type for field in deltalake.DeltaTable(path).to_pyarrow_dataset().schema}
    return pyarrow.table({name: table[name].cast(types[name]) for name in table.column_names})


def duck_db_extension():
    folder = sysconfig.get_paths()["purelib"]
    return f"{folder}/duckdb_extension_delta/extensions/v{duckdb.__version__}/delta.duckdb_extension"


def filtered(path, expected):
    """Counts with a filter that engines push into statistics: a bound that is too tight loses the row."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set timezone='UTC'")
    connection.execute(f"load '{duck_db_extension()}'")
    failures = 0
    for name in ("published", "sequence", "_pos", "value", "series"):
        at = expected["columns"].index(name)
        values = [row[at] for row in expected["rows"] if row[at] is not None and not row[at] in ("nan", "inf", "-inf")]
        for value in (min(values), max(values)):
            literal = f"make_timestamptz({value})" if name == "published" else repr(value)
            found = connection.sql(f"select count(*) from delta_scan('{path}') where {name} = {literal}").fetchone()[0]
            if found != values.count(value):
                print(f"DuckDB: {name} = {value} gives {found} rows, expected {values.count(value)}")
                failures += 1
    return failures


def readers():
    result = {"delta-rs": delta_rs, "DataFusion": data_fusion}
    result["PyArrow"] = arrow_dataset
    if os.path.exists(duck_db_extension()):
        result["DuckDB"] = duck_db
    if polars:
        result["Polars"] = polars_delta
    if datafusion:
        result["DataFusion provider"] = data_fusion_provider
    if chdb:
        result["ClickHouse"] = click_house
    return result


def compare(path, expected_path):
    with open(expected_path) as file:
        expected = json.load(file)
    failures = 0
    for name, reader in readers().items():
        table = reader(path)
        columns = table.column_names
        rows = [[plain(value) for value in row.values()] for row in table.to_pylist()]
        rows.sort(key=lambda row: row[columns.index("_pos")])
        if columns != expected["columns"]:
            print(f"{name}: columns {columns}, expected {expected['columns']}")
            failures += 1
        if len(rows) != len(expected["rows"]):
            print(f"{name}: {len(rows)} rows, expected {len(expected['rows'])}")
            failures += 1
        wrong = [pair for pair in zip(rows, expected["rows"]) if pair[0] != pair[1]]
        for row, want in wrong[:3]:
            print(f"{name}: row {row}\n    expected {want}")
        failures += len(wrong)
        print(f"{name}: {len(rows)} rows compared")
    if "DuckDB" in readers():
        failures += filtered(path, expected)
    return 1 if failures else 0


def write(path):
    for start in (0, 3):
        rows = pyarrow.table({
            "id": pyarrow.array([start + 1, start + 2, start + 3], pyarrow.int64()),
            "name": pyarrow.array(["a", None, "c"], pyarrow.string()),
            "at": pyarrow.array([1, 2, 3], pyarrow.timestamp("us", tz="UTC")),
        })
        application = deltalake.Transaction("app", start)
        deltalake.write_deltalake(
            path, rows, mode="append",
            commit_properties=deltalake.CommitProperties(app_transactions=[application]))
    deltalake.DeltaTable(path).delete("id = 2")
    return 0


def create(path, schema_path):
    with open(schema_path) as file:
        schema = deltalake.Schema.from_json(file.read())
    deltalake.DeltaTable.create(path, schema)
    return 0


def append(path, first, count):
    schema = pyarrow.schema(deltalake.DeltaTable(path).schema())
    for position in range(first, first + count):
        values = {"sequence": position * 10, "name": "foreign", "_pos": position,
                  "published": EPOCH, "received": EPOCH}
        row = pyarrow.table({field.name: pyarrow.array([values.get(field.name)], field.type) for field in schema})
        deltalake.write_deltalake(path, row, mode="append")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "check":
        print("\n".join(readers()))
    elif sys.argv[1] == "compare":
        sys.exit(compare(sys.argv[2], sys.argv[3]))
    elif sys.argv[1] == "create":
        sys.exit(create(sys.argv[2], sys.argv[3]))
    elif sys.argv[1] == "count":
        print(readers()[sys.argv[3]](sys.argv[2]).num_rows)
    elif sys.argv[1] == "append":
        sys.exit(append(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        sys.exit(write(sys.argv[2]))
