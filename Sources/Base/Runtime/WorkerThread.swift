// One thread with a chosen stack size.

import Bedrock
import Glibc

package final class WorkerThread: @unchecked Sendable {
  // unchecked because `handle` is written once, in `init`, and joined by one owner.
  private var handle = pthread_t()

  private final class Start {
    let body: @Sendable () -> Void
    init(body: @escaping @Sendable () -> Void) { self.body = body }
  }

  package init(stackBytes: Int = 16 << 20, _ body: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    precondition(pthread_attr_setstacksize(&attributes, stackBytes) == 0)
    let start = Unmanaged.passRetained(Start(body: body))
    let status = pthread_create(
      &handle, &attributes,
      { argument in
        // The pointer is the retained Start handed over in pthread_create's last argument, never nil.
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        start.body()
        return nil
      }, start.toOpaque())
    precondition(status == 0, "no thread could be made: errno \(status)")
  }

  /// Waits for the end. Once only.
  package func join() { pthread_join(handle, nil) }
}
