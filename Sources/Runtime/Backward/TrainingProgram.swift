// SPDX-License-Identifier: Apache-2.0
internal import Network
package import SWTFormat

/// The last stages of a model compiled for training on inputs of one shape: what the forward pass does, which
/// keeps what the backward pass needs, and that.
package struct TrainingProgram: Sendable {
  /// What the first of the stages reads, `[channels, z, y, x]` or `[channels, y, x]`.
  package let inputShape: [Int]
  /// How many cases run together at most: weights are then read, and their gradients written, once for all.
  package let caseCount: Int
  package let threads: Int

  let input: BlockedInput
  let forward: [any Instruction]
  let backward: [any Instruction]
  let buffers: Buffers
  let layout: BufferLayout
  /// Pooled features and their gradient.
  let pooled: Buffer
  let pooledGradient: Buffer
  let workspace: Buffer
  let workspaceStep: Int

  /// Bytes and cases up to which several run together.
  static let jointByteLimit = 256 << 20
  static let jointCaseLimit = 16

  /// Whether a block of channels of all cases, with its halo, has places of 31 bits.
  fileprivate static func hasPlaces(_ inputShape: [Int], cases: Int) -> Bool {
    inputShape.dropFirst().reduce(16.0 * Double(cases)) { $0 * (Double($1) + 16) } < 0x1p31
  }

  init(inputShape: [Int], lowered: TrainingLowering, threads: Int) {
    self.inputShape = inputShape
    self.threads = threads
    caseCount = lowered.buffers.cases
    input = lowered.input
    forward = lowered.forward
    backward = lowered.backward
    pooled = lowered.pooled
    pooledGradient = lowered.pooledGradient
    let instructions = [input] + forward + backward
    workspaceStep = ((instructions.map(\.workspaceCount).max() ?? 0) + 63) / 64 * 64
    var buffers = lowered.buffers
    workspace = buffers.reserveShared(workspaceStep * threads)
    self.buffers = buffers
    layout = BufferLayout(
      buffers, lifetimes: Lifetimes.of(buffers, in: instructions, kept: []))
  }

  /// Bytes for activations, gradients and scratch memory of all cases; not for parameters.
  package var byteCount: Int { Memory.mappedByteCount(layout.byteCount) }

  /// Multiplications and additions of the plain algorithm, there and back, for one case.
  package var flops: Double { (forward + backward).reduce(0) { $0 + $1.flops } }
}

extension Model {
  /// Compiles the last stages for training.
  ///
  /// - Parameters:
  ///   - parameters: those of the last `stageCount` stages.
  ///   - stageCount: how many stages are run, the last ones; at least one.
  ///   - trainedStages: how many of them get gradients, the last ones.
  ///   - inputShape: of what the first of them reads.
  ///   - pooling: what is pooled; of stages that are run.
  ///   - cases: how many are to run together; there are fewer where their activations would be too large, since large
  ///     layers gain nothing by it.
  /// - Throws: `RuntimeError` where the stages cannot take inputs of that shape.
  package func trainingProgram(
    _ parameters: TrainedParameters, stageCount: Int, trainedStages: Int, inputShape: [Int],
    pooling: [Classifier.Pooling], cases: Int = 1, threads: Int
  ) throws(RuntimeError) -> TrainingProgram {
    let target = Target(kernels: try Kernels.chosen(), threads: threads)
    var cases = min(cases, TrainingProgram.jointCaseLimit)
    while cases > 1, !TrainingProgram.hasPlaces(inputShape, cases: cases) { cases /= 2 }
    while true {
      let program = try trainingProgram(
        parameters, stageCount: stageCount, trainedStages: trainedStages, inputShape: inputShape,
        pooling: pooling, cases: cases, target: target)
      if cases == 1 || program.layout.byteCount <= TrainingProgram.jointByteLimit { return program }
      cases = (cases + 1) / 2
    }
  }

  func trainingProgram(
    _ parameters: TrainedParameters, stageCount: Int, trainedStages: Int, inputShape: [Int],
    pooling: [Classifier.Pooling], cases: Int = 1, target: Target
  ) throws(RuntimeError) -> TrainingProgram {
    let start = boundary(stageCount: stageCount)
    let (channels, dimension) = (graph.width(of: start), description.architecture.dimension)
    guard inputShape.count == dimension + 1, inputShape[0] == channels else {
      let axes = dimension == 3 ? "z, y, x" : "y, x"
      throw RuntimeError(.inputShape(found: inputShape, expected: "[\(channels), \(axes)]"))
    }
    guard inputShape.allSatisfy({ (1...65_536).contains($0) }),
      TrainingProgram.hasPlaces(inputShape, cases: cases)
    else {
      throw RuntimeError(.inputSize(found: inputShape, problem: "is empty or too large"))
    }
    let wanted = Set(pooling.map(\.stage)).sorted().map { graph.skips[$0] }
    let nodes = graph.nodes(for: wanted, behind: start)
    let shapes = try Shapes(graph, nodes: nodes, inputShape: inputShape, start: start)
    let (places, width) = PooledPlaces.places(of: pooling, in: graph)
    let layers = Deferral(nodes, input: start, maps: [:], pooled: places).layers
    let steps = Differentiation(layers) { parameter in
      parameters[parameter.name].map { $0.group <= trainedStages && $0.hasEffect } ?? false
    }.steps
    let lowered = TrainingLowering(
      layers, steps: steps, start: start, cases: cases, pooledCount: width, graph: graph,
      shapes: shapes,
      values: parameterValues, parameters: parameters, target: target)
    return TrainingProgram(inputShape: inputShape, lowered: lowered, threads: target.threads)
  }
}
