// Bytes between a worker and a socket, with back-pressure.
//
// A worker hands over bytes and goes on; when too many are on their way it puts itself to rest by leaving behind what is
// to be done once they are written. No thread waits for a slow client.

import Bedrock
import NIOCore
import Synchronization

/// The way from the workers to one channel. Safe to use from any thread; bytes keep the order of `send`.
final class Outbox: Sendable {
  private struct State: Sendable {
    var bytesPending = 0
    var isClosed = false
    var resume: (@Sendable () -> Void)?
  }
  /// Above this a worker rests, below the other it goes on.
  private static let highWater = 256 << 10
  private static let lowWater = 64 << 10

  private let channel: any Channel
  private let state = Mutex(State())

  init(channel: any Channel) { self.channel = channel }

  var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Sends bytes; closes the connection after them if asked.
  func send(_ bytes: UnsafeRawBufferPointer, thenClose: Bool = false) {
    let count = bytes.count
    let accepted = state.withLock { state in
      if state.isClosed { return false }
      state.bytesPending += count
      return true
    }
    guard accepted else { return }
    var buffer = channel.allocator.buffer(capacity: count)
    buffer.writeBytes(bytes)
    let written = channel.writeAndFlush(buffer)
    written.whenComplete { [self] _ in
      wrote(count)
      if thenClose { channel.close(promise: nil) }
    }
  }

  func close() { channel.close(promise: nil) }

  /// True when too much is on its way: `resume` is then called later, once, from the channel's thread.
  func mustRest(resume: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      precondition(state.resume == nil, "one worker at a time serves a connection")
      guard state.bytesPending > Self.highWater && !state.isClosed else { return false }
      state.resume = resume
      return true
    }
  }

  private func wrote(_ count: Int) {
    let resume = state.withLock { state in
      state.bytesPending -= count
      precondition(state.bytesPending >= 0)
      guard state.bytesPending <= Self.lowWater || state.isClosed else { return nil as (@Sendable () -> Void)? }
      defer { state.resume = nil }
      return state.resume
    }
    resume?()
  }

  /// The socket is gone: nothing is sent any more and a resting worker is woken.
  func channelClosed() {
    let resume = state.withLock { state in
      state.isClosed = true
      defer { state.resume = nil }
      return state.resume
    }
    resume?()
  }
}
