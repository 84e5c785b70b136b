// Validity: one bit a row, set = the value is there (Arrow's layout, least significant bit first, 64-bit words).

import Bedrock

package struct Bitmap: Sendable {
  package let buffer: Buffer
  package let count: Int

  /// `buffer` holds at least `wordCount(count)` words; bits past `count` are zero.
  package init(buffer: Buffer, count: Int) {
    precondition(buffer.byteCount >= Self.wordCount(count) * 8)
    self.buffer = buffer
    self.count = count
  }

  package static func wordCount(_ count: Int) -> Int { (count + 63) / 64 }

  /// A bitmap with `bits(i)` at row i; `nil` when every bit is set, which is how a column says "no nulls".
  package static func make(count: Int, bits: (Int) -> Bool) -> Bitmap? {
    var words = [UInt64](repeating: 0, count: wordCount(count))
    var set = 0
    for index in 0..<count where bits(index) {
      words[index >> 6] |= 1 << UInt64(index & 63)
      set += 1
    }
    return set == count ? nil : Bitmap(buffer: .copying(words), count: count)
  }

  package static func allClear(count: Int) -> Bitmap {
    Bitmap(buffer: Buffer(byteCount: wordCount(count) * 8), count: count)
  }

  package var words: Span<UInt64> {
    @_lifetime(borrow self)
    get { _overrideLifetime(buffer.span(of: UInt64.self), borrowing: self) }
  }

  package func isSet(_ index: Int) -> Bool {
    precondition(index >= 0 && index < count)
    return buffer.span(of: UInt64.self)[index >> 6] >> UInt64(index & 63) & 1 == 1
  }

  /// How many bits are set.
  package var setCount: Int {
    let words = self.words
    var total = 0
    for index in 0..<Self.wordCount(count) { total += words[index].nonzeroBitCount }
    return total
  }

  /// Both set. `nil` stands for all set, on the way in and out.
  package static func and(_ a: Bitmap?, _ b: Bitmap?) -> Bitmap? {
    guard let a else { return b }
    guard let b else { return a }
    precondition(a.count == b.count)
    let wordCount = Self.wordCount(a.count)
    let left = a.words, right = b.words
    let buffer = Buffer.of(UInt64.self, count: wordCount) { out in
      for index in 0..<wordCount { out[index] = left[index] & right[index] }
    }
    return Bitmap(buffer: buffer, count: a.count)
  }
}
