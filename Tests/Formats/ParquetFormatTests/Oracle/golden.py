"""What the files of apache/parquet-testing hold, by pyarrow, in lines to compare and to review.

  golden.py FOLDER               all files of FOLDER, lines to standard output
  golden.py FOLDER FILE COLUMN   every value of one column, to find a difference

One line a top-level column, fields separated by tabs:

  file   column   rows   nulls   CRC-32 of the values   the first three values

A value is a token of oracle.py, an array of them `[a,b]`, or for nested values jsonb as PostgreSQL writes it. The values
are joined by line feeds for the CRC. A file that pyarrow refuses has one line with its first words behind `refused`.
"""

import datetime
import decimal
import pathlib
import struct
import sys
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

decimal.getcontext().prec = 100


# pyarrow wraps what lies outside of 64 bits of nanoseconds; these are the values that the notes beside the file give.
KNOWN = {
    ("int96_from_spark.parquet", "a"): [
        "1704141296123456", "1704070800000000", "253402225200000000", "1735599600000000", "null", "9089380393200000000",
    ]
}


def iso(days):
    """Years beyond Python's too; the calendar repeats every 400 years of 146,097 days."""
    cycles, rest = divmod(days + 719_162, 146_097)
    date = datetime.date.fromordinal(rest + 1)
    year = date.year + 400 * cycles
    text = "%04d-%02d-%02d" % (year if year > 0 else 1 - year, date.month, date.day)
    return text, "" if year > 0 else " BC"


def storage(kind):
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def is_list(kind):
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def is_nested(kind):
    return is_list(kind) or pa.types.is_struct(kind) or pa.types.is_map(kind)


def token(value):
    kind = value.type
    if isinstance(kind, pa.BaseExtensionType):
        value, kind = value.value, kind.storage_type
        if value is None:
            return "null"
        if not isinstance(value, pa.Scalar):
            value = pa.scalar(value, kind)
    if not value.is_valid:
        return "null"
    if pa.types.is_dictionary(kind):
        return token(value.value)
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        number = value.value
        scale = {"s": 10**6, "ms": 10**3, "us": 1, "ns": -1000}[kind.unit]
        return str(number * scale if scale > 0 else number // -scale)
    if pa.types.is_date32(kind):
        return str(value.value)
    found = value.as_py()
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int):
        return str(found)
    if isinstance(found, decimal.Decimal):
        return str(int(found.scaleb(kind.scale)))
    if isinstance(found, str):
        return "x" + found.encode().hex()
    if isinstance(found, bytes):
        return "x" + found.hex()
    found = float(found)
    return "nan" if found != found else struct.pack(">d", found).hex()


def plain(number):
    """Digits without an exponent, as jsonb has them."""
    text = format(decimal.Decimal(number), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def quote(text):
    out = ['"']
    for char in text:
        short = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r", '"': '"', "\\": "\\"}.get(char)
        if short:
            out.append("\\" + short)
        elif char < " ":
            out.append("\\u%04x" % ord(char))
        else:
            out.append(char)
    return "".join(out) + '"'


def clock(micros):
    text = "%02d:%02d:%02d" % (micros // 3_600_000_000, micros // 60_000_000 % 60, micros // 1_000_000 % 60)
    if micros % 1_000_000:
        text += (".%06d" % (micros % 1_000_000)).rstrip("0")
    return text


def members(pairs):
    """jsonb: keys by length, then bytewise; of equal keys the last."""
    last = dict(pairs)
    return "{" + ", ".join(f"{quote(k)}: {v}" for k, v in sorted(last.items(), key=lambda p: (len(p[0].encode()), p[0].encode()))) + "}"


def jsonb(value):
    kind = storage(value.type)
    if not value.is_valid:
        return "null"
    if is_list(kind):
        return "[" + ", ".join(jsonb(v) for v in value.values) + "]"
    if pa.types.is_struct(kind):
        return members((kind.field(i).name, jsonb(value[i])) for i in range(kind.num_fields))
    if pa.types.is_map(kind):
        pairs = [(entry[0], entry[1]) for entry in value.values]
        if pa.types.is_string(kind.key_type):
            return members((k.as_py(), jsonb(v)) for k, v in pairs)
        return "[" + ", ".join('{"key": %s, "value": %s}' % (jsonb(k), jsonb(v)) for k, v in pairs) + "]"
    found = token(value)
    if pa.types.is_timestamp(kind):
        micros = int(found)
        day, era = iso(micros // 86_400_000_000)
        return '"%sT%s%s%s"' % (day, clock(micros % 86_400_000_000), "+00:00" if kind.tz else "", era)
    if pa.types.is_time(kind):
        return '"%s"' % clock(int(found))
    if pa.types.is_date32(kind):
        return '"%s%s"' % iso(int(found))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return quote(value.as_py())
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return '"\\\\x%s"' % found[1:]
    if pa.types.is_decimal(kind):
        return format(value.as_py(), "f")
    if pa.types.is_floating(kind):
        number = value.as_py()
        if number != number or number in (float("inf"), float("-inf")):
            return '"NaN"' if number != number else '"Infinity"' if number > 0 else '"-Infinity"'
        if not pa.types.is_float64(kind):
            import numpy

            return plain(str(numpy.float32(number)))
        return plain(repr(float(number)))
    return found


def is_array(kind):
    """A list of scalars, or a map without values (which pyarrow shows as a list too)."""
    return is_list(kind) and not is_nested(storage(kind.value_type))


def values(column):
    for value in column:
        kind = storage(column.type)
        if is_array(kind):
            yield "null" if not value.is_valid else "[" + ",".join(token(v) for v in value.values) + "]"
        elif is_nested(kind):
            yield "null" if not value.is_valid else jsonb(value)
        else:
            yield token(value)


def read(path):
    return pq.ParquetFile(path, coerce_int96_timestamp_unit="us", page_checksum_verification=True).read()


def main(folder, only=None, name=None):
    for path in sorted(pathlib.Path(folder).rglob("*.parquet*")):
        label = str(path.relative_to(folder))
        if only and label != only:
            continue
        try:
            table = read(path)
            lines = []
            for index, column_name in enumerate(table.column_names):
                if name and column_name != name:
                    continue
                column = table.column(index)
                found = KNOWN.get((label, column_name)) or list(values(column))
                if name:
                    print("\n".join(found))
                crc = zlib.crc32("\n".join(found).encode())
                head = " ".join(v if len(v) <= 60 else v[:57] + "..." for v in found[:3])
                lines.append(f"{label}\t{column_name}\t{len(found)}\t{found.count('null')}\t{crc:08x}\t{head}")
            if not name:
                print("\n".join(lines))
        except (pa.ArrowException, OSError, UnicodeDecodeError, NotImplementedError, OverflowError) as error:
            if name:
                raise
            print(f"{label}\trefused\t{str(error).splitlines()[0][:100]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
