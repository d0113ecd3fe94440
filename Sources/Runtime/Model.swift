// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
public import SWTFormat

/// A model, mapped from a `.swt` file and ready to make sessions.
///
/// ```swift
/// let model = try Model(contentsOf: "model.swt")
/// let session = try model.makeSession(
///   inputShape: [1, 128, 128, 128], outputs: SessionOutputs(logits: true))
/// try session.run(voxels)
/// print(session.logits ?? [])
/// ```
///
/// A model may be shared by any number of threads; so may the file by any number of processes,
/// which then have its weights in memory once.
public struct Model: Sendable {
  /// What the model is.
  public var description: ModelDescription { file.description }
  /// SHA-256 of the file's header in hex, which names the whole model.
  public var modelID: String { file.modelID }
  /// The file's length in bytes.
  public var byteCount: Int { file.byteCount }

  /// What of version 1.1 of the format can be run.
  private static let supportedFeatures: RequiredFeatures = [.folds, .trainedHead, .families]

  private let file: SWTFile
  let graph: Graph
  /// Weights in other forms than the file's, for all sessions.
  private var store = WeightStore()

  /// The model's numbers.
  var parameterValues: ParameterValues { ParameterValues(file, store: store) }

  /// Maps a file and checks its header.
  ///
  /// - Parameters:
  ///   - path: a `.swt` file.
  ///   - verifyingTensors: also check every tensor's hash, which reads the whole file.
  /// - Throws: `RuntimeError` where the file cannot be opened, is damaged or not supported.
  public init(contentsOf path: String, verifyingTensors: Bool = false) throws(RuntimeError) {
    let file: SWTFile
    do {
      file = try SWTFile(modelAt: path, verifyingTensors: verifyingTensors)
    } catch { throw RuntimeError(.model(error)) }
    let unknown = file.description.requiredFeatures.subtracting(Self.supportedFeatures)
    guard unknown.isEmpty else {
      throw RuntimeError(
        .model(SWTError(.unknownRequiredFeatures(bits: unknown.rawValue))))
    }
    graph = Graph(file.description)
    self.file = file
  }

  /// The same model with nothing but the file: what forms of weights are made for it go with its own programs.
  package var unprepared: Model {
    var model = self
    model.store = WeightStore()
    return model
  }

  /// Makes a session for inputs of one shape: `program`, with its memory. Of a model with several folds
  /// its results are the means over all of them.
  ///
  /// - Parameters:
  ///   - inputShape: `[channels, z, y, x]` for a 3-D network, `[channels, y, x]` for a 2-D one. Any
  ///     size that PyTorch takes.
  ///   - outputs: what to compute.
  ///   - threads: how many threads to use; by default as many as this process may.
  ///   - precision: the numbers that convolutions are computed with.
  /// - Throws: `RuntimeError` where the network cannot take that shape, the processor lacks the
  ///   precision, or memory is not available.
  public func makeSession(
    inputShape: [Int], outputs: SessionOutputs = SessionOutputs(), threads: Int? = nil,
    precision: Precision = .f32
  ) throws(RuntimeError) -> Session {
    try Session(
      program(inputShape: inputShape, outputs: outputs, threads: threads, precision: precision))
  }

  /// Compiles the network for inputs of one shape, without taking the memory to run it; all folds of a
  /// model with several.
  ///
  /// - Parameters:
  ///   - inputShape: `[channels, z, y, x]` for a 3-D network, `[channels, y, x]` for a 2-D one. Any
  ///     size that PyTorch takes.
  ///   - outputs: what to compute.
  ///   - threads: how many threads to use; by default as many as this process may.
  ///   - precision: the numbers that convolutions are computed with.
  /// - Throws: `RuntimeError` where the network cannot take that shape, or the processor lacks the
  ///   precision.
  package func program(
    inputShape: [Int], outputs: SessionOutputs = SessionOutputs(), threads: Int? = nil,
    precision: Precision = .f32
  ) throws(RuntimeError) -> Program {
    try program(
      inputShape: inputShape, outputs: outputs,
      target: target(threads: threads, precision: precision))
  }

  /// How many folds the model holds.
  package var foldCount: Int { max(1, description.folds.count) }

  /// Compiles the network of one fold.
  ///
  /// - Parameter fold: a position in the model's folds.
  package func program(
    inputShape: [Int], outputs: SessionOutputs, threads: Int, fold: Int
  ) throws(RuntimeError) -> Program {
    try program(
      inputShape: inputShape, outputs: outputs, target: target(threads: threads, precision: .f32),
      folds: [fold])
  }

  private func target(threads: Int?, precision: Precision) throws(RuntimeError) -> Target {
    let threads = threads ?? ProcessorCount.available
    guard threads >= 1 else { throw RuntimeError(.threads(threads)) }
    var target = Target(kernels: try Kernels.chosen(), threads: threads)
    if precision == .bf16 {
      target.bf16 = target.kernels.bf16
      guard target.bf16 != nil else {
        throw RuntimeError(.precision(precision, instructionSet: target.kernels.name))
      }
    }
    return target
  }

  /// Compiles the network for a target.
  ///
  /// - Parameter folds: positions in the model's folds; `nil` for all.
  func program(
    inputShape: [Int], outputs: SessionOutputs, target: Target,
    ownValues: [String: [Float]] = [:], folds: [Int]? = nil
  ) throws(RuntimeError) -> Program {
    let architecture = description.architecture
    let channels = architecture.inputChannels
    guard inputShape.count == architecture.dimension + 1, inputShape[0] == channels else {
      let axes = architecture.dimension == 3 ? "z, y, x" : "y, x"
      throw RuntimeError(.inputShape(found: inputShape, expected: "[\(channels), \(axes)]"))
    }
    guard inputShape.allSatisfy({ (1...65_536).contains($0) }),
      inputShape.reduce(1.0, { $0 * Double($1) }) < 0x1p34
    else { throw RuntimeError(.inputSize(found: inputShape, problem: "is empty or too large")) }
    if let size = architecture.transformer?.inputSize, size != Array(inputShape.dropFirst()) {
      throw RuntimeError(
        .inputSize(
          found: inputShape,
          problem:
            "is not of the one size that this transformer takes, \(size) — cut or pad it, or "
            + "convert for another size"))
    }
    let stageCount = architecture.stages.count
    if let stage = outputs.stages.first(where: { !(0..<stageCount).contains($0) }) {
      throw RuntimeError(.stage(stage, count: stageCount))
    }
    guard !outputs.logits || description.classifier != nil else {
      throw RuntimeError(.noClassifier)
    }
    guard !outputs.logits || graph.logits != nil else { throw RuntimeError(.severalStages) }
    guard !outputs.segmentation || graph.segmentation != nil else { throw RuntimeError(.noDecoder) }
    var programs: [Program] = []
    for fold in folds ?? Array(0..<foldCount) {
      programs.append(
        try Compiler.compile(
          graph, inputShape: inputShape, outputs: outputs,
          values: ParameterValues(file, store: store, fold: fold, own: ownValues), target: target))
    }
    var program = programs.removeFirst()
    program.otherFolds = programs
    return program
  }

  /// The values of a tensor of the network, row-major, of the first fold; `nil` where the file has none of
  /// that name.
  package func values(ofTensor name: String) -> [Float]? {
    file.entry(named: name, fold: 0).map { file.values(of: $0) }
  }

  /// The classifier's logits for the features that it reads, `[features]`: for means over several
  /// windows, and for classifiers that read several stages.
  ///
  /// - Throws: `RuntimeError`, or `elementCount` where the width is another.
  package func logits(fromPooled pooled: [Float]) throws(RuntimeError) -> [Float] {
    guard let classifier = description.classifier,
      let weight = values(ofTensor: Classifier.weightName)
    else { throw RuntimeError(.noClassifier) }
    let none = [Float](repeating: 0, count: classifier.classNames.count)
    let weights = LinearWeights(
      weight: weight, bias: values(ofTensor: Classifier.biasName) ?? none)
    guard pooled.count == weights.inputCount else {
      throw RuntimeError(.elementCount(found: pooled.count, expected: weights.inputCount))
    }
    return weights.bias.indices.map { row in weights.value(row) { pooled[$0] } }
  }
}
