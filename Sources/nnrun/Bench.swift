// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FileIO
import Report
import SWTFormat
import SWTRuntime

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time the network on random input.",
    discussion: """
      Example:
        nnrun bench model.swt --shape 128,128,128 --layers
      """)

  @OptionGroup var model: ModelArgument
  @OptionGroup var arithmetic: PrecisionArgument
  @Option(help: "Input size, e.g. 128,128,128 (default: the patch size).")
  var shape: SizeList?
  @Option(help: "Timed runs, after one that is not.")
  var runs = 5
  @Flag(help: "Time the whole network, to the logits of its segmentation.")
  var segmentation = false
  @Flag(help: "Tell where the time goes.")
  var layers = false
  @Flag(help: "Report as JSON.")
  var json = false

  func validate() throws {
    guard (1...10_000).contains(runs) else { throw ValidationError("--runs must be 1…10000") }
  }

  func run() throws {
    let loaded = try model.load()
    let description = loaded.description
    let sizes = shape?.sizes ?? description.preprocessing.patchSize
    let outputs =
      segmentation
      ? SessionOutputs(pooled: false, segmentation: true)
      : SessionOutputs(
        pooled: true, logits: description.classifier.map { $0.pooling == nil } == true)
    let session = try loaded.makeSession(
      inputShape: [description.architecture.inputChannels] + sizes, outputs: outputs,
      threads: model.threads, precision: arithmetic.precision)
    var random = SplitMix64(state: 1)
    let input = (0..<session.inputShape.reduce(1, *)).map { _ in
      Float.random(in: -1...1, using: &random)
    }
    session.measuresSteps = layers
    try session.run(input)
    var times: [Double] = []
    var best = session.steps
    for _ in 0..<runs {
      let elapsed = try ContinuousClock().measure { try session.run(input) } / .seconds(1)
      if elapsed < times.min() ?? .infinity { best = session.steps }
      times.append(elapsed)
    }
    var timing = Timing(times: times, steps: best)
    if arithmetic.precision != .f32 {
      let exact = try loaded.makeSession(
        inputShape: session.inputShape, outputs: outputs, threads: session.threads)
      try exact.run(input)
      timing.difference = difference(of: session, from: exact)
    }
    try report(timing, session: session, model: loaded)
  }

  /// What was measured.
  private struct Timing {
    let times: [Double]
    /// The steps of the fastest run.
    let steps: [Session.StepReport]

    /// The largest difference from `f32`, over the largest number, of features or logits.
    var difference: Double?

    var minimum: Double { times.min() ?? 0 }
    var median: Double { times.sorted()[times.count / 2] }
    var flops: Double { steps.reduce(0) { $0 + $1.flops } }
  }

  /// What the session's precision changes; both have run.
  private func difference(of session: Session, from exact: Session) -> Double {
    func relative(_ found: [Float]?, _ expected: [Float]?) -> Double {
      let (found, expected) = (found ?? [], expected ?? [])
      let largest = expected.map { abs($0) }.max() ?? 0
      let error = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
      return found.isEmpty ? 0 : Double(error / largest)
    }
    return max(
      relative(session.pooled, exact.pooled), relative(session.logits, exact.logits),
      relative(session.segmentation?.values, exact.segmentation?.values))
  }

  private func report(_ timing: Timing, session: Session, model: Model) throws {
    guard !json else {
      var report: JSONValue = [
        "nnrun_version": .string(NNRun.version), "model_id": .string(model.modelID),
        "instruction_set": .string(Machine.instructionSet), "threads": .integer(session.threads),
        "input_shape": .array(session.inputShape.map { .integer($0) }),
        "gflop": .number(timing.flops / 1e9),
        "milliseconds": .array(timing.times.map { .number($0 * 1e3) }),
        "minimum_ms": .number(timing.minimum * 1e3), "median_ms": .number(timing.median * 1e3),
      ]
      if let difference = timing.difference, var object = report.object {
        object["precision"] = .string(arithmetic.precision.rawValue)
        object["largest_difference_from_f32"] = .number(difference)
        report = .object(object)
      }
      if layers, var object = report.object {
        object["layers"] = .array(
          timing.steps.map {
            [
              "name": .string($0.name), "algorithm": .string($0.algorithm),
              "ms": .number($0.seconds * 1e3), "gflop": .number($0.flops / 1e9),
            ]
          })
        report = .object(object)
      }
      try StandardOutput.writeLine(report.prettyText)
      return
    }
    let rate = Decimals.text(timing.flops / timing.median / 1e9, places: 0)
    try StandardOutput.writeLine(
      "\(milliseconds(timing.median)) ms median, \(milliseconds(timing.minimum)) ms minimum of "
        + "\(timing.times.count) runs, \(rate) GFLOP/s, \(Machine.instructionSet), "
        + "\(session.threads) thread\(session.threads == 1 ? "" : "s")")
    if let difference = timing.difference {
      try StandardOutput.writeLine(
        "\(arithmetic.precision.rawValue): differs from f32 by \(Decimals.text(100 * difference, places: 3)) % "
          + "of the largest feature or logit on this input")
    }
    guard layers else { return }
    let total = timing.steps.reduce(0) { $0 + $1.seconds }
    let rows = timing.steps.map { step in
      [
        step.name, step.algorithm, milliseconds(step.seconds),
        step.flops > 0 && step.seconds > 0
          ? Decimals.text(step.flops / step.seconds / 1e9, places: 0) : "",
        Decimals.text(100 * step.seconds / total, places: 1),
      ]
    }
    try StandardOutput.write(
      "\n" + TextTable(header: ["layer", "algorithm", "ms", "GFLOP/s", "%"], rows: rows).text)
  }

  private func milliseconds(_ seconds: Double) -> String { Decimals.text(seconds * 1e3, places: 2) }
}

/// A small random number generator: the same input on every run.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
