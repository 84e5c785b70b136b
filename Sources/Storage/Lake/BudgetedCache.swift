// A cache within a byte budget, for what is worth reading once: S3-FIFO (J. Yang and others, SOSP 2023).
//
//   new key ──► small (a tenth of the budget) ──seen again──► main (the rest), second chances by a counter of 0...3
//                  └──not seen again──► out, its key remembered for a while in `ghost`; a remembered key goes to main
//
// One long scan passes through `small` and leaves what others keep asking for. Keys are spread over shards with a lock
// each, so that no lock is common to all readers; nothing is computed or freed of weight while one is held.
//
// Invariants: the bytes of all entries never exceed the budget after an insert; a value heavier than a shard is not kept.

import Bedrock
import Synchronization

final class BudgetedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private final class Node {
    let key: Key
    let value: Value
    let byteCount: Int
    /// Times it was asked for since it came or had its last chance, at most 3.
    var uses = 0
    init(key: Key, value: Value, byteCount: Int) {
      self.key = key
      self.value = value
      self.byteCount = byteCount
    }
  }

  /// First in, first out, without moving elements at each take.
  private struct Queue<Element> {
    private var elements: [Element?] = []
    private var head = 0
    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }
    mutating func append(_ element: Element) { elements.append(element) }
    mutating func takeFirst() -> Element? {
      guard head < elements.count else { return nil }
      let element = elements[head]
      elements[head] = nil
      head += 1
      if head > 64 && head * 2 > elements.count {
        elements.removeFirst(head)
        head = 0
      }
      return element
    }
  }

  private struct Shard {
    var nodes: [Key: Node] = [:]
    var small = Queue<Node>()
    var main = Queue<Node>()
    var smallBytes = 0
    var mainBytes = 0
    var ghost = Queue<Int>()
    var ghostKeys: Set<Int> = []

    mutating func find(_ key: Key) -> Value? {
      guard let node = nodes[key] else { return nil }
      if node.uses < 3 { node.uses += 1 }
      return node.value
    }

    /// Returns what had to go, to be freed without the lock.
    mutating func insert(_ node: Node, bytesMax: Int) -> [Node] {
      if nodes[node.key] != nil { return [] }
      nodes[node.key] = node
      if ghostKeys.remove(node.key.hashValue) != nil {
        main.append(node)
        mainBytes += node.byteCount
      } else {
        small.append(node)
        smallBytes += node.byteCount
      }
      var gone: [Node] = []
      while smallBytes + mainBytes > bytesMax {
        if let node = smallBytes > bytesMax / 10 || main.isEmpty ? passSmall() : passMain() { gone.append(node) }
      }
      return gone
    }

    private mutating func passSmall() -> Node? {
      guard let node = small.takeFirst() else { return nil }
      smallBytes -= node.byteCount
      if node.uses > 0 {
        node.uses = 0
        main.append(node)
        mainBytes += node.byteCount
        return nil
      }
      nodes[node.key] = nil
      let hash = node.key.hashValue
      if ghostKeys.insert(hash).inserted { ghost.append(hash) }
      while ghost.count > max(64, nodes.count) { if let old = ghost.takeFirst() { ghostKeys.remove(old) } }
      return node
    }

    private mutating func passMain() -> Node? {
      guard let node = main.takeFirst() else { return nil }
      if node.uses > 0 {
        node.uses -= 1
        main.append(node)
        return nil
      }
      mainBytes -= node.byteCount
      nodes[node.key] = nil
      return node
    }
  }

  // unchecked Sendable because every access to the shard holds its lock.
  private final class Locked: @unchecked Sendable {
    private var shard = Shard()
    private let lock = Mutex<Void>(())
    func with<R>(_ body: (inout Shard) -> R) -> R {
      lock.withLock { _ in body(&shard) }
    }
  }

  private let shards: [Locked]
  private let shardBytesMax: Int
  let bytesMax: Int

  /// - Parameter bytesMax: of all values; 0 keeps nothing.
  init(bytesMax: Int) {
    precondition(bytesMax >= 0)
    self.bytesMax = bytesMax
    // A shard below 4 MiB would refuse single dictionaries.
    let count = max(1, min(16, bytesMax / (4 << 20)))
    shards = (0..<count).map { _ in Locked() }
    shardBytesMax = bytesMax / count
  }

  private func shard(_ key: Key) -> Locked { shards[Int(UInt(bitPattern: key.hashValue) % UInt(shards.count))] }

  func find(_ key: Key) -> Value? {
    if bytesMax == 0 { return nil }
    return shard(key).with { $0.find(key) }
  }

  /// Keeps a value of `byteCount` bytes, if it fits at all. A value that is there already stays.
  func insert(_ key: Key, _ value: Value, byteCount: Int) {
    precondition(byteCount >= 0)
    if byteCount > shardBytesMax { return }
    let node = Node(key: key, value: value, byteCount: byteCount)
    let gone = shard(key).with { $0.insert(node, bytesMax: shardBytesMax) }
    // Freed here, after the lock.
    withExtendedLifetime(gone) {}
  }

  /// Bytes of all values that are kept.
  var bytesUsed: Int { shards.reduce(0) { $0 + $1.with { $0.smallBytes + $0.mainBytes } } }
  var count: Int { shards.reduce(0) { $0 + $1.with { $0.nodes.count } } }
}
