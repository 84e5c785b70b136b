# Tables of others in an S3 bucket for ForeignBucketTests: Parquet by pyarrow, Delta by delta-rs.
#
#   write_bucket.py files <endpoint> <bucket>    prices/<country>/part-0.parquet: 1,000 rows for each of three countries
#   write_bucket.py delta <endpoint> <bucket>    tables/stock: a Delta table of three versions
#   write_bucket.py append <endpoint> <bucket>   one more version of it
import os
import sys

import boto3
import pyarrow
import pyarrow.parquet
from deltalake import DeltaTable, write_deltalake

KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
ROWS = pyarrow.table({"id": pyarrow.array([1, 2, 3], pyarrow.int64()), "name": ["a", "b", None]})


def files(endpoint, bucket):
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=KEY,
                      aws_secret_access_key=SECRET)
    for number, country in enumerate(("de", "fr", "it")):
        sink = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(pyarrow.table({
            "id": pyarrow.array(range(number * 1000, number * 1000 + 1000), pyarrow.int64()),
            "amount": [i / 4 for i in range(1000)],
            "country": [country] * 1000,
        }), sink, row_group_size=250)
        s3.put_object(Bucket=bucket, Key=f"prices/{country}/part-0.parquet", Body=sink.getvalue().to_pybytes())


def delta(endpoint, bucket):
    uri, options = f"s3://{bucket}/tables/stock", storage(endpoint)
    write_deltalake(uri, ROWS, storage_options=options)
    write_deltalake(uri, ROWS, mode="append", storage_options=options)
    DeltaTable(uri, storage_options=options).delete("id = 2")


def append(endpoint, bucket):
    write_deltalake(f"s3://{bucket}/tables/stock", ROWS.slice(0, 1), mode="append", storage_options=storage(endpoint))


def storage(endpoint):
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ALLOW_HTTP": "true", "aws_conditional_put": "etag"}


{"files": files, "delta": delta, "append": append}[sys.argv[1]](*sys.argv[2:])
sys.stdout.flush()
# Arrow's threads may wait for each other for ever when Python takes itself apart.
os._exit(0)
