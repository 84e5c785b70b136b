// Objects in a bucket of S3 or of a store that speaks its interface.
//
//   put            PUT
//   putIfAbsent    PUT with `If-None-Match: *`; 412 = taken
//   writer         multipart upload; a small object is one PUT
//   get, read      GET, GET with Range; long ranges are split and run side by side
//   size           HEAD
//   list           ListObjectsV2 with prefix and delimiter: direct children only
//   delete         DELETE, DeleteObjects
//
// How the rules of `ObjectStore` are kept:
//   1, 2  S3 makes an object visible whole, durable, and at once for every reader, when PUT or CompleteMultipartUpload
//         has succeeded.
//   3     The store compares and writes in one step; `ObjectStoreProbe` proves it at start and refuses a bucket that
//         does not.
//   4     An answer can get lost after the store has acted. `putIfAbsent` marks what it writes with a random token
//         (`x-amz-meta-cramped-put`): whoever is told that a name is taken reads the token back and so knows whether it
//         was an earlier try of its own. Only when the store cannot be asked any more does it throw.
//
// A lost PUT or DELETE can also take effect late, after a later call on the same path. The lake never does both of two
// things to one path that this could mix up: names of data files are used once, log entries are never replaced.
//
// Calls block on a condition, not on a Swift task (`HTTPExchange`); any thread but an event loop's.

package import Bedrock
package import Logging
import NIOCore
import NIOHTTP1
package import ObjectStore
package import Runtime

package final class S3ObjectStore: ObjectStore {
  let client: S3Client
  /// The metadata header that holds the token of a write.
  static let tokenHeader = "x-amz-meta-cramped-put"

  /// Checks the options and reads the credentials; nothing is sent yet.
  package init(_ options: S3Options, clock: Clock, log: Logger = Logger(label: "s3")) throws(Fault) {
    client = try S3Client(options, clock: clock, log: log)
  }

  /// For people: bucket, prefix and address.
  package var description: String { client.endpoint.description }

  func key(_ path: ObjectPath) throws(Fault) -> String {
    let key = client.endpoint.key(path.text)
    guard key.utf8.count <= S3Options.keyBytesMax else {
      throw Fault(.invalidParameterValue, "the path \"\(path)\" is too long for a key under the prefix of the bucket")
    }
    return key
  }

  // MARK: Writing

  package func put(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) {
    try put(path, ByteBuffer(bytes: bytes))
  }

  func put(_ path: ObjectPath, _ body: ByteBuffer) throws(Fault) {
    var request = S3Request("write \"\(path)\"", .PUT, key: try key(path))
    request.setBody(body)
    _ = try client.send(request)
  }

  package func putIfAbsent(_ path: ObjectPath, _ bytes: [UInt8]) throws(Fault) -> Bool {
    let token = Digits.hexadecimal(Entropy.bytes(16))
    var request = S3Request("write \"\(path)\"", .PUT, key: try key(path))
    request.headers = [("if-none-match", "*"), (Self.tokenHeader, token)]
    request.setBody(ByteBuffer(bytes: bytes))
    request.accepted = [412]
    let answer: HTTPAnswer
    do throws(Fault) { answer = try client.send(request) } catch {
      // Refused, then nothing was written; otherwise nobody knows yet.
      guard error.kind == .tryLater else { throw error }
      return try resolve(path, token: token, after: error)
    }
    if answer.status != 412 { return true }
    // Taken, perhaps by an earlier try whose answer was lost here or at a proxy.
    return try owner(of: path) == token
  }

  /// What became of a conditional write whose last answer is `failure`.
  private func resolve(_ path: ObjectPath, token: String, after failure: Fault) throws(Fault) -> Bool {
    let unknown = Fault(
      failure.state, failure.message, kind: failure.kind,
      detail: "Whether the object was written is unknown. \(failure.detail ?? "")", hint: failure.hint)
    let found: String?
    do throws(Fault) { found = try owner(of: path) } catch { throw unknown }
    // Not there: the write may still be on its way.
    guard let found else { throw unknown }
    return found == token
  }

  /// The token that the object carries, an empty one for an object of others; nil when there is no object.
  private func owner(of path: ObjectPath) throws(Fault) -> String? {
    guard let answer = try client.head(path, key: key(path)) else { return nil }
    return answer.header(Self.tokenHeader) ?? ""
  }

  package func writer(_ path: ObjectPath) throws(Fault) -> any ObjectWriter {
    S3ObjectWriter(client: client, path: path, key: try key(path))
  }

  // MARK: Removing

  package func delete(_ path: ObjectPath) throws(Fault) {
    var request = S3Request("delete \"\(path)\"", .DELETE, key: try key(path))
    request.accepted = [404]
    _ = try client.send(request)
  }

  package func delete(_ paths: [ObjectPath]) throws(Fault) {
    var rest = paths[...]
    while !rest.isEmpty {
      let some = rest.prefix(S3Options.keysMax)
      rest = rest.dropFirst(some.count)
      if some.count == 1 {
        try delete(some[some.startIndex])
      } else {
        try deleteTogether(Array(some))
      }
    }
  }

  private func deleteTogether(_ paths: [ObjectPath]) throws(Fault) {
    var keys: [String] = []
    for path in paths { keys.append(try key(path)) }
    var request = S3Request("delete \(paths.count) objects", .POST, key: nil)
    request.query = [("delete", "")]
    let body = S3Documents.deletion(keys)
    request.headers = [("content-md5", BodyHash.md5(body)), ("content-type", "application/xml")]
    request.setBody(body)
    request.mayFailInBody = true
    let left = try S3Documents.undeleted(try client.send(request).body)
    if let first = left.first {
      let credentials = client.credentials.current
      let isDenied = first.code == "AccessDenied"
      throw Fault(
        isDenied ? .insufficientPrivilege : .ioError,
        "could not delete \(left.count) of \(paths.count) objects: \(credentials.redacted(first.code))",
        detail: "The first is \"\(credentials.redacted(first.key))\".",
        hint: isDenied ? "The credentials must allow s3:DeleteObject." : nil)
    }
  }
}
