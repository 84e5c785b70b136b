// Proof at start that a store keeps its rules: a lake on one that does not would lose commits silently.
//
//   1  an object written is read back: whole, in part, by its size, in the listing
//   2  a second put-if-absent of a name is refused and changes nothing
//   3  of eight writers that begin together exactly one wins, several times over, and its bytes are what is there
//   4  an object removed is gone
//
// Objects of the probe lie in a folder of their own, their names begin with a random tag, and they are removed again. Any
// number of servers may probe one store at once.

package import Bedrock
import Runtime
import Synchronization

package enum ObjectStoreProbe {
  /// The folder that the probe writes into.
  package static let folder = ObjectPath(literal: "_probe")
  static let writers = 8
  static let rounds = 3

  /// Throws 0A000 that names what `store` lacks, or the fault of a call that failed.
  package static func run(_ store: any ObjectStore, called name: String) throws(Fault) {
    let probe = Probe(store: store, name: name, tag: String(Entropy.word(), radix: 36))
    do throws(Fault) {
      try probe.readsBack()
      try probe.createsOnce()
      for round in 0..<rounds { try probe.race(round) }
    } catch {
      // What is left is small; the fault says more than another one about removing it.
      _ = Result { () throws(Fault) in try probe.cleanUp() }
      throw error
    }
    try probe.cleanUp()
  }
}

private struct Probe {
  let store: any ObjectStore
  let name: String
  let tag: String

  private func path(_ name: String) throws(Fault) -> ObjectPath {
    try ObjectStoreProbe.folder.appending("\(tag)-\(name)")
  }

  /// Objects of this probe in the listing.
  private func listed() throws(Fault) -> [ObjectEntry] {
    try store.list(ObjectStoreProbe.folder, startAfter: tag + "-", limit: 100).filter {
      $0.path.name.hasPrefix(tag + "-")
    }
  }

  private func refusal(_ what: String, hint: String) -> Fault {
    Fault(.featureNotSupported, "\(name) cannot hold a lake: \(what)", kind: .unsupported, hint: hint)
  }

  func readsBack() throws(Fault) {
    let path = try path("read")
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
    try store.put(path, bytes)
    var part = [UInt8](repeating: 0, count: 10)
    try part.withUnsafeMutableBufferPointer { (target) throws(Fault) in
      try store.read(path, at: 500, into: UnsafeMutableRawBufferPointer(target))
    }
    let whole = try store.get(path, bytesMax: 2_000)
    let size = try store.size(path)
    let listed = try listed()
    guard whole == bytes, part == Array(bytes[500..<510]), size == 1_000,
      listed.map(\.path) == [path], listed.map(\.size) == [1_000]
    else {
      throw refusal(
        "what was written is not what is read back, in whole, in part or in the listing",
        hint: "The store must be strongly consistent and serve ranges of bytes.")
    }
  }

  private var atomicityHint: String {
    "Commits need put-if-absent: link(2) on a file system, \"If-None-Match: *\" on an S3 store. A store or a gateway "
      + "that ignores the condition would let two servers overwrite each other's commits."
  }

  func createsOnce() throws(Fault) {
    let path = try path("once")
    guard try store.putIfAbsent(path, [1]) else {
      throw refusal("it says that a new name is taken", hint: atomicityHint)
    }
    guard try !store.putIfAbsent(path, [2]), try store.get(path, bytesMax: 10) == [1] else {
      throw refusal("it overwrites an object that should only be made when it is absent", hint: atomicityHint)
    }
  }

  /// Threads that meet at a line, then write the same name.
  func race(_ round: Int) throws(Fault) {
    let path = try path("race-\(round)")
    let ready = Monitor(0)
    let outcomes = Mutex<[Result<Int?, Fault>]>([])
    let store = self.store
    let threads = (0..<ObjectStoreProbe.writers).map { number in
      WorkerThread(stackBytes: 1 << 20) {
        ready.change { $0 += 1 }
        ready.wait { $0 == ObjectStoreProbe.writers ? () : nil }
        let outcome: Result<Int?, Fault>
        do throws(Fault) {
          outcome = .success(try store.putIfAbsent(path, [UInt8(number)]) ? number : nil)
        } catch { outcome = .failure(error) }
        outcomes.withLock { $0.append(outcome) }
      }
    }
    for thread in threads { thread.join() }
    var winners: [Int] = []
    for outcome in outcomes.withLock({ $0 }) {
      if let winner = try outcome.get() { winners.append(winner) }
    }
    guard winners.count == 1, try store.get(path, bytesMax: 10) == [UInt8(winners[0])] else {
      throw refusal(
        "of \(ObjectStoreProbe.writers) writers of one new object \(winners.count) were told that they had made it",
        hint: atomicityHint)
    }
  }

  func cleanUp() throws(Fault) {
    try store.delete(try listed().map(\.path))
    guard try listed().isEmpty else {
      throw refusal("an object that was deleted is still listed", hint: "The store must be strongly consistent.")
    }
  }
}
