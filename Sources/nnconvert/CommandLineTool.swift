import ArgumentParser
import Converter
import FileIO
import Glibc

/// What every command shares: one line per error, exit statuses, warnings.
enum CommandLineTool {
  /// Parses the arguments, runs the command and exits.
  static func run(_ command: (some ParsableCommand).Type, name: String) -> Never {
    do {
      var command = try command.parseAsRoot()
      try command.run()
      exit(0)
    } catch let error as ConversionError {
      StandardError.writeLine("\(name): error: \(error)")
      exit(status(of: error))
    } catch {
      finish(command, with: error, name: name)
    }
  }

  /// Ends with ArgumentParser's errors, which may be texts that were asked for, or with those of output.
  private static func finish(
    _ command: (some ParsableCommand).Type, with error: any Error, name: String
  ) -> Never {
    do {
      if let error = error as? FileError { throw error }
      guard command.exitCode(for: error).isSuccess else { command.exit(withError: error) }
      try StandardOutput.writeLine(command.fullMessage(for: error))
      exit(0)
    } catch {
      StandardError.writeLine("\(name): error: \(error)")
      exit(ExitStatus.inputOutput)
    }
  }

  private static func status(of error: ConversionError) -> Int32 {
    if case .options = error { return ExitStatus.usage }
    return switch error.fileFault {
    case .cannotOpen: ExitStatus.cannotOpen
    case .cannotCreate: ExitStatus.cannotCreate
    case .inputOutput: ExitStatus.inputOutput
    case nil: ExitStatus.badInput
    }
  }

  /// Tells the user what he should know.
  static func warn(_ warnings: [String]) {
    for warning in warnings { StandardError.writeLine("nnconvert: warning: \(warning)") }
  }
}
