import FileIO

/// A line on the terminal that says how far the cases are and how long the rest will take.
struct CaseProgress {
  private let count: Int?
  private let isShown = StandardError.isTerminal
  private let start = ContinuousClock.now
  private var finished = 0
  private var isVisible = false

  init(count: Int?) { self.count = count }

  mutating func begin() { show(window: 0, of: 1) }

  mutating func finishEntry() { finished += 1 }

  mutating func show(window: Int, of windows: Int) {
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    guard isShown, elapsed > 0.5 else { return }
    isVisible = true
    var text = "\r\u{1B}[Kcase \(finished + 1)\(count.map { " of \($0)" } ?? "")"
    if windows > 1 { text += ", window \(window) of \(windows)" }
    let share = (Double(finished) + Double(window) / Double(windows)) / Double(count ?? 0)
    if share.isFinite, share > 0 {
      text += ", \(Self.duration(elapsed * (1 - share) / share)) left"
    }
    StandardError.write(text)
  }

  mutating func clear() {
    if isVisible { StandardError.write("\r\u{1B}[K") }
    isVisible = false
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
