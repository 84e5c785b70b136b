// The store that the configuration names for the lake, proven to be atomic before anything is written to it.

import Bedrock
import Foundation
import Logging
import ObjectStore
import Runtime
import S3Store

enum LakeStore {
  /// - Parameter data: the server's data folder.
  static func open(
    _ settings: Configuration.Lake, data: String, clock: Clock
  ) throws(Fault) -> (store: any ObjectStore, description: String) {
    let store: any ObjectStore
    let description: String
    switch settings.store {
    case .file:
      store = try LocalObjectStore(path: data)
      description = "the folder \(data)"
    case .s3:
      let bucket = try S3ObjectStore(try options(settings.s3), clock: clock, log: Logger(label: "s3"))
      store = bucket
      description = bucket.description
    }
    try ObjectStoreProbe.run(store, called: description)
    return (store, description)
  }

  private static func options(_ settings: Configuration.S3) throws(Fault) -> S3Options {
    var options = S3Options(bucket: settings.bucket, credentials: try credentials(settings))
    options.endpoint = settings.endpoint
    options.region = settings.region
    options.prefix = settings.prefix
    options.addressing = S3Options.Addressing(rawValue: settings.addressing) ?? .auto
    options.caFile = settings.caFile
    options.verifiesCertificate = settings.verifyTLS
    options.partBytes = settings.partBytes
    options.partsInFlightMax = settings.partsInFlightMax
    options.connectionsMax = settings.connectionsMax
    options.connectMicrosMax = Int64(settings.connectTimeoutMs) * 1_000
    options.attemptMicrosMax = Int64(settings.attemptTimeoutMs) * 1_000
    options.idleMicrosMax = options.attemptMicrosMax
    options.callMicrosMax = Int64(settings.callTimeoutMs) * 1_000
    return options
  }

  private static func credentials(_ settings: Configuration.S3) throws(Fault) -> S3CredentialSource {
    guard settings.credentialsFile.isEmpty else {
      return .file(path: settings.credentialsFile, profile: settings.credentialsProfile)
    }
    let environment = ProcessInfo.processInfo.environment
    guard let keyID = environment[settings.accessKeyEnv], let secret = environment[settings.secretKeyEnv] else {
      throw Fault(
        .configFileError, "there are no credentials for the bucket of the lake",
        hint: "Set the variables \(settings.accessKeyEnv) and \(settings.secretKeyEnv), or \"lake.s3.credentials_file\".")
    }
    return .fixed(
      try S3Credentials(keyID: keyID, secret: secret, sessionToken: environment[settings.sessionTokenEnv]))
  }
}
