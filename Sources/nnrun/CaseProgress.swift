// SPDX-License-Identifier: Apache-2.0
import CommandLineInterface

/// How far the cases are and how long the rest will take, as a line on the terminal.
struct CaseProgress {
  private let count: Int?
  private let reporter: Reporter
  private let start = ContinuousClock.now
  private var finished = 0

  init(count: Int?, _ reporter: Reporter) {
    self.count = count
    self.reporter = reporter
  }

  mutating func finishEntry() { finished += 1 }

  /// - Parameters:
  ///   - window: how many windows of a case are done.
  ///   - stage: a cascade's stage that is at work.
  func show(window: Int, of windows: Int, stage: Int = 0, of stages: Int = 1) {
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    guard elapsed > 0.5 else { return }
    var text = "case \(finished + 1)\(count.map { " of \($0)" } ?? "")"
    if stages > 1 { text += ", stage \(stage + 1) of \(stages)" }
    if windows > 1 { text += ", window \(window) of \(windows)" }
    let ofCase = (Double(stage) + Double(window) / Double(windows)) / Double(stages)
    let share = (Double(finished) + ofCase) / Double(count ?? 0)
    if share.isFinite, share > 0 {
      text += ", \(Self.duration(elapsed * (1 - share) / share)) left"
    }
    reporter.show(progress: text)
  }

  /// Seconds as `0:07` or `1:02:03`.
  static func duration(_ seconds: Double) -> String {
    let total = Int(min(max(seconds, 0), 1e9).rounded(.up))
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let minutes = total / 60 % 60
    return total < 3600
      ? "\(minutes):\(padded(total % 60))"
      : "\(total / 3600):\(padded(minutes)):\(padded(total % 60))"
  }
}
