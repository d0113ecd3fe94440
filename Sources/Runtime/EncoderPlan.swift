internal import CKernels
internal import SWTFormat

/// What has to be done for one input shape: steps in order, buffers by their lifetimes.
struct EncoderPlan {
  private(set) var steps: [any Step] = []
  private(set) var arena = ArenaPlan()
  /// Values to be written into the arena once.
  private(set) var constants: [(range: ArenaRange, values: [Float])] = []
  private(set) var skips: [Int: (range: ArenaRange, shape: [Int])] = [:]
  private(set) var pooled: OutputRange?
  private(set) var logits: OutputRange?
  private(set) var workspace = ArenaRange(offset: 0, count: 0)
  private(set) var workspaceStep = 0

  private let parameters: ModelParameters
  private let choice: AlgorithmChoice
  private let kernels: Kernels
  private let shape: [Int]
  private var architecture: NetworkArchitecture { parameters.architecture }

  /// Plans a run over an input of `shape`, `[channels, z, y, x]` or `[channels, y, x]`.
  init(
    _ parameters: ModelParameters, shape: [Int], outputs: SessionOutputs, choice: AlgorithmChoice
  ) throws(RuntimeError) {
    self.parameters = parameters
    self.choice = choice
    self.shape = shape
    kernels = choice.kernels
    let structure = EncoderStructure(parameters.architecture)
    let extent = Extent3(Array(shape.dropFirst()))
    let last = structure.stages.count - 1
    let lastWanted = outputs.pooled || outputs.logits ? last : outputs.stages.max() ?? last
    var source = ConvolutionSource.networkInput
    var sourceExtent = extent
    if let stem = structure.stem {
      var following: [ConvolutionBlock] = []
      if case .residual(let blocks) = structure.stages.first, let block = blocks.first,
        block.pooling == nil, block.projection == nil
      {
        following = block.branch
      }
      source = .feature(try convolve(source, extent: sourceExtent, stem, following: following))
    }
    for (index, stage) in structure.stages.enumerated() where index <= lastWanted {
      let feature: Feature
      switch stage {
      case .plain(let blocks): feature = try plain(source, extent: sourceExtent, blocks)
      case .residual(let blocks):
        feature = try residual(source, blocks, stem: index == 0 ? structure.stem : nil)
      }
      if outputs.stages.contains(index) { addSkip(feature, stage: index) }
      source = .feature(feature)
      sourceExtent = feature.activation.extent
    }
    if case .feature(let feature) = source, outputs.pooled || outputs.logits {
      addPooled(feature, logits: outputs.logits)
    }
    workspaceStep = ((steps.map(\.workspaceCount).max() ?? 0) + 63) / 64 * 64
    workspace = arena.reserveConstant(workspaceStep * choice.threads)
  }

  // MARK: - Blocks

  private mutating func plain(
    _ source: ConvolutionSource, extent: Extent3, _ blocks: [ConvolutionBlock]
  ) throws(RuntimeError) -> Feature {
    var source = source
    var extent = extent
    var result: Feature?
    for (index, block) in blocks.enumerated() {
      let feature = try convolve(
        source, extent: extent, block, following: Array(blocks[(index + 1)...]),
        mayOverwrite: true)
      release(source, unlessKeptBy: feature)
      source = .feature(feature)
      extent = feature.activation.extent
      result = feature
    }
    guard let result else { throw .inputSize(found: shape, problem: "meets an empty stage") }
    return result
  }

  private mutating func residual(
    _ source: ConvolutionSource, _ blocks: [ResidualBlock], stem: ConvolutionBlock?
  ) throws(RuntimeError) -> Feature {
    guard case .feature(var feature) = source else {
      throw .inputSize(found: shape, problem: "meets a residual stage without a stem")
    }
    for (number, block) in blocks.enumerated() {
      // The stem's output need not be kept for the skip: it is cheaper to compute than to hold.
      let again = number == 0 ? recomputation(of: stem, feeding: block, feature) : nil
      let skip = try self.skip(of: block, feature)
      var branch = feature
      for (index, convolution) in block.branch.enumerated() {
        let next = try convolve(
          .feature(branch), extent: branch.activation.extent, convolution,
          following: Array(block.branch[(index + 1)...]),
          mayOverwrite: branch != feature || again != nil)
        if branch != feature { release(.feature(branch), unlessKeptBy: next) }
        branch = next
      }
      guard branch.activation.extent == skip.activation.extent else {
        throw .inputSize(
          found: shape,
          problem: "cannot be halved as often as the residual encoder does — every size must be "
            + "divisible by \(architecture.totalStride)")
      }
      branch.pending.slope = parameters.slope
      steps.append(
        ResidualStep(
          name: "\(path(of: block)).add", branch: branch, skip: skip, again: again,
          kernels: kernels))
      if let again {
        arena.release(again.slab.reservation)
        arena.release(again.scratch)
      }
      // An overwritten stem is the branch by now.
      if again == nil { release(.feature(feature)) }
      if skip != feature { release(.feature(skip)) }
      feature = Feature(
        activation: branch.activation, pending: identity(channels: branch.activation.channels))
    }
    return feature
  }

  /// How the stem's output is had again at the end of a block that overwrites it; `nil` where the
  /// block does not.
  private mutating func recomputation(
    of stem: ConvolutionBlock?, feeding block: ResidualBlock, _ feature: Feature
  ) -> ResidualStep.Recomputation? {
    guard let stem, block.pooling == nil, block.projection == nil,
      feature.activation.slackPlanes > 0
    else { return nil }
    let geometry = ConvolutionGeometry(stem, input: Extent3(Array(shape.dropFirst())))
    let planes = min(8, geometry.output.z)
    let extent = Extent3(z: planes, y: geometry.output.y, x: geometry.output.x)
    let convolution = choice.direct(
      for: geometry, weights: parameters.weights("\(stem.path).conv.weight"))
    return ResidualStep.Recomputation(
      convolution: convolution, slab: activation(channels: stem.outputChannels, extent: extent),
      scratch: arena.reserve(convolution.scratchCount))
  }

  private func path(of block: ResidualBlock) -> String {
    let path = block.branch.first?.path ?? ""
    return path.hasSuffix(".conv1") ? String(path.dropLast(6)) : path
  }

  private mutating func skip(
    of block: ResidualBlock, _ input: Feature
  ) throws(RuntimeError) -> Feature {
    var skip = input
    if let pooling = block.pooling {
      let window = Extent3(pooling)
      let extent = input.activation.extent.combined(with: window, /)
      guard extent.count > 0 else {
        throw .inputSize(found: shape, problem: "is too small for the network's strides")
      }
      let output = activation(channels: input.activation.channels, extent: extent)
      steps.append(
        AveragePoolStep(
          name: "\(path(of: block)).skip.0", source: input, output: output, window: window,
          kernels: kernels))
      skip = Feature(activation: output, pending: identity(channels: output.channels))
    }
    if let projection = block.projection {
      let projected = try convolve(.feature(skip), extent: skip.activation.extent, projection)
      if skip != input { release(.feature(skip)) }
      skip = projected
    }
    return skip
  }

  // MARK: - Layers

  /// A convolution whose norm and nonlinearity are pending.
  ///
  /// - Parameters:
  ///   - following: those that read nothing but the output, and may want to overwrite it: the first
  ///     of them the output, each other what the one before it wrote.
  ///   - mayOverwrite: whether nothing else needs `source`.
  private mutating func convolve(
    _ source: ConvolutionSource, extent: Extent3, _ block: ConvolutionBlock,
    following: [ConvolutionBlock] = [], mayOverwrite: Bool = false
  ) throws(RuntimeError) -> Feature {
    let geometry = ConvolutionGeometry(block, input: extent)
    let output: Activation
    let shift = choice.slackPlanes(for: geometry)
    if mayOverwrite, case .feature(let feature) = source, shift > 0,
      feature.activation.slackPlanes >= shift
    {
      output = feature.activation.successor(shift)
    } else {
      var slackPlanes = 0
      for block in following {
        let planes = choice.slackPlanes(for: ConvolutionGeometry(block, input: geometry.output))
        if planes == 0 { break }
        slackPlanes += planes
      }
      output = activation(
        channels: block.outputChannels, extent: geometry.output, slackPlanes: slackPlanes)
    }
    let weights = parameters.weights("\(block.path).conv.weight")
    let convolution = try choice.algorithm(for: geometry, source: source, weights: weights)
    let slope = block.isActivated ? parameters.slope : 1
    let pending: Pending
    var norm: InstanceNorm?
    switch architecture.normalization.kind {
    case .batch:
      let folded = parameters.foldedBatchNorm(block)
      pending = Pending(scale: constant(folded.scale), shift: constant(folded.shift), slope: slope)
    case .instance:
      guard geometry.output.count > 1 else {
        throw .inputSize(
          found: shape,
          problem:
            "leaves one voxel at \(block.path), which instance norm cannot normalise — use a "
            + "larger input")
      }
      let zeros = [Float](repeating: 0, count: output.blocks * TensorLayout.blockWidth)
      pending = Pending(scale: constant(zeros), shift: constant(zeros), slope: slope)
      let groups = convolution.momentGroups
      norm = InstanceNorm(
        weight: parameters.vector("\(block.path).norm.weight", block.outputChannels, default: 1),
        bias: parameters.vector("\(block.path).norm.bias", block.outputChannels, default: 0),
        eps: architecture.normalization.eps, pending: pending, kernels: kernels,
        range: arena.reserve(InstanceNorm.floatCount(blocks: output.blocks, groups: groups)),
        groups: groups)
    }
    let scratch = arena.reserve(convolution.scratchCount)
    steps.append(
      ConvolutionStep(
        name: block.path, geometry: geometry, convolution: convolution, source: source,
        output: output, scratch: scratch, instanceNorm: norm))
    arena.release(scratch)
    if let norm { arena.release(norm.range) }
    return Feature(activation: output, pending: pending)
  }

  // MARK: - Outputs

  private mutating func addSkip(_ feature: Feature, stage: Int) {
    let activation = feature.activation
    let sizes = activation.extent.sizes(dimension: architecture.dimension)
    let range = arena.reserve(activation.channels * activation.extent.count)
    skips[stage] = (range, [activation.channels] + sizes)
    steps.append(
      SkipStep(name: "stage \(stage)", source: feature, output: range, kernels: kernels))
  }

  private mutating func addPooled(_ feature: Feature, logits wantsLogits: Bool) {
    let channels = feature.activation.channels
    let pooled = OutputRange(range: arena.reserve(channels), count: channels)
    self.pooled = pooled
    steps.append(PooledStep(source: feature, output: pooled.range, kernels: kernels))
    guard wantsLogits, let classifier = parameters.classifier else { return }
    let logits = OutputRange(
      range: arena.reserve(classifier.bias.count), count: classifier.bias.count)
    self.logits = logits
    steps.append(
      LinearStep(
        weight: classifier.weight, bias: classifier.bias, input: pooled.range,
        output: logits.range))
  }

  // MARK: - Buffers

  private mutating func activation(
    channels: Int, extent: Extent3, slackPlanes: Int = 0
  ) -> Activation {
    let count = Activation.floatCount(
      channels: channels, extent: extent, slackPlanes: slackPlanes)
    return Activation(
      arena.reserve(count), channels: channels, extent: extent, slackPlanes: slackPlanes)
  }

  /// A range that keeps its values for the whole life of the session.
  private mutating func constant(_ values: [Float]) -> ArenaRange {
    let range = arena.reserveConstant(values.count)
    constants.append((range, values))
    return range
  }

  private mutating func identity(channels: Int) -> Pending {
    let blocks = (channels + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth
    let padding = [Float](repeating: 0, count: blocks * TensorLayout.blockWidth - channels)
    return Pending(
      scale: constant([Float](repeating: 1, count: channels) + padding),
      shift: constant([Float](repeating: 0, count: channels) + padding), slope: 1)
  }

  private mutating func release(
    _ source: ConvolutionSource, unlessKeptBy successor: Feature? = nil
  ) {
    guard case .feature(let feature) = source,
      feature.activation.reservation != successor?.activation.reservation
    else { return }
    arena.release(feature.activation.reservation)
  }
}
