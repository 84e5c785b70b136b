#!/usr/bin/env python3
"""Delta readers that are not ours, for tests.

  read_delta.py check                          which readers there are, one a line
  read_delta.py compare <table> <expected> [reader | column ...]
                                               every reader, or each of these, must see what the file says; prints the
                                               differences. Of the columns single values are looked for too
  read_delta.py write <table>                  writes a small table with delta-rs, for our own reader
  read_delta.py create <table> <schema>        makes an empty table with delta-rs; the file has Delta's schema text
  read_delta.py count <table> <reader>         how many rows a reader sees
  read_delta.py append <table> <first> <count> appends rows with _pos from <first> on, one commit each, with delta-rs
  read_delta.py insert <table> <first> <count> the same with DuckDB, by INSERT into the attached table
  read_delta.py delete <table> <predicate>     deletes rows with delta-rs; prints how many
  read_delta.py schema <table>                 the schema text of a table's first log entry
  read_delta.py mapped <table> <name | id>     writes a table with column mapping and nested columns; DuckDB must read mode name

lake_rows.py says what is in the expected file; its rows are in the order of _pos.
"""
import datetime
import json
import os
import sys

import deltalake
import duckdb
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

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

READERS = {"delta-rs", "DataFusion", "PyArrow", "DuckDB", "Polars", "DataFusion provider", "ClickHouse"}


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


def filtered(path, expected, columns):
    """Counts with a filter that engines push into statistics: a bound that is too tight loses the row."""
    connection = lake_rows.duckdb_connection("delta")

    def count(column, value):
        where = f"{column} = {lake_rows.duckdb_literal(column, value)}"
        return connection.sql(f"select count(*) from delta_scan('{path}') where {where}").fetchone()[0]

    return lake_rows.compare_bounds("DuckDB", columns, expected, count)


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
    """`names`: readers of READERS, and columns."""
    expected = lake_rows.expected_rows(expected_path)
    only = [name for name in names if name in READERS]
    columns = [name for name in names if name not in READERS] or ["published", "sequence", "_pos", "value", "series"]
    failures = 0
    for name, reader in readers().items():
        if not only or name in only:
            failures += lake_rows.compare(name, reader(path), expected, "_pos")
    if "DuckDB" in readers() and all(column in expected["columns"] for column in columns):
        failures += filtered(path, expected, columns)
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


def delete(path, predicate):
    print(deltalake.DeltaTable(path).delete(predicate)["num_deleted_rows"])
    return 0


def schema(path):
    with open(f"{path}/_delta_log/{0:020}.json") as file:
        actions = [json.loads(line) for line in file]
    print(next(action["metaData"]["schemaString"] for action in actions if "metaData" in action))
    return 0


def insert(path, first, count):
    connection = lake_rows.duckdb_connection("delta")
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
    if mode == "id" or not os.path.exists(lake_rows.duckdb_extension("delta")):
        return 0
    seen = lake_rows.duckdb_connection("delta").execute(f"select * from delta_scan('{path}') order by id").fetchall()
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
        lake_rows.leave(compare(sys.argv[2], sys.argv[3], sys.argv[4:]))
    elif sys.argv[1] == "create":
        lake_rows.leave(create(sys.argv[2], sys.argv[3]))
    elif sys.argv[1] == "count":
        print(readers()[sys.argv[3]](sys.argv[2]).num_rows)
    elif sys.argv[1] == "delete":
        lake_rows.leave(delete(sys.argv[2], sys.argv[3]))
    elif sys.argv[1] == "schema":
        lake_rows.leave(schema(sys.argv[2]))
    elif sys.argv[1] == "insert":
        lake_rows.leave(insert(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    elif sys.argv[1] == "mapped":
        lake_rows.leave(mapped(sys.argv[2], sys.argv[3]))
    elif sys.argv[1] == "append":
        lake_rows.leave(append(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        lake_rows.leave(write(sys.argv[2]))
    lake_rows.leave(0)
