// SPDX-License-Identifier: Apache-2.0
import Pipeline

/// The command that runs many cases as a Slurm array, with what it asks the cluster for.
struct SlurmLine {
  /// What is run.
  enum Verb: String {
    case classify, features, segment

    /// `-o`; segmentations of all shares go to one folder.
    var output: String {
      switch self {
      case .classify: "logits-{share}.npy"
      case .features: "features-{share}.npy"
      case .segment: "segmentations"
      }
    }
  }

  let verb: Verb
  let model: String
  let inputs: [String]
  let options: [String]
  let caseCount: Int
  /// What a case takes, by the estimates.
  let seconds: Double
  let peakByteCount: Int
  let threads: Int
  /// How many tasks there are; `nil` for about an hour's work each.
  let tasks: Int?

  /// Estimates are of one moment on one machine.
  private static let timeMargin = 2.0
  private static let memoryMargin = 1.25
  private static let leastSeconds = 600.0

  private var taskCount: Int {
    let whole = (seconds * Double(caseCount) / 3600).rounded(.up)
    return tasks ?? min(max(Int(whole), 1), caseCount)
  }

  private var time: String {
    let perTask = (Double(caseCount) / Double(taskCount)).rounded(.up) * seconds
    let minutes = Int((max(perTask * Self.timeMargin, Self.leastSeconds) / 60).rounded(.up))
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let clock = "\(padded(minutes / 60 % 24)):\(padded(minutes % 60)):00"
    return minutes < 1440 ? clock : "\(minutes / 1440)-\(clock)"
  }

  private var memory: String {
    "\(Int((Double(peakByteCount) * Self.memoryMargin / 1e8).rounded(.up)) * 100)M"
  }

  /// One line for a shell.
  var text: String {
    let command =
      ["nnrun", verb.rawValue, model] + inputs + options
      + ["--share", "auto", "-o", verb.output, "--skip-done", "--threads", "\(threads)", "--quiet"]
    let wrapped = command.map(Self.quoted).joined(separator: " ")
    return "sbatch --array=1-\(taskCount) --cpus-per-task=\(threads) --mem=\(memory) "
      + "--time=\(time) --requeue --wrap=\(Self.quoted(wrapped))"
  }

  /// A word as a shell reads it back.
  private static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || "-_./=,:+@%".utf8.contains(byte)
    }
    guard !plain || word.isEmpty else { return word }
    return "'"
      + word.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }
}
