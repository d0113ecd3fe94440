// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime
import Training

/// How scans become features.
struct ScanArguments: ParsableArguments {
  @Option(help: "Threads (default: the processors this process may use).")
  var threads: Int?
  @Option(
    help: "The most memory to use, e.g. 2G (default: what this machine has left).",
    transform: Self.byteCount)
  var maxMemory: Int?
  @Option(
    help: ArgumentHelp(
      "Where features are kept for the next run (default: beside the output, .features.npy).",
      valueName: "npy"), completion: .file(extensions: ["npy"]))
  var cache: String?
  @Flag(help: "Tell errors only.")
  var quiet = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024")
    }
  }

  private static func byteCount(_ text: String) throws -> Int {
    guard let byteCount = ByteCount.parse(text), text.last?.isLetter == true else {
      throw ValidationError("\(DisplayText.quoted(text)) is no size such as 2G or 800M")
    }
    return byteCount
  }

  /// What tells people how the work goes.
  var reporter: Reporter { Reporter(name: NNTrain.tool.name, isQuiet: quiet) }

  /// The features of the cases in order, and what their columns are.
  func features(
    model path: String, table: String, _ cohort: Cohort, output: String
  ) throws -> (Matrix, [Classifier.Pooling]) {
    let model = try Model(contentsOf: path)
    let list = try CaseList(
      inputs: [table], channels: model.description.preprocessing.channels.map(\.name))
    var features = ScanFeatures(
      model: model, cachePath: cache ?? "\(output).features.npy", threads: threads,
      memoryLimit: maxMemory)
    let start = ContinuousClock.now
    var computed = 0
    let matrix = try features.make(list.entries) { done, isCached in
      computed += isCached ? 0 : 1
      guard !isCached, computed == 1 || done % 10 == 0 else { return }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let left = seconds / Double(computed) * Double(list.entries.count - done)
      reporter.note(
        "\(done) of \(list.entries.count) scans, about \(Int(left.rounded(.up))) s left")
    }
    if computed < list.entries.count {
      reporter.note("\(list.entries.count - computed) scans' features were kept from before")
    }
    return (matrix, features.pooling)
  }
}
