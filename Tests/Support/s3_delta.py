#!/usr/bin/env python3
"""Other engines on Delta tables in an S3 bucket, for tests.

  s3_delta.py check                           fails unless deltalake and duckdb with its extensions are installed
  s3_delta.py read <endpoint> <uri>           count, distinct sequences, their sum, sum of values; one line an engine
  s3_delta.py commit <endpoint> <bucket> <folder> <n>
                                              makes n commits without rows, by put_object with If-None-Match
  s3_delta.py append <endpoint> <uri> <first> <n>
                                              appends n times ten rows by delta-rs
"""
import json
import os
import sys

import boto3
import botocore
import deltalake
import duckdb
import duckdb_extension_delta
import duckdb_extension_httpfs
import pyarrow

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


def commit(endpoint, bucket, folder, count):
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=KEY,
                      aws_secret_access_key=SECRET)
    version, made = 0, 0
    while made < int(count):
        try:
            entry = s3.get_object(Bucket=bucket, Key=f"{folder}/_delta_log/{version:020}.json")["Body"].read()
            time = json.loads(entry.split(b"\n")[0])["commitInfo"].get("inCommitTimestamp", 0)
            version += 1
            continue
        except s3.exceptions.NoSuchKey:
            pass
        action = {"commitInfo": {"timestamp": time + 1, "inCommitTimestamp": time + 1, "operation": "TEST",
                                 "operationParameters": {}, "engineInfo": f"process {os.getpid()}"}}
        try:
            s3.put_object(Bucket=bucket, Key=f"{folder}/_delta_log/{version:020}.json", IfNoneMatch="*",
                          Body=json.dumps(action).encode())
            made += 1
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 412:
                raise


def append(endpoint, uri, start, count):
    for number in range(int(count)):
        first = int(start) + number * 10
        rows = pyarrow.table({"id": pyarrow.array(range(first, first + 10), pyarrow.int64())})
        for _ in range(20):
            try:
                deltalake.write_deltalake(uri, rows, mode="append", storage_options=options(endpoint))
                break
            except (deltalake.exceptions.CommitFailedError, deltalake.exceptions.DeltaError) as error:
                # Both may try to make the table.
                last = error
        else:
            raise last


if sys.argv[1] == "check":
    for module, name in ((duckdb_extension_delta, "delta"), (duckdb_extension_httpfs, "httpfs")):
        assert os.path.exists(extension(module, name)), name
elif sys.argv[1] == "read":
    read(*sys.argv[2:])
elif sys.argv[1] == "commit":
    commit(*sys.argv[2:])
else:
    append(*sys.argv[2:])
# Arrow's threads may wait for each other for ever when Python takes itself apart.
sys.stdout.flush()
os._exit(0)
