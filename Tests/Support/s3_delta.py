#!/usr/bin/env python3
"""Other engines on Delta tables in an S3 bucket, for tests.

  s3_delta.py check                           fails unless deltalake and duckdb with its extensions are installed
  s3_delta.py read <endpoint> <uri>           count, distinct sequences, their sum, sum of values; one line an engine
  s3_delta.py commit <endpoint> <uri> <n>     makes n commits by delta-rs that change table properties only
"""
import os
import sys

import deltalake
import duckdb
import duckdb_extension_delta
import duckdb_extension_httpfs

SQL = "select count(*), count(distinct sequence), cast(sum(sequence) as bigint), sum(value) from t"
KEY = os.environ.get("AWS_ACCESS_KEY_ID", "test")
SECRET = os.environ.get("AWS_SECRET_ACCESS_KEY", "test")


def options(endpoint):
    return {
        "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ALLOW_HTTP": "true", "aws_conditional_put": "etag",
    }


def extension(module, name):
    return os.path.join(os.path.dirname(module.__file__), "extensions", f"v{duckdb.__version__}", f"{name}.duckdb_extension")


def duck_db(endpoint, uri):
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.execute(f"load '{extension(duckdb_extension_httpfs, 'httpfs')}'")
    connection.execute(f"load '{extension(duckdb_extension_delta, 'delta')}'")
    connection.execute(
        f"create secret (type s3, key_id '{KEY}', secret '{SECRET}', region 'us-east-1', url_style 'path', "
        f"endpoint '{endpoint.removeprefix('http://')}', use_ssl false)")
    return connection.sql(f"with t as (select * from delta_scan('{uri}')) {SQL}").fetchone()


def read(endpoint, uri):
    table = deltalake.DeltaTable(uri, storage_options=options(endpoint))
    result = deltalake.QueryBuilder().register("t", table).execute(SQL).read_all()
    print("deltalake", *[column[0].as_py() for column in result.columns])
    print("duckdb", *duck_db(endpoint, uri))


def commit(endpoint, uri, count):
    for number in range(int(count)):
        while True:
            table = deltalake.DeltaTable(uri, storage_options=options(endpoint))
            try:
                table.alter.set_table_properties({"test.counter": f"{os.getpid()}-{number}"}, raise_if_not_exists=False)
                break
            except deltalake.exceptions.CommitFailedError:
                pass


if sys.argv[1] == "check":
    for module, name in ((duckdb_extension_delta, "delta"), (duckdb_extension_httpfs, "httpfs")):
        assert os.path.exists(extension(module, name)), name
elif sys.argv[1] == "read":
    read(*sys.argv[2:])
else:
    commit(*sys.argv[2:])
