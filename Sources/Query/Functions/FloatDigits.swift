// A float with a given number of significant digits, as C's %g writes it.

import Glibc

enum FloatDigits {
  /// `value` with `digits` significant digits, in fixed or exponent form, without trailing zeros.
  static func general(_ value: Double, digits: Int) -> [UInt8] {
    formatted(value) { buffer, size, value in
      withVaList([Int32(digits), value]) { vsnprintf(buffer, size, "%.*g", $0) }
    }
  }

  /// `value` with `places` digits after the point.
  static func fixed(_ value: Double, places: Int) -> [UInt8] {
    formatted(value) { buffer, size, value in
      withVaList([Int32(places), value]) { vsnprintf(buffer, size, "%.*f", $0) }
    }
  }

  private static func formatted(
    _ value: Double, _ format: (UnsafeMutablePointer<CChar>, Int, Double) -> Int32
  ) -> [UInt8] {
    // 309 digits before the point and up to 100 after it
    var buffer = [CChar](repeating: 0, count: 512)
    let written = buffer.withUnsafeMutableBufferPointer { format($0.baseAddress!, 512, value) }
    return buffer.prefix(max(0, min(Int(written), 511))).map { UInt8(bitPattern: $0) }
  }
}
