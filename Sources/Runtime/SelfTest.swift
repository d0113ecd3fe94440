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
    /// The largest error over the largest value; infinite where a value is not a number.
    public let error: Double
    /// The largest error that is allowed.
    public let bound: Double

    /// Whether the kernel computes what it should.
    public var isPassed: Bool { error <= bound }
  }

  private static let block = TensorLayout.blockWidth

  private let model: Model
  private let kernels: Kernels
  private let precision: Precision
  private let threads: Int

  /// Prepares a test of what `model` uses on so many threads, by default as many as it may.
  ///
  /// - Throws: `RuntimeError.instructionSet`, where `SWT_ISA` names one that this processor lacks.
  public init(
    _ model: Model, threads: Int? = nil, precision: Precision = .f32
  ) throws(RuntimeError) {
    self.init(model, kernels: try Kernels.chosen(), threads: threads, precision: precision)
  }

  /// The same of any kernels.
  init(_ model: Model, kernels: Kernels, threads: Int? = nil, precision: Precision = .f32) {
    self.model = model
    self.kernels = kernels
    self.precision = precision
    self.threads = threads ?? ProcessorCount.available
  }

  /// Runs all checks.
  ///
  /// - Throws: `RuntimeError` where memory cannot be had.
  public func run() throws(RuntimeError) -> [Check] {
    let description = model.description
    let plan = try model.plan(
      inputShape: [description.architecture.inputChannels] + description.preprocessing.patchSize,
      outputs: SessionOutputs(), threads: threads, precision: precision, kernels: kernels)
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
      of: try step.convolution.resized(to: geometry.input), kernels: kernels)
    var error = LargestError()
    let voxels = geometry.output.count
    weights.withUnsafePointer(
      kernels: kernels, team: ThreadTeam(count: threads)
    ) { packed in
      for sample in 0..<32 {
        let voxel = sample * (voxels - 1) / 31
        for channel in stride(from: sample % 7, to: geometry.outputChannels, by: 7) {
          let expected = run.definition(
            packed, weights.layout, channel: channel, voxel: voxel)
          error.compare(
            Double(found[channel / Self.block * voxels + voxel][channel % Self.block]), expected)
        }
      }
    }
    for channel in stride(from: 0, to: geometry.outputChannels, by: 7) {
      let (block, lane) = (channel / Self.block, channel % Self.block)
      let values = found[block * voxels..<(block + 1) * voxels].map { Double($0[lane]) }
      let mean = values.reduce(0, +) / Double(voxels)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(voxels)
      error.compare(moments[block].mean(lane), mean, isMeasure: false)
      error.compare(
        moments[block].variance(lane).squareRoot(), variance.squareRoot(), isMeasure: false)
    }
    return Check(
      name: name, error: error.relative,
      bound: step.algorithm.hasSuffix("bf16") ? 2e-2 : 1e-4)
  }

  // MARK: - Everything else

  private func elementwiseChecks() -> [Check] {
    let voxels = 131
    var numbers = SmallNumbers()
    let (a, b) = (numbers.array(voxels * Self.block), numbers.array(voxels * Self.block))
    let (scale, shift) = (numbers.array(Self.block), numbers.array(Self.block))
    let slope: Float = 0.01
    var (activated, added) = (a.map { _ in Float(0) }, a.map { _ in Float(0) })
    var averages = [Float](repeating: 0, count: Self.block)
    var sums = [Double](repeating: 0, count: Self.block)
    a.withUnsafeBufferPointer { a in
      scale.withUnsafeBufferPointer { scale in
        shift.withUnsafeBufferPointer { shift in
          guard let row = a.baseAddress, let scale = scale.baseAddress,
            let shift = shift.baseAddress
          else { return }
          let pending = nn_pending(scale: scale, shift: shift, slope: slope)
          let kernels = kernels.pointee
          kernels.activate(row, pending, &activated, voxels)
          kernels.add(row, pending, b, pending, &added, voxels, 0)
          kernels.activated_sum(row, pending, voxels, &sums)
          averages.withUnsafeMutableBufferPointer { averages in
            guard let target = averages.baseAddress else { return }
            withUnsafePointer(to: row) { rows in
              var job = nn_average(
                row: rows, rows: 1, width: Int32(voxels), voxels: 1, pending: pending,
                factor: 1 / Float(voxels), target: target)
              kernels.average(&job)
            }
          }
        }
      }
    }
    func active(_ value: Double) -> Double { value >= 0 ? value : value * Double(slope) }
    func scaled(_ values: [Float], _ index: Int) -> Double {
      Double(scale[index % Self.block]) * Double(values[index]) + Double(shift[index % Self.block])
    }
    var errors = (activate: LargestError(), add: LargestError(), pool: LargestError())
    for lane in 0..<Self.block {
      var sum = 0.0
      for index in stride(from: lane, to: a.count, by: Self.block) {
        let expected = active(scaled(a, index))
        errors.activate.compare(Double(activated[index]), expected)
        errors.add.compare(
          Double(added[index]), active(scaled(a, index) + active(scaled(b, index))))
        sum += expected
      }
      errors.pool.compare(sums[lane] / Double(voxels), sum / Double(voxels))
      errors.pool.compare(Double(averages[lane]), sum / Double(voxels))
    }
    return [
      Check(name: "normalise, activate", error: errors.activate.relative, bound: 1e-5),
      Check(name: "normalise, activate, add", error: errors.add.relative, bound: 1e-5),
      Check(name: "pooling", error: errors.pool.relative, bound: 1e-5),
    ]
  }
}

/// The largest error of some values; infinite as soon as one of them is not a number.
private struct LargestError {
  private var error = 0.0
  private var largest = 0.0

  /// `isMeasure`: the error counts in relation to values of this size.
  mutating func compare(_ value: Double, _ expected: Double, isMeasure: Bool = true) {
    let distance = abs(value - expected)
    error = distance.isNaN ? .infinity : max(error, distance)
    if isMeasure { largest = max(largest, abs(expected)) }
  }

  var relative: Double { largest > 0 ? error / largest : error }
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
    of algorithm: any ConvolutionAlgorithm, kernels: Kernels
  ) throws(RuntimeError) -> (values: [[Float]], moments: [nn_moments]) {
    let block = TensorLayout.blockWidth
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
    let block = TensorLayout.blockWidth
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
