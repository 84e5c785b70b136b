#!/usr/bin/env python3
"""Iceberg readers that are not ours, for tests.

  read_iceberg.py check                                        which readers there are, one a line
  read_iceberg.py compare <table> <metadata file> <expected>   every reader must see what the file says
  read_iceberg.py rest <endpoint> <namespace> <table> <sql>    pyiceberg and DuckDB attach by REST; one line each with
                                                               what the statement gives over the table `t`

lake_rows.py says what is in the expected file; its rows are in the order of _cramped_pos.
"""
import datetime
import importlib.util
import os
import sys

import lake_rows

POSITION = "_cramped_pos"


def has(*modules):
    return all(importlib.util.find_spec(module) is not None for module in modules)


def connect():
    return lake_rows.duckdb_connection("avro", "httpfs", "iceberg")


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
    if has("duckdb", "pyarrow") and all(os.path.exists(lake_rows.duckdb_extension(name)) for name in ("avro", "httpfs", "iceberg")):
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
    expected = lake_rows.expected_rows(expected_path)
    failures = 0
    for name, reader in readers().items():
        same = {"tidy": tidy} if name == "ClickHouse" else {}
        failures += lake_rows.compare(name, reader(table, metadata), expected, POSITION, **same)
        failures += filtered(name, metadata, expected)
    return 1 if failures else 0


def filtered(name, metadata, expected):
    """Counts with filters that readers push into the bounds of the manifests: a bound that is too tight loses rows."""
    if name == "pyiceberg":
        from pyiceberg.expressions import EqualTo
        from pyiceberg.table import StaticTable

        table = StaticTable.from_metadata(metadata)

        def count(column, value):
            if column == "published":
                value = (lake_rows.EPOCH + datetime.timedelta(microseconds=value)).isoformat()
            return table.scan(row_filter=EqualTo(column, value)).to_arrow().num_rows
    elif name == "DuckDB":
        connection = connect()

        def count(column, value):
            where = f"{column} = {lake_rows.duckdb_literal(column, value)}"
            return connection.sql(f"select count(*) from iceberg_scan('{metadata}') where {where}").fetchone()[0]
    else:
        return 0
    return lake_rows.compare_bounds(name, ("published", "sequence", POSITION, "value", "series"), expected, count)


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
        lake_rows.leave(compare(*sys.argv[2:5]))
    else:
        lake_rows.leave(rest(*sys.argv[2:6]))
    lake_rows.leave(0)
