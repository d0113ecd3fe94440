import ArgumentParser
import FileIO
import Glibc
import NPY
import Pipeline
import Preprocessing
import SWTFormat
import SWTRuntime

/// What every command shares: one line per error, and exit statuses.
enum CommandLineTool {
  /// Parses the arguments, runs the command and exits.
  static func run(_ command: (some ParsableCommand).Type) -> Never {
    do {
      var command = try command.parseAsRoot()
      try command.run()
      exit(0)
    } catch {
      finish(command, with: error)
    }
  }

  /// Ends with an error, ArgumentParser's texts that were asked for among them.
  private static func finish(
    _ command: (some ParsableCommand).Type, with error: any Error
  ) -> Never {
    do {
      guard status(of: error) == nil else { throw error }
      guard command.exitCode(for: error).isSuccess else { command.exit(withError: error) }
      try StandardOutput.writeLine(command.fullMessage(for: error))
      exit(0)
    } catch {
      let status = status(of: error) ?? ExitStatus.internalError
      StandardError.writeLine("nnrun: error: \(error)")
      exit(status)
    }
  }

  /// The exit status of our own errors; `nil` for ArgumentParser's.
  static func status(of error: any Error) -> Int32? {
    switch error {
    case RuntimeError.model(.file(.cannotOpen, _)): ExitStatus.cannotOpen
    case RuntimeError.model(.file): ExitStatus.inputOutput
    case RuntimeError.instructionSet, RuntimeError.threads, RuntimeError.stage,
      RuntimeError.precision:
      ExitStatus.usage
    case PipelineError.runtime(let error): status(of: error)
    case PipelineError.preprocessing(let error): status(of: error)
    case PreprocessingError.file(_, let cannotOpen):
      cannotOpen ? ExitStatus.cannotOpen : ExitStatus.inputOutput
    case let error as InputError: error.isUsage ? ExitStatus.usage : ExitStatus.badInput
    case is CasesFailed: ExitStatus.someFailed
    case is SelfTestFailure: ExitStatus.internalError
    case is RuntimeError, is PipelineError, is PreprocessingError: ExitStatus.badInput
    case NPYError.file(let error): fileStatus(of: error)
    case is NPYError: ExitStatus.badInput
    case let error as FileError: fileStatus(of: error)
    default: nil
    }
  }

  private static func fileStatus(of error: FileError) -> Int32 {
    switch error {
    case .cannotOpen, .notARegularFile: ExitStatus.cannotOpen
    case .cannotCreate, .outputNotAFile, .outputExists, .outputIsInput: ExitStatus.cannotCreate
    case .cannotRead, .cannotWrite: ExitStatus.inputOutput
    }
  }
}
