// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface

/// Tells how many scans are done, and for how long it will go on.
struct ScanProgress {
  private let count: Int
  private let reporter: Reporter
  private let start = ContinuousClock.now
  /// How many were not kept from before.
  private(set) var computed = 0

  init(count: Int, _ reporter: Reporter) {
    self.count = count
    self.reporter = reporter
  }

  /// After every scan.
  mutating func note(done: Int, isCached: Bool = false) {
    computed += isCached ? 0 : 1
    guard !isCached, computed == 1 || done % 10 == 0 else { return }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let left = seconds / Double(computed) * Double(count - done)
    reporter.note("\(done) of \(count) scans, about \(Int(left.rounded(.up))) s left")
  }
}
