// Ingest as a service: one thread of its own for the loop, ended by graceful shutdown.

import Bedrock
package import Logging
package import Privacy
package import Runtime
import ServiceLifecycle
package import StorageContract

/// Carries one stream into the storage from `run` until graceful shutdown or cancellation.
package final class IngestService: Service {
  private let options: IngestOptions
  private let sink: any AppendSink
  private let directory: any TableDirectory
  private let keyring: Keyring
  private let clock: Clock
  private let log: Logger
  private let stop = StopSignal()
  private let board: StatusBoard

  package init(
    options: IngestOptions, sink: any AppendSink, directory: any TableDirectory, keyring: Keyring,
    clock: Clock = .system, log: Logger
  ) {
    self.options = options
    self.sink = sink
    self.directory = directory
    self.keyring = keyring
    self.clock = clock
    self.log = log
    board = StatusBoard(IngestStatus(stream: options.stream.name, consumer: options.consumer))
  }

  /// The status as it is now. From any thread.
  package var status: IngestStatus { board.current }

  /// Ends the loop after the batch in work. `run` returns then.
  package func stopLoop() { stop.stop() }

  /// Runs the loop on its own thread; returns when stopped.
  package func run() async throws {
    await withTaskCancellationHandler {
      await withGracefulShutdownHandler {
        await withCheckedContinuation { (ended: CheckedContinuation<Void, Never>) in
          let run = self.runBlocking
          _ = WorkerThread {
            run()
            ended.resume()
          }
        }
      } onGracefulShutdown: {
        self.stop.stop()
      }
    } onCancel: {
      self.stop.stop()
    }
  }

  /// Runs the loop on the calling thread until stopped.
  package func runBlocking() {
    let applier = BatchApplier(sink: sink, directory: directory, keyring: keyring, stream: options.stream)
    IngestLoop(
      options: options, sink: sink, applier: applier, clock: clock, log: log, stop: stop, board: board
    ).run()
  }
}
