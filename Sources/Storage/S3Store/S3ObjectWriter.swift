// An object being written to S3.
//
//   small:  append... ──► publish = one PUT
//   large:  append... ──► CreateMultipartUpload, parts side by side ──► publish = last part, CompleteMultipartUpload
//
// In memory: the part being filled and at most `partsInFlightMax` on their way. Parts are of one size, as some stores
// demand. What is dropped is aborted; parts of a process that died stay with the store, invisible, until its rule for
// unfinished uploads removes them.

import Bedrock
import Logging
import NIOCore
import NIOHTTP1
import ObjectStore
import Runtime

final class S3ObjectWriter: ObjectWriter {
  private struct Part {
    let call: S3Call
    let number: Int
  }
  private let client: S3Client
  private let path: ObjectPath
  private let key: String
  /// Tells our completion from that of others when its answer is lost.
  private let token = Digits.hexadecimal(Entropy.bytes(16))
  private var buffer = ByteBuffer()
  private var uploadID: String?
  private var underWay: [Part] = []
  /// By number of the part, from 1.
  private var tags: [String] = []
  private var partCount = 0
  private var isDone = false
  private(set) var byteCount: Int64 = 0

  init(client: S3Client, path: ObjectPath, key: String) {
    self.client = client
    self.path = path
    self.key = key
  }

  deinit { abandon() }

  func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    precondition(!isDone, "nothing is appended to a published object")
    var rest = bytes
    while !rest.isEmpty {
      if buffer.readableBytes == client.options.partBytes { try sendPart() }
      let count = min(rest.count, client.options.partBytes - buffer.readableBytes)
      buffer.writeBytes(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      byteCount += Int64(count)
    }
  }

  // MARK: Parts

  private func request(_ what: String, _ method: HTTPMethod, _ query: [(name: String, value: String)]) -> S3Request {
    var request = S3Request("\(what) \"\(path)\"", method, key: key)
    request.query = query
    return request
  }

  private func begin() throws(Fault) -> String {
    if let uploadID { return uploadID }
    var request = request("begin the upload of", .POST, [("uploads", "")])
    request.headers = [(S3ObjectStore.tokenHeader, token)]
    let id = try S3Documents.uploadID(try client.send(request).body)
    uploadID = id
    return id
  }

  /// Hands the filled buffer over to the network.
  private func sendPart() throws(Fault) {
    precondition(buffer.readableBytes > 0 && buffer.readableBytes <= client.options.partBytes)
    guard partCount < S3Options.partsMax else {
      throw Fault(
        .programLimitExceeded,
        "\"\(path)\" is longer than \(S3Options.partsMax) parts of \(client.options.partBytes) bytes")
    }
    let id = try begin()
    while underWay.count >= client.options.partsInFlightMax { try finishOldestPart() }
    partCount += 1
    var request = request("write part \(partCount) of", .PUT, [("partNumber", "\(partCount)"), ("uploadId", id)])
    request.setBody(buffer)
    buffer = ByteBuffer()
    buffer.reserveCapacity(client.options.partBytes)
    let call = S3Call(client, request)
    call.start()
    underWay.append(Part(call: call, number: partCount))
  }

  private func finishOldestPart() throws(Fault) {
    let part = underWay.removeFirst()
    let answer = try part.call.finish()
    guard let tag = answer.header("etag"), !tag.isEmpty else {
      throw Fault.corrupt("the object store took part \(part.number) of \"\(path)\" without a tag")
    }
    precondition(part.number == tags.count + 1, "parts are finished in their order")
    tags.append(tag)
  }

  // MARK: The end

  func publish() throws(Fault) {
    precondition(!isDone, "an object is published once")
    guard uploadID != nil else {
      var request = request("write", .PUT, [])
      request.setBody(buffer)
      _ = try client.send(request)
      return finish()
    }
    if buffer.readableBytes > 0 { try sendPart() }
    while !underWay.isEmpty { try finishOldestPart() }
    try complete(try begin())
    finish()
  }

  private func finish() {
    isDone = true
    buffer = ByteBuffer()
  }

  private func complete(_ id: String) throws(Fault) {
    var request = request("publish", .POST, [("uploadId", id)])
    request.headers = [("content-type", "application/xml")]
    request.setBody(S3Documents.completion(tags))
    request.mayFailInBody = true
    do throws(Fault) { _ = try client.send(request) } catch {
      // "No such upload" after a try whose answer was lost: that try has published it. The token says whether.
      guard error.kind == .tryLater || error.kind == .gone, try isPublished() else { throw error }
    }
  }

  private func isPublished() throws(Fault) -> Bool {
    try client.head(path, key: key)?.header(S3ObjectStore.tokenHeader) == token
  }

  func abandon() {
    if isDone { return }
    finish()
    for part in underWay { part.call.cancel() }
    underWay = []
    guard let uploadID else { return }
    var request = request("abandon the upload of", .DELETE, [("uploadId", uploadID)])
    request.accepted = [404]
    request.triesMax = 3
    do throws(Fault) { _ = try client.send(request) } catch {
      // Nothing is visible of it; the bucket's rule for unfinished uploads is the second broom.
      client.log.warning("parts of an unfinished upload stay in the bucket", metadata: ["reason": "\(error)"])
    }
  }
}
