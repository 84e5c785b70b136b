// A wrong configuration is refused at start: file, line, what would be right, exit status 78 (EX_CONFIG).

import Foundation
import TestKit
import Testing

@Suite("Configuration refusals")
struct ConfigurationRefusalTests {
  func serve(_ yaml: String, environment: [String: String] = [:]) throws -> ChildProcess.Result {
    let folder = try TemporaryFolder("config")
    let file = folder.file("cramped.yaml")
    try yaml.write(toFile: file, atomically: true, encoding: .utf8)
    return try ChildProcess.run(
      CrampedServer.program, ["serve", "--config", file],
      environment: environment.merging(["CRAMPED_SERVER_DATA": folder.file("data")]) { old, _ in old })
  }

  @Test func unknownKey() throws {
    let result = try serve("postgres:\n  prot: 5433\n")
    #expect(result.status == 78)
    #expect(result.errorOutput.contains("cramped.yaml:2: unknown key \"postgres.prot\""), "\(result.errorOutput)")
    #expect(result.errorOutput.contains("Did you mean \"postgres.port\"?"))
  }

  @Test func wrongValue() throws {
    let result = try serve("# a comment\npostgres:\n  port: http\n")
    #expect(result.status == 78)
    #expect(result.errorOutput.contains("cramped.yaml:3: \"postgres.port\" is \"http\""), "\(result.errorOutput)")
    #expect(result.errorOutput.contains("0 to 65535"))
  }

  @Test func wrongVariable() throws {
    let result = try serve("", environment: ["CRAMPED_POSTGRES_PROT": "1"])
    #expect(result.status == 78)
    #expect(result.errorOutput.contains("CRAMPED_POSTGRES_PORT"), "\(result.errorOutput)")
  }

  @Test func clusteringKeys() throws {
    let repeated = try serve("clustering:\n  keys: a, a\n")
    #expect(repeated.status == 78)
    #expect(repeated.errorOutput.contains("\"clustering.keys\": the clustering keys \"a, a\""), "\(repeated.errorOutput)")
    let curve = try serve("domains:\n  iot:\n    clustering:\n      curve: peano\n")
    #expect(curve.status == 78 && curve.errorOutput.contains("hilbert, z_order"), "\(curve.errorOutput)")
    // Keys said of one table are checked against it, once the server knows its tables.
    let quiet = ["CRAMPED_NATS_ENABLED": "false", "CRAMPED_POSTGRES_PORT": "0", "CRAMPED_HTTP_ENABLED": "false"]
    func table(_ name: String, _ keys: String) -> String {
      "domains:\n  iot:\n    tables:\n      \(name):\n        clustering:\n          keys: \(keys)\n"
    }
    let missing = try serve(table("measurement", "nothing"), environment: quiet)
    #expect(missing.status == 78)
    #expect(missing.errorOutput.contains("domains.iot.tables.measurement.clustering.keys"), "\(missing.errorOutput)")
    #expect(missing.errorOutput.contains("column \"nothing\" to cluster by does not exist"))
    let nowhere = try serve(table("measurements", "series"), environment: quiet)
    #expect(nowhere.status == 78 && nowhere.errorOutput.contains("a table that there is not"), "\(nowhere.errorOutput)")
  }

  @Test func notLoopback() throws {
    let result = try serve("postgres:\n  host: 0.0.0.0\n")
    #expect(result.status == 78)
    #expect(result.errorOutput.contains("loopback"), "\(result.errorOutput)")
  }
}

@Suite("The configuration reference")
struct ConfigurationReferenceTests {
  @Test func referenceHoldsEveryKeyWithItsDefault() throws {
    let reference = "\(checkout)/config/cramped.yaml"
    let defaults = try ChildProcess.run(CrampedServer.program, ["config"])
    let fromFile = try ChildProcess.run(CrampedServer.program, ["config", "--config", reference])
    #expect(defaults.status == 0 && fromFile.status == 0, "\(fromFile.errorOutput)")
    #expect(fromFile.output == defaults.output)
    let text = try String(contentsOfFile: reference, encoding: .utf8)
    for line in defaults.output.split(separator: "\n") {
      let key = try #require(line.split(separator: ":").first?.split(separator: ".").last)
      #expect(text.contains("  \(key): "), "\(key) is not in the reference")
    }
  }
}
