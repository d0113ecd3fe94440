// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CommandLineInterface
import FileIO
import Pipeline
import SWTFormat
import SWTRuntime
import Training

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge an existing classifier on labelled cases that it has not seen.")

  @Argument(
    help: ArgumentHelp("A .swt file with a classifier.", valueName: "model"),
    completion: .file(extensions: ["swt"]))
  var model: String
  @Argument(
    help: ArgumentHelp("The labelled cases.", valueName: "cases"),
    completion: .file(extensions: ["csv"]))
  var cases: String
  @Option(help: "The column of labels; they are classes of the model.")
  var label = "label"
  @Option(help: "The column of groups, which are drawn together (default: 'patient').")
  var group: String?
  @Option(help: "The seed of the drawing.")
  var seed: UInt64 = 0
  @Option(help: "Threads (default: the processors this process may use).")
  var threads: Int?
  @Flag(help: "Report as JSON.")
  var json = false

  func run() throws {
    let table = try LabelledTable(path: cases, label: label, group: group)
    let loaded = try Model(contentsOf: model)
    guard let classifier = loaded.description.classifier else { throw RuntimeError(.noClassifier) }
    let list = try CaseList(
      inputs: [cases], channels: loaded.description.preprocessing.channels.map(\.name))
    let pipeline = EncoderPipeline(
      model: loaded, outputs: SessionOutputs(logits: true), threads: threads)
    var logits: [Double] = []
    var distances: [Double] = []
    for entry in list.entries {
      do {
        guard case .scan(let files) = entry.source else {
          throw TrainingError.missing(case: entry.name, problem: "is no scan")
        }
        let output = try pipeline.run(pipeline.read(files: files))
        logits += (output.logits ?? []).map { Double($0) }
        if let distance = output.foreignDistance { distances.append(distance) }
      } catch let error as any Failure {
        throw CaseFailure(name: entry.name, error: error)
      }
    }
    let evaluation = try Evaluation(
      table: table, classifier: classifier,
      logits: Matrix(
        rows: list.entries.count, columns: classifier.classNames.count, values: logits),
      distances: distances.isEmpty ? nil : distances, seed: seed)
    if json {
      try StandardOutput.writeLine(evaluation.json.prettyText)
    } else {
      for line in evaluation.lines { try StandardOutput.writeLine(line) }
    }
  }
}
