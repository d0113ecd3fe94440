// SPDX-License-Identifier: Apache-2.0
package import FileIO

/// What a command tells people while it works: lines on stderr, and a line of progress that they replace.
package final class Reporter {
  private let name: String
  private let isQuiet: Bool
  private let isVerbose: Bool
  private let log: LogFile?
  private let showsProgress: Bool
  private var hasProgress = false

  /// - Parameters:
  ///   - name: of the command.
  ///   - isQuiet: whether only errors are told.
  ///   - isVerbose: whether places are told that may hold names of people.
  ///   - log: a file that has every line too, told or not.
  package init(
    name: String, isQuiet: Bool = false, isVerbose: Bool = false, log: LogFile? = nil
  ) {
    self.name = name
    self.isQuiet = isQuiet
    self.isVerbose = isVerbose
    self.log = log
    showsProgress = !isQuiet && StandardError.isTerminal
  }

  /// The line of a message, and how all begin.
  package static func line(_ name: String, _ text: String = "") -> String { "\(name): \(text)" }

  /// Tells what the user should know.
  package func warn(_ text: String) { tell("warning", text, isHeard: !isQuiet) }

  /// Tells what may be of interest.
  package func note(_ text: String) { tell("note", text, isHeard: !isQuiet) }

  /// Tells of a failure after which work goes on.
  package func report(_ error: any Error, about subject: String) {
    tell("error", "\(subject): \(CommandLineTool.message(of: error))", isHeard: true)
    guard isVerbose, let place = CommandLineTool.confidentialPlace(of: error) else { return }
    tell("note", place, isHeard: true)
  }

  /// Shows how far the work is, on a terminal.
  package func show(progress text: String) {
    guard showsProgress else { return }
    StandardError.write("\r\u{1B}[K\(text)")
    hasProgress = true
  }

  /// Takes the progress away.
  package func clearProgress() {
    if hasProgress { StandardError.write("\r\u{1B}[K") }
    hasProgress = false
  }

  private func tell(_ label: String, _ text: String, isHeard: Bool) {
    clearProgress()
    let line = Self.line(name, "\(label): \(text)")
    if isHeard { StandardError.writeLine(line) }
    log?.append(line)
  }
}
