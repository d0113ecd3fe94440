// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// Help that fits a terminal, and errors that say what was meant.
@Suite struct HelpTests {
  /// Every command with its subcommands, as its own help lists them.
  static let commands: [[String]] = ["nnrun", "nnconvert", "nntrain"].flatMap { name in
    let text = (try? Command.run(name, ["--help"]))?.output ?? ""
    let list = text.split(separator: "\n").drop { $0 != "SUBCOMMANDS:" }
    let names = list.filter { $0.hasPrefix("  ") && $0.dropFirst(2).first?.isLetter == true }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    return [[name]] + names.filter { $0 != "See" }.map { [name, $0] }
  }

  @Test func commandsAreFound() { #expect(Self.commands.count >= 20) }

  @Test(arguments: commands)
  func helpFitsATerminal(command: [String]) throws {
    let rest: [String] = Array(command.dropFirst())
    for arguments in [rest + ["--help"], ["help"] + rest] {
      let help = try Command.run(
        command[0], arguments, environment: ["COLUMNS": "80"])
      #expect(
        help.status == 0 && help.errors.isEmpty && help.output.contains("USAGE: \(command[0])"))
      for line in help.output.split(separator: "\n") {
        #expect(line.count <= 80, "\(line)")
      }
    }
  }

  @Test(arguments: commands)
  func helpHasAnExample(command: [String]) throws {
    let rest: [String] = Array(command.dropFirst())
    let help = try Command.run(command[0], rest + ["--help"])
    #expect(help.output.contains("Example"))
    #expect(help.output.contains("  \(command.joined(separator: " ")) "))
  }

  @Test(arguments: [
    ("nnrun", ["clasify"], "no command 'clasify' — did you mean 'classify'?"),
    ("nnrun", ["plna", "m.swt"], "did you mean 'plan'?"),
    ("nnrun", ["predict"], "no command 'predict' — see 'nnrun --help'"),
    ("nnconvert", ["verfiy", "m.swt"], "did you mean 'verify'?"),
    ("nntrain", ["hed"], "did you mean 'head'?"),
    ("nnrun", ["classify", "m.swt", "a.nii", "--ouput", "x"], "did you mean '--output'?"),
    (
      "nnrun", ["classify", "m.swt", "a.nii", "--formt=csv"], "'--formt' — did you mean '--format'?"
    ),
    ("nnrun", ["segment", "m.swt", "a.nii", "--step-sise", "1"], "did you mean '--step-size'?"),
    // What is missing is told only where nothing is misspelled.
    ("nnconvert", ["convert", "x", "--outptu", "3"], "did you mean '--output'?"),
    ("nnconvert", ["convert", "x"], "see 'nnconvert convert --help'"),
    ("nnrun", ["info", "--frobnicate"], "no option '--frobnicate' — see 'nnrun info --help'"),
    ("nnrun", ["classify", "m.swt", "a.nii", "--threads", "x"], "see 'nnrun classify --help'"),
  ])
  func mistakesAreUnderstood(name: String, arguments: [String], words: String) throws {
    let result = try Command.run(name, arguments)
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.errors.contains(words), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
  }
}
