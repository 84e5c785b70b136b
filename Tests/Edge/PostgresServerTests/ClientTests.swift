// The server as psql and psycopg see it.

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
            rows = list(c.cursor().stream("select n from lab.numbers"))
            assert len(rows) == 1000
        print("fine")
        """
      let result = try ChildProcess.run("python3", ["-c", script])
      #expect(result.output == "fine\n", "\(result.errorOutput)")
    }
  }
}
