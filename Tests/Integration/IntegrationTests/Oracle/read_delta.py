"""Reads a Delta table with delta-rs and with DuckDB: count, distinct sequences, sum of sequences, sum of values."""
import os
import sys

import deltalake
import duckdb
import duckdb_extension_delta

path = sys.argv[1]
sql = "select count(*), count(distinct sequence), cast(sum(sequence) as bigint), cast(sum(value) as bigint) from t"

table = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(path)).execute(sql).read_all()
print("deltalake", *[column[0].as_py() for column in table.columns])

connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
folder = os.path.dirname(duckdb_extension_delta.__file__)
extension = os.path.join(folder, "extensions", f"v{duckdb.__version__}", "delta.duckdb_extension")
connection.execute(f"LOAD '{extension}'")
print("duckdb", *connection.sql(f"with t as (select * from delta_scan('{path}')) {sql}").fetchone())
# Arrow's threads may wait for each other for ever when Python takes itself apart.
sys.stdout.flush()
os._exit(0)
