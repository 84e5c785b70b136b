"""Random queries here and on PostgreSQL 15: equal rows, equal types, or equal SQLSTATE.

  differential.py [--count N] [--seed S] [--rows N] [--cramped PROGRAM] [--keep]

Each seed makes three event tables of random columns and rows. PostgreSQL has them once; the server has them four times,
as domains `hot` (never flushed), `lake` (all flushed), `split` (half of it) and `moving` (flushed while the queries run).
Every query runs once on PostgreSQL and on each of the four. Exit status 1 when an answer differed; each difference is
printed with its seed and number, which `--seed S --only K` runs again.
"""

import argparse
import collections
import decimal
import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import psycopg

import dataset
from queries import Queries

STATES = ["hot", "lake", "split", "moving"]
POSTGRES = "/usr/lib/postgresql/15/bin"
FLOATS = {700: 1e-5, 701: 1e-9, 1021: 1e-5, 1022: 1e-9}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """A child process whose output goes to a file; ends with us."""

    def __init__(self, arguments, log, environment=None):
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(arguments, stdout=out, stderr=out, env={**os.environ, **(environment or {})})

    def wait_until(self, works, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not works():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{what} did not start:\n{open(self.log, errors='replace').read()[-3000:]}")
            time.sleep(0.05)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                self.child.kill()


def accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def answers(dsn):
    try:
        psycopg.connect(dsn).close()
        return True
    except psycopg.OperationalError:
        return False


def start_postgres(folder):
    root = os.getuid() == 0
    as_user = ["runuser", "-u", "postgres", "--"] if root else []
    data, port = f"{folder}/pg", free_port()
    os.makedirs(data)
    if root:
        shutil.chown(data, "postgres")
        os.chmod(folder, 0o755)
    subprocess.run(
        as_user + [f"{POSTGRES}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
        check=True, stdout=subprocess.DEVNULL, cwd="/")
    program = Program(
        as_user + [f"{POSTGRES}/postgres", "-D", data, "-k", data, "-p", str(port), "-c", "fsync=off", "-c", "jit=off",
                   "-c", "timezone=UTC", "-c", "listen_addresses=127.0.0.1", "-c", "lc_messages=C"], f"{folder}/pg.log")
    dsn = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    program.wait_until(lambda: answers(dsn), "PostgreSQL")
    return program, dsn


class Answer:
    """Rows as text, or an SQLSTATE."""

    def __init__(self, result):
        self.state = None
        self.message = ""
        self.rows, self.types = [], []
        if result.status == psycopg.pq.ExecStatus.TUPLES_OK:
            self.types = [result.ftype(i) for i in range(result.nfields)]
            self.rows = [
                tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)
            ]
        elif result.status != psycopg.pq.ExecStatus.COMMAND_OK:
            field = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
            self.state = field.decode() if field else "-----"
            self.message = (result.error_message or b"").decode(errors="replace").strip()

    def __str__(self):
        if self.state:
            return f"{self.state} {self.message}"
        return f"{len(self.rows)} rows {self.types}: {self.rows[:4]}"


def ask(connection, sql):
    return Answer(connection.pgconn.exec_(sql.encode()))


def depends_on_evaluation(ours, theirs):
    """A value that one side never computed, or computed later: PostgreSQL leaves that open (manual section 4.2.14)."""
    return all(answer.state is None or answer.state.startswith("22") for answer in (ours, theirs))


def same_value(ours, theirs, type_oid, loose):
    if ours == theirs:
        return True
    if loose and type_oid == 1700 and ours and theirs and b"N" not in ours + theirs:
        return decimal.Decimal(ours.decode()) == decimal.Decimal(theirs.decode())
    if ours is None or theirs is None or type_oid not in FLOATS:
        return False
    try:
        return math.isclose(float(ours), float(theirs), rel_tol=FLOATS[type_oid], abs_tol=1e-300)
    except ValueError:
        return False


# Of equal numerics in one group (1.5 and 1.50) any may be shown.
GROUPING = ("GROUP BY", "DISTINCT", "UNION", "INTERSECT", "EXCEPT")


def difference(ours, theirs, ordered, sql):
    """None when equal, else what is not."""
    loose = any(word in sql for word in GROUPING)
    if ours.state or theirs.state:
        return None if ours.state == theirs.state else "SQLSTATE"
    if ours.types != theirs.types:
        return "types"
    if len(ours.rows) != len(theirs.rows):
        return "row count"
    key = lambda row: tuple((v is not None, v or b"") for v in row)
    if loose:
        short = lambda v, t: v.rstrip(b"0").rstrip(b".") if v and t == 1700 and b"." in v else v
        key = lambda row: tuple((v is not None, short(v, t) or b"") for v, t in zip(row, ours.types))
    left = ours.rows if ordered else sorted(ours.rows, key=key)
    right = theirs.rows if ordered else sorted(theirs.rows, key=key)
    for a, b in zip(left, right):
        if not all(same_value(x, y, t, loose) for x, y, t in zip(a, b, ours.types)):
            return "rows"
    return None


def apart(ours, theirs):
    """The two answers without the rows that they share."""
    if ours.state or theirs.state or ours.types != theirs.types:
        return f"  PostgreSQL: {theirs}\n  here:       {ours}"
    left, right = collections.Counter(ours.rows), collections.Counter(theirs.rows)
    only_theirs, only_ours = list((right - left).elements()), list((left - right).elements())
    return (
        f"  PostgreSQL: {len(theirs.rows)} rows, only there {len(only_theirs)}: {only_theirs[:4]}\n"
        f"  here:       {len(ours.rows)} rows, only here {len(only_ours)}: {only_ours[:4]}")


class Moving:
    """Flushes the tables of one domain again and again while queries run."""

    def __init__(self, dsn, tables, lines, publish):
        self.ended = threading.Event()
        self.faults = []
        self.thread = threading.Thread(target=self.run, args=(dsn, tables))
        self.thread.start()

    def run(self, dsn, tables):
        with psycopg.connect(dsn, autocommit=True) as connection:
            for table in tables:
                if self.ended.wait(1.5):
                    break
                answer = ask(connection, f"CALL cramped.flush('moving.{table.name}')")
                if answer.state:
                    self.faults.append(str(answer))

    def stop(self):
        self.ended.set()
        self.thread.join()


def publish(program, environment, folder, name, lines):
    path = f"{folder}/{name}.ndjson"
    with open(path, "w") as out:
        out.write("\n".join(lines) + "\n")
    subprocess.run([program, "publish", "--quiet", path], check=True, env={**os.environ, **environment},
                   stdout=subprocess.DEVNULL)


def wait_for_rows(connection, domain, tables, count):
    deadline = time.monotonic() + 60
    for table in tables:
        while True:
            answer = ask(connection, f"SELECT count(*) FROM {domain}.{table.name}")
            if answer.rows and int(answer.rows[0][0]) >= count:
                break
            if time.monotonic() > deadline:
                errors = ask(connection, "SELECT code, message FROM cramped.errors LIMIT 3")
                raise SystemExit(f"{domain}.{table.name} has {answer} instead of {count} rows; {errors}")
            time.sleep(0.05)


def prepare(seed, options, folder, postgres):
    """A server with the data of a seed; PostgreSQL gets the same rows."""
    rng = random.Random(seed)
    tables = dataset.random_tables(rng)
    rows = {table: dataset.random_rows(rng, table, options.rows) for table in tables}
    with psycopg.connect(postgres, autocommit=True) as connection:
        for table in tables:
            connection.execute(f"DROP TABLE IF EXISTS {table.name}")
            connection.execute(dataset.postgres_table(table))
            with connection.cursor().copy(f"COPY {table.name} FROM STDIN") as copy:
                for row in rows[table]:
                    copy.write(dataset.copy_line(table, row))
            connection.execute(f"ANALYZE {table.name}")
    schemas = f"{folder}/schemas"
    subprocess.run([options.cramped, "schema", "example", schemas], check=True, stdout=subprocess.DEVNULL)
    for domain in STATES:
        os.makedirs(f"{schemas}/{domain}", exist_ok=True)
        for table in tables:
            with open(f"{schemas}/{domain}/{table.name}.capnp", "w") as out:
                out.write(dataset.schema_text(domain, table, rng))
    broker_port = free_port()
    broker = Program(["nats-server", "-js", "-a", "127.0.0.1", "-p", str(broker_port), "-sd", f"{folder}/nats"], f"{folder}/nats.log")
    broker.wait_until(lambda: accepts(broker_port), "nats-server")
    port = free_port()
    environment = {
        "CRAMPED_SERVER_DATA": f"{folder}/data", "CRAMPED_POSTGRES_PORT": str(port), "CRAMPED_HTTP_ENABLED": "false",
        "CRAMPED_NATS_URL": f"nats://127.0.0.1:{broker_port}", "CRAMPED_SCHEMAS_FOLDER": schemas,
        "CRAMPED_FLUSH_AGE_SECONDS": "86400",
    }
    server = Program([options.cramped, "serve"], f"{folder}/cramped.log", environment)
    server.wait_until(lambda: accepts(port), "cramped")
    dsn = f"host=127.0.0.1 port={port} user=cramped dbname=cramped"
    lines = {domain: [dataset.event(domain, t, row) for t in tables for row in rows[t]] for domain in STATES}
    with psycopg.connect(dsn, autocommit=True) as connection:
        half = [line for t in tables for line in [dataset.event("split", t, row) for row in rows[t][: options.rows // 2]]]
        publish(options.cramped, environment, folder, "first", lines["hot"] + lines["lake"] + lines["moving"] + half)
        for domain in ("lake", "split"):
            wait_for_rows(connection, domain, tables, options.rows if domain == "lake" else options.rows // 2)
            for table in tables:
                answer = ask(connection, f"CALL cramped.flush('{domain}.{table.name}')")
                if answer.state:
                    raise SystemExit(f"flush: {answer}")
        done = set(half)
        publish(options.cramped, environment, folder, "second", [line for line in lines["split"] if line not in done])
        for domain in STATES:
            wait_for_rows(connection, domain, tables, options.rows)
    return tables, dsn, [server, broker]


def run_seed(seed, count, options, postgres, totals):
    folder = tempfile.mkdtemp(prefix="cramped-differential-")
    os.chmod(folder, 0o755)
    programs = []
    moving = None
    try:
        tables, dsn, programs = prepare(seed, options, folder, postgres)
        connections = {}
        for state in STATES:
            connections[state] = psycopg.connect(dsn, autocommit=True)
            connections[state].execute(f"SET search_path = {state}")
            connections[state].execute("SET statement_timeout = '20s'")
        oracle = psycopg.connect(postgres, autocommit=True)
        oracle.execute("SET statement_timeout = '5s'")
        if options.only is None:
            moving = Moving(dsn, tables, None, None)
        for number in range(count):
            if options.only is not None and number != options.only:
                continue
            sql = Queries(random.Random(seed * 1_000_003 + number), tables, options.features).statement()
            theirs = ask(oracle, sql)
            totals["queries"] += 1
            if theirs.state == "57014":
                totals["too slow for PostgreSQL"] += 1
                continue
            if theirs.state:
                totals["errors on both sides"] += 1
            ordered = " ORDER BY 1" in sql and sql.startswith("SELECT * FROM (")
            for state in STATES:
                try:
                    ours = ask(connections[state], sql)
                except psycopg.Error as error:
                    raise SystemExit(f"seed {seed} query {number}: {error}\n{sql}\n{open(folder + '/cramped.log', errors='replace').read()[-3000:]}")
                if programs[0].child.poll() is not None:
                    print(f"CRASH seed {seed} query {number} {state}\n{sql}\n{open(folder + '/cramped.log', errors='replace').read()[-3000:]}", flush=True)
                    totals["crashes"] += 1
                    return
                found = difference(ours, theirs, ordered, sql)
                if found is None:
                    continue
                if found == "SQLSTATE" and depends_on_evaluation(ours, theirs):
                    totals["which rows are evaluated"] += 1
                    if not options.strict:
                        break
                pair = f"{theirs.state or 'rows'} here {ours.state or 'rows'}" if found == "SQLSTATE" else found
                totals[f"different: {pair}"] += 1
                print(f"--- seed {seed} query {number} {state}: {found}\n{sql}\n{apart(ours, theirs)}", flush=True)
                break
        if moving:
            moving.stop()
            for fault in moving.faults:
                totals["faults of flushes"] += 1
                print(f"--- seed {seed} flush: {fault}", flush=True)
            moving = None
        for connection in [*connections.values(), oracle]:
            connection.close()
    finally:
        if moving:
            moving.stop()
        for program in programs:
            program.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400, help="queries in all")
    parser.add_argument("--per-seed", type=int, default=400, help="queries of one set of tables")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="run only this query of the seed")
    parser.add_argument("--rows", type=int, default=150, help="rows a table")
    parser.add_argument("--features", default="window,grouping,setall", help="constructs to ask for as well")
    parser.add_argument("--cramped", default=".build/release/cramped")
    parser.add_argument("--strict", action="store_true", help="count what depends on the order of evaluation as well")
    parser.add_argument("--keep", action="store_true", help="keep the folder of each seed")
    options = parser.parse_args()
    options.cramped = os.path.abspath(options.cramped)
    options.features = frozenset(filter(None, options.features.split(",")))
    totals = collections.Counter()
    folder = tempfile.mkdtemp(prefix="cramped-differential-pg-")
    os.chmod(folder, 0o755)
    program, postgres = start_postgres(folder)
    try:
        left, seed = options.count, options.seed
        while left > 0:
            run_seed(seed, min(left, options.per_seed), options, postgres, totals)
            left -= options.per_seed
            seed += 1
    finally:
        program.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for name, count in sorted(totals.items()):
        print(f"{count:8} {name}")
    sys.exit(1 if any(name.startswith(("different", "crash", "fault")) for name in totals) else 0)


if __name__ == "__main__":
    main()
