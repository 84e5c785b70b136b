// Reading: whole objects, ranges, sizes and listings.

package import Bedrock
import NIOCore
import NIOHTTP1
package import ObjectStore

extension S3ObjectStore {
  /// A request takes about as long as this many bytes on a fast network.
  package var readGapBytes: Int { 1 << 20 }

  package func get(_ path: ObjectPath, bytesMax: Int) throws(Fault) -> [UInt8]? {
    precondition(bytesMax >= 0)
    var request = S3Request("read \"\(path)\"", .GET, key: try key(path))
    request.accepted = [404]
    request.answerBytesMax = bytesMax
    let answer = try client.send(request)
    return answer.status == 404 ? nil : answer.body
  }

  package func read(
    _ path: ObjectPath, at offset: Int64, into target: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    try read(path, [ObjectRange(offset: offset, target: target)])
  }

  package func read(_ path: ObjectPath, _ ranges: [ObjectRange]) throws(Fault) {
    let key = try key(path)
    var pieces: [RangeSink] = []
    for range in ranges where !range.target.isEmpty { append(range, to: &pieces) }
    guard !pieces.isEmpty else {
      guard try size(path) != nil else {
        throw Fault(.undefinedFile, "\"\(path)\" does not exist", kind: .gone)
      }
      return
    }
    let window = client.options.rangesInFlightMax
    var calls: [S3Call] = []
    // Whatever happens, no event loop writes into the caller's memory after this call.
    defer { for call in calls { call.cancel() } }
    for index in pieces.indices {
      while calls.count < min(pieces.count, index + window) { calls.append(call(path, key, pieces[calls.count])) }
      try finish(calls[index], path, pieces[index])
    }
  }

  /// Splits a range into pieces of `rangeBytes`, the last of which may be up to half as long again.
  private func append(_ range: ObjectRange, to pieces: inout [RangeSink]) {
    let step = client.options.rangeBytes
    var start = 0
    while start < range.target.count {
      let left = range.target.count - start
      let count = left <= step + step / 2 ? left : step
      pieces.append(
        RangeSink(
          offset: range.offset + Int64(start),
          target: UnsafeMutableRawBufferPointer(rebasing: range.target[start..<start + count])))
      start += count
    }
  }

  private func call(_ path: ObjectPath, _ key: String, _ piece: RangeSink) -> S3Call {
    var request = S3Request("read \"\(path)\"", .GET, key: key)
    request.sink = piece
    request.accepted = [404, 416]
    let call = S3Call(client, request)
    call.start()
    return call
  }

  private func finish(_ call: S3Call, _ path: ObjectPath, _ piece: RangeSink) throws(Fault) {
    let answer = try call.finish()
    if answer.status == 404 { throw Fault(.undefinedFile, "\"\(path)\" does not exist", kind: .gone) }
    guard answer.status != 416, piece.filled == piece.count else {
      let length = piece.objectBytes.map { "The object has \($0) bytes. " } ?? ""
      throw Fault.corrupt(
        "\"\(path)\" is shorter than expected",
        detail: "\(length)Bytes \(piece.offset) to \(piece.offset + Int64(piece.count)) were asked for, "
          + "\(answer.status == 416 ? 0 : piece.filled) could be read.")
    }
  }

  package func size(_ path: ObjectPath) throws(Fault) -> Int64? {
    guard let answer = try client.head(path, key: key(path)) else { return nil }
    guard let length = answer.header("content-length").flatMap({ Int64($0) }), length >= 0 else {
      throw Fault.corrupt("the object store does not tell the length of \"\(path)\"")
    }
    return length
  }

  package func list(_ folder: ObjectPath, startAfter: String?, limit: Int) throws(Fault) -> [ObjectEntry] {
    precondition(limit > 0)
    var entries: [ObjectEntry] = []
    var last = startAfter
    try forEachPage(folder, startAfter: startAfter, pageKeysMax: { limit - entries.count }) { (page, prefix) throws(Fault) in
      for object in page.objects {
        guard let entry = try entry(object, in: folder, prefix: prefix, after: last) else { continue }
        last = entry.path.name
        entries.append(entry)
        if entries.count == limit { return false }
      }
      return true
    }
    return entries
  }

  /// Hands over the pages of a listing of one folder, or of the root, with the prefix of its keys, until there are no more or `body` says
  /// that it has enough.
  func forEachPage(
    _ folder: ObjectPath?, startAfter: String?, pageKeysMax: () -> Int,
    _ body: (ListPage, String) throws(Fault) -> Bool
  ) throws(Fault) {
    let prefix: String
    if let folder { prefix = try key(folder) + "/" } else { prefix = client.endpoint.key("") }
    let folder = folder?.text ?? ""
    var continuation: String?
    while true {
      var request = S3Request("list \"\(folder)\"", .GET, key: nil)
      request.query = [
        ("list-type", "2"), ("prefix", prefix), ("delimiter", "/"), ("encoding-type", "url"),
        ("max-keys", "\(min(S3Options.keysMax, pageKeysMax()))"),
      ]
      if let continuation {
        request.query.append(("continuation-token", continuation))
      } else if let startAfter {
        request.query.append(("start-after", prefix + startAfter))
      }
      let page = try ListPage(parsing: try client.send(request).body)
      guard try body(page, prefix), let next = page.continuation else { return }
      guard next != continuation else {
        throw Fault.corrupt("the object store's listing of \"\(folder)\" does not end")
      }
      continuation = next
    }
  }

  /// Nil for what is no object of ours: the folder's own mark, names that no path can hold, and what a store lists
  /// although it comes before `after`.
  private func entry(
    _ object: ListPage.Object, in folder: ObjectPath, prefix: String, after last: String?
  ) throws(Fault) -> ObjectEntry? {
    guard let name = try Self.name(object.key, prefix) else { return nil }
    if let last, !last.utf8.lexicographicallyPrecedes(name.utf8) { return nil }
    guard let path = try? folder.appending(name), path.parts.count == folder.parts.count + 1 else {
      // `try?` because a name that is no path was not written through this store; nobody could read or delete it here.
      return nil
    }
    return ObjectEntry(path: path, size: object.size, modifiedMicros: object.modifiedMicros)
  }
}
