// The order in which PostgreSQL keeps the keys of a jsonb object: by length in bytes, then bytewise; of repeated keys
// the last one counts (manual section 8.14, and compareJsonbPair in its source).

import Bedrock

/// Members of objects in that order.
package enum JSONBOrder {
  /// Whether a key of these bytes stands before another.
  package static func precedes(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    a.count == b.count ? a.lexicographicallyPrecedes(b) : a.count < b.count
  }

  package static func sorted(_ fields: [JSONField]) -> [JSONField] {
    if fields.count < 2 { return fields }
    let order = fields.indices.sorted { left, right in
      let a = fields[left].key, b = fields[right].key
      // The place breaks ties, so that the last of equal keys stays the last.
      return a == b ? left < right : precedes(a.bytes, b.bytes)
    }
    var kept: [JSONField] = []
    for place in order {
      if let last = kept.last, last.key == fields[place].key { kept.removeLast() }
      kept.append(fields[place])
    }
    return kept
  }
}
