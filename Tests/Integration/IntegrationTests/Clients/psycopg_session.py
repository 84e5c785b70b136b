"""The extended protocol as psycopg 3 speaks it: python3 psycopg_session.py PORT. Ends with `ok`."""

import datetime
import decimal
import sys
import uuid

import psycopg
from psycopg import errors

address = f"host=127.0.0.1 port={sys.argv[1]} user=cramped dbname=cramped"


def fails(error, statement, parameters=None, **options):
    """The statement fails with this error; the connection stays usable."""
    try:
        connection.execute(statement, parameters, **options)
    except error as found:
        return found
    raise AssertionError(f"{statement} did not fail with {error.__name__}")


with psycopg.connect(address, autocommit=True) as connection:
    # parameters of every kind, results in text and binary
    values = [
        True, -7, 2**40, 1.5, "tëxt 'quoted'", None, decimal.Decimal("12.3400"), uuid.UUID(int=2**127 + 1),
        datetime.date(2026, 11, 23), datetime.datetime(2026, 11, 23, 8, 1, 2, 345678, tzinfo=datetime.timezone.utc),
        datetime.timedelta(days=3, seconds=5), b"\x00\xff", ["a", None, "b,c"], [1, 2, 3],
    ]
    types = [
        "bool", "int4", "int8", "float8", "text", "text", "numeric", "uuid", "date", "timestamptz", "interval", "bytea",
        "text[]", "int4[]",
    ]
    statement = "SELECT " + ", ".join(f"%s::{name}" for name in types)
    for binary in (False, True):
        row = connection.cursor(binary=binary).execute(statement, values).fetchone()
        assert list(row) == values, (binary, row)
    # parameters sent in binary
    row = connection.execute("SELECT %b + 1, %b || 'x', %b", (41, "y", 2.5)).fetchone()
    assert row == (42, "yx", 2.5), row

    # types that the server infers, and what it says of the result
    cursor = connection.execute("SELECT count(*) AS n, max(value) AS top FROM iot.measurement WHERE series = %s", ("x",))
    assert cursor.fetchone() == (0, None)
    assert [(column.name, column.type_code) for column in cursor.description] == [("n", 20), ("top", 701)]

    # prepared on the server after the first use, and by name
    for number in range(7):
        assert connection.execute("SELECT %s::int4 * 2", (number,), prepare=True).fetchone() == (2 * number,)
    connection.execute("PREPARE plus AS SELECT $1::int8 + $2::int8")
    assert connection.execute("EXECUTE plus(40, 2)").fetchone() == (42,)
    connection.execute("DEALLOCATE plus")
    assert fails(errors.InvalidSqlStatementName, "EXECUTE plus(1, 2)").sqlstate == "26000"

    # many rows, and many rows through a cursor with a fetch size
    rows = connection.execute("SELECT i FROM generate_series(1, 100000) AS i").fetchall()
    assert len(rows) == 100_000 and rows[-1] == (100_000,)
    with connection.transaction():
        with connection.cursor(name="parts") as cursor:
            cursor.itersize = 1_000
            cursor.execute("SELECT i, 'row ' || i FROM generate_series(1, 25000) AS i WHERE i %% %s = 0", (5,))
            seen = [number for number, _ in cursor]
        assert seen == list(range(5, 25_001, 5))
        connection.execute("DECLARE scrolling CURSOR FOR SELECT i FROM generate_series(1, 10) AS i")
        assert connection.execute("FETCH 3 FROM scrolling").fetchall() == [(1,), (2,), (3,)]
        assert connection.execute("MOVE 2 FROM scrolling").statusmessage == "MOVE 2"
        assert connection.execute("FETCH NEXT FROM scrolling").fetchall() == [(6,)]
        connection.execute("CLOSE scrolling")

    # a pipeline: one failure ends the rest, the connection goes on
    with connection.pipeline():
        first = connection.execute("SELECT 1")
        second = connection.execute("SELECT %s::text", ("two",))
    assert first.fetchone() == (1,) and second.fetchone() == ("two",)

    # errors: their code, their position, and a usable connection afterwards
    assert fails(errors.UndefinedTable, "SELECT * FROM nothing").diag.statement_position == "15"
    assert fails(errors.SyntaxError, "SELEC 1").sqlstate == "42601"
    assert fails(errors.DivisionByZero, "SELECT 1 / %s", (0,)).sqlstate == "22012"
    assert fails(errors.InvalidTextRepresentation, "SELECT %s::int4", ("x",)).sqlstate == "22P02"
    assert fails(errors.WrongObjectType, "INSERT INTO iot.measurement VALUES (1)").sqlstate == "42809"
    assert connection.execute("SELECT 1").fetchone() == (1,)

    # a failed block refuses everything until it ends
    connection.autocommit = False
    fails(errors.DivisionByZero, "SELECT 1 / 0")
    fails(errors.InFailedSqlTransaction, "SELECT 1")
    connection.rollback()
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.rollback()

print("ok")
