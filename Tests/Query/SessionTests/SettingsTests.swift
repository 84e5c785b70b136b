// Settings as PostgreSQL spells, checks and reverts them.

import Bedrock
import Functions
import Runtime
import Testing

@testable import Session

@Suite struct SettingsTests {
  private func canonical(_ name: String, _ value: String) -> String {
    var settings = Settings()
    do {
      try settings.set(name, value, isLocal: false)
      return try settings.value(name)
    } catch { return error.state.text }
  }

  @Test(arguments: [
    ("DateStyle", "iso, dmy", "ISO, DMY"), ("datestyle", "German", "0A000"), ("IntervalStyle", "POSTGRES", "postgres"),
    ("IntervalStyle", "iso_8601", "22023"), ("client_encoding", "utf-8", "UTF8"), ("client_encoding", "LATIN1", "0A000"),
    ("extra_float_digits", "3", "3"), ("extra_float_digits", "4", "22023"), ("extra_float_digits", "x", "22023"),
    ("statement_timeout", "5000", "5s"), ("statement_timeout", "1.5 min", "90s"), ("statement_timeout", "250ms", "250ms"),
    ("statement_timeout", "-1", "22023"), ("standard_conforming_strings", "true", "on"),
    ("standard_conforming_strings", "off", "22023"), ("default_transaction_read_only", "YES", "on"),
    ("server_version", "16", "55P02"), ("no_such", "1", "42704"), ("my.own", "anything", "anything"),
    ("bytea_output", "Escape", "escape"), ("transaction_isolation", "Repeatable Read", "repeatable read"),
    ("TimeZone", "utc", "UTC"), ("TimeZone", "Mars/Olympus", "22023"), ("work_mem", "1GB", "1GB"),
  ])
  func values(name: String, value: String, expected: String) {
    #expect(canonical(name, value) == expected)
  }

  @Test(arguments: [
    ("UTC", 0), ("GMT", 0), ("+05:30", -19_800), ("-3", 10_800), ("<+02>-02", 7_200), ("Etc/GMT+5", -18_000),
    ("UTC-2", 7_200),
  ])
  func zones(name: String, seconds: Int) throws {
    #expect(try TimeZoneName.parse(name).offsetSeconds(at: 0) == seconds)
  }

  @Test func hoursEast() throws {
    #expect(try TimeZoneName.parse(hoursEast: 5.5).name == "<+05:30>-05:30")
    #expect(try TimeZoneName.parse(hoursEast: -3).offsetSeconds(at: 0) == -10_800)
    #expect(try TimeZoneName.parse("<+05:30>-05:30").offsetSeconds(at: 0) == 19_800)
    #expect(throws: Fault.self) { try TimeZoneName.parse(hoursEast: 1_000) }
  }

  @Test func searchPaths() {
    #expect(Settings.identifiers("\"$user\", public, \"$domains\"") == ["$user", "public", "$domains"])
    #expect(Settings.identifiers("Shop,\"User\" , iot") == ["shop", "User", "iot"])
    #expect(Settings.identifiers("") == [])
    #expect(Settings.identifiers("\"\"") == [""])
  }

  @Test func localValuesEndWithTheTransaction() throws {
    var settings = Settings()
    try settings.setAtStart("application_name", "start")
    try settings.set("application_name", "session", isLocal: false)
    try settings.set("application_name", "local", isLocal: true)
    #expect(settings.find("application_name") == "local")
    settings.endTransaction()
    #expect(settings.find("application_name") == "session")
    try settings.reset("application_name")
    #expect(settings.find("application_name") == "start")
  }

  @Test func transactionsBringSettingsBack() throws {
    var settings = Settings()
    var transaction = Transaction()
    transaction.enter(nowMicros: 5, settings: settings)
    let begun = transaction.begin()
    let begunAgain = transaction.begin()
    #expect(begun && !begunAgain)
    try settings.set("work_mem", "1GB", isLocal: false)
    try transaction.savepoint("a", settings: settings)
    try settings.set("work_mem", "2GB", isLocal: false)
    transaction.fail()
    #expect(transaction.state == .failed)
    settings = try transaction.rollback(to: "a").settings
    #expect(settings.find("work_mem") == "1GB")
    #expect(transaction.state == .block)
    try transaction.release("a")
    #expect(throws: Fault.self) {
      var other = transaction
      try other.release("a")
    }
    let kept = transaction.end(commit: true, settings: settings)
    #expect(kept.find("work_mem") == "1GB")
    transaction.enter(nowMicros: 6, settings: Settings())
    _ = transaction.begin()
    transaction.fail()
    // COMMIT of a failed block is a rollback.
    let reverted = transaction.end(commit: true, settings: settings)
    #expect(reverted.find("work_mem") == "4MB")
  }

  @Test func aCancelBetweenStatementsIsLost() {
    let slot = StatementSlot()
    slot.cancel(.userRequest)
    let first = Cancellation()
    slot.begin(first)
    #expect(!first.isCancelled)
    slot.cancel(.userRequest)
    #expect(first.isCancelled)
    slot.finish()
    slot.cancel(.userRequest)
    slot.end(.clientGone)
    let next = Cancellation()
    slot.begin(next)
    #expect(next.isCancelled)
  }
}
