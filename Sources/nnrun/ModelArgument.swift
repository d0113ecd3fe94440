// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FileIO
import SWTFormat
import SWTRuntime

/// The model and how to run it.
struct ModelArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A .swt file.", valueName: "model"), completion: .file(extensions: ["swt"]))
  var path: String
  @Option(help: "Threads (default: the processors this process may use).")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024")
    }
  }

  /// Opens the model; errors name the file.
  func load(verifyingTensors: Bool = false) throws -> Model {
    try Self.load(path, verifyingTensors: verifyingTensors)
  }

  /// Opens a model; errors name the file.
  static func load(_ path: String, verifyingTensors: Bool = false) throws -> Model {
    do {
      return try Model(contentsOf: path, verifyingTensors: verifyingTensors)
    } catch { throw named(error, path) }
  }

  private static func named(_ error: RuntimeError, _ path: String) -> any Failure {
    // What the operating system refused names the file already.
    guard case .model(let problem) = error.reason, problem.kind == .badInput else { return error }
    let endings = [".nii", ".nii.gz", ".npy", ".csv"]
    let isScan = endings.contains { path.lowercased().hasSuffix($0) }
    return isScan ? InputError.scanAsModel(path) : InputError.model(path, problem)
  }

  /// The file that outputs must not overwrite.
  var identities: [MappedFile.Identity] {
    [MappedFile.identity(ofFileAt: path)].compactMap { $0 }
  }
}
