// The store that the configuration names for the lake, proven to be atomic before anything is written to it.

import Bedrock
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
      let bucket = try S3ObjectStore(try S3Options(settings.s3, "lake.s3"), clock: clock, log: Logger(label: "s3"))
      store = bucket
      description = bucket.description
    }
    try ObjectStoreProbe.run(store, called: description)
    return (store, description)
  }
}
