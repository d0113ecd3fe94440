import ArgumentParser
import FileIO
import NPY
import SWTFormat
import SWTRuntime

struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell which class every case belongs to.")

  @OptionGroup var model: ModelArgument
  @Argument(help: "Preprocessed arrays (.npy, float32), run exactly as given.")
  var inputs: [String]
  @Option(name: .shortAndLong, help: "Also write the logits as .npy, [N, classes].")
  var output: String?
  @Flag(help: "Report as JSON.")
  var json = false

  func run() throws {
    let loaded = try Model(contentsOf: model.path)
    guard let classifier = loaded.description.classifier else { throw RuntimeError.noClassifier }
    let arrays = try InputArrays(
      paths: inputs, dimension: loaded.description.architecture.dimension)
    let cache = SessionCache(
      model: loaded, outputs: SessionOutputs(pooled: false, logits: true), threads: model.threads)
    var rows: [Row] = []
    for item in arrays.cases {
      let logits = try cache.run(item).logits ?? []
      rows.append(
        Row(
          name: item.name, logits: logits,
          probabilities: classifier.activation.probabilities(logits)))
    }
    if let output {
      let identities =
        arrays.identities + [MappedFile.identity(ofFileAt: model.path)].compactMap { $0 }
      try NPYArray(
        shape: [rows.count, classifier.classNames.count], values: rows.flatMap(\.logits)
      ).write(to: output, inputs: identities)
    }
    if json {
      StandardStream.output.writeLine(report(rows, loaded, classifier).prettyText)
    } else {
      printTable(rows, classifier)
    }
  }

  private struct Row {
    let name: String
    let logits: [Float]
    let probabilities: [Double]
  }

  private func report(_ rows: [Row], _ model: Model, _ classifier: Classifier) -> JSONValue {
    [
      "nnrun_version": .string(NNRun.version), "model_id": .string(model.modelID),
      "classes": .array(classifier.classNames.map { .string($0) }),
      "activation": .string(classifier.activation.rawValue),
      "cases": .array(
        rows.map { row in
          [
            "case": .string(row.name),
            "logits": .array(row.logits.map { .number(Double($0)) }),
            "probabilities": .array(row.probabilities.map { .number($0) }),
            "class": .string(bestClass(row, classifier)),
          ]
        }),
    ]
  }

  private func bestClass(_ row: Row, _ classifier: Classifier) -> String {
    let best = row.probabilities.indices.max { row.probabilities[$0] < row.probabilities[$1] } ?? 0
    return classifier.classNames[best]
  }

  private func printTable(_ rows: [Row], _ classifier: Classifier) {
    let header = ["case", "class"] + classifier.classNames
    let cells = rows.map { row in
      [DisplayText.escaped(row.name), bestClass(row, classifier)]
        + row.probabilities.map { Decimals.text($0, places: 4) }
    }
    StandardStream.output.write(TextTable(header: header, rows: cells).text)
  }
}

extension Classifier.Activation {
  /// Logits as probabilities, in double.
  func probabilities(_ logits: [Float]) -> [Double] {
    switch self {
    case .sigmoid: return logits.map { 1 / (1 + exponential(-Double($0))) }
    case .softmax:
      let largest = Double(logits.max() ?? 0)
      let weights = logits.map { exponential(Double($0) - largest) }
      let sum = weights.reduce(0, +)
      return weights.map { $0 / sum }
    }
  }
}
