#!/usr/bin/env python3
"""Delta readers that are not ours, for tests.

  read_delta.py check                          which readers there are, one a line
  read_delta.py compare <table> <expected> [reader ...]
                                               every reader, or each of these, must see what the file says; prints the
                                               differences
  read_delta.py write <table>                  writes a small table with delta-rs, for our own reader
  read_delta.py create <table> <schema>        makes an empty table with delta-rs; the file has Delta's schema text
  read_delta.py count <table> <reader>         how many rows a reader sees
  read_delta.py append <table> <first> <count> appends rows with _pos from <first> on, one commit each, with delta-rs

lake_rows.py says what is in the expected file; its rows are in the order of _pos.
"""
import os
import sys

import deltalake
import duckdb
import pyarrow
import pyarrow.ipc

import lake_rows

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

def delta_rs(path):
    return deltalake.DeltaTable(path).to_pyarrow_table()


def data_fusion(path):
    query = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(path)).execute("select * from t")
    return pyarrow.table(query.read_all())


def duck_db(path):
    return pyarrow.table(lake_rows.duckdb_connection("delta").sql(f"select * from delta_scan('{path}')").to_arrow_table())


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


def filtered(path, expected):
    connection = lake_rows.duckdb_connection("delta")

    def count(column, value):
        where = f"{column} = {lake_rows.duckdb_literal(column, value)}"
        return connection.sql(f"select count(*) from delta_scan('{path}') where {where}").fetchone()[0]

    return lake_rows.compare_bounds("DuckDB", ("published", "sequence", "_pos", "value", "series"), expected, count)


def readers():
    result = {"delta-rs": delta_rs, "DataFusion": data_fusion}
    result["PyArrow"] = arrow_dataset
    if os.path.exists(lake_rows.duckdb_extension("delta")):
        result["DuckDB"] = duck_db
    if polars:
        result["Polars"] = polars_delta
    if datafusion:
        result["DataFusion provider"] = data_fusion_provider
    if chdb:
        result["ClickHouse"] = click_house
    return result


def compare(path, expected_path, names):
    expected = lake_rows.expected_rows(expected_path)
    failures = 0
    for name, reader in readers().items():
        if names and name not in names:
            continue
        failures += lake_rows.compare(name, reader(path), expected, "_pos")
    if "DuckDB" in readers() and "value" in expected["columns"]:
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
                  "published": lake_rows.EPOCH, "received": lake_rows.EPOCH}
        row = pyarrow.table({field.name: pyarrow.array([values.get(field.name)], field.type) for field in schema})
        deltalake.write_deltalake(path, row, mode="append")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "check":
        print("\n".join(readers()))
    elif sys.argv[1] == "compare":
        sys.exit(compare(sys.argv[2], sys.argv[3], sys.argv[4:]))
    elif sys.argv[1] == "create":
        sys.exit(create(sys.argv[2], sys.argv[3]))
    elif sys.argv[1] == "count":
        print(readers()[sys.argv[3]](sys.argv[2]).num_rows)
    elif sys.argv[1] == "append":
        sys.exit(append(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        sys.exit(write(sys.argv[2]))
