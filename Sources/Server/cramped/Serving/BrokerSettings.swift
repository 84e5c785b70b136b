// The configuration of NATS as Ingest takes it.

import Bedrock
import Foundation
import Ingest

enum BrokerSettings {
  static func options(_ nats: Configuration.NATS) throws(Fault) -> BrokerOptions {
    var options = BrokerOptions()
    options.servers = nats.url.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    if !nats.user.isEmpty { options.user = nats.user }
    if !nats.passwordFile.isEmpty {
      guard let data = FileManager.default.contents(atPath: nats.passwordFile) else {
        throw Fault(.configFileError, "cannot read \(nats.passwordFile), which \"nats.password_file\" names")
      }
      options.password = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    }
    if !nats.credentialsFile.isEmpty { options.credentialsFile = nats.credentialsFile }
    options.tls.isRequired = nats.tls
    return options
  }

  static func stream(_ nats: Configuration.NATS) -> StreamOptions {
    var options = StreamOptions()
    options.name = nats.stream
    options.subjectPrefix = nats.subjectPrefix
    options.replicas = Int64(nats.streamReplicas)
    options.maxAgeSeconds = Int64(nats.streamMaxAgeSeconds)
    return options
  }
}
