// Buckets: the lake's own under `lake.s3`, and those of others, which are only read, under `foreign.s3.<name>`.

import Bedrock

extension Configuration {
  /// One bucket, and how its store is spoken to.
  struct S3: Sendable, Equatable {
    var endpoint = ""
    var region = "us-east-1"
    var bucket = ""
    var prefix = ""
    var addressing = "auto"
    var accessKeyEnv = "AWS_ACCESS_KEY_ID"
    var secretKeyEnv = "AWS_SECRET_ACCESS_KEY"
    var sessionTokenEnv = "AWS_SESSION_TOKEN"
    var credentialsFile = ""
    var credentialsProfile = "default"
    var caFile = ""
    var verifyTLS = true
    var partBytes = 8_388_608
    var partsInFlightMax = 3
    var connectionsMax = 32
    var connectTimeoutMs = 5_000
    var attemptTimeoutMs = 30_000
    var callTimeoutMs = 120_000
    var followMs = 1_000
  }
}

extension Configuration.S3 {
  /// Reads the settings below `path`.
  ///
  /// - Parameters:
  ///   - bucket: the bucket when the configuration names none.
  ///   - isWritten: false for a bucket that is only read; it has no settings for uploads.
  init(_ source: inout SettingSource, _ path: String, bucket: String = "", isWritten: Bool) throws(Fault) {
    endpoint = try source.text("\(path).endpoint", endpoint)
    region = try source.text("\(path).region", region, allowsEmpty: false)
    self.bucket = try source.text("\(path).bucket", bucket)
    prefix = try source.text("\(path).prefix", prefix)
    addressing = try source.choice("\(path).addressing", addressing, of: ["auto", "path", "virtual"])
    accessKeyEnv = try source.text("\(path).access_key_env", accessKeyEnv, allowsEmpty: false)
    secretKeyEnv = try source.text("\(path).secret_key_env", secretKeyEnv, allowsEmpty: false)
    sessionTokenEnv = try source.text("\(path).session_token_env", sessionTokenEnv)
    credentialsFile = try source.text("\(path).credentials_file", credentialsFile)
    credentialsProfile = try source.text("\(path).credentials_profile", credentialsProfile, allowsEmpty: false)
    caFile = try source.text("\(path).ca_file", caFile)
    verifyTLS = try source.boolean("\(path).verify_tls", verifyTLS)
    if isWritten {
      partBytes = try source.integer("\(path).part_bytes", partBytes, in: 5_242_880...1_073_741_824)
      partsInFlightMax = try source.integer("\(path).parts_in_flight_max", partsInFlightMax, in: 1...64)
      followMs = try source.integer("\(path).follow_ms", followMs, in: 0...3_600_000)
    }
    connectionsMax = try source.integer("\(path).connections_max", connectionsMax, in: 1...1_024)
    connectTimeoutMs = try source.integer("\(path).connect_timeout_ms", connectTimeoutMs, in: 100...600_000)
    attemptTimeoutMs = try source.integer("\(path).attempt_timeout_ms", attemptTimeoutMs, in: 100...3_600_000)
    callTimeoutMs = try source.integer("\(path).call_timeout_ms", callTimeoutMs, in: 100...3_600_000)
  }

  /// Every setting by its path below `path` and its value, in the order of the reference file.
  func listing(_ path: String, isWritten: Bool) -> [(String, String)] {
    var out = [
      ("endpoint", endpoint), ("region", region), ("bucket", bucket), ("prefix", prefix), ("addressing", addressing),
      ("access_key_env", accessKeyEnv), ("secret_key_env", secretKeyEnv), ("session_token_env", sessionTokenEnv),
      ("credentials_file", credentialsFile), ("credentials_profile", credentialsProfile), ("ca_file", caFile),
      ("verify_tls", "\(verifyTLS)"),
    ]
    if isWritten { out += [("part_bytes", "\(partBytes)"), ("parts_in_flight_max", "\(partsInFlightMax)")] }
    out += [
      ("connections_max", "\(connectionsMax)"), ("connect_timeout_ms", "\(connectTimeoutMs)"),
      ("attempt_timeout_ms", "\(attemptTimeoutMs)"), ("call_timeout_ms", "\(callTimeoutMs)"),
    ]
    if isWritten { out.append(("follow_ms", "\(followMs)")) }
    return out.map { ("\(path).\($0.0)", $0.1) }
  }
}
