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
      StandardStream.error.writeLine("\(name): error: \(error)")
      exit(status(of: error))
    } catch {
      command.exit(withError: error)
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
    for warning in warnings { StandardStream.error.writeLine("nnconvert: warning: \(warning)") }
  }
}
