// SPDX-License-Identifier: Apache-2.0
/// Which ways a window is flipped for the predictions that are averaged.
enum Mirroring {
  /// nnU-Net's order: the window as it is, then every set of axes by size, and within a size by the
  /// axes' positions (`itertools.combinations`). No axes are no mirroring.
  static func sets(of axes: [Int]) -> [[Int]] {
    (0...axes.count).flatMap { combinations(of: axes[...], count: $0) }
  }

  private static func combinations(of axes: ArraySlice<Int>, count: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    guard let first = axes.first else { return [] }
    let rest = axes.dropFirst()
    return combinations(of: rest, count: count - 1).map { [first] + $0 }
      + combinations(of: rest, count: count)
  }
}
