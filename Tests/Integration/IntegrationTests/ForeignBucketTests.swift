// Buckets of others through psql: what `foreign.s3` lists is read in place, anything else is refused by name.

import Foundation
import TestKit
import Testing

@Suite("Buckets of others", .serialized, .enabled(if: MotoServer.isInstalled, "python3 has no moto[server]"))
struct ForeignBucketTests {
  let folder: TemporaryFolder
  let moto: MotoServer

  init() throws {
    folder = try TemporaryFolder("foreign-bucket")
    moto = try MotoServer(bucket: "market")
  }

  private static let secret = "canary-secret-of-others"
  private let keys = ["MARKET_KEY": "market-key-id", "MARKET_SECRET": secret]

  /// A server whose configuration file has this section `foreign`.
  func server(_ foreign: String, settings: [String: String] = [:], waits: Bool = true) throws -> CrampedServer {
    let file = folder.file("cramped.yaml")
    try foreign.write(toFile: file, atomically: true, encoding: .utf8)
    return try CrampedServer(
      folder: folder, natsURL: nil,
      settings: keys.merging(["CRAMPED_CONFIG": file]) { $1 }.merging(settings) { $1 }, waits: waits)
  }

  func market(_ more: String = "") -> String {
    """
    foreign:
      s3:
        market:
          endpoint: \(moto.endpoint)
          access_key_env: MARKET_KEY
          secret_key_env: MARKET_SECRET

    """ + more
  }

  func write(_ what: String, _ bucket: String = "market") throws {
    let script = "\(checkout)/Tests/Integration/IntegrationTests/Oracle/write_bucket.py"
    let result = try ChildProcess.run(
      "python3", [script, what, moto.endpoint, bucket],
      environment: ["AWS_ACCESS_KEY_ID": "market-key-id", "AWS_SECRET_ACCESS_KEY": Self.secret])
    try #require(result.status == 0, "\(result.errorOutput)")
  }

  /// All that psql prints of a failing statement.
  func failure(_ server: CrampedServer, _ sql: String) throws -> String {
    let result = try server.psql(["-v", "VERBOSITY=verbose", "-c", sql])
    #expect(result.status != 0, "\(sql) succeeded")
    return result.errorOutput
  }

  @Test func filesAndTablesOfAListedBucketAreQueriedInPlace() throws {
    try write("files")
    try write("delta")
    let server = try server(market())
    defer { server.stop() }
    #expect(try server.query("SELECT count(*), sum(id), sum(amount) FROM read_parquet('s3://market/prices/*/*.parquet')")
      == "3000|4498500|374625\n")
    #expect(try server.query("SELECT country, count(*) FROM read_parquet('s3://market/prices/{de,it}/*') WHERE id >= 500 GROUP BY 1 ORDER BY 1")
      == "de|500\nit|1000\n")
    #expect(try server.query("SELECT count(*) FROM read_parquet('s3://market/**/part-0.parquet') WHERE country = 'fr'") == "1000\n")
    #expect(try server.query("SELECT max(id) FROM read_parquet('s3a://market/prices/fr/part-0.parquet')") == "1999\n")
    #expect(try server.query("SELECT count(DISTINCT filename) FROM read_parquet('s3://market/prices', filename => true)") == "3\n")
    #expect(try server.query("SELECT count(*), sum(id) FROM read_delta('s3://market/tables/stock')") == "4|8\n")
    #expect(try server.query("SELECT count(*) FROM read_delta('s3://market/tables/stock', version => 0)") == "3\n")
    _ = try server.query("CREATE FOREIGN TABLE stock () SERVER delta OPTIONS (location 's3://market/tables/stock')")
    #expect(try server.query("SELECT id, name FROM stock ORDER BY id, name LIMIT 2") == "1|a\n1|a\n")
    try write("append")
    #expect(try server.query("SELECT count(*) FROM stock") == "5\n")
    #expect(try server.query("SELECT count(*) FROM public.\"stock@v1\"") == "6\n")
    let plan = try server.query("EXPLAIN SELECT id FROM stock WHERE id = 3")
    #expect(plan.contains("Source: Delta table s3://market/tables/stock, version 3"), "\(plan)")
    // Nothing is written there.
    let refused = try failure(server, "INSERT INTO stock VALUES (9, 'x')")
    #expect(refused.contains("42809") || refused.contains("0A000") || refused.contains("42501"), "\(refused)")
    let before = try moto.admin("keys", "market")
    try server.restart()
    #expect(try server.query("SELECT count(*) FROM stock") == "5\n")
    #expect(try moto.admin("keys", "market") == before)
    #expect(!server.log.contains(Self.secret) && !server.log.contains("market-key-id"))
  }

  @Test func whatIsNotListedIsRefusedByName() throws {
    try write("files")
    _ = try moto.admin("bucket", "secrets")
    try write("files", "secrets")
    let server = try server(market("      prefix: prices/de\n"))
    defer { server.stop() }
    #expect(try server.query("SELECT count(*) FROM read_parquet('s3://market/prices/de/*.parquet')") == "1000\n")
    let outside = [
      "s3://secrets/prices/de/part-0.parquet", "s3://market/prices/fr/part-0.parquet", "s3://market/**/*.parquet",
      "s3://market/prices/de2/x.parquet", "s3://market", "s3://", "s3://MARKET/prices/de/part-0.parquet",
      "s3://key:word@market/prices/de/part-0.parquet",
    ]
    for location in outside {
      for call in ["read_parquet('\(location)')", "read_delta('\(location)')"] {
        let text = try failure(server, "SELECT * FROM \(call)")
        #expect(text.contains("42501") && text.contains("s3://market/prices/de/"), "\(call): \(text)")
      }
    }
    let named = try failure(server, "SELECT * FROM read_parquet('s3://secrets/prices/de/part-0.parquet')")
    #expect(named.contains("bucket \"secrets\""), "\(named)")
    let up = try failure(server, "SELECT * FROM read_parquet('s3://market/prices/de/../fr/part-0.parquet')")
    #expect(!up.contains("XX000") && !up.contains("country"), "\(up)")
    let foreign = try failure(server, "CREATE FOREIGN TABLE f () SERVER delta OPTIONS (location 's3://secrets/t')")
    #expect(foreign.contains("42501"), "\(foreign)")
    for whole in ["s3://market/prices/de", "s3://market/prices/de/", "s3://market/prices/de/**"] {
      #expect(try server.query("SELECT count(*) FROM read_parquet('\(whole)')") == "1000\n")
    }
    let missing = try failure(server, "SELECT * FROM read_parquet('s3://market/prices/de/none.parquet')")
    #expect(missing.contains("58P01"), "\(missing)")
  }

  @Test func besideALakeInABucketAndWithKeysThatTheStoreRefuses() throws {
    try write("files")
    _ = try moto.admin("bucket", "lakes")
    let lake = [
      "CRAMPED_LAKE_STORE": "s3", "CRAMPED_LAKE_S3_ENDPOINT": moto.endpoint, "CRAMPED_LAKE_S3_BUCKET": "lakes",
      "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "word",
    ]
    let credentials = folder.file("credentials")
    try "[reader]\naws_access_key_id = market-key-id\naws_secret_access_key = \(Self.secret)\n"
      .write(toFile: credentials, atomically: true, encoding: .utf8)
    let sections = """
      foreign:
        s3:
          gone:
            endpoint: http://127.0.0.1:9
            attempt_timeout_ms: 200
            call_timeout_ms: 400
            access_key_env: MARKET_KEY
            secret_key_env: MARKET_SECRET
          market:
            endpoint: \(moto.endpoint)
            credentials_file: \(credentials)
            credentials_profile: reader
      """
    let server = try server(sections, settings: lake)
    defer { server.stop() }
    #expect(try server.query("SELECT count(*) FROM read_parquet('s3://market/prices/**')") == "3000\n")
    // A bucket that cannot be reached fails its own statements only.
    let away = try failure(server, "SELECT * FROM read_parquet('s3://gone/x.parquet')")
    #expect(away.contains("58030"), "\(away)")
    for secret in [Self.secret, "market-key-id"] { #expect(!away.contains(secret) && !server.log.contains(secret)) }
    let none = try failure(server, "SELECT * FROM read_parquet('s3://lakes/none.parquet')")
    #expect(none.contains("58P01"), "the lake's own bucket may be read: \(none)")
    let refused = try failure(server, "SELECT * FROM read_parquet('s3://other/x.parquet')")
    #expect(refused.contains("s3://gone/, s3://lakes/, s3://market/"), "\(refused)")
  }

  @Test func withoutAListNoBucketCanBeRead() throws {
    let server = try server("foreign:\n")
    defer { server.stop() }
    let text = try failure(server, "SELECT * FROM read_parquet('s3://market/prices/de/part-0.parquet')")
    #expect(text.contains("42501") && text.contains("\"foreign.s3\" is empty"), "\(text)")
  }

  @Test func wrongSectionsAreRefusedAtStart() throws {
    func refusal(_ foreign: String) throws -> String {
      let server = try server(foreign, waits: false)
      #expect(server.wait() == 78)
      return server.log
    }
    let keyless = try refusal("foreign:\n  s3:\n    market:\n      access_key_env: NO_SUCH_KEY\n")
    #expect(keyless.contains("NO_SUCH_KEY") && keyless.contains("foreign.s3.market"), "\(keyless)")
    let twice = try refusal(market() + "    again:\n      bucket: market\n      access_key_env: MARKET_KEY\n      secret_key_env: MARKET_SECRET\n")
    #expect(twice.contains("foreign.s3.market") && twice.contains("foreign.s3.again") && twice.contains("s3://market/"), "\(twice)")
    let unknown = try refusal(market("      part_bytes: 5242880\n"))
    #expect(unknown.contains("unknown key \"foreign.s3.market.part_bytes\""), "\(unknown)")
    let bucket = try refusal("foreign:\n  s3:\n    Market_1:\n      access_key_env: MARKET_KEY\n      secret_key_env: MARKET_SECRET\n")
    #expect(bucket.contains("foreign.s3.Market_1") && bucket.contains("not the name of a bucket"), "\(bucket)")
    #expect(!bucket.contains(Self.secret))
  }
}
