// SPDX-License-Identifier: Apache-2.0
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
  /// Of all that is pooled of stages its numbers.
  private(set) var pooling: Buffer?
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
  /// Of every sequence of tokens its numbers, `[token][width]`.
  private var tokens: [Graph.Value: Buffer] = [:]
  private var rotaryTables: [Int: RotaryTable] = [:]

  init(
    _ layers: [Layer], graph: Graph, shapes: Shapes, values: ParameterValues, target: Target,
    planewise: Graph.Value? = nil, pooledCount: Int = 0
  ) throws(RuntimeError) {
    self.graph = graph
    self.shapes = shapes
    self.values = values
    self.target = target
    if pooledCount > 0 { pooling = buffers.reserve(pooledCount) }
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
      if layer.readsNetworkInput { mapInput() }
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
    case .patchEmbedding, .embedding, .layerNormalization, .product, .attention, .map:
      instructions.append(try transformer(layer))
    case .channelLayerNormalization(let norm, let hasGELU):
      let output = output(of: layer)
      pendings[layer.output] = identity(channels: output.channels)
      instructions.append(
        ChannelLayerNorm(
          name: layer.path, source: feature(layer.reads[0]), weight: constant(norm.weight),
          bias: constant(norm.bias), eps: Float(norm.eps), hasGELU: hasGELU, output: output,
          kernels: kernels))
    case .unblock:
      let source = feature(layer.reads[0])
      let output = buffers.reserve(
        source.activation.channels * source.activation.extent.count)
      maps[layer.output] = output
      instructions.append(
        Unblock(name: layer.path, source: source, output: output, kernels: kernels))
    case .pool(let places):
      guard let pooling else { preconditionFailure("what is pooled has a place") }
      let source = feature(layer.reads[0])
      let voxels = buffers.reserve(PooledFeatures.voxelCount(source))
      instructions.append(
        PooledFeatures(
          name: layer.path, source: source, places: places, output: pooling,
          maximumVoxels: (voxels, voxels), kernels: kernels))
    }
  }

  /// The network's input as a map, for skips that are the input itself.
  private mutating func mapInput() {
    guard activations[graph.input] == nil else { return }
    let output = buffers.activation(
      channels: graph.width(of: graph.input), extent: shapes[graph.input])
    activations[graph.input] = output
    pendings[graph.input] = identity(channels: output.channels)
    instructions.append(BlockedInput(name: "input", output: output))
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
    if stem.method == .rows {
      return .recomputed(
        try WinogradRowConvolution(operands, weights: weights, target: target), slab: slab, pending)
    }
    if weights.widenedCount > 0 { operands.scratch = buffers.reserve(weights.widenedCount) }
    return .recomputed(
      DirectConvolution(operands, weights: weights, target: target), slab: slab, pending)
  }

  /// A convolution whose output is a slab of some planes.
  private mutating func planewiseConvolution(_ layer: Layer) throws(RuntimeError)
    -> PlanewiseConvolution
  {
    let whole: PackedWeights
    switch layer.operation {
    case .convolution(let convolution): whole = values.weights(of: convolution)
    case .transposedConvolution(let convolution): whole = try values.weights(of: convolution)
    default: preconditionFailure("a decoder ends in a convolution at \(layer.path)")
    }
    let (channels, extent) = (graph.width(of: layer.output), shapes[layer.output])
    let geometry = shapes.geometry(of: layer)
    let planes = PlanewiseConvolution.slabPlanes(
      channels: channels, extent: extent, step: geometry.voxelStep.z)
    let slab = buffers.activation(
      channels: channels, extent: Extent3(z: planes, y: extent.y, x: extent.x))
    var operands = ConvolutionOperands(
      name: layer.path, geometry: geometry, input: .features(layer.reads.map(feature)),
      output: slab)
    let weights = try whole.grouped(geometry.inputs)
    if weights.widenedCount > 0 { operands.scratch = buffers.reserve(weights.widenedCount) }
    var pending = identity(channels: channels)
    if case .bias(let bias) = layer.affine {
      pending.shift = buffers.constant(values.vector(bias, channels, default: 0))
    }
    return PlanewiseConvolution(
      convolution: DirectConvolution(operands, weights: weights, target: target),
      pending: pending)
  }

  // MARK: - Transformers

  private mutating func transformer(_ layer: Layer) throws(RuntimeError) -> any Instruction {
    let kernels = target.kernels
    switch layer.operation {
    case .patchEmbedding(let embedding):
      let weights = values.weights(of: embedding.weight)
      return PatchEmbedding(
        name: layer.path,
        input: layer.readsNetworkInput ? .network : .features([feature(layer.reads[0])]),
        inputExtent: shapes[layer.reads[0].stored], kernel: Extent3(embedding.kernelSize),
        order: TokenOrder(embedding.order, grid: shapes[layer.output]), weights: weights,
        widened: widened(weights), bias: constant(embedding.bias),
        scale: embedding.scale.map { scale in
          let value = values.values(of: scale)[0]
          return buffers.constant(
            [Float](repeating: value, count: graph.width(of: layer.output)))
        },
        addend: layer.reads.count > 1 ? sequence(layer.reads[1]).buffer : nil,
        output: tokens(of: layer), kernels: kernels)
    case .embedding(let embedding):
      return TokenEmbedding(
        name: layer.path, source: sequence(layer.reads[0]),
        registers: embedding.registers.map(values.rows(of:)),
        positions: embedding.positions.map(values.rows(of:)),
        output: tokens(of: layer))
    case .layerNormalization(let norm):
      return TokenNorm(
        name: layer.path, source: sequence(layer.reads[0]), weight: constant(norm.weight),
        bias: constant(norm.bias), eps: Float(norm.eps), output: tokens(of: layer), kernels: kernels
      )
    case .product(let product):
      let weights = values.weights(of: product.layer.weight)
      var others = layer.reads.dropFirst().map { sequence($0).buffer }[...]
      var paired: PairedWeights?
      if let bf16 = target.bf16 { paired = try PairedWeights(weights, bf16: bf16) }
      return TokenProduct(
        name: layer.path, weights: weights, paired: paired,
        widened: paired == nil ? widened(weights) : nil,
        bias: product.layer.bias.map { constant($0) }, scale: product.scale.map { constant($0) },
        isActivated: product.isActivated, source: sequence(layer.reads[0]),
        factor: product.hasFactor ? others.removeFirst() : nil,
        addend: product.hasAddend ? others.removeFirst() : nil, output: tokens(of: layer),
        kernels: kernels, threads: target.threads)
    case .attention(let heads, let isRotary): return attention(layer, heads, isRotary: isRotary)
    case .map(let order):
      let output = output(of: layer)
      pendings[layer.output] = identity(channels: output.channels)
      return TokenMap(
        name: layer.path, source: sequence(layer.reads[0]),
        order: TokenOrder(order, grid: output.extent), output: output)
    default: preconditionFailure("\(layer.path) is no layer over tokens")
    }
  }

  private mutating func attention(
    _ layer: Layer, _ heads: Int, isRotary: Bool
  ) -> AttentionLayer {
    let queries = sequence(layer.reads[0])
    let headWidth = queries.width / heads
    let grid = shapes[layer.output]
    var attention = Attention(
      kernels: target.kernels, heads: heads, headWidth: headWidth, tokens: queries.count,
      bf16: target.bf16)
    if isRotary {
      attention.registers = queries.count - grid.count
      let table = rotaryTables[headWidth] ?? RotaryTable(grid: grid, headWidth: headWidth)
      rotaryTables[headWidth] = table
      attention.rotary = table
    }
    return AttentionLayer(
      name: layer.path, attention: attention, queries: queries, keys: sequence(layer.reads[1]),
      values: sequence(layer.reads[2]), packed: buffers.reserve(attention.packedCount),
      output: tokens(of: layer))
  }

  /// What is read of a sequence of tokens.
  private func sequence(_ reading: Layer.Reading) -> TokenSequence {
    guard let buffer = tokens[reading.stored] else { preconditionFailure("layers come in order") }
    return TokenSequence(graph, reading.stored, buffer: buffer)
  }

  /// Where a layer writes its tokens: memory of its own, or over what it reads.
  private mutating func tokens(of layer: Layer) -> TokenSequence {
    let place = layer.overwrites.flatMap { tokens[$0.value] }
    let size = TokenSequence.floatCount(graph, layer.output)
    let buffer = place ?? buffers.reserve(size)
    tokens[layer.output] = buffer
    return TokenSequence(graph, layer.output, buffer: buffer)
  }

  private mutating func constant(_ parameter: Parameter) -> Buffer {
    buffers.constant(values.values(of: parameter))
  }

  /// Where a weight is widened; `nil` where there is nothing to widen.
  private mutating func widened(_ weights: PackedWeights) -> Buffer? {
    weights.widenedCount > 0 ? buffers.reserve(weights.widenedCount) : nil
  }

  // MARK: - Buffers

  /// Where a layer writes: memory of its own, or over what it reads.
  private mutating func output(of layer: Layer) -> Activation {
    let activation: Activation
    if let overwritten = layer.overwrites, let other = activations[overwritten.value] {
      activation = other.successor(overwritten.slices)
    } else {
      activation = buffers.activation(
        channels: graph.width(of: layer.output), extent: shapes[layer.output],
        slackSlices: layer.slackSlices)
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
