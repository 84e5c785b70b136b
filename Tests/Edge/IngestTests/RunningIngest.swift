// An ingest loop on a thread of its own.

import Foundation
import Ingest
import Logging
import Privacy

final class RunningIngest {
  let service: IngestService
  private let ended = DispatchSemaphore(value: 0)
  private var isRunning = true

  init(options: IngestOptions, store: MemoryStore, keyring: Keyring = Keyring(masterKey: [UInt8](repeating: 9, count: 32))) {
    let service = IngestService(
      options: options, sink: store, directory: store, keyring: keyring,
      log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    self.service = service
    let ended = self.ended
    Thread {
      service.runBlocking()
      ended.signal()
    }.start()
  }

  func stop() {
    guard isRunning else { return }
    service.stopLoop()
    ended.wait()
    isRunning = false
  }

  deinit { stop() }
}
