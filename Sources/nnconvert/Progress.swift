// SPDX-License-Identifier: Apache-2.0
import FileIO

/// A line on the terminal that says how far a conversion is, once it takes longer than a second.
struct Progress {
  private let isShown: Bool
  private let start = ContinuousClock.now
  private var isVisible = false

  init(isShown: Bool) { self.isShown = isShown }

  mutating func show(done: Int, of total: Int) {
    guard isShown, ContinuousClock.now - start > .seconds(1) else { return }
    isVisible = true
    StandardError.write("\r\(total > 0 ? 100 * done / total : 100) % written")
  }

  mutating func clear() {
    if isVisible { StandardError.write("\r\u{1B}[K") }
    isVisible = false
  }
}
