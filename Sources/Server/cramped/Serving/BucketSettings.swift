// What the configuration says of a bucket, as the S3 store takes it. Nothing secret is in a fault.

import Bedrock
import Foundation
import S3Store

extension S3Options {
  /// - Parameter path: where the settings stand, for faults: `lake.s3`.
  init(_ settings: Configuration.S3, _ path: String) throws(Fault) {
    self.init(bucket: settings.bucket, credentials: try Self.credentials(settings, path))
    endpoint = settings.endpoint
    region = settings.region
    prefix = settings.prefix
    addressing = S3Options.Addressing(rawValue: settings.addressing) ?? .auto
    caFile = settings.caFile
    verifiesCertificate = settings.verifyTLS
    partBytes = settings.partBytes
    partsInFlightMax = settings.partsInFlightMax
    connectionsMax = settings.connectionsMax
    connectMicrosMax = Int64(settings.connectTimeoutMs) * 1_000
    attemptMicrosMax = Int64(settings.attemptTimeoutMs) * 1_000
    idleMicrosMax = attemptMicrosMax
    callMicrosMax = Int64(settings.callTimeoutMs) * 1_000
  }

  private static func credentials(_ settings: Configuration.S3, _ path: String) throws(Fault) -> S3CredentialSource {
    guard settings.credentialsFile.isEmpty else {
      return .file(path: settings.credentialsFile, profile: settings.credentialsProfile)
    }
    let environment = ProcessInfo.processInfo.environment
    guard let keyID = environment[settings.accessKeyEnv], let secret = environment[settings.secretKeyEnv] else {
      throw Fault(
        .configFileError, "there are no credentials for the bucket \"\(settings.bucket)\" of \"\(path)\"",
        hint: "Set the variables \(settings.accessKeyEnv) and \(settings.secretKeyEnv), or \"\(path).credentials_file\".")
    }
    return .fixed(
      try S3Credentials(keyID: keyID, secret: secret, sessionToken: environment[settings.sessionTokenEnv]))
  }
}
