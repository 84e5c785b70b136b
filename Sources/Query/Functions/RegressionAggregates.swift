// corr, covar_pop, covar_samp and regr_*: PostgreSQL's updates after Youngs and Cramer, and its way to merge them.
// Arguments are (Y, X); pairs with a null do not count.

import Bedrock
import Columnar
import Kernels

enum RegressionKind: String, CaseIterable, Sendable {
  case corr, covarPop = "covar_pop", covarSamp = "covar_samp", avgX = "regr_avgx", avgY = "regr_avgy"
  case count = "regr_count", intercept = "regr_intercept", r2 = "regr_r2", slope = "regr_slope"
  case sumXX = "regr_sxx", sumXY = "regr_sxy", sumYY = "regr_syy"

  static let all: [AggregateFunction] = allCases.map { kind in
    AggregateFunction(
      name: kind.rawValue, parameters: [.exact(.float8), .exact(.float8)],
      result: .fixed(kind == .count ? .int8 : .float8), valueOverNothing: kind == .count ? .integer(0) : .null
    ) { _ in RegressionState(kind) }
  }
}

final class RegressionState: AggregateState {
  /// Numbers of one group: count, sums, and sums of products of the differences from the means.
  private struct Moments {
    var n = 0.0, x = 0.0, xx = 0.0, y = 0.0, yy = 0.0, xy = 0.0

    mutating func add(y newY: Double, x newX: Double) {
      let oldN = n
      n += 1
      x += newX
      y += newY
      if oldN > 0 {
        let dx = newX * n - x, dy = newY * n - y
        let scale = 1 / (n * oldN)
        xx += dx * dx * scale
        yy += dy * dy * scale
        xy += dx * dy * scale
      }
      // the deviation from an infinite mean is no number
      if !newX.isFinite {
        xx = .nan
        xy = .nan
      }
      if !newY.isFinite {
        yy = .nan
        xy = .nan
      }
    }

    mutating func add(_ other: Moments) {
      if other.n == 0 { return }
      if n == 0 {
        self = other
        return
      }
      let total = n + other.n
      let dx = x / n - other.x / other.n, dy = y / n - other.y / other.n
      let scale = n * other.n / total
      xx += other.xx + scale * dx * dx
      yy += other.yy + scale * dy * dy
      xy += other.xy + scale * dx * dy
      x += other.x
      y += other.y
      n = total
    }
  }

  private let kind: RegressionKind
  private var moments: [Moments] = [Moments()]
  init(_ kind: RegressionKind) { self.kind = kind }

  var byteCount: Int { moments.capacity * MemoryLayout<Moments>.stride }
  func grow(to count: Int) { Functions.grow(&moments, to: count, Moments()) }

  func update(groups: Span<Int32>, arguments: [Column]) throws(Fault) {
    let y = arguments[0].flat(), x = arguments[1].flat()
    let validity = Bitmap.and(y.validity, x.validity)
    let ys = y.float64s, xs = x.float64s
    moments.withUnsafeMutableBufferPointer { moments in
      forEachSlot(groups, validity) { slot, row in moments[slot].add(y: ys[row], x: xs[row]) }
    }
  }

  func merge(_ other: any AggregateState, mapping: Span<Int32>) throws(Fault) {
    let other = sibling(other, of: RegressionState.self)
    for group in 0..<mapping.count { moments[Int(mapping[group]) + 1].add(other.moments[group + 1]) }
  }

  func finish() throws(Fault) -> Column {
    if kind == .count { return finished(.int8, moments.map { Int64($0.n) }) { _ in true } }
    let values = moments.map(value)
    return finished(.float8, values.map { $0 ?? 0 }) { values[$0] != nil }
  }

  private func value(_ m: Moments) -> Double? {
    if m.n < 1 { return nil }
    switch kind {
    case .count: return m.n
    case .avgX: return m.x / m.n
    case .avgY: return m.y / m.n
    case .sumXX: return m.xx
    case .sumYY: return m.yy
    case .sumXY: return m.xy
    case .covarPop: return m.xy / m.n
    case .covarSamp: return m.n < 2 ? nil : m.xy / (m.n - 1)
    case .corr: return m.xx == 0 || m.yy == 0 ? nil : m.xy / (m.xx * m.yy).squareRoot()
    case .r2: return m.xx == 0 ? nil : m.yy == 0 ? 1 : m.xy * m.xy / (m.xx * m.yy)
    case .slope: return m.xx == 0 ? nil : m.xy / m.xx
    case .intercept: return m.xx == 0 ? nil : (m.y - m.x * m.xy / m.xx) / m.n
    }
  }
}
