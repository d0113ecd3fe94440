internal import CKernels
internal import FileIO
internal import SWTFormat

/// Holds every kernel that a model uses on this very processor against the definition in double
/// precision: the first thing to run on a new machine.
///
/// Each way of computing a convolution that the model's plan has is run with the model's own weights on
/// a small input of random numbers; so are activation, addition, statistics and pooling.
public struct SelfTest: Sendable {
  /// One kernel's result.
  public struct Check: Sendable {
    /// The kernel, and the layer whose weights it ran with.
    public let name: String
    /// The largest error over the largest value.
    public let error: Double
    /// The largest error that is allowed.
    public let bound: Double

    /// Whether the kernel computes what it should.
    public var isPassed: Bool { error <= bound }
  }

  private let model: Model
  private let instructionSet: InstructionSet
  private let precision: Precision
  private let threads: Int

  /// Prepares a test of what `model` uses on so many threads, by default as many as it may.
  ///
  /// - Throws: `RuntimeError.instructionSet`, where `SWT_ISA` names one that this processor lacks.
  public init(
    _ model: Model, threads: Int? = nil, precision: Precision = .f32
  ) throws(RuntimeError) {
    self.precision = precision
    self.model = model
    self.threads = threads ?? ProcessorCount.available
    instructionSet = try InstructionSet.chosen()
  }

  /// Runs all checks.
  ///
  /// - Throws: `RuntimeError` where memory cannot be had.
  public func run() throws(RuntimeError) -> [Check] {
    let description = model.description
    let plan = try model.plan(
      inputShape: [description.architecture.inputChannels] + description.preprocessing.patchSize,
      threads: threads, precision: precision)
    var checks = elementwiseChecks()
    var seen: Set<String> = []
    for step in plan.encoder.steps {
      guard let step = step as? ConvolutionStep else { continue }
      let kernel = step.geometry.kernel
      let isFirst = step.source == .networkInput
      let key = "\(step.algorithm), kernel \(kernel.z)×\(kernel.y)×\(kernel.x)"
      guard seen.insert("\(key) \(step.geometry.stride) \(isFirst)").inserted else { continue }
      checks.append(try check(step, name: "\(key): \(step.name)"))
    }
    return checks
  }

  // MARK: - Convolutions

  private func check(_ step: ConvolutionStep, name: String) throws(RuntimeError) -> Check {
    var geometry = step.geometry
    // Odd sizes, so that tiles stick out; two-dimensional networks have one plane.
    geometry.input = Extent3(z: min(geometry.input.z, 9), y: 13, x: 15)
    let weights = model.weights(of: step)
    let run = SmallRun(geometry, source: step.source, threads: threads)
    let (found, moments) = try run.output(
      of: try step.convolution.resized(to: geometry.input), kernels: instructionSet.kernels)
    var error = 0.0
    var largest = 0.0
    let voxels = geometry.output.count
    weights.withUnsafePointer(
      kernels: Kernels(instructionSet.kernels), team: ThreadTeam(count: threads)
    ) { packed in
      for sample in 0..<32 {
        let voxel = sample * (voxels - 1) / 31
        for channel in stride(from: sample % 7, to: geometry.outputChannels, by: 7) {
          let expected = run.definition(
            packed, weights.layout, channel: channel, voxel: voxel)
          let value = found[channel / Int(NN_BLOCK) * voxels + voxel][channel % Int(NN_BLOCK)]
          error = max(error, abs(Double(value) - expected))
          largest = max(largest, abs(expected))
        }
      }
    }
    for channel in stride(from: 0, to: geometry.outputChannels, by: 7) {
      let (block, lane) = (channel / Int(NN_BLOCK), channel % Int(NN_BLOCK))
      let values = found[block * voxels..<(block + 1) * voxels].map { Double($0[lane]) }
      let mean = values.reduce(0, +) / Double(voxels)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(voxels)
      error = max(error, abs(moments[block].mean(lane) - mean))
      error = max(error, abs(moments[block].variance(lane).squareRoot() - variance.squareRoot()))
    }
    return Check(
      name: name, error: largest > 0 ? error / largest : error,
      bound: step.algorithm.hasSuffix("bf16") ? 2e-2 : 1e-4)
  }

  // MARK: - Everything else

  private func elementwiseChecks() -> [Check] {
    let kernels = instructionSet.kernels.pointee
    let block = Int(NN_BLOCK)
    let voxels = 131
    var numbers = SmallNumbers()
    let (a, b) = (numbers.array(voxels * block), numbers.array(voxels * block))
    let (scale, shift) = (numbers.array(block), numbers.array(block))
    var result = [Float](repeating: 0, count: voxels * block)
    var sums = [Double](repeating: 0, count: block)
    let slope: Float = 0.01
    scale.withUnsafeBufferPointer { scale in
      shift.withUnsafeBufferPointer { shift in
        guard let scale = scale.baseAddress, let shift = shift.baseAddress else { return }
        let pending = nn_pending(scale: scale, shift: shift, slope: slope)
        kernels.add(a, pending, b, pending, &result, voxels, 0)
        kernels.activated_sum(a, pending, voxels, &sums)
      }
    }
    func activated(_ value: Double) -> Double { value >= 0 ? value : value * Double(slope) }
    func scaled(_ values: [Float], _ index: Int) -> Double {
      Double(scale[index % block]) * Double(values[index]) + Double(shift[index % block])
    }
    var errors = (add: 0.0, sum: 0.0)
    for lane in 0..<block {
      var sum = 0.0
      for index in stride(from: lane, to: a.count, by: block) {
        let expected = activated(scaled(a, index) + activated(scaled(b, index)))
        errors.add = max(errors.add, abs(Double(result[index]) - expected))
        sum += activated(scaled(a, index))
      }
      errors.sum = max(errors.sum, abs(sums[lane] - sum) / Double(voxels))
    }
    return [
      Check(name: "normalise, activate, add", error: errors.add, bound: 1e-5),
      Check(name: "pooling", error: errors.sum, bound: 1e-5),
    ]
  }
}

/// Small random numbers, the same on every run.
private struct SmallNumbers {
  private var state: UInt64 = 1

  mutating func array(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
    }
  }
}

/// A convolution of random numbers, with memory of its own.
private struct SmallRun {
  private let geometry: ConvolutionGeometry
  private let threads: Int
  private let isNetworkInput: Bool
  /// `[channels][z][y][x]`.
  private let input: [Float]
  private let scale: [Float]
  private let shift: [Float]
  private let slope: Float = 0.01

  init(_ geometry: ConvolutionGeometry, source: ConvolutionSource, threads: Int) {
    var numbers = SmallNumbers()
    self.geometry = geometry
    self.threads = threads
    isNetworkInput = source == .networkInput
    input = numbers.array(geometry.inputChannels * geometry.input.count)
    // The network's input has nothing pending.
    let neutral = source == .networkInput
    scale = numbers.array(geometry.inputChannels).map { neutral ? 1 : $0 }
    shift = numbers.array(geometry.inputChannels).map { neutral ? 0 : $0 }
  }

  /// Sixteen channels per voxel, `[block][voxel]`, and their statistics, `[block]`.
  func output(
    of algorithm: any ConvolutionAlgorithm, kernels: UnsafePointer<nn_kernels>
  ) throws(RuntimeError) -> (values: [[Float]], moments: [nn_moments]) {
    let block = Int(NN_BLOCK)
    var plan = ArenaPlan()
    func activation(_ channels: Int, _ extent: Extent3) -> Activation {
      Activation(
        plan.reserve(Activation.floatCount(channels: channels, extent: extent)),
        channels: channels, extent: extent)
    }
    let source = activation(geometry.inputChannels, geometry.input)
    let target = activation(geometry.outputChannels, geometry.output)
    let pending = Pending(
      scale: plan.reserve(source.blocks * block), shift: plan.reserve(source.blocks * block),
      slope: slope)
    let step = (algorithm.workspaceCount + 63) / 64 * 64
    let workspace = plan.reserve(step * threads)
    let scratch = plan.reserve(algorithm.scratchCount)
    let groups = algorithm.momentGroups
    var moments = [nn_moments](repeating: nn_moments(), count: target.blocks * groups)
    let arena = try Arena(plan)
    let voxels = geometry.input.count
    for channel in 0..<geometry.inputChannels {
      arena[pending.scale][channel] = scale[channel]
      arena[pending.shift][channel] = shift[channel]
      let lane = arena[source.range] + channel / block * source.blockStep + channel % block
      for voxel in 0..<voxels { lane[voxel * block] = input[channel * voxels + voxel] }
    }
    algorithm.prepare()
    input.withUnsafeBufferPointer { input in
      guard let input = input.baseAddress else { return }
      algorithm.run(
        isNetworkInput ? .networkInput : .feature(Feature(activation: source, pending: pending)),
        into: target, moments: &moments,
        context: RunContext(
          input: input, arena: arena, team: ThreadTeam(count: threads), workspace: workspace,
          workspaceStep: step, scratch: scratch))
    }
    moments.withUnsafeMutableBufferPointer { moments in
      guard let start = moments.baseAddress else { return }
      for block in 0..<target.blocks { kernels.pointee.combine(start + block * groups, groups) }
    }
    let values = (0..<target.blocks * geometry.output.count).map { index in
      Array(UnsafeBufferPointer(start: arena[target.range] + index * block, count: block))
    }
    return (values, (0..<target.blocks).map { moments[$0 * groups] })
  }

  /// One output, as convolution is defined.
  func definition(
    _ packed: UnsafePointer<Float>, _ layout: PackedLayout, channel: Int, voxel: Int
  ) -> Double {
    let (output, extent, kernel) = (geometry.output, geometry.input, geometry.kernel)
    let place = Extent3(
      z: voxel / (output.y * output.x), y: voxel / output.x % output.y, x: voxel % output.x)
    let block = Int(NN_BLOCK)
    var sum = 0.0
    for tap in 0..<kernel.count {
      let z = place.z * geometry.stride.z + tap / (kernel.y * kernel.x) - geometry.padding.z
      let y = place.y * geometry.stride.y + tap / kernel.x % kernel.y - geometry.padding.y
      let x = place.x * geometry.stride.x + tap % kernel.x - geometry.padding.x
      guard (0..<extent.z).contains(z), (0..<extent.y).contains(y), (0..<extent.x).contains(x)
      else { continue }
      for channelIn in 0..<geometry.inputChannels {
        let raw = input[channelIn * extent.count + (z * extent.y + y) * extent.x + x]
        let value = Double(scale[channelIn]) * Double(raw) + Double(shift[channelIn])
        let active = isNetworkInput || value >= 0 ? value : value * Double(slope)
        let lane = layout.laneIndex(block: channel / block, input: channelIn, tap: tap)
        sum += active * Double(packed[lane + channel % block])
      }
    }
    return sum
  }
}
