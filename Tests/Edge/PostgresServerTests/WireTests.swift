// The server byte by byte: what drivers rely on and what hostile clients try (shared list of protocol traps).

import PostgresServer
import Synchronization
import Testing

private typealias C = RawClient

/// Runs a test against a server of its own and stops it.
func withServer(
  rows: Int = 10_000, settings: PostgresServerSettings = PostgresServerSettings(port: 0, workerThreads: 4),
  _ body: (MemoryServer) async throws -> Void
) async throws {
  let server = try await MemoryServer.start(rows: rows, settings: settings)
  do { try await body(server) } catch {
    await server.server.stop()
    throw error
  }
  await server.server.stop()
}

@Suite struct WireTests {
  @Test func greeting() async throws {
    try await withServer { server in
      let client = try C(port: server.port)
      try client.send(C.packet(80_877_104))
      #expect(try client.receive(1) == [UInt8(ascii: "N")])
      try client.send(C.packet(80_877_103))
      #expect(try client.receive(1) == [UInt8(ascii: "N")])
      try client.send(C.startup([("application_name", "test"), ("options", "-c extra_float_digits=2 -csearch_path=lab")]))
      let messages = try client.untilReady()
      #expect(String(messages.map(\.type)) == "RSSSSSSSSSSSSSKZ")
      let names = messages.filter { $0.type == "S" }.map(\.text)
      #expect(
        names == [
          "application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby",
          "integer_datetimes", "IntervalStyle", "is_superuser", "server_encoding", "server_version",
          "session_authorization", "standard_conforming_strings", "TimeZone",
        ])
      #expect(messages.last?.content == [UInt8(ascii: "I")])
      try client.send(C.query("show extra_float_digits"))
      #expect(try client.untilReady()[1].content.last == UInt8(ascii: "2"))
    }
  }

  @Test func newerProtocolsAreNegotiated() async throws {
    try await withServer { server in
      let client = try C(port: server.port)
      try client.send(C.packet(3 << 16 | 2, C.string("user") + C.string("a") + C.string("_pq_.x") + C.string("") + [0]))
      let messages = try client.untilReady()
      #expect(messages.first?.type == "v")
      #expect(messages.first?.content == C.int32(196_608) + C.int32(1) + C.string("_pq_.x"))
      #expect(messages.last?.type == "Z")
      let old = try C(port: server.port)
      try old.send(C.packet(2 << 16))
      #expect(try old.message()?.fields["C"] == "0A000")
      #expect(try old.message() == nil)
    }
  }

  @Test func strangersAreClosedWithoutAWord() async throws {
    try await withServer { server in
      let web = try C(port: server.port)
      try web.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
      #expect(try web.message() == nil)
      let nobody = try C(port: server.port)
      try nobody.send(C.packet(196_608, [0]))
      #expect(try nobody.message()?.fields["C"] == "28000")
      #expect(try nobody.message() == nil)
      let wrong = try C(port: server.port)
      try wrong.send(C.startup([("no_such_setting", "1")]))
      let fault = try wrong.message()
      #expect(fault?.fields["C"] == "42704")
      #expect(fault?.fields["S"] == "FATAL")
      #expect(try wrong.message() == nil)
    }
  }

  @Test func simpleQueries() async throws {
    try await withServer(rows: 25) { server in
      let client = try C.open(port: server.port)
      #expect(try client.types(C.query("select n, word from lab.numbers")) == "T" + String(repeating: "D", count: 25) + "CZ")
      #expect(try client.types(C.query("")) == "IZ")
      #expect(try client.types(C.query(" -- a ping\n")) == "IZ")
      #expect(try client.types(C.query("select 1; select 2; ")) == "TDCTDCZ")
      // The whole text is parsed first; an error drops the rest.
      #expect(try client.types(C.query("select 1; selec 2")) == "EZ")
      #expect(try client.types(C.query("select 1; select * from nowhere; select 2")) == "TDCEZ")
      try client.send(C.query("select * from lab.nowhere"))
      let fields = try client.untilReady()[0].fields
      #expect(fields["C"] == "42P01")
      #expect(fields["P"] == "15")
      #expect(fields["S"] == "ERROR")
      #expect(fields["V"] == "ERROR")
    }
  }

  @Test func extendedQuery() async throws {
    try await withServer(rows: 25) { server in
      let client = try C.open(port: server.port)
      // Flush between Parse and Bind, as asyncpg and node-pg send it.
      try client.send(C.parse("select $1::text, $2::int8", name: "s") + C.message("D", [0x53] + C.string("s")) + C.flush)
      #expect(try client.message()?.type == "1")
      let parameters = try client.message()
      #expect(parameters?.type == "t")
      #expect(parameters?.content == C.int16(2) + C.int32(25) + C.int32(20))
      #expect(try client.message()?.type == "T")
      try client.send(
        C.bind(statement: "s", formats: [0, 1], values: [Array("ü".utf8), [0, 0, 0, 0, 0, 0, 1, 0]], results: [0, 1])
          + C.message("D", [0x50] + C.string("")) + C.execute() + C.sync)
      let answer = try client.untilReady()
      #expect(String(answer.map(\.type)) == "2TDCZ")
      #expect(answer[2].content == C.int16(2) + C.int32(2) + Array("ü".utf8) + C.int32(8) + [0, 0, 0, 0, 0, 0, 1, 0])
      // Two Syncs in one packet get two answers; closing what is not there is fine.
      try client.send(C.sync + C.sync + C.message("C", [0x53] + C.string("nobody")) + C.sync)
      #expect(try client.types([]) == "Z")
      #expect(try client.types([]) == "Z")
      #expect(try client.types([]) == "3Z")
    }
  }

  @Test func anErrorSkipsToSync() async throws {
    try await withServer { server in
      let client = try C.open(port: server.port)
      try client.send(
        C.parse("select * from lab.nowhere") + C.bind() + C.execute() + C.query("select 1") + C.sync + C.query("select 2"))
      let failed = try client.untilReady()
      #expect(String(failed.map(\.type)) == "EZ")
      #expect(failed[0].fields["C"] == "42P01")
      #expect(try client.types([]) == "TDCZ")
    }
  }

  @Test func bindFaults() async throws {
    try await withServer { server in
      let client = try C.open(port: server.port)
      func state(_ bytes: [UInt8]) throws -> String? {
        try client.send(bytes + C.sync)
        return try client.untilReady().first { $0.type == "E" }?.fields["C"]
      }
      #expect(try state(C.parse("select $1::int4", name: "s")) == nil)
      #expect(try state(C.parse("select 1", name: "s")) == "42P05")
      #expect(try state(C.parse("select 1; select 2")) == "42601")
      #expect(try state(C.parse("select $1::int4", types: [999_999])) == "42704")
      #expect(try state(C.bind(statement: "s")) == "08P01")
      #expect(try state(C.bind(statement: "s", formats: [0, 0], values: [[0x31]])) == "08P01")
      #expect(try state(C.bind(statement: "s", formats: [7], values: [[0x31]])) == "22023")
      #expect(try state(C.bind(statement: "s", formats: [1], values: [[0x31]])) == "08P01")
      #expect(try state(C.bind(statement: "s", formats: [1], values: [[0, 0, 0, 1, 1]])) == "22P03")
      #expect(try state(C.bind(statement: "s", formats: [1], values: [[0, 0, 0, 1]], results: [0, 0])) == "08P01")
      #expect(try state(C.bind(statement: "nobody")) == "26000")
      #expect(try state(C.execute("nobody")) == "34000")
      #expect(try state(C.message("D", [0x50] + C.string("nobody"))) == "34000")
      #expect(try state(C.message("B", [1, 2, 3])) == "08P01")
      // The connection is as good as before.
      #expect(try state(C.bind(statement: "s", formats: [1], values: [[0, 0, 0, 1]]) + C.execute()) == nil)
      // A named portal ends with its implicit transaction.
      #expect(try state(C.bind(portal: "p", statement: "s", values: [nil])) == nil)
      #expect(try state(C.execute("p")) == "34000")
    }
  }

  @Test func portalsSuspend() async throws {
    try await withServer(rows: 2_500) { server in
      let client = try C.open(port: server.port)
      #expect(try client.types(C.query("begin")) == "CZ")
      try client.send(
        C.parse("select n from lab.numbers") + C.bind(portal: "a") + C.bind(portal: "b") + C.execute("a", rowsMax: 1_500)
          + C.execute("b", rowsMax: 1) + C.execute("a", rowsMax: 1_000) + C.execute("a", rowsMax: 5) + C.sync)
      let types = String(try client.untilReady().map(\.type))
      // When the rows left are as many as asked for, the portal is still suspended; the next Execute completes it.
      #expect(
        types == "122" + String(repeating: "D", count: 1_500) + "sDs" + String(repeating: "D", count: 1_000) + "sCZ")
      // A command runs wholly whatever the number of rows: pgjdbc sends SET with one.
      #expect(
        try client.types(C.parse("set application_name = 'x'") + C.bind() + C.execute(rowsMax: 1) + C.sync) == "12CSZ")
      #expect(try client.types(C.query("commit")) == "CZ")
    }
  }

  @Test func transactionBlocks() async throws {
    try await withServer { server in
      let client = try C.open(port: server.port)
      func status(_ sql: String) throws -> String {
        try client.send(C.query(sql))
        let messages = try client.untilReady()
        let tags = messages.filter { $0.type == "C" }.map(\.text).joined(separator: ",")
        let states = messages.filter { $0.type == "E" || $0.type == "N" }.compactMap { $0.fields["C"] }
        return ([tags] + states + [String(decoding: messages.last?.content ?? [], as: UTF8.self)]).joined(separator: " ")
      }
      #expect(try status("begin") == "BEGIN T")
      #expect(try status("begin") == "BEGIN 25001 T")
      #expect(try status("savepoint a") == "SAVEPOINT T")
      #expect(try status("set timezone = '<+02>-02'") == "SET T")
      #expect(try status("select nothing") == " 42703 E")
      #expect(try status("select 1") == " 25P02 E")
      #expect(try status("rollback to a") == "ROLLBACK T")
      #expect(try status("select nothing") == " 42703 E")
      #expect(try status("commit") == "ROLLBACK I")
      #expect(try status("commit") == "COMMIT 25P01 I")
      #expect(try status("savepoint b") == " 25P01 I")
      #expect(try status("select 1; begin; select 2") == "SELECT 1,BEGIN,SELECT 1 T")
      #expect(try status("insert into lab.numbers values (1)") == " 42809 E")
      #expect(try status("rollback") == "ROLLBACK I")
      #expect(try status("begin read only; insert into lab.numbers values (1)") == "BEGIN 25006 E")
      #expect(try status("abort") == "ROLLBACK I")
    }
  }

  @Test func repeatableReadKeepsOneSnapshot() async throws {
    try await withServer(rows: 1) { server in
      let client = try C.open(port: server.port)
      let count = { server.storage.snapshots.load(ordering: .relaxed) }
      _ = try client.types(C.query("begin isolation level repeatable read; select n from lab.numbers"))
      _ = try client.types(C.query("select n from lab.numbers; select n from lab.numbers; commit"))
      #expect(count() == 1)
      _ = try client.types(C.query("begin; select n from lab.numbers; select n from lab.numbers; commit"))
      #expect(count() == 3)
    }
  }

  @Test func settingsAreReportedBeforeReady() async throws {
    try await withServer { server in
      let client = try C.open(port: server.port)
      try client.send(C.query("set timezone = 'UTC'; set application_name = 'one'"))
      let changed = try client.untilReady()
      #expect(String(changed.map(\.type)) == "CCSZ")
      #expect(changed[2].text == "application_name")
      // ROLLBACK brings the old value back and tells so.
      #expect(try client.types(C.query("begin; set application_name = 'two'")) == "CCSZ")
      #expect(try client.types(C.query("rollback")) == "CSZ")
      #expect(try client.types(C.query("reset all")) == "CSZ")
      #expect(try client.types(C.query("set work_mem = '64MB'; set my.own = 'x'; show my.own")) == "CCTDCZ")
      #expect(try client.types(C.query("set no_such_setting = 1")) == "EZ")
      #expect(try client.types(C.query("discard all")) == "CZ")
    }
  }

  @Test func cursorsAndPreparedStatements() async throws {
    try await withServer(rows: 2_500) { server in
      let client = try C.open(port: server.port)
      func tags(_ sql: String) throws -> [String] {
        try client.send(C.query(sql))
        return try client.untilReady().compactMap { $0.type == "C" ? $0.text : $0.type == "E" ? $0.fields["C"] : nil }
      }
      #expect(try tags("declare c cursor for select n from lab.numbers") == ["25P01"])
      #expect(
        try tags("begin; declare c cursor for select n from lab.numbers; fetch 10 from c; fetch forward 2000 from c")
          == ["BEGIN", "DECLARE CURSOR", "FETCH 10", "FETCH 2000"])
      #expect(try tags("move 100 in c; fetch all from c; fetch c") == ["MOVE 100", "FETCH 390", "FETCH 0"])
      #expect(try tags("fetch backward 1 from c") == ["55000"])
      #expect(try tags("rollback; fetch c") == ["ROLLBACK", "34000"])
      #expect(try tags("prepare p (text) as select $1; execute p ('x')") == ["PREPARE", "SELECT 1"])
      #expect(try tags("execute p") == ["42601"])
      #expect(try tags("deallocate p; execute p ('x')") == ["DEALLOCATE", "26000"])
      #expect(try tags("explain select n from lab.numbers; explain analyze select 1") == ["EXPLAIN", "EXPLAIN"])
      #expect(try tags("listen x; unlisten *; close all") == ["LISTEN", "UNLISTEN", "CLOSE CURSOR ALL"])
      #expect(try tags("call cramped.greet(); call cramped.greet('you')") == ["CALL", "CALL"])
      #expect(try tags("call cramped.nothing()") == ["42883"])
    }
  }

  @Test func cancelHitsTheRunningStatementOnly() async throws {
    try await withServer { server in
      let client = try C(port: server.port)
      try client.send(C.startup())
      let key = try client.untilReady().first { $0.type == "K" }?.content ?? []
      func cancel(_ key: [UInt8]) throws {
        let other = try C(port: server.port)
        try other.send(C.packet(80_877_102, key))
        #expect(try other.message() == nil)
      }
      // Idle: nothing happens, and the next statement is not hit.
      try cancel(key)
      #expect(try client.types(C.query("select 1")) == "TDCZ")
      // A wrong key is ignored; the right one ends the statement.
      try client.send(C.query("call cramped.wait()"))
      try cancel(Array(key.prefix(4)) + [1, 2, 3, 4])
      // A request that comes before the statement has begun does nothing, as in PostgreSQL: ask again.
      for _ in 0..<200 {
        try cancel(key)
        if client.hasInput(withinMs: 100) { break }
      }
      let messages = try client.untilReady()
      #expect(messages.first?.fields["C"] == "57014")
      #expect(try client.types(C.query("select 1")) == "TDCZ")
    }
  }

  @Test func statementTimeout() async throws {
    try await withServer { server in
      let client = try C.open(port: server.port)
      try client.send(C.query("set statement_timeout = '50ms'"))
      _ = try client.untilReady()
      try client.send(C.query("call cramped.wait()"))
      let fields = try client.untilReady().first?.fields
      #expect(fields?["C"] == "57014")
      #expect(fields?["M"]?.contains("statement timeout") == true)
    }
  }

  @Test func aSlowClientStopsTheScan() async throws {
    try await withServer(rows: 2_000_000) { server in
      let client = try C.open(port: server.port)
      try client.send(C.query("select n, word from lab.numbers"))
      #expect(try client.message()?.type == "T")
      // The server stops pulling when nobody reads: wait until two looks agree, far from the end.
      let chunks = { server.storage.chunks.load(ordering: .relaxed) }
      var last = -1
      while chunks() != last || last < 1 {
        last = chunks()
        try await Task.sleep(for: .milliseconds(200))
      }
      #expect(last < 1_900)
      client.disconnect()
      try await eventuallyTrue { server.server.sessionCount == 0 }
      #expect(chunks() < 2_000)
    }
  }

  @Test func allRowsArriveInOrder() async throws {
    try await withServer(rows: 120_000) { server in
      let client = try C.open(port: server.port)
      try client.send(C.query("select n from lab.numbers"))
      var expected = 0
      while let message = try client.message(), message.type != "Z" {
        guard message.type == "D" else { continue }
        let text = String(decoding: message.content.dropFirst(6), as: UTF8.self)
        if text != String(expected) {
          Issue.record("row \(expected) is \(text)")
          break
        }
        expected += 1
      }
      #expect(expected == 120_000)
    }
  }

  @Test func pipelinesKeepTheirOrder() async throws {
    try await withServer(rows: 3) { server in
      let client = try C.open(port: server.port)
      let one = C.parse("select n from lab.numbers") + C.bind() + C.execute() + C.sync
      // Far more messages than the inbox holds.
      try client.send(Array(repeatElement(one, count: 500).joined()))
      for _ in 0..<500 { #expect(try client.types([]) == "12DDDCZ") }
    }
  }

  @Test func tooManyConnections() async throws {
    try await withServer(settings: PostgresServerSettings(port: 0, connectionsMax: 2, workerThreads: 2)) { server in
      let first = try C.open(port: server.port)
      let second = try C.open(port: server.port)
      let third = try C(port: server.port)
      try third.send(C.startup())
      #expect(try third.message()?.fields["C"] == "53300")
      #expect(try third.message() == nil)
      try first.send(C.message("X"))
      #expect(try first.message() == nil)
      try await eventuallyTrue { server.server.sessionCount == 1 }
      _ = try C.open(port: server.port)
      #expect(try second.types(C.query("select 1")) == "TDCZ")
    }
  }

  @Test func brokenFramingIsFatal() async throws {
    try await withServer { server in
      let client = try C.open(port: server.port)
      try client.send(C.query("select 1") + [UInt8(ascii: "?"), 0, 0, 0, 4])
      #expect(String(try client.untilReady().map(\.type)) == "TDCZ")
      let fault = try client.message()
      #expect(fault?.fields["C"] == "08P01")
      #expect(fault?.fields["S"] == "FATAL")
      #expect(try client.message() == nil)
    }
  }

  @Test func shutdownEndsSessions() async throws {
    let server = try await MemoryServer.start(
      settings: PostgresServerSettings(port: 0, shutdownGraceMs: 200, workerThreads: 4))
    let idle = try C.open(port: server.port)
    let busy = try C.open(port: server.port)
    try busy.send(C.query("call cramped.wait()"))
    await server.server.stop()
    #expect(try idle.message()?.fields["C"] == "57P01")
    #expect(try idle.message() == nil)
    #expect(try busy.message()?.fields["C"] == "57P01")
    #expect(server.server.sessionCount == 0)
    #expect(throws: WireFailure.self) { try C(port: server.port) }
  }
}

/// Waits for a condition that other threads bring about.
func eventuallyTrue(_ condition: () -> Bool) async throws {
  for _ in 0..<2_000 {
    if condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  Issue.record("the condition did not come true")
}
