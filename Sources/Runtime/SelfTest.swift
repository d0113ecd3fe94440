// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import FileIO
internal import SWTFormat

/// Checks every kernel that a model uses on this very processor against the definition in double
/// precision: the first thing to run on a new machine.
///
/// Each way of computing a convolution that the model's program has is run with the model's own weights on
/// a small input of random numbers; so are activation, addition, statistics and pooling, and of a
/// transformer matrix products, layer norm and attention.
package struct SelfTest: Sendable {
  /// One kernel's result.
  package struct Check: Sendable {
    /// The kernel, and the layer whose weights it ran with.
    package let name: String
    /// The largest error over the largest value; infinite where a value is not a number.
    package let error: Double
    /// The largest error that is allowed.
    package let bound: Double

    /// Whether the kernel computes what it should.
    package var isPassed: Bool { error <= bound }
  }

  private static let block = TensorLayout.blockWidth

  private let model: Model
  private let kernels: Kernels
  private let precision: Precision
  private let threads: Int

  /// Prepares a test of what `model` uses on so many threads, by default as many as it may.
  ///
  /// - Throws: `RuntimeError`, where `SWT_ISA` names one that this processor lacks.
  package init(
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

  private var target: Target {
    var target = Target(kernels: kernels, threads: threads)
    target.bf16 = precision == .bf16 ? kernels.bf16 : nil
    return target
  }

  /// Runs all checks.
  ///
  /// - Throws: `RuntimeError` where memory is not available.
  package func run() throws(RuntimeError) -> [Check] {
    let description = model.description
    let program = try model.program(
      inputShape: [description.architecture.inputChannels] + description.preprocessing.patchSize,
      outputs: SessionOutputs(), target: target)
    var checks = elementwiseChecks()
    var seen: Set<String> = []
    for case let layer as any ConvolutionInstruction in program.instructions {
      let kernel = layer.operands.geometry.kernel
      let isFirst = layer.operands.input == .network
      let key = "\(layer.algorithm), kernel \(kernel.z)×\(kernel.y)×\(kernel.x)"
      guard seen.insert("\(key) \(layer.operands.geometry.stride) \(isFirst)").inserted else {
        continue
      }
      checks.append(try check(layer, name: "\(key): \(layer.name)"))
    }
    if let transformer = description.architecture.transformer {
      let width = description.architecture.stages[0].features
      checks += TransformerSelfTest(
        kernels: kernels, bf16: target.bf16, team: ThreadTeam(count: threads), width: width,
        headWidth: width / transformer.heads
      ).run()
    }
    return checks
  }

  // MARK: - Convolutions

  private func check(
    _ layer: any ConvolutionInstruction, name: String
  ) throws(RuntimeError) -> Check {
    var geometry = layer.operands.geometry
    // Odd sizes, so that tiles stick out; two-dimensional networks have one plane.
    geometry.input = Extent3(z: min(geometry.input.z, 9), y: 13, x: 15)
    let trial = ConvolutionTrial(
      geometry: geometry, maps: layer.operands.input.features.map(\.activation.channels))
    var numbers = SmallNumbers()
    let input = numbers.array(geometry.inputChannels * geometry.input.count)
    // The network's input has nothing pending.
    let isPending = layer.operands.input != .network
    let scale = numbers.array(geometry.inputChannels).map { isPending ? $0 : 1 }
    let shift = numbers.array(geometry.inputChannels).map { isPending ? $0 : 0 }
    let target = target
    let found = try trial.run(
      input: input, scale: scale, shift: shift, target: target
    ) { operands, buffers throws(RuntimeError) in
      try layer.method.instruction(
        operands, weights: layer.weights, target: target, buffers: &buffers)
    }
    let definition = ConvolutionDefinition(
      geometry: geometry, weights: layer.weights,
      input: activated(input, scale, shift, slope: isPending ? trial.slope : 1, geometry))
    return Check(
      name: name, error: error(of: found, trial, definition),
      bound: layer.method == .directBf16 ? 2e-2 : 1e-4)
  }

  private func activated(
    _ input: [Float], _ scale: [Float], _ shift: [Float], slope: Float,
    _ geometry: ConvolutionGeometry
  ) -> [Double] {
    let voxels = geometry.input.count
    return input.indices.map { index in
      let channel = index / voxels
      let value = Double(scale[channel]) * Double(input[index]) + Double(shift[channel])
      return value >= 0 ? value : value * Double(slope)
    }
  }

  /// The largest error of some outputs and of the statistics, over the largest output.
  private func error(
    of found: ConvolutionTrial.Output, _ trial: ConvolutionTrial,
    _ definition: ConvolutionDefinition
  ) -> Double {
    let voxels = trial.outputExtent.count
    var error = LargestError()
    definition.withValues(kernels: kernels, threads: threads) { expected in
      for sample in 0..<32 {
        let voxel = sample * (voxels - 1) / 31
        for channel in stride(from: sample % 7, to: trial.outputChannels, by: 7) {
          error.compare(
            Double(found.values[channel * voxels + voxel]), expected(channel, voxel))
        }
      }
    }
    for channel in stride(from: 0, to: 16 * found.moments.count, by: 7)
    where channel < trial.outputChannels {
      let values = found.values[channel * voxels..<(channel + 1) * voxels].map(Double.init)
      let (moments, lane) = (found.moments[channel / Self.block], channel % Self.block)
      let mean = values.reduce(0, +) / Double(voxels)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(voxels)
      error.compare(moments.mean(lane), mean, isMeasure: false)
      error.compare(moments.variance(lane).squareRoot(), variance.squareRoot(), isMeasure: false)
    }
    return error.relative
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
struct LargestError {
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
struct SmallNumbers {
  private var state: UInt64 = 1

  mutating func array(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
    }
  }
}
