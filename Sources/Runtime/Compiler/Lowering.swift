internal import Network
internal import SWTFormat

/// Makes instructions of layers, with the buffers that they read and write.
struct Lowering {
  private(set) var buffers = Buffers()
  private(set) var instructions: [any Instruction] = []
  /// Of every map that the caller wants its numbers, `[channels][z][y][x]`.
  private(set) var maps: [Graph.Value: Buffer] = [:]
  /// Of every vector its numbers.
  private(set) var vectors: [Graph.Value: Buffer] = [:]
  /// What is computed after a run, some planes at a time.
  private(set) var planewise: PlanewiseConvolution?

  private let graph: Graph
  private let shapes: Shapes
  private let values: ParameterValues
  private let target: Target
  private var activations: [Graph.Value: Activation] = [:]
  /// What readers of a value apply, without the nonlinearity.
  private var pendings: [Graph.Value: Pending] = [:]
  private var identities: [Int: Pending] = [:]

  init(
    _ layers: [Layer], graph: Graph, shapes: Shapes, values: ParameterValues, target: Target,
    planewise: Graph.Value? = nil
  ) throws(RuntimeError) {
    self.graph = graph
    self.shapes = shapes
    self.values = values
    self.target = target
    for layer in layers {
      if layer.output == planewise {
        self.planewise = try planewiseConvolution(layer)
      } else {
        try lower(layer, of: layers)
      }
    }
  }

  private mutating func lower(_ layer: Layer, of layers: [Layer]) throws(RuntimeError) {
    let kernels = target.kernels
    switch layer.operation {
    case .convolution(let convolution):
      instructions.append(
        try self.convolution(
          layer, weights: values.weights(of: convolution), output: output(of: layer)))
    case .transposedConvolution(let convolution):
      instructions.append(
        try self.convolution(
          layer, weights: try values.weights(of: convolution), output: output(of: layer)))
    case .add(let slope):
      var branch = feature(layer.reads[0])
      branch.pending.slope = Float(slope)
      let output = output(of: layer)
      pendings[layer.output] = identity(channels: output.channels)
      instructions.append(
        ResidualAdd(
          name: layer.path, branch: branch, skip: try skip(of: layer, layers), output: output,
          kernels: kernels))
    case .averagePool(let window):
      let output = output(of: layer)
      pendings[layer.output] = identity(channels: output.channels)
      instructions.append(
        AveragePool(
          name: layer.path, source: feature(layer.reads[0]), output: output,
          window: Extent3(window), kernels: kernels))
    case .globalAverage:
      let output = buffers.reserve(graph.width(of: layer.output))
      vectors[layer.output] = output
      instructions.append(
        GlobalAverage(
          name: layer.path, source: feature(layer.reads[0]), output: output, kernels: kernels))
    case .linear(let linear):
      let output = buffers.reserve(graph.width(of: layer.output))
      vectors[layer.output] = output
      guard let input = vectors[layer.reads[0].stored] else {
        preconditionFailure("a linear layer reads a vector")
      }
      instructions.append(
        LinearLayer(
          name: layer.path, layer: values.weights(of: linear), input: input, output: output))
    case .unblock:
      let source = feature(layer.reads[0])
      let output = buffers.reserve(
        source.activation.channels * source.activation.extent.count)
      maps[layer.output] = output
      instructions.append(
        Unblock(name: layer.path, source: source, output: output, kernels: kernels))
    }
  }

  // MARK: - Convolutions

  private mutating func convolution(
    _ layer: Layer, weights: PackedWeights, output: Activation
  ) throws(RuntimeError) -> any ConvolutionInstruction {
    let operands = ConvolutionOperands(
      name: layer.path, geometry: shapes.geometry(of: layer),
      input: layer.readsNetworkInput ? .network : .features(layer.reads.map(feature)),
      output: output)
    let method = layer.method ?? .direct
    var instruction = try method.instruction(
      operands, weights: weights, target: target, buffers: &buffers)
    switch layer.affine {
    case .identity: pendings[layer.output] = identity(channels: output.channels)
    case .bias(let bias):
      let ones = values.vector(nil, output.channels, default: 1)
      pendings[layer.output] = Pending(
        scale: buffers.constant(ones),
        shift: buffers.constant(values.vector(bias, output.channels, default: 0)), slope: 1)
    case .norm(let norm, let bias):
      if let running = norm.running {
        let folded = values.folded(norm, running, bias: bias, channels: output.channels)
        pendings[layer.output] = Pending(
          scale: buffers.constant(folded.scale), shift: buffers.constant(folded.shift), slope: 1)
      } else {
        let norm = instanceNorm(norm, output: output, groups: instruction.momentGroups)
        pendings[layer.output] = norm.pending
        instruction.operands.norm = norm
      }
    }
    return instruction
  }

  private mutating func instanceNorm(
    _ norm: Operation.ChannelNormalization, output: Activation, groups: Int
  ) -> InstanceNorm {
    let zeros = values.vector(nil, output.channels, default: 0)
    return InstanceNorm(
      weight: .constant(values.vector(norm.weight, output.channels, default: 1)),
      bias: .constant(values.vector(norm.bias, output.channels, default: 0)), eps: norm.eps,
      pending: Pending(scale: buffers.constant(zeros), shift: buffers.constant(zeros), slope: 1),
      kernels: target.kernels,
      statistics: buffers.reserve(
        InstanceNorm.floatCount(blocks: output.blocks, groups: groups)),
      groups: groups)
  }

  /// The skip of an addition: a map, or the way to compute it again.
  private mutating func skip(
    of layer: Layer, _ layers: [Layer]
  ) throws(RuntimeError) -> ResidualAdd.Skip {
    guard let recomputed = layer.recomputes else { return .feature(feature(layer.reads[1])) }
    let stem = layers[recomputed.layer]
    guard case .convolution(let convolution) = stem.operation, var pending = pendings[stem.output]
    else { preconditionFailure("only a convolution is computed again") }
    pending.slope = Float(recomputed.reading.slope)
    let geometry = shapes.geometry(of: stem)
    let positions = geometry.positions
    let slab = buffers.activation(
      channels: geometry.outputChannels,
      extent: Extent3(z: min(8, positions.z), y: positions.y, x: positions.x))
    var operands = ConvolutionOperands(
      name: stem.path, geometry: geometry, input: .network, output: slab)
    let weights = values.weights(of: convolution)
    if weights.widenedCount > 0 { operands.scratch = buffers.reserve(weights.widenedCount) }
    return .recomputed(
      DirectConvolution(operands, weights: weights, target: target), slab: slab, pending)
  }

  /// A convolution whose output is a slab of some planes.
  private mutating func planewiseConvolution(_ layer: Layer) throws(RuntimeError)
    -> PlanewiseConvolution
  {
    guard case .convolution(let convolution) = layer.operation, !layer.readsNetworkInput else {
      preconditionFailure("a decoder ends in a convolution at \(layer.path)")
    }
    let (channels, extent) = (graph.width(of: layer.output), shapes[layer.output])
    let planes = PlanewiseConvolution.slabPlanes(channels: channels, extent: extent)
    let slab = buffers.activation(
      channels: channels, extent: Extent3(z: planes, y: extent.y, x: extent.x))
    let geometry = shapes.geometry(of: layer)
    var operands = ConvolutionOperands(
      name: layer.path, geometry: geometry, input: .features(layer.reads.map(feature)),
      output: slab)
    let weights = try values.weights(of: convolution).grouped(geometry.inputs)
    if weights.widenedCount > 0 { operands.scratch = buffers.reserve(weights.widenedCount) }
    var pending = identity(channels: channels)
    if case .bias(let bias) = layer.affine {
      pending.shift = buffers.constant(values.vector(bias, channels, default: 0))
    }
    return PlanewiseConvolution(
      convolution: DirectConvolution(operands, weights: weights, target: target),
      pending: pending)
  }

  // MARK: - Buffers

  /// Where a layer writes: memory of its own, or over what it reads.
  private mutating func output(of layer: Layer) -> Activation {
    let activation: Activation
    if let overwritten = layer.overwrites, let other = activations[overwritten.value] {
      activation = other.successor(overwritten.planes)
    } else {
      activation = buffers.activation(
        channels: graph.width(of: layer.output), extent: shapes[layer.output],
        slackPlanes: layer.slackPlanes)
    }
    activations[layer.output] = activation
    return activation
  }

  /// What is read of a map, with what is pending.
  private func feature(_ reading: Layer.Reading) -> Feature {
    guard let activation = activations[reading.stored], var pending = pendings[reading.stored]
    else { preconditionFailure("layers come in order") }
    pending.slope = Float(reading.slope)
    return Feature(activation: activation, pending: pending)
  }

  private mutating func identity(channels: Int) -> Pending {
    if let known = identities[channels] { return known }
    let pending = Pending(
      scale: buffers.constant(values.vector(nil, channels, default: 1)),
      shift: buffers.constant(values.vector(nil, channels, default: 0)), slope: 1)
    identities[channels] = pending
    return pending
  }
}
