#!/usr/bin/env python3
"""Prints deletion vectors for DeletionVectorTests.swift, made by pyroaring (CRoaring) and zlib: name, rows, and the stored
form (size, data, checksum) in hexadecimal."""
import struct
import zlib

import pyroaring

CASES = {
    "array": [3, 4, 7, 11, 18, 29],
    "runs": list(range(10, 500)) + list(range(70_000, 70_100)),
    "bits": list(range(0, 20_000, 2)),
    "far": [1, 65_535, 65_536, 1_000_000, 5_000_000],
}


def portable(rows):
    bitmap = pyroaring.BitMap64(rows)
    bitmap.run_optimize()
    return struct.pack("<I", 1681511377) + bitmap.serialize()


def native(rows):
    bitmap = pyroaring.BitMap(rows)
    bitmap.run_optimize()
    data = bitmap.serialize()
    return struct.pack("<III", 1681511376, 1, len(data)) + data


for name, rows in CASES.items():
    for kind in (portable, native):
        data = kind(rows)
        if len(data) > 200:
            print(name, kind.__name__, len(rows), sum(rows), "crc", zlib.crc32(data), len(data))
        else:
            stored = struct.pack(">I", len(data)) + data + struct.pack(">I", zlib.crc32(data))
            print(name, kind.__name__, stored.hex())
