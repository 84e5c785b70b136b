// Memory that columns share. Filled once by whoever makes it, then never changed.

import Bedrock

/// An immutable, 64-byte aligned run of bytes, shared by reference. At least 64 readable bytes follow the end, so that
/// kernels may load whole vectors past it.
// unchecked Sendable because the bytes are written only inside `init`, before the reference exists elsewhere.
package final class Buffer: @unchecked Sendable {
  private let base: UnsafeMutableRawPointer
  package let byteCount: Int
  private static let padding = 64

  /// A buffer of `byteCount` zero bytes that `fill` may overwrite.
  package init(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void = { _ in }) {
    precondition(byteCount >= 0)
    base = .allocate(byteCount: byteCount + Self.padding, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount + Self.padding)
    self.byteCount = byteCount
    fill(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
  }

  /// A buffer of `byteCount` bytes that `fill` must overwrite wholly.
  package init(uninitializedByteCount byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
    base = Self.allocate(byteCount)
    self.byteCount = byteCount
    fill(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
  }

  /// The same with a fill that may fail.
  package init<E: Error>(
    uninitializedByteCount byteCount: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    base = Self.allocate(byteCount)
    self.byteCount = byteCount
    try fill(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
  }

  /// Takes over memory that `OpenBuffer` allocated and its owner has filled.
  fileprivate init(adopting base: UnsafeMutableRawPointer, byteCount: Int) {
    self.base = base
    self.byteCount = byteCount
  }

  /// Memory of `byteCount` bytes, not filled, and its padding of zeros.
  fileprivate static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    precondition(byteCount >= 0)
    let base = UnsafeMutableRawPointer.allocate(byteCount: byteCount + padding, alignment: 64)
    (base + byteCount).initializeMemory(as: UInt8.self, repeating: 0, count: padding)
    return base
  }

  deinit { base.deallocate() }

  /// `count` values made by `fill`, which must set every one.
  package static func of<T: BitwiseCopyable>(
    _ type: T.Type, count: Int, fill: (inout MutableSpan<T>) -> Void
  ) -> Buffer {
    Buffer(uninitializedByteCount: count * MemoryLayout<T>.stride) { raw in
      var span = MutableSpan<T>(_unsafeElements: raw.bindMemory(to: T.self))
      fill(&span)
    }
  }

  /// The same with a fill that may fail.
  package static func of<T: BitwiseCopyable, E: Error>(
    _ type: T.Type, count: Int, fill: (inout MutableSpan<T>) throws(E) -> Void
  ) throws(E) -> Buffer {
    try Buffer(uninitializedByteCount: count * MemoryLayout<T>.stride) { (raw) throws(E) in
      var span = MutableSpan<T>(_unsafeElements: raw.bindMemory(to: T.self))
      try fill(&span)
    }
  }

  /// A copy of an array's values.
  package static func copying<T: BitwiseCopyable>(_ values: [T]) -> Buffer {
    Buffer(uninitializedByteCount: values.count * MemoryLayout<T>.stride) { raw in
      values.withUnsafeBytes { raw.copyMemory(from: $0) }
    }
  }

  package var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: byteCount)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes as values of `T`.
  @_lifetime(borrow self)
  package borrowing func span<T: BitwiseCopyable>(of type: T.Type) -> Span<T> {
    let count = byteCount / MemoryLayout<T>.stride
    let span = Span<T>(_unsafeStart: UnsafePointer(base.assumingMemoryBound(to: T.self)), count: count)
    return _overrideLifetime(span, borrowing: self)
  }

  /// For C calls and kernels that have proved themselves with a benchmark.
  package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: byteCount))
  }
}

/// Memory of a `Buffer` while it is being filled. A loop that a closure must carry into another module calls the closures
/// it captured once a value; around this type it is one function, and they are inlined.
package struct OpenBuffer: ~Copyable {
  /// 64-byte aligned, not initialized. Not to be used after `close`.
  package let base: UnsafeMutableRawPointer
  private let byteCount: Int

  package init(byteCount: Int) {
    base = Buffer.allocate(byteCount)
    self.byteCount = byteCount
  }

  /// The memory as a buffer. Every byte must have been written.
  package consuming func close() -> Buffer {
    let buffer = Buffer(adopting: base, byteCount: byteCount)
    discard self
    return buffer
  }

  deinit { base.deallocate() }
}
