// SPDX-License-Identifier: Apache-2.0
/// An interval by drawing groups (patients) with replacement: several scans of one patient are not
/// independent, which DeLong's formula supposes.
package enum PatientBootstrap {
  private static let draws = 2000

  /// The 95 % interval of `statistic`; `nil` where too few draws have one.
  ///
  /// - Parameters:
  ///   - groups: the group of every case, `0..<groupCount`.
  ///   - statistic: the figure of some cases, which may repeat; NaN where they have none.
  package static func interval(
    groups: [Int], groupCount: Int, seed: UInt64, statistic: ([Int]) -> Double
  ) -> ClosedRange<Double>? {
    var members = [[Int]](repeating: [], count: groupCount)
    for (index, group) in groups.enumerated() { members[group].append(index) }
    var values: [Double] = []
    for draw in 0..<draws {
      let random = CounterRandom(seed: seed, stream: [UInt64(draw)])
      let cases = (0..<groupCount).flatMap { members[random.integer(at: $0, below: groupCount)] }
      let value = statistic(cases)
      if value.isFinite { values.append(value) }
    }
    guard values.count > draws / 2 else { return nil }
    values.sort()
    return Percentile.of(sorted: values, 2.5)...Percentile.of(sorted: values, 97.5)
  }
}

/// NumPy's `percentile`, linear between neighbours.
package enum Percentile {
  package static func of(sorted values: [Double], _ percent: Double) -> Double {
    let position = percent / 100 * Double(values.count - 1)
    let below = Int(position)
    guard below + 1 < values.count else { return values[values.count - 1] }
    return values[below] + (values[below + 1] - values[below]) * (position - Double(below))
  }
}
