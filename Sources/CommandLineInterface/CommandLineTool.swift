// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
package import FileIO

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What the commands share: how they start, and how they end: one line per error, exit statuses.
package struct CommandLineTool: Sendable {
  /// Files differ, and nothing went wrong.
  package static let different = ExitCode(1)

  /// As the user calls it: `nnrun`.
  package let name: String

  package init(name: String) { self.name = name }

  /// Parses the arguments, runs the command and exits.
  package func run(_ command: (some ParsableCommand).Type) -> Never {
    // A file that is larger than the limit is told as one that cannot be written.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var parsed = try Self.parsedAlone(command) ?? command.parseAsRoot()
      try parsed.run()
      exit(0)
    } catch {
      finish(command, with: error)
    }
  }

  /// The command that the first argument names, parsed without the others of its tool, which takes half the
  /// time; `nil` where that cannot be done, and the whole tool says why.
  private static func parsedAlone(
    _ command: (some ParsableCommand).Type
  ) -> (any ParsableCommand)? {
    let arguments = CommandLine.arguments.dropFirst()
    let named = command.configuration.subcommands.first { $0._commandName == arguments.first }
    let parsed = try? named?.parseAsRoot(Array(arguments.dropFirst()))
    // A call for help is parsed as another command.
    return parsed.flatMap { type(of: $0) == named ? $0 : nil }
  }

  /// Ends with an error, ArgumentParser's texts that were asked for among them.
  private func finish(_ command: (some ParsableCommand).Type, with error: any Error) -> Never {
    if let code = error as? ExitCode { exit(code.rawValue) }
    let code = command.exitCode(for: error)
    guard code.isSuccess || code == .validationFailure else { fail(error) }
    guard code.isSuccess else { failUsage(command, error) }
    do { try StandardOutput.writeLine(HelpText.wrapped(command.fullMessage(for: error))) } catch {
      fail(error)
    }
    exit(0)
  }

  /// Ends where the command line cannot be understood.
  private func failUsage(_ command: (some ParsableCommand).Type, _ error: any Error) -> Never {
    let problem = command.message(for: error).split(separator: "\n").joined(separator: "; ")
    let mistake = UsageMistake(
      Array(CommandLine.arguments.dropFirst()), of: command, named: name, problem: problem)
    StandardError.writeLine("\(name): error: \(mistake.problem) — \(mistake.advice)")
    exit(FailureKind.usage.codes.exitStatus)
  }

  private func fail(_ error: any Error) -> Never {
    StandardError.writeLine("\(name): error: \(Self.message(of: error))")
    if CommandLine.arguments.contains("--verbose"), let place = Self.confidentialPlace(of: error) {
      StandardError.writeLine("\(name): note: \(place)")
    }
    exit(Self.kind(of: error).codes.exitStatus)
  }

  /// What kind of failure an error is; those that are none of ours should not have happened.
  package static func kind(of error: any Error) -> FailureKind {
    (error as? any Failure)?.kind ?? .internalError
  }

  /// Where an error was found, where that may hold names of people: for those who ask for it.
  package static func confidentialPlace(of error: any Error) -> String? {
    (error as? any Failure)?.confidentialPlace.map { "this is \(DisplayText.quoted($0))" }
  }

  /// One line about an error, settings named by their options.
  package static func message(of error: any Error) -> String {
    (error as? any Failure)?.message { $0.option } ?? "\(error)"
  }
}
