// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import FileIO

/// What is wrong with a command line that cannot be understood, and what to do. A word that nobody knows goes
/// before what is missing: it is why.
struct UsageMistake {
  let problem: String
  let advice: String

  /// - Parameters:
  ///   - arguments: without the name of the program.
  ///   - problem: what ArgumentParser says of them.
  init(
    _ arguments: [String], of command: (some ParsableCommand).Type, named name: String,
    problem: String
  ) {
    let commands = command.configuration.subcommands
    let names = commands.map { $0._commandName }
    guard let word = arguments.first, !word.hasPrefix("-"), !names.isEmpty else {
      (self.problem, advice) = (problem, "see '\(name) --help'")
      return
    }
    guard let subcommand = commands.first(where: { $0._commandName == word }) else {
      self.problem = "there is no command \(DisplayText.quoted(word))"
      let closest = Spelling.closest(to: word, among: names)
      advice = closest.map { "did you mean '\($0)'?" } ?? "see '\(name) --help'"
      return
    }
    let help = "see '\(name) \(word) --help'"
    let known = Self.options(in: command.helpMessage(for: subcommand, includeHidden: true))
    let unknown = arguments.prefix { $0 != "--" }.lazy
      .filter { $0.hasPrefix("--") }
      .map { String($0.prefix { $0 != "=" }) }
      .first { !known.contains($0) }
    guard let unknown else {
      (self.problem, advice) = (problem, help)
      return
    }
    self.problem = "there is no option \(DisplayText.quoted(unknown))"
    let closest = Spelling.closest(to: unknown, among: known.sorted())
    advice = closest.map { "did you mean '\($0)'?" } ?? help
  }

  /// All long options that a help text names.
  private static func options(in help: String) -> Set<String> {
    var options: Set<String> = ["--help", "--version"]
    for word in help.split(whereSeparator: { " \n,[]()/|".contains($0) })
    where word.hasPrefix("--") {
      options.insert(String(word.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }))
    }
    return options
  }
}
