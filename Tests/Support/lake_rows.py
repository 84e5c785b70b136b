"""What the scripts with Delta and Iceberg readers share: rows as they are expected, and how they are compared.

The expected file is JSON: {"columns": [name ...], "rows": [[value ...] ...]}, rows in the order of the position column,
timestamps in microseconds since 1970, dates as text, bytes in hexadecimal, decimals as text, NaN and infinity as text.
"""
import datetime
import decimal
import json
import math
import os
import sys
import sysconfig

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def plain(value):
    """A value of a reader in the form of the expected file."""
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
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value


def expected_rows(path):
    with open(path) as file:
        return json.load(file)


def compare(name, table, expected, position, tidy=lambda value, want: value):
    """Compares what the reader `name` made of a table (an Arrow table) and prints the differences; their number.

    `tidy` makes a value of a reader with fewer types what the expected one is."""
    failures = 0
    columns = table.column_names
    rows = [[plain(value) for value in row.values()] for row in table.to_pylist()]
    rows.sort(key=lambda row: row[columns.index(position)])
    if columns != expected["columns"]:
        print(f"{name}: columns {columns}, expected {expected['columns']}")
        failures += 1
    if len(rows) != len(expected["rows"]):
        print(f"{name}: {len(rows)} rows, expected {len(expected['rows'])}")
        failures += 1
    wrong = 0
    for row, want in zip(rows, expected["rows"]):
        row = [tidy(*pair) for pair in zip(row, want)]
        if row != want:
            wrong += 1
            if wrong <= 3:
                print(f"{name}: row {row}\n    expected {want}")
    print(f"{name}: {len(rows)} rows compared")
    return failures + wrong


def compare_bounds(name, columns, expected, count):
    """Counts with filters that engines push into statistics: a bound that is too tight loses the row. `count` gives the
    rows with a value in a column; the number of wrong counts comes back."""
    failures = 0
    for column in columns:
        at = expected["columns"].index(column)
        values = [row[at] for row in expected["rows"] if row[at] is not None and row[at] not in ("nan", "inf", "-inf")]
        for value in (min(values), max(values)) if values else ():
            found = count(column, value)
            if found != values.count(value):
                print(f"{name}: {column} = {value} gives {found} rows, expected {values.count(value)}")
                failures += 1
    return failures


def duckdb_extension(name):
    import duckdb

    folder = sysconfig.get_paths()["purelib"]
    return f"{folder}/duckdb_extension_{name}/extensions/v{duckdb.__version__}/{name}.duckdb_extension"


def duckdb_connection(*extensions):
    import duckdb

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set timezone='UTC'")
    for name in extensions:
        connection.execute(f"load '{duckdb_extension(name)}'")
    return connection


def duckdb_literal(column, value):
    return f"make_timestamptz({value})" if column == "published" else repr(value)


def leave(status):
    """Ends the program at once: Arrow's threads may wait for each other for ever when Python takes itself apart."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)
