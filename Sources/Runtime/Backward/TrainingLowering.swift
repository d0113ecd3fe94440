// SPDX-License-Identifier: Apache-2.0
internal import Network

/// Makes the instructions of training: the forward pass layer by layer, and the backward pass step by step.
///
/// Convolutions are direct ones, tap by tap over small maps, or Winograd's with the weights transformed where they are
/// used, whichever costs less. Nothing is written over what the backward pass reads: buffers live as long as
/// an instruction names them.
struct TrainingLowering {
  private(set) var buffers: Buffers
  let input: BlockedInput
  private(set) var forward: [any Instruction] = []
  private(set) var backward: [any Instruction] = []
  let pooled: Buffer
  let pooledGradient: Buffer

  private let graph: Graph
  private let shapes: Shapes
  private let values: ParameterValues
  private let parameters: TrainedParameters
  private let target: Target
  private var maximumVoxels: [Graph.Value: (all: Buffer, nonzero: Buffer)] = [:]
  private var activations: [Graph.Value: Activation] = [:]
  private var pendings: [Graph.Value: Pending] = [:]
  private var statistics: [Graph.Value: NormStatistics] = [:]
  private var gradients: [Graph.Value: Activation] = [:]
  /// Of every value the slope of the nonlinearity that its readers apply.
  private var slopes: [Graph.Value: Double] = [:]

  /// - Parameter cases: how many run together.
  init(
    _ layers: [Layer], steps: [Differentiation.Step], start: Graph.Value, cases: Int,
    pooledCount: Int, graph: Graph, shapes: Shapes, values: ParameterValues,
    parameters: TrainedParameters, target: Target
  ) {
    buffers = Buffers(cases: cases)
    self.graph = graph
    self.shapes = shapes
    self.values = values
    self.parameters = parameters
    self.target = target
    // They keep their place: the caller reads and writes them between the passes.
    let zeros = [Float](repeating: 0, count: pooledCount)
    pooled = buffers.constant(zeros)
    pooledGradient = buffers.constant(zeros)
    for reading in layers.flatMap(\.reads) {
      let known = slopes.updateValue(reading.slope, forKey: reading.stored)
      precondition(known == nil || known == reading.slope, "a map is read in one way")
    }
    let first = buffers.activation(channels: graph.width(of: start), extent: shapes[start])
    input = BlockedInput(name: "input", output: first)
    activations[start] = first
    pendings[start] = identity(channels: first.channels)
    let changing = Set(steps.map(\.layer))
    for (index, layer) in layers.enumerated() {
      lower(layer, isFrozen: !steps.isEmpty && !changing.contains(index))
    }
    for step in steps { lower(step, layers[step.layer]) }
  }

  // MARK: - Forward

  private mutating func lower(_ layer: Layer, isFrozen: Bool) {
    let kernels = target.kernels
    switch layer.operation {
    case .convolution(let convolution): lower(layer, convolution, isFrozen: isFrozen)
    case .add(let slope):
      var branch = feature(layer.reads[0])
      branch.pending.slope = Float(slope)
      let output = output(layer.output)
      pendings[layer.output] = identity(channels: output.channels)
      forward.append(
        ResidualAdd(
          name: layer.path, branch: branch, skip: .feature(feature(layer.reads[1])),
          output: output, kernels: kernels))
    case .averagePool(let window):
      let output = output(layer.output)
      pendings[layer.output] = identity(channels: output.channels)
      forward.append(
        AveragePool(
          name: layer.path, source: feature(layer.reads[0]), output: output,
          window: Extent3(window), kernels: kernels))
    case .pool(let places):
      let source = feature(layer.reads[0])
      let zeros = [Float](repeating: 0, count: PooledFeatures.voxelCount(source))
      let voxels = (all: buffers.constant(zeros), nonzero: buffers.constant(zeros))
      maximumVoxels[layer.output] = voxels
      forward.append(
        PooledFeatures(
          name: layer.path, source: source, places: places, output: pooled,
          maximumVoxels: voxels, kernels: kernels))
    case .transposedConvolution, .globalAverage, .linear, .unblock, .patchEmbedding, .embedding,
      .layerNormalization, .channelLayerNormalization, .product, .attention, .map:
      preconditionFailure("\(layer.path) is no part of an encoder's stages")
    }
  }

  private mutating func lower(
    _ layer: Layer, _ convolution: Operation.Convolution, isFrozen: Bool
  ) {
    guard let weight = parameters[convolution.weight.name] else {
      preconditionFailure("every stage that is run has its parameters")
    }
    let output = output(layer.output)
    var instruction = cheapestConvolution(
      ConvolutionOperands(
        name: layer.path, geometry: shapes.geometry(of: layer),
        input: .features([feature(layer.reads[0])]), output: output, cases: buffers.cases),
      PackedWeights(weight, of: parameters), isFrozen: isFrozen)
    let pending = ownPending(channels: output.channels)
    let statistics = NormStatistics(mean: pending.mean, inverse: pending.inverse)
    pendings[layer.output] = pending.pending
    self.statistics[layer.output] = statistics
    if case .norm(let norm, _) = layer.affine, norm.running == nil {
      let groups = instruction.momentGroups
      let ones = values.vector(nil, output.channels, default: 1)
      let zeros = values.vector(nil, output.channels, default: 0)
      instruction.operands.norm = InstanceNorm(
        weight: channelValues(norm.weight) ?? .constant(ones),
        bias: channelValues(norm.bias) ?? .constant(zeros), eps: norm.eps,
        pending: pending.pending, kernels: target.kernels,
        statistics: buffers.reserve(
          InstanceNorm.floatCount(blocks: output.blocks, groups: groups)),
        groups: groups, saved: statistics)
    } else {
      forward.append(affine(layer, output, pending.pending, statistics))
    }
    forward.append(instruction)
  }

  /// The convolution that costs least.
  ///
  /// - Parameter isFrozen: whether only later layers learn. Then only small tiles are taken: every step has the errors of
  ///   such a layer, and AdamW makes much of them.
  private mutating func cheapestConvolution(
    _ operands: ConvolutionOperands, _ weights: PackedWeights, isFrozen: Bool = false
  ) -> any ConvolutionInstruction {
    let choice = AlgorithmChoice(target: target)
    guard
      let tileSizes = choice.tileSizesOfTrained(
        operands.geometry, cases: operands.cases, isGradient: false, roundsLittle: isFrozen)
    else {
      return choice.takesTaps(operands.geometry, cases: operands.cases)
        ? withScratch(TapConvolution(operands, weights: weights, target: target))
        : DirectConvolution(operands, weights: weights, target: target)
    }
    return withScratch(
      StagedWinogradConvolution(
        operands, tileSizes: tileSizes, weights: weights, target: target))
  }

  private mutating func withScratch(
    _ convolution: some ConvolutionInstruction
  ) -> any ConvolutionInstruction {
    var convolution = convolution
    convolution.operands.scratch = buffers.reserveShared(convolution.scratchCount)
    return convolution
  }

  private func affine(
    _ layer: Layer, _ output: Activation, _ pending: Pending, _ statistics: NormStatistics
  ) -> ChannelAffine {
    var (norm, bias): (Operation.ChannelNormalization?, Parameter?)
    switch layer.affine {
    case .identity: (norm, bias) = (nil, nil)
    case .bias(let own): (norm, bias) = (nil, own)
    case .norm(let own, let before): (norm, bias) = (own, before)
    }
    return ChannelAffine(
      name: layer.path, channels: output.channels,
      running: norm.flatMap { norm in
        norm.running.map { running in
          ChannelAffine.Running(
            mean: values.values(of: running.mean),
            variance: values.values(of: running.variance), eps: norm.eps)
        }
      },
      weight: channelValues(norm?.weight), bias: channelValues(norm?.bias),
      convolutionBias: channelValues(bias), pending: pending, statistics: statistics)
  }

  // MARK: - Backward

  private mutating func lower(_ step: Differentiation.Step, _ layer: Layer) {
    let kernels = target.kernels
    if case .pool(let places) = layer.operation, let voxels = maximumVoxels[layer.output] {
      let accumulates = isFurther(step.inputs[0])
      backward.append(
        PooledGradient(
          name: layer.path, places: places, source: pooledGradient, maximumVoxels: voxels,
          output: gradient(layer.reads[0].stored), accumulates: accumulates, kernels: kernels))
      return
    }
    let own = gradient(layer.output)
    switch layer.operation {
    case .convolution(let convolution): lower(step, layer, convolution, own)
    case .add(let slope):
      // The branch is nobody else's: its gradient takes the place of the sum's.
      gradients[layer.reads[0].stored] = own
      let skip = step.inputs[1] == .none ? nil : gradient(layer.reads[1].stored)
      backward.append(
        ResidualAddGradient(
          name: layer.path, output: known(layer.output), slope: Float(slope), gradient: own,
          skip: skip, accumulates: isFurther(step.inputs[1]),
          identity: identity(channels: own.channels), kernels: kernels))
    case .averagePool(let window):
      backward.append(
        AveragePoolGradient(
          name: layer.path, gradient: own, output: gradient(layer.reads[0].stored),
          window: Extent3(window), accumulates: isFurther(step.inputs[0]), kernels: kernels))
    case .transposedConvolution, .globalAverage, .linear, .unblock, .pool, .patchEmbedding,
      .embedding, .layerNormalization, .channelLayerNormalization, .product, .attention, .map:
      preconditionFailure("\(layer.path) has no gradient")
    }
  }

  private mutating func lower(
    _ step: Differentiation.Step, _ layer: Layer, _ convolution: Operation.Convolution,
    _ own: Activation
  ) {
    guard let weight = parameters[convolution.weight.name],
      let statistics = statistics[layer.output], var pending = pendings[layer.output]
    else { preconditionFailure("the forward pass comes first") }
    pending.slope = Float(slopes[layer.output] ?? 1)
    let raw = Feature(activation: known(layer.output), pending: pending)
    var (norm, bias): (Operation.ChannelNormalization?, Parameter?) = (nil, nil)
    if case .norm(let found, let before) = layer.affine { (norm, bias) = (found, before) }
    if case .bias(let found) = layer.affine { bias = found }
    backward.append(
      NormGradient(
        name: layer.path, raw: raw, statistics: statistics,
        isConstant: norm == nil || norm?.running != nil, gradient: own, parameters: parameters,
        weight: norm?.weight.flatMap { parameters[$0.name] },
        bias: norm?.bias.flatMap { parameters[$0.name] },
        convolutionBias: bias.flatMap { parameters[$0.name] },
        sums: buffers.reserve(NormGradient.sumCount(raw.activation)), kernels: target.kernels))
    let source = feature(layer.reads[0])
    let geometry = shapes.geometry(of: layer)
    let choice = AlgorithmChoice(target: target)
    let tileSizes = choice.tileSizesOfTrained(
      geometry, cases: buffers.cases, isGradient: true)
    let takesTaps = choice.takesTaps(geometry, cases: buffers.cases)
    let ownFeature = Feature(activation: own, pending: identity(channels: own.channels))
    if let tileSizes {
      backward.append(
        WinogradWeightGradient(
          name: layer.path, geometry: geometry, tileSizes: tileSizes, source: source,
          gradient: own, weight: weight, parameters: parameters, target: target,
          buffers: &buffers))
    } else if takesTaps {
      backward.append(
        TapWeightGradient(
          name: layer.path, geometry: geometry, source: source, gradient: ownFeature,
          weight: weight, parameters: parameters, target: target, buffers: &buffers))
    } else {
      backward.append(
        WeightGradient(
          name: layer.path, geometry: geometry, source: source, gradient: own, weight: weight,
          parameters: parameters, target: target, buffers: &buffers))
    }
    guard step.inputs[0] != .none else { return }
    let output = gradient(layer.reads[0].stored)
    if tileSizes != nil, geometry.stride.count == 1, !isFurther(step.inputs[0]) {
      let operands = ConvolutionOperands(
        name: layer.path, geometry: geometry.turned,
        input: .features([ownFeature]), output: output, cases: buffers.cases)
      backward.append(
        cheapestConvolution(
          operands, PackedWeights(turning: weight, of: parameters, kernels: target.kernels)))
    } else if takesTaps {
      let operands = ConvolutionOperands(
        name: layer.path, geometry: geometry, input: .features([ownFeature]), output: output,
        cases: buffers.cases)
      let weights = PackedWeights(
        transposing: weight, of: parameters, kernels: target.kernels)
      backward.append(
        withScratch(
          TapConvolution(
            operands, weights: weights, isBackward: true,
            accumulates: isFurther(step.inputs[0]), target: target)))
    } else {
      backward.append(
        InputGradient(
          name: layer.path, geometry: geometry, gradient: own, output: output,
          accumulates: isFurther(step.inputs[0]), weight: weight, parameters: parameters,
          target: target, buffers: &buffers))
    }
  }

  private func isFurther(_ gradient: Differentiation.InputGradient) -> Bool {
    gradient == .further
  }

  // MARK: - Buffers

  private mutating func output(_ value: Graph.Value) -> Activation {
    let activation = buffers.activation(
      channels: graph.width(of: value), extent: shapes[value])
    activations[value] = activation
    return activation
  }

  private func known(_ value: Graph.Value) -> Activation {
    guard let activation = activations[value] else {
      preconditionFailure("layers come in order")
    }
    return activation
  }

  private func feature(_ reading: Layer.Reading) -> Feature {
    guard var pending = pendings[reading.stored] else {
      preconditionFailure("layers come in order")
    }
    pending.slope = Float(reading.slope)
    return Feature(activation: known(reading.stored), pending: pending)
  }

  /// The gradient of what is read of a value.
  private mutating func gradient(_ value: Graph.Value) -> Activation {
    if let known = gradients[value] { return known }
    let activation = known(value)
    let gradient = buffers.activation(
      channels: activation.channels, extent: activation.extent)
    gradients[value] = gradient
    return gradient
  }

  private func channelValues(_ parameter: Parameter?) -> ChannelValues? {
    parameter.flatMap { parameters[$0.name] }.map { .trained(parameters, $0) }
  }

  /// What a layer's readers apply, and what its norm knew: numbers that keep their place.
  private mutating func ownPending(
    channels: Int
  ) -> (pending: Pending, mean: Buffer, inverse: Buffer) {
    let zeros = values.vector(nil, channels, default: 0)
    return (
      Pending(scale: buffers.constant(zeros), shift: buffers.constant(zeros), slope: 1),
      buffers.constant(zeros), buffers.constant(zeros)
    )
  }

  private mutating func identity(channels: Int) -> Pending {
    Pending(
      scale: buffers.constant(values.vector(nil, channels, default: 1)),
      shift: buffers.constant(values.vector(nil, channels, default: 0)), slope: 1)
  }
}
