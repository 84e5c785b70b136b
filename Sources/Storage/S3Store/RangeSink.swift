// A range of an object on its way into memory that the caller lends: bytes are copied once, from the socket's buffer to
// where they are wanted.
//
// After a broken transfer the next try asks only for what is missing. The object may have been replaced in between: the
// ETag of every try must be the first one's, otherwise all of it is read again.

import NIOCore
import NIOHTTP1
import Synchronization

// unchecked because the memory is written with the lock held, only while open, and its lender waits until it is closed.
final class RangeSink: @unchecked Sendable {
  private struct State {
    var filled = 0
    var isOpen = true
    var tag: String?
    var objectBytes: Int64?
    var hasChanged = false
  }
  private let target: UnsafeMutableRawBufferPointer
  private let state = Mutex(State())
  /// Where in the object the range begins.
  let offset: Int64
  var count: Int { target.count }

  init(offset: Int64, target: UnsafeMutableRawBufferPointer) {
    precondition(offset >= 0 && !target.isEmpty)
    self.offset = offset
    self.target = target
  }

  /// Bytes that are there.
  var filled: Int { state.withLock { $0.filled } }
  /// Length of the whole object, as the answer tells it.
  var objectBytes: Int64? { state.withLock { $0.objectBytes } }

  /// Before a try: the value of its Range header.
  func rangeHeader() -> String {
    state.withLock { state in
      if state.hasChanged {
        state.filled = 0
        state.tag = nil
        state.hasChanged = false
      }
      return "bytes=\(offset + Int64(state.filled))-\(offset + Int64(target.count) - 1)"
    }
  }

  /// Nothing is written after this.
  func close() { state.withLock { $0.isOpen = false } }

  /// The head of a successful answer.
  func begin(status: Int, _ headers: HTTPHeaders) throws(HTTPLoss) {
    try state.withLock { state throws(HTTPLoss) in
      let start = offset + Int64(state.filled)
      if status == 206 {
        guard let range = headers.first(name: "content-range").flatMap(Self.parse), range.lower == start else {
          throw HTTPLoss(reason: "the answer holds another range than was asked for")
        }
        state.objectBytes = range.total
      } else {
        // The whole object: fine when that is what was wanted.
        let length = headers.first(name: "content-length").flatMap { Int64($0) }
        guard start == 0, let length, length <= Int64(target.count) else {
          throw HTTPLoss(reason: "the store does not serve ranges of objects", isFinal: true)
        }
        state.objectBytes = length
      }
      let tag = headers.first(name: "etag")
      if state.tag != nil && state.tag != tag {
        state.hasChanged = true
        throw HTTPLoss(reason: "the object was replaced while it was read")
      }
      state.tag = tag
    }
  }

  func take(_ buffer: ByteBuffer) throws(HTTPLoss) {
    try state.withLock { state throws(HTTPLoss) in
      guard state.isOpen else { throw HTTPLoss(reason: "the request was given up") }
      let count = buffer.readableBytes
      guard count <= target.count - state.filled else {
        throw HTTPLoss(reason: "the answer has more bytes than were asked for", isFinal: true)
      }
      buffer.withUnsafeReadableBytes { bytes in
        UnsafeMutableRawBufferPointer(rebasing: target[state.filled..<state.filled + count]).copyMemory(from: bytes)
      }
      state.filled += count
    }
  }

  /// `bytes 0-9/100`; the length may be unknown (`*`).
  static func parse(_ text: String) -> (lower: Int64, upper: Int64, total: Int64?)? {
    guard text.hasPrefix("bytes "), let slash = text.firstIndex(of: "/") else { return nil }
    let bounds = text[text.index(text.startIndex, offsetBy: 6)..<slash].split(
      separator: "-", omittingEmptySubsequences: false)
    let total = text[text.index(after: slash)...]
    guard bounds.count == 2, let lower = Int64(bounds[0]), let upper = Int64(bounds[1]), lower >= 0, upper >= lower else {
      return nil
    }
    if total == "*" { return (lower, upper, nil) }
    guard let length = Int64(total), length > upper else { return nil }
    return (lower, upper, length)
  }
}
