// psql's backslash commands and psycopg, as their users run them, against a server without a broker.

import Foundation
import TestKit
import Testing

@Suite("Clients", .serialized)
struct PsqlCommandsTests {
  /// A command and lines that its output must have, spaces squeezed.
  static let commands: [(command: String, lines: [String])] = [
    (#"\d"#, ["iot | measurement | table | cramped", "iot | measurement_recorded | view | cramped"]),
    (#"\d+"#, ["iot | measurement | table | cramped"]),
    (#"\dt"#, ["iot | measurement | table | cramped", "user | identity | table | cramped"]),
    (#"\dt+"#, ["iot | measurement | table | cramped"]),
    (#"\dt *.*"#, ["pg_catalog | pg_class | table | cramped"]),
    (#"\dt iot.*"#, ["iot | measurement | table | cramped"]),
    (#"\dv"#, ["user | identity_created | view | cramped"]),
    (#"\dv+"#, ["user | identity_created | view | cramped"]),
    (#"\dtS"#, ["pg_catalog | pg_attribute | table | cramped"]),
    (#"\d iot.measurement"#, [#"Table "iot.measurement""#, "published | timestamp with time zone | | not null |", "value | double precision | | |"]),
    (#"\d measurement"#, [#"Table "iot.measurement""#]),
    (#"\d+ iot.measurement"#, [#"Table "iot.measurement""#]),
    (#"\d "user".identity_created"#, [#"View "user.identity_created""#]),
    (#"\d+ "user".identity_created"#, ["View definition:", #"FROM "user".identity"#]),
    (#"\sv "user".identity_created"#, [#"CREATE OR REPLACE VIEW "user".identity_created AS"#]),
    (#"\d pg_catalog.pg_class"#, [#"Table "pg_catalog.pg_class""#]),
    (#"\d+ pg_class"#, [#"Table "pg_catalog.pg_class""#]),
    (#"\d+ pg_views"#, [#"View "pg_catalog.pg_views""#]),
    (#"\dn"#, ["iot | cramped", "public | cramped", "user | cramped"]),
    (#"\dn+"#, ["iot | cramped | |"]),
    (#"\l"#, ["cramped | cramped | UTF8 |"]),
    (#"\l+"#, ["cramped | cramped | UTF8 |"]),
    (#"\du"#, ["cramped | Superuser"]),
    (#"\du+"#, ["cramped | Superuser"]),
    (#"\df"#, ["(0 rows)"]),
    (#"\df+ pg_catalog.lower"#, ["pg_catalog | lower | text | text | func"]),
    (#"\dfn"#, ["(0 rows)"]),
    (#"\da pg_catalog.sum"#, ["pg_catalog | sum | bigint | integer"]),
    (#"\dT"#, ["(0 rows)"]),
    (#"\dT+ pg_catalog.int4"#, ["pg_catalog | integer | int4 | 4 |"]),
    (#"\do pg_catalog.="#, ["pg_catalog | = | integer | integer | boolean |"]),
    (#"\dC"#, ["bigint | double precision | | yes"]),
    (#"\dC+"#, ["bigint | double precision | | yes"]),
    (#"\di"#, []), (#"\ds"#, []), (#"\dm"#, []), (#"\dp"#, ["iot | measurement | table |"]),
    (#"\dx"#, ["(0 rows)"]), (#"\db"#, ["pg_default | cramped |"]), (#"\dd"#, ["(0 rows)"]),
    (#"\dD"#, ["(0 rows)"]), (#"\ddp"#, ["(0 rows)"]), (#"\dE"#, []), (#"\dF"#, ["(0 rows)"]),
    (#"\dL"#, ["(0 rows)"]), (#"\dO"#, ["(0 rows)"]), (#"\dP"#, ["(0 rows)"]), (#"\dP+"#, ["(0 rows)"]),
    (#"\dRp"#, ["(0 rows)"]), (#"\dRs"#, ["(0 rows)"]), (#"\dX"#, ["(0 rows)"]), (#"\dy"#, ["(0 rows)"]),
    (#"\dA"#, ["heap | Table"]), (#"\dconfig search_path"#, [#"search_path | "$user", public, "$domains""#]),
    (#"\des"#, ["delta | cramped | delta", "parquet | cramped | parquet"]), (#"\dew"#, ["delta | cramped | - | -"]), (#"\det"#, ["(0 rows)"]), (#"\deu"#, ["(0 rows)"]),
    (#"\drds"#, []), (#"\conninfo"#, [#"You are connected to database "cramped" as user "cramped""#]),
    ("SHOW search_path", [#""$user", public, "$domains""#]),
    ("SELECT count(*) FROM measurement", ["0"]),
    ("SELECT 'iot' = ANY (current_schemas(false)) AS found", ["t"]),
  ]

  let folder: TemporaryFolder
  let server: CrampedServer

  init() throws {
    folder = try TemporaryFolder("clients")
    server = try CrampedServer(folder: folder, natsURL: nil)
  }

  private static func squeezed(_ text: String) -> [String] {
    text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
  }

  @Test func everyCommandOfPsqlAnswers() throws {
    for (command, lines) in Self.commands {
      let result = try server.psql(["-P", "pager=off", "-c", command])
      #expect(result.status == 0, "\(command): \(result.errorOutput)")
      #expect(!result.errorOutput.contains("ERROR"), "\(command): \(result.errorOutput)")
      let output = Self.squeezed(result.output)
      for line in lines {
        #expect(output.contains { $0.hasPrefix(line) || $0.contains(line) }, "\(command) lacks \(line): \(result.output)")
      }
    }
  }

  @Test func whatIsNotKnownIsNullAndNotMadeUp() throws {
    let start = "SELECT pg_postmaster_start_time()"
    let first = try server.query(start)
    #expect(first.count > 20)
    #expect(try server.query(start) == first, "the start of the server does not move")
    #expect(try server.query("SELECT pg_postmaster_start_time() < now()") == "t\n")
    #expect(try server.query("SELECT pg_relation_size('iot.measurement') IS NULL") == "t\n")
  }

  @Test func searchPathDecidesWhatABareNameMeans() throws {
    let gone = try server.psql(["-c", "SET search_path = public", "-c", "SELECT count(*) FROM measurement"])
    #expect(gone.status != 0)
    #expect(gone.errorOutput.contains(#"relation "measurement" does not exist"#))
    let found = try server.psql(["-At", "-c", "SET search_path = shop, iot", "-c", "SELECT count(*) FROM measurement",
      "-c", "SELECT current_schema(), current_schemas(true)", "-c", "SHOW search_path"])
    #expect(found.output == "0\nshop|{pg_catalog,shop,iot}\nshop, iot\n")
  }

  /// The extended protocol as psycopg speaks it: see psycopg_session.py.
  @Test func psycopgSpeaksTheExtendedProtocol() throws {
    let probe = try ChildProcess.run("python3", ["-c", "import psycopg"])
    guard probe.status == 0 else {
      print("skipped: python3 on PATH has no psycopg")
      return
    }
    let script = "\(checkout)/Tests/Integration/IntegrationTests/Clients/psycopg_session.py"
    let result = try ChildProcess.run("python3", [script, "\(server.port)"])
    #expect(result.status == 0, "\(result.errorOutput)")
    #expect(result.output.hasSuffix("ok\n"))
  }
}
