#!/usr/bin/env python3
"""A second S3 client for tests, by boto3: makes what a server does not, and looks at what it did.

  s3_admin.py check                                    fails unless boto3 and moto are installed
  s3_admin.py bucket <endpoint> <bucket>               makes a bucket
  s3_admin.py user <endpoint>                          makes a user that may do everything; prints key and secret
  s3_admin.py keys <endpoint> <bucket> [prefix]        key and size of every object, one a line
  s3_admin.py uploads <endpoint> <bucket>              keys of unfinished uploads, one a line
  s3_admin.py put <endpoint> <bucket> <key> <text>     writes an object
  s3_admin.py race <endpoint> <bucket> <prefix> <n>    put-if-absent of <prefix>0 ... <prefix>n-1; prints those it won
"""
import json
import os
import sys

import boto3
import botocore
from botocore.config import Config


def client(service, endpoint):
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        config=Config(retries={"max_attempts": 5}, s3={"addressing_style": "path"}))


def user(endpoint):
    iam = client("iam", endpoint)
    iam.create_user(UserName="lake")
    key = iam.create_access_key(UserName="lake")["AccessKey"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName="lake", PolicyName="all", PolicyDocument=json.dumps(policy))
    print(key["AccessKeyId"], key["SecretAccessKey"])


def keys(endpoint, bucket, prefix=""):
    pages = client("s3", endpoint).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in page.get("Contents", []):
            print(entry["Key"], entry["Size"])


def race(endpoint, bucket, prefix, count):
    s3 = client("s3", endpoint)
    for number in range(int(count)):
        try:
            s3.put_object(Bucket=bucket, Key=f"{prefix}{number}", Body=str(os.getpid()).encode(), IfNoneMatch="*")
            print(number)
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 412:
                raise


def main(command, *arguments):
    if command == "check":
        import moto
        print(moto.__version__)
    elif command == "bucket":
        client("s3", arguments[0]).create_bucket(Bucket=arguments[1])
    elif command == "user":
        user(*arguments)
    elif command == "keys":
        keys(*arguments)
    elif command == "uploads":
        for upload in client("s3", arguments[0]).list_multipart_uploads(Bucket=arguments[1]).get("Uploads", []):
            print(upload["Key"])
    elif command == "put":
        client("s3", arguments[0]).put_object(Bucket=arguments[1], Key=arguments[2], Body=arguments[3].encode())
    else:
        race(*arguments)


main(*sys.argv[1:])
