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

  func show(window: Int, of windows: Int) {
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    guard elapsed > 0.5 else { return }
    var text = "case \(finished + 1)\(count.map { " of \($0)" } ?? "")"
    if windows > 1 { text += ", window \(window) of \(windows)" }
    let share = (Double(finished) + Double(window) / Double(windows)) / Double(count ?? 0)
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
