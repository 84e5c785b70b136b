#!/usr/bin/env python3
"""Delta readers that are not ours, for tests.

  read_delta.py check                          which readers there are, one a line
  read_delta.py compare <table> <expected> [column ...]   every reader must see what the file says; prints the
                                               differences. Of the columns single values are looked for too
  read_delta.py write <table>                  writes a small table with delta-rs, for our own reader
  read_delta.py create <table> <schema>        makes an empty table with delta-rs; the file has Delta's schema text
  read_delta.py count <table> <reader>         how many rows a reader sees
  read_delta.py append <table> <first> <count> appends rows with _pos from <first> on, one commit each, with delta-rs
  read_delta.py insert <table> <first> <count> the same with DuckDB, by INSERT into the attached table
  read_delta.py mapped <table> <name | id>     writes a table with column mapping and nested columns; DuckDB must read mode name

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
import pyarrow.parquet

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


def filtered(path, expected, names):
    """Counts with a filter that engines push into statistics: a bound that is too tight loses the row."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set timezone='UTC'")
    connection.execute(f"load '{duck_db_extension()}'")
    failures = 0
    for name in names:
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


def compare(path, expected_path, *names):
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
        failures += filtered(path, expected, names or ("published", "sequence", "_pos", "value", "series"))
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


def duck_db_connection():
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute("set timezone='UTC'")
    connection.execute(f"load '{duck_db_extension()}'")
    return connection


def insert(path, first, count):
    connection = duck_db_connection()
    connection.execute(f"attach '{path}' as lake (type delta)")
    columns = connection.execute("select name, type from pragma_table_info('lake')").fetchall()
    conflicts = 0
    for position in range(first, first + count):
        values = {"sequence": position * 10, "name": "'foreign'", "_pos": position,
                  "published": "make_timestamptz(0)", "received": "make_timestamptz(0)"}
        row = ", ".join(f"{values.get(name, 'null')}::{type}" for name, type in columns)
        while True:
            try:
                connection.execute(f"insert into lake select {row}")
                break
            except duckdb.Error as error:
                # Somebody else was first: nothing is in the log, the row is inserted again.
                if "conflict" not in str(error).lower():
                    raise
                conflicts += 1
    print(conflicts)
    return 0


def mapped(path, mode):
    def field(name, type, number, **more):
        mapping = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"}
        return {"name": name, "type": type, "nullable": True, "metadata": mapping, **more}

    def struct(*fields):
        return {"type": "struct", "fields": list(fields)}

    inner = struct(field("n", "integer", 7), field("day", "date", 8))
    schema = struct(
        field("id", "long", 1), field("s", struct(field("a", "long", 3), field("b", "string", 4)), 2),
        field("l", {"type": "array", "elementType": inner, "containsNull": True}, 5),
        field("m", {"type": "map", "keyType": "string", "valueType": struct(field("v", "double", 10)),
                    "valueContainsNull": True}, 9),
        field("e", struct(field("late", "string", 12)), 11))

    def column(number, type):
        # In mode "id" the names in the files mean nothing.
        name = f"col-{number}" if mode == "name" else f"file-{number}"
        return pyarrow.field(name, type, metadata={"PARQUET:field_id": str(number)})

    element = pyarrow.struct([column(7, pyarrow.int32()), column(8, pyarrow.date32())])
    value = pyarrow.struct([column(10, pyarrow.float64())])
    day = datetime.date(2026, 11, 23)

    def names(value, table):
        if isinstance(value, dict):
            return {(table.get(key, key)): names(inner, table) for key, inner in value.items()}
        return [names(inner, table) for inner in value] if isinstance(value, list) else value

    prefix = "col" if mode == "name" else "file"
    table = {key: f"{prefix}-{number}" for key, number in
             (("id", 1), ("s", 2), ("a", 3), ("b", 4), ("l", 5), ("n", 7), ("day", 8), ("m", 9), ("v", 10), ("e", 11),
              ("gone", 13))}
    # The first file is older than s.b and e.late, and has a member that was dropped.
    files = [
        ([column(1, pyarrow.int64()), column(2, pyarrow.struct([column(13, pyarrow.string()), column(3, pyarrow.int64())])),
          column(5, pyarrow.list_(element)), column(9, pyarrow.map_(pyarrow.string(), value)),
          column(11, pyarrow.struct([column(13, pyarrow.string())]))],
         [{"id": 1, "s": {"gone": "x", "a": 5}, "l": [{"n": 1, "day": day}, None], "m": [("k", {"v": 0.5})],
           "e": {"gone": "y"}},
          {"id": 2, "s": None, "l": None, "m": None, "e": None}]),
        ([column(2, pyarrow.struct([column(4, pyarrow.string()), column(3, pyarrow.int64())])), column(1, pyarrow.int64()),
          column(5, pyarrow.list_(element))],
         [{"id": 3, "s": {"a": 6, "b": "b"}, "l": []}]),
    ]
    os.makedirs(f"{path}/_delta_log")
    actions = [
        {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}},
        {"metaData": {"id": "mapped", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps(schema),
                      "partitionColumns": [],
                      "configuration": {"delta.columnMapping.mode": mode, "delta.columnMapping.maxColumnId": "13"}}}]
    for number, (columns, rows) in enumerate(files):
        rows = [{table[key]: [(k, names(v, table)) for k, v in inner] if key == "m" and inner else names(inner, table)
                 for key, inner in row.items()} for row in rows]
        file = f"part-{number}.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(columns)), f"{path}/{file}")
        actions.append({"add": {"path": file, "partitionValues": {}, "size": os.path.getsize(f"{path}/{file}"),
                                "modificationTime": 1, "dataChange": True}})
    with open(f"{path}/_delta_log/{0:020}.json", "w") as log:
        log.write("\n".join(map(json.dumps, actions)) + "\n")
    # DuckDB 1.5.5 goes by physical names in mode "id" too, and reads nulls here.
    if mode == "id" or not os.path.exists(duck_db_extension()):
        return 0
    seen = duck_db_connection().execute(f"select * from delta_scan('{path}') order by id").fetchall()
    expected = [
        (1, {"a": 5, "b": None}, [{"n": 1, "day": day}, None], {"k": {"v": 0.5}}, {"late": None}),
        (2, None, None, None, None),
        (3, {"a": 6, "b": "b"}, [], None, None)]
    if [row[:4] for row in seen] != [row[:4] for row in expected]:
        print(f"DuckDB reads {seen}")
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "check":
        print("\n".join(readers()))
    elif sys.argv[1] == "compare":
        sys.exit(compare(*sys.argv[2:]))
    elif sys.argv[1] == "create":
        sys.exit(create(sys.argv[2], sys.argv[3]))
    elif sys.argv[1] == "count":
        print(readers()[sys.argv[3]](sys.argv[2]).num_rows)
    elif sys.argv[1] == "insert":
        sys.exit(insert(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    elif sys.argv[1] == "mapped":
        sys.exit(mapped(sys.argv[2], sys.argv[3]))
    elif sys.argv[1] == "append":
        sys.exit(append(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        sys.exit(write(sys.argv[2]))
