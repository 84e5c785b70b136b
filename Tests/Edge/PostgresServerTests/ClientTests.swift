// The server as psql and psycopg see it.

import Foundation
import PostgresServer
import TestKit
import Testing

@Suite struct ClientTests {
  private func psql(_ port: Int, _ arguments: [String]) throws -> ChildProcess.Result {
    try ChildProcess.run(
      "psql", ["-X", "-h", "127.0.0.1", "-p", String(port), "-U", "ada", "-d", "db"] + arguments,
      environment: ["PGCONNECT_TIMEOUT": "10", "PGSSLMODE": "prefer"])
  }

  @Test func psqlAsksAndIsAnswered() async throws {
    try await withServer(rows: 3) { server in
      let rows = try psql(server.port, ["-At", "-c", "select n, word from lab.numbers"])
      #expect(rows.errorOutput == "")
      #expect(rows.output == "0|word 0\n1|word 1\n2|word 2\n")
      let failed = try psql(server.port, ["-At", "-c", "select x\nfrom lab.nowhere"])
      #expect(failed.status == 1)
      #expect(
        failed.errorOutput
          == "ERROR:  relation \"lab.nowhere\" does not exist\nLINE 2: from lab.nowhere\n             ^\n")
      let called = try psql(server.port, ["-At", "-c", "call cramped.greet('psql')"])
      #expect(called.output == "hello psql\n")
      #expect(called.errorOutput == "NOTICE:  greeting\n")
      let shown = try psql(server.port, ["-At", "-c", "show server_version", "-c", "show search_path"])
      #expect(shown.output == "15.0 (Cramped test)\n\"$user\", public, \"$domains\"\n")
    }
  }

  @Test func psqlKeepsItsSessionOverErrors() async throws {
    try await withServer(rows: 3) { server in
      let result = try psql(
        server.port,
        [
          "-At", "-v", "ON_ERROR_ROLLBACK=on", "-c", "begin", "-c", "select wrong", "-c", "select 7", "-c", "commit",
          "-c", "\\set FETCH_COUNT 2", "-c", "select n from lab.numbers",
        ])
      #expect(result.output == "BEGIN\n7\nCOMMIT\n0\n1\n2\n")
    }
  }

  @Test func psqlCopiesBothWays() async throws {
    let folder = try TemporaryFolder("copy")
    try "a,b\n1,one\n2,\n3,\"t\"\"h,r\nee\"\n".write(toFile: folder.file("in.csv"), atomically: true, encoding: .utf8)
    try "1\tone\nx\ttwo\n".write(toFile: folder.file("bad.txt"), atomically: true, encoding: .utf8)
    try await withServer(rows: 3) { server in
      let result = try psql(
        server.port,
        [
          "-At", "-c", "create temp table t (a int, b text)",
          "-c", "\\copy t from '\(folder.file("in.csv"))' csv header",
          "-c", "copy t to stdout (format csv, header, null 'nil')",
          "-c", "\\copy t to '\(folder.file("out.bin"))' binary",
          "-c", "\\copy t from '\(folder.file("out.bin"))' binary",
          "-c", "copy t to stdout",
          "-c", "\\copy t from '\(folder.file("bad.txt"))'",
          "-c", "\\copy t from '\(folder.file("missing.txt"))'",
          "-c", "select 'still here'",
        ])
      #expect(
        result.output
          == "CREATE TABLE\nCOPY 3\na,b\n1,one\n2,nil\n3,\"t\"\"h,r\nee\"\nCOPY 3\nCOPY 3\n"
          + "1\tone\n2\t\\N\n3\tt\"h,r\\nee\n1\tone\n2\t\\N\n3\tt\"h,r\\nee\nstill here\n")
      #expect(result.errorOutput.contains("invalid input syntax for type integer: \"x\""))
      #expect(result.errorOutput.contains("CONTEXT:  COPY t, line 2, column a: \"x\""))
    }
  }

  @Test func psycopgUsesEveryWay() async throws {
    guard try ChildProcess.run("python3", ["-c", "import psycopg"]).status == 0 else {
      // The driver comes from PyPI; the wire tests say the same things without it.
      return
    }
    try await withServer(rows: 1_000) { server in
      let script = """
        import psycopg
        url = "host=127.0.0.1 port=\(server.port) user=ada dbname=db"
        with psycopg.connect(url) as c:
            assert c.info.server_version == 150000, c.info.server_version
            assert c.execute("select n from lab.numbers").fetchall() == [(i,) for i in range(1000)]
            for binary in (False, True):
                cur = c.cursor(binary=binary)
                cur.execute("select %s::text, %b::int8, %b::float8, null::text", ("ü", 2**40, 1.5))
                assert cur.fetchone() == ("ü", 2**40, 1.5, None)
            with c.cursor(name="named") as cur:
                cur.itersize = 100
                cur.execute("select n, word from lab.numbers")
                assert sum(1 for _ in cur) == 1000
            with c.transaction():
                try:
                    with c.transaction():
                        c.execute("select * from lab.nowhere")
                except psycopg.errors.UndefinedTable as e:
                    assert e.diag.statement_position == "15"
                assert c.execute("select 1").fetchone() == (1,)
            with c.pipeline():
                cursors = [c.execute("select %b::int4", (i,)) for i in range(50)]
            assert [x.fetchone()[0] for x in cursors] == list(range(50))
            for i in range(10):
                c.execute("select n from lab.numbers", prepare=True)
            c.execute("create temp table t (a int, b text)")
            with c.cursor() as cur:
                for kind in ("", " (format binary)"):
                    with cur.copy("copy t from stdin" + kind) as copy:
                        if kind: copy.set_types(["int4", "text"])
                        for i in range(20000): copy.write_row((i, None if i % 7 else "x%d" % i))
                    assert cur.rowcount == 20000, cur.rowcount
                try:
                    with c.transaction():
                        with cur.copy("copy t from stdin") as copy:
                            copy.write_row((1, "a"))
                            raise ValueError("mine")
                except ValueError: pass
            c.commit()
            with c.cursor() as cur, cur.copy("copy lab.numbers to stdout") as copy:
                copy.set_types(["int8", "text"])
                assert list(copy.rows())[9] == (9, None)
            rows = list(c.cursor().stream("select n from lab.numbers"))
            assert len(rows) == 1000
        print("fine")
        """
      let result = try ChildProcess.run("python3", ["-c", script])
      #expect(result.output == "fine\n", "\(result.errorOutput)")
    }
  }
}
