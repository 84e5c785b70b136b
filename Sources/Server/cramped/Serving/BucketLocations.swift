// Which bucket a location `s3://...` means: the lake's own, and those that `foreign.s3` lists. No other can be named.
//
//   lake.s3                bucket lakes, prefix main      s3://lakes/main/...
//   foreign.s3.prices      bucket prices                  s3://prices/...
//   foreign.s3.archive     bucket lakes, prefix old       s3://lakes/old/...
//
// A name says nothing of its endpoint, so no two sources may begin alike; where one begins like another and goes on, the
// longer one has the location. Whatever is opened here is only read: tables of others have no way to write.

import Bedrock
import Lake
import Logging
import ObjectStore
import Runtime
import S3Store

struct BucketLocations: Sendable {
  private struct Source {
    /// What its locations begin with, with the slash at the end.
    let base: String
    /// Where the configuration has it.
    let path: String
    /// What stands before paths of the store: the base without its last folder.
    let prefix: String
    let store: any ObjectStore

    init(base: String, path: String, store: any RootFolderStore) {
      self.base = base
      self.path = path
      let name = String(base.split(separator: "/").last ?? "")
      prefix = String(base.dropLast(name.count + 1))
      self.store = NamedFolderStore(name, store)
    }
  }
  /// Longer bases first.
  private var sources: [Source] = []

  /// Makes the stores of all sources; nothing is sent to them until a statement names them.
  ///
  /// Throws F0000 for sources that begin alike, and for settings and credentials that cannot be.
  init(_ settings: Configuration, lake: any ObjectStore, clock: Clock) throws(Fault) {
    if settings.lake.store == .s3, let lake = lake as? any RootFolderStore {
      sources.append(Source(base: Self.base(settings.lake.s3), path: "lake.s3", store: lake))
    }
    for (name, bucket) in settings.foreignS3.sorted(by: { $0.key < $1.key }) {
      let path = "foreign.s3.\(name)"
      let base = Self.base(bucket)
      if let other = sources.first(where: { $0.base == base }) {
        throw Fault(
          .configFileError, "\"\(path)\" and \"\(other.path)\" are both \(base)",
          hint: "A location could mean either. Give one of them a prefix of its own, or leave one out.")
      }
      sources.append(Source(base: base, path: path, store: try Self.store(bucket, path, clock)))
    }
    sources.sort { ($0.base.utf8.count, $1.base) > ($1.base.utf8.count, $0.base) }
  }

  private static func store(_ bucket: Configuration.S3, _ path: String, _ clock: Clock) throws(Fault) -> S3ObjectStore {
    do throws(Fault) {
      return try S3ObjectStore(try S3Options(bucket, path), clock: clock, log: Logger(label: "s3"))
    } catch {
      guard !error.message.contains(path) else { throw error }
      throw Fault(.configFileError, "\"\(path)\": \(error.message)", detail: error.detail, hint: error.hint)
    }
  }

  private static func base(_ bucket: Configuration.S3) -> String {
    let prefix = bucket.prefix.split(separator: "/").joined(separator: "/")
    return "s3://\(bucket.bucket)/\(prefix)\(prefix.isEmpty ? "" : "/")"
  }

  /// The place of a location that begins with `s3://`. Throws 42501 when no source has it.
  func place(of location: String) throws(Fault) -> ExternalPlace {
    guard let source = sources.first(where: { location.hasPrefix($0.base) || location + "/" == $0.base }) else {
      throw refused(location)
    }
    var path = location.dropFirst(source.prefix.count)
    // The bucket, or its prefix, itself.
    if path.count <= source.base.count - source.prefix.count { path = source.base.dropFirst(source.prefix.count).dropLast() }
    return ExternalPlace(store: source.store, path: String(path), prefix: source.prefix, source: source.base)
  }

  private func refused(_ location: String) -> Fault {
    let bucket = String(location.dropFirst("s3://".count).prefix { $0 != "/" })
    let offered = sources.map { "\($0.base)" }.sorted().joined(separator: ", ")
    return Fault(
      .insufficientPrivilege, "permission denied to read \"\(location)\"",
      detail: "The configuration allows no reading of this place in the bucket \"\(bucket)\".",
      hint: offered.isEmpty
        ? "No bucket may be read: \"foreign.s3\" is empty." : "\"foreign.s3\" and the lake allow: \(offered).")
  }
}
