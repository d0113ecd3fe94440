import ArgumentParser
import FileIO

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

  /// The file that outputs must not overwrite.
  var identities: [MappedFile.Identity] {
    [MappedFile.identity(ofFileAt: path)].compactMap { $0 }
  }
}
