// SQL's order of two values, written down a second time: what tests compare the product's pruning and filters with.

package import Columnar

extension Scalar {
  /// Negative, zero or positive. NaN is equal to itself and greater than all numbers, decimals of different scale are
  /// compared by value, text and bytes by their bytes. Neither value is null; both are of one type.
  package func order(_ other: Scalar) -> Int {
    func sign<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }
    switch (self, other) {
    case (.boolean(let a), .boolean(let b)): return sign(a ? 1 : 0, b ? 1 : 0)
    case (.integer(let a), .integer(let b)): return sign(a, b)
    case (.float(let a), .float(let b)):
      return a.isNaN || b.isNaN ? sign(a.isNaN ? 1 : 0, b.isNaN ? 1 : 0) : sign(a, b)
    case (.numeric(let a), .numeric(let b)):
      func scaled(_ value: Numeric) -> Int128 { (value.scale..<6).reduce(value.coefficient) { value, _ in value * 10 } }
      return sign(scaled(a), scaled(b))
    case (.bytes(let a), .bytes(let b)): return a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
    default: preconditionFailure("values of one type")
    }
  }
}
