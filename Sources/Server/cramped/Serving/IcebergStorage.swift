// How readers of the Iceberg catalog reach the store of the lake.

import Bedrock
import Foundation
import HTTPServer

enum IcebergStorage {
  /// - Parameter data: the server's data folder.
  ///
  /// Throws F0000 when keys are to be lent that the configuration does not have in variables.
  static func of(_ settings: Configuration, data: String) throws(Fault) -> IcebergRestStorage {
    let location = settings.iceberg.location
    switch settings.lake.store {
    case .file: return IcebergRestStorage(prefix: location.isEmpty ? "file://\(data)" : location)
    case .s3:
      let s3 = settings.lake.s3
      var properties = ["s3.region": s3.region, "client.region": s3.region]
      if !s3.endpoint.isEmpty { properties["s3.endpoint"] = s3.endpoint }
      let usesPath = s3.addressing == "path" || s3.addressing == "auto" && !s3.endpoint.isEmpty
      properties["s3.path-style-access"] = usesPath ? "true" : "false"
      let bucket = "s3://\(s3.bucket)" + (s3.prefix.isEmpty ? "" : "/\(s3.prefix)")
      return IcebergRestStorage(
        prefix: location.isEmpty ? bucket : location, properties: properties,
        credentials: settings.iceberg.lendCredentials ? try credentials(s3) : nil)
    }
  }

  private static func credentials(_ settings: Configuration.S3) throws(Fault) -> [String: String] {
    let environment = ProcessInfo.processInfo.environment
    guard settings.credentialsFile.isEmpty, let keyID = environment[settings.accessKeyEnv],
      let secret = environment[settings.secretKeyEnv]
    else {
      throw Fault(
        .configFileError, "\"iceberg.lend_credentials\" needs the keys of the bucket in environment variables",
        hint: "Keys in a file may change at any time, so they are not given to others.")
    }
    var credentials = ["s3.access-key-id": keyID, "s3.secret-access-key": secret]
    if let token = environment[settings.sessionTokenEnv] { credentials["s3.session-token"] = token }
    return credentials
  }
}
