// Which places statements may read, and the store that has them.
//
//   prices/2026/*.parquet        below the first of the folders that may be read
//   /data/prices, file:///...    only when it lies in one of these folders
//   s3://bucket/prices           what the server has for the scheme `s3`
//
// Whoever may run statements may read these places, so this is a border: a path has no `..`, and inside a folder no
// symbolic link is followed (the store opens every part with O_NOFOLLOW). The folders themselves may be links; they are
// resolved when the server starts. The folder list `*` allows every file that the server's own user may read.

package import Bedrock
package import ObjectStore

/// Where a location is: a store, and a path in it that may still be a glob.
package struct ExternalPlace: Sendable {
  package let store: any ObjectStore
  package let path: String
  /// What stands before `path` in full names: `/data/`, `s3://bucket/`.
  package let prefix: String
  /// Tells stores apart: places with the same have the same store.
  package let source: String
  /// - Parameter source: nil: the prefix, for stores that do not share it with others.
  package init(store: any ObjectStore, path: String, prefix: String, source: String? = nil) {
    self.source = source ?? prefix
    self.store = store
    self.path = path
    self.prefix = prefix
  }
}

package struct ExternalLocations: Sendable {
  /// Finds the place of a location of one scheme, which is given with it.
  package typealias Resolver = @Sendable (_ location: String) throws(Fault) -> ExternalPlace

  private struct Folder: Sendable {
    /// Absolute, as configured and with links resolved.
    let names: [[Substring]]
    let store: LocalObjectStore
    /// The path of the folder in its store, which begins one level above it.
    let base: String
    let prefix: String
  }
  private let folders: [Folder]
  private let names: [String]
  private let allowsAll: Bool
  private let base: String
  private let schemes: [String: Resolver]

  /// - Parameters:
  ///   - folders: absolute paths, or `*` for all; those that do not exist are left out.
  ///   - base: the folder that relative locations are below.
  ///   - schemes: for locations such as `s3://...`, by scheme.
  package init(folders: [String], base: String, schemes: [String: Resolver] = [:]) throws(Fault) {
    allowsAll = folders.contains("*")
    names = folders
    self.base = base
    self.schemes = schemes
    var found: [Folder] = []
    for name in folders where name != "*" {
      guard name.hasPrefix("/") else {
        throw Fault(.configFileError, "folder \"\(name)\" of external tables is not an absolute path")
      }
      guard let real = LocalObjectStore.resolved(folder: name) else { continue }
      found.append(try Self.folder(real, names: [name, real]))
    }
    self.folders = found
  }

  private static func folder(_ real: String, names: [String]) throws(Fault) -> Folder {
    let parts = real.split(separator: "/")
    let parent = "/" + parts.dropLast().joined(separator: "/")
    return Folder(
      names: names.map { $0.split(separator: "/") }, store: try LocalObjectStore(reading: parts.isEmpty ? "/" : parent),
      base: parts.last.map(String.init) ?? "", prefix: parts.count <= 1 ? "/" : parent + "/")
  }

  /// The place of a location. Throws 42501 for one that may not be read, 22023 for one that is not a path, 0A000 for
  /// a scheme that is not offered.
  package func place(of location: String) throws(Fault) -> ExternalPlace {
    guard !location.isEmpty, location.utf8.count <= 4_096, !location.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw Fault(.invalidParameterValue, "a location must not be empty, too long, or have control characters")
    }
    if let colon = location.range("://") {
      var scheme = String(location[..<colon.lowerBound]).lowercased()
      var location = location
      if ["s3a", "s3n"].contains(scheme) {
        // Hadoop's names for the same places.
        scheme = "s3"
        location = "s3" + location[colon.lowerBound...]
      }
      if scheme == "file" { return try local(String(location[colon.upperBound...]), location) }
      guard let resolver = schemes[scheme] else {
        let known = (["file"] + schemes.keys.sorted()).map { "\"\($0)\"" }.joined(separator: ", ")
        throw Fault.unsupported("a location of scheme \"\(scheme)\"", hint: "Offered here: \(known).")
      }
      return try resolver(location)
    }
    return try local(location, location)
  }

  private func local(_ path: String, _ location: String) throws(Fault) -> ExternalPlace {
    let full = path.hasPrefix("/") ? path : base + "/" + path
    let parts = full.split(separator: "/").filter { $0 != "." }
    guard !parts.contains("..") else { throw refused(location, "It has a part \"..\".") }
    for folder in folders {
      for name in folder.names where parts.starts(with: name) {
        let rest = parts.dropFirst(name.count)
        return ExternalPlace(
          store: folder.store, path: ([Substring(folder.base)] + rest).joined(separator: "/"), prefix: folder.prefix)
      }
    }
    guard allowsAll else { throw refused(location, "It lies in none of the folders that may be read.") }
    return try anywhere(parts, location)
  }

  /// With every folder allowed, links on the way to a glob or to the last part are resolved.
  private func anywhere(_ parts: [Substring], _ location: String) throws(Fault) -> ExternalPlace {
    guard let last = parts.last else {
      throw Fault(.invalidParameterValue, "\"\(location)\" is the root folder")
    }
    let fixed = parts.dropLast().prefix { !ExternalGlob.isPattern($0) }
    let above = "/" + fixed.joined(separator: "/")
    guard let real = LocalObjectStore.resolved(folder: above) else {
      throw Fault(.undefinedFile, "\"\(location)\" does not exist", kind: .gone)
    }
    if fixed.count == parts.count - 1, !ExternalGlob.isPattern(last),
      let whole = LocalObjectStore.resolved(folder: above + "/" + last), whole != above + "/" + last
    {
      return try anywhere(whole.split(separator: "/"), location)
    }
    let folder = try Self.folder(real, names: [])
    guard !folder.base.isEmpty else {
      throw Fault.unsupported("a file or a glob directly in the root folder")
    }
    let rest = parts.dropFirst(fixed.count)
    return ExternalPlace(
      store: folder.store, path: ([Substring(folder.base)] + rest).joined(separator: "/"), prefix: folder.prefix)
  }

  private func refused(_ location: String, _ detail: String) -> Fault {
    let hint = names.isEmpty
      ? "No folder may be read: \"query.external_folders\" is empty."
      : "\"query.external_folders\" allows: \(names.joined(separator: ", "))."
    return Fault(.insufficientPrivilege, "permission denied to read \"\(location)\"", detail: detail, hint: hint)
  }
}

extension String {
  /// The first place of `text`.
  func range(_ text: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
