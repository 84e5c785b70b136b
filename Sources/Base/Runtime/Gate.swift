// A mutex with a condition, bare: for the few places whose state cannot live inside a `Monitor`.

import Bedrock
package import Glibc

// unchecked Sendable because both are made for sharing.
package final class Gate: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // Waiting for a length of time must not depend on somebody setting the wall clock.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  package func lock() { pthread_mutex_lock(mutex) }
  package func unlock() { pthread_mutex_unlock(mutex) }

  package func withLock<R>(_ body: () -> R) -> R {
    lock()
    defer { unlock() }
    return body()
  }

  /// Only while locked.
  package func wait() { pthread_cond_wait(condition, mutex) }
  package func wakeOne() { pthread_cond_signal(condition) }
  package func wakeAll() { pthread_cond_broadcast(condition) }

  /// The moment that lies so far ahead, for `wait(until:)`.
  package static func deadline(afterMicros micros: Int64) -> timespec {
    precondition(micros >= 0)
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    let nanos = Int64(deadline.tv_nsec) + micros % 1_000_000 * 1_000
    deadline.tv_sec += Int(micros / 1_000_000 + nanos / 1_000_000_000)
    deadline.tv_nsec = Int(nanos % 1_000_000_000)
    return deadline
  }

  /// Only while locked. False once the deadline has passed.
  package func wait(until deadline: timespec) -> Bool {
    var deadline = deadline
    return pthread_cond_timedwait(condition, mutex, &deadline) != ETIMEDOUT
  }
}
