#!/usr/bin/env python3
"""Iceberg readers that are not ours, for tests.

  read_iceberg.py check                                        which readers there are, one a line
  read_iceberg.py compare <table> <metadata file> <expected>   every reader must see what the file says
  read_iceberg.py rest <endpoint> <namespace> <table> <sql>    pyiceberg and DuckDB attach by REST; one line each with
                                                               what the statement gives over the table `t`

The expected file is JSON: {"columns": [name ...], "rows": [[value ...] ...]}, rows in the order of _cramped_pos,
timestamps in microseconds since 1970, dates as text, bytes in hexadecimal, decimals as text, NaN and infinity as text.
"""
import datetime
import decimal
import importlib.util
import json
import math
import os
import sys
import sysconfig

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
POSITION = "_cramped_pos"


def plain(value):
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.timezone.utc)
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


def has(*modules):
    return all(importlib.util.find_spec(module) is not None for module in modules)


def extension(name):
    import duckdb

    folder = sysconfig.get_paths()["purelib"]
    return f"{folder}/duckdb_extension_{name}/extensions/v{duckdb.__version__}/{name}.duckdb_extension"


def connect():
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set timezone='UTC'")
    for name in ("avro", "httpfs", "iceberg"):
        connection.execute(f"load '{extension(name)}'")
    return connection


def by_pyiceberg(table, metadata):
    from pyiceberg.table import StaticTable

    return StaticTable.from_metadata(metadata).scan().to_arrow()


def by_duckdb(table, metadata):
    return connect().sql(f"select * from iceberg_scan('{metadata}')").to_arrow_table()


def by_polars(table, metadata):
    import polars

    return polars.scan_iceberg(metadata).collect().to_arrow()


def by_clickhouse(table, metadata):
    # ClickHouse reads files below the current folder only.
    os.chdir("/")
    import chdb
    import pyarrow

    name = os.path.relpath(metadata, table)
    data = chdb.query(
        f"select * from icebergLocal('{table}', settings iceberg_metadata_file_path='{name}') "
        "settings output_format_arrow_string_as_string=0, session_timezone='UTC'", "Arrow")
    return pyarrow.ipc.open_file(pyarrow.BufferReader(data.bytes())).read_all()


def readers():
    result = {}
    if has("pyiceberg", "pyarrow"):
        result["pyiceberg"] = by_pyiceberg
    if has("duckdb", "pyarrow") and all(os.path.exists(extension(name)) for name in ("avro", "httpfs", "iceberg")):
        result["DuckDB"] = by_duckdb
    if has("polars", "pyiceberg"):
        result["Polars"] = by_polars
    if has("chdb"):
        result["ClickHouse"] = by_clickhouse
    return result


def tidy(value, want):
    """ClickHouse gives strings and binary alike as bytes, and booleans may come as numbers."""
    if isinstance(value, str) and isinstance(want, str) and value != want:
        try:
            return bytes.fromhex(value).decode()
        except ValueError:
            return value
    return value


def compare(table, metadata, expected_path):
    with open(expected_path) as file:
        expected = json.load(file)
    failures = 0
    for name, reader in readers().items():
        found = reader(table, metadata)
        columns = found.column_names
        rows = [[plain(value) for value in row.values()] for row in found.to_pylist()]
        rows.sort(key=lambda row: row[columns.index(POSITION)])
        if columns != expected["columns"]:
            print(f"{name}: columns {columns}, expected {expected['columns']}")
            failures += 1
        if len(rows) != len(expected["rows"]):
            print(f"{name}: {len(rows)} rows, expected {len(expected['rows'])}")
            failures += 1
        wrong = 0
        for row, want in zip(rows, expected["rows"]):
            if name == "ClickHouse":
                row = [tidy(*pair) for pair in zip(row, want)]
            if row != want:
                wrong += 1
                if wrong <= 3:
                    print(f"{name}: row {row}\n    expected {want}")
        failures += wrong
        failures += filtered(name, metadata, expected)
        print(f"{name}: {len(rows)} rows compared")
    return 1 if failures else 0


def filtered(name, metadata, expected):
    """Counts with filters that readers push into the bounds of the manifests: a bound that is too tight loses rows."""
    if name == "pyiceberg":
        from pyiceberg.expressions import EqualTo
        from pyiceberg.table import StaticTable

        table = StaticTable.from_metadata(metadata)

        def count(column, value):
            if column == "published":
                value = (EPOCH + datetime.timedelta(microseconds=value)).isoformat()
            return table.scan(row_filter=EqualTo(column, value)).to_arrow().num_rows
    elif name == "DuckDB":
        connection = connect()

        def count(column, value):
            literal = f"make_timestamptz({value})" if column == "published" else repr(value)
            return connection.sql(f"select count(*) from iceberg_scan('{metadata}') where {column} = {literal}").fetchone()[0]
    else:
        return 0
    failures = 0
    for column in ("published", "sequence", POSITION, "value", "series"):
        at = expected["columns"].index(column)
        values = [row[at] for row in expected["rows"] if row[at] is not None and row[at] not in ("nan", "inf", "-inf")]
        for value in (min(values), max(values)) if values else ():
            found = count(column, value)
            if found != values.count(value):
                print(f"{name}: {column} = {value} gives {found} rows, expected {values.count(value)}")
                failures += 1
    return failures


def rest(endpoint, namespace, table, sql):
    if "pyiceberg" in readers():
        from pyiceberg.catalog.rest import RestCatalog
        import duckdb

        catalog = RestCatalog("lake", uri=endpoint)
        assert (namespace,) in catalog.list_namespaces(), catalog.list_namespaces()
        assert (namespace, table) in catalog.list_tables(namespace), catalog.list_tables(namespace)
        assert catalog.table_exists((namespace, table)) and not catalog.table_exists((namespace, "nothing"))
        t = catalog.load_table((namespace, table)).scan().to_arrow()
        print("pyiceberg:", *duckdb.sql(sql).fetchone())
    if "DuckDB" in readers():
        connection = connect()
        connection.execute(f"attach 'lake' as lake (type iceberg, endpoint '{endpoint}', authorization_type 'none')")
        connection.execute(f'create temp view t as select * from lake.{namespace}."{table}"')
        print("DuckDB:", *connection.sql(sql).fetchone())
    if "Polars" in readers():
        import polars
        from pyiceberg.catalog.rest import RestCatalog

        t = polars.scan_iceberg(RestCatalog("lake", uri=endpoint).load_table((namespace, table))).collect()
        print("Polars:", *polars.SQLContext(t=t).execute(sql, eager=True).row(0))
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "check":
        print("\n".join(readers()))
    elif sys.argv[1] == "compare":
        sys.exit(compare(*sys.argv[2:5]))
    else:
        sys.exit(rest(*sys.argv[2:6]))
