// SPDX-License-Identifier: Apache-2.0
import CKernels
import SWTFormat
import TestSupport
import Testing

@testable import SWTRuntime

@Suite struct ConvolutionTests {
  /// Sizes around every border: one voxel, odd sizes, tiles that do not fit, channels that do not
  /// fill a block, 1×1, anisotropic and large kernels, strides.
  static let geometries: [ConvolutionGeometry] = [
    geometry(1, 16, [3, 3, 3], [1, 1, 1], [5, 6, 7]),
    geometry(4, 20, [3, 3, 3], [1, 1, 1], [3, 4, 29]),
    geometry(16, 32, [3, 3, 3], [1, 1, 1], [4, 5, 16]),
    geometry(24, 40, [3, 3, 3], [2, 2, 2], [7, 9, 11]),
    geometry(33, 17, [1, 3, 3], [1, 2, 2], [3, 8, 8]),
    geometry(32, 48, [1, 1, 1], [1, 1, 1], [2, 3, 15]),
    geometry(16, 16, [5, 3, 7], [1, 1, 1], [4, 4, 9]),
    geometry(18, 32, [1, 3, 3], [1, 1, 1], [1, 13, 17]),
    geometry(16, 16, [3, 3, 3], [1, 1, 1], [1, 1, 1]),
    geometry(40, 64, [3, 3, 3], [1, 1, 1], [2, 2, 2]),
    geometry(16, 32, [3, 3, 3], [2, 1, 2], [1, 2, 2]),
    geometry(16, 16, [3, 3, 3], [3, 2, 1], [8, 7, 6]),
    unpadded(20, 16, [3, 2, 3], [1, 1, 1], [5, 6, 7]),
  ]

  static func geometry(
    _ inputs: Int, _ outputs: Int, _ kernel: [Int], _ stride: [Int], _ input: [Int]
  ) -> ConvolutionGeometry {
    ConvolutionGeometry(
      inputChannels: inputs, outputChannels: outputs, kernel: Extent3(kernel),
      stride: Extent3(stride), input: Extent3(input))
  }

  private static func unpadded(
    _ inputs: Int, _ outputs: Int, _ kernel: [Int], _ stride: [Int], _ input: [Int]
  ) -> ConvolutionGeometry {
    var result = geometry(inputs, outputs, kernel, stride, input)
    result.padding = Extent3(z: 0, y: 0, x: 0)
    return result
  }

  private static func target(_ isa: String, threads: Int) throws -> Target {
    let kernels = try #require(Kernels.available.first { $0.name == isa })
    return Target(kernels: kernels, threads: threads)
  }

  private static let fastest = Target(kernels: Kernels.available[0], threads: 2)

  @Test(arguments: geometries, Kernels.available.map(\.name))
  func agreesWithTheDefinition(geometry: ConvolutionGeometry, isa: String) throws {
    let chosen = AlgorithmChoice(target: try Self.target(isa, threads: 2)).cheapest(geometry)
    var ways: [(ConvolutionProblem, ConvolutionMethod)] = [
      (ConvolutionProblem(geometry), chosen), (ConvolutionProblem(geometry, maps: []), .direct),
    ]
    if WinogradRowConvolution.fits(geometry) {
      ways.append((ConvolutionProblem(geometry, maps: []), .rows))
    }
    for (problem, method) in ways {
      for threads in [1, 3] {
        let found = try problem.run(try Self.target(isa, threads: threads), by: method)
        let difference = Difference(found.values, problem.expected)
        #expect(difference.relative <= 2e-5, "\(method.name), \(threads) threads: \(difference)")
        expectStatistics(of: found, geometry)
      }
    }
  }

  /// Several maps are read as one: widths that are multiples of 16, and widths whose blocks are not those
  /// of the file.
  @Test(
    arguments: [[16, 32], [32, 32], [24, 24], [30, 30], [5, 16, 7], [3, 4]],
    Kernels.available.map(\.name))
  func mapsSideBySideAreReadAsOne(maps: [Int], isa: String) throws {
    let target = try Self.target(isa, threads: 3)
    for (kernel, size) in [
      ([3, 3, 3], [5, 6, 9]), ([1, 3, 3], [2, 9, 10]), ([1, 1, 1], [3, 4, 5]),
    ] {
      let problem = ConvolutionProblem(
        Self.geometry(maps.reduce(0, +), 40, kernel, [1, 1, 1], size), maps: maps)
      var methods: [ConvolutionMethod] = [.direct]
      for tileSizes in WinogradTileSizes.all where tileSizes.fits(problem.geometry) {
        methods += [.fused(tileSizes), .staged(tileSizes)]
      }
      for method in methods {
        let found = try problem.run(target, by: method)
        let difference = Difference(found.values, problem.expected)
        #expect(difference.relative <= 2e-5, "\(method.name) \(kernel): \(difference)")
        expectStatistics(of: found, problem.geometry)
      }
    }
  }

  /// A transposed convolution whose kernel is its stride.
  @Test(
    arguments: [[2, 2, 2], [1, 2, 2], [2, 1, 3], [4, 2, 2], [1, 1, 1]],
    Kernels.available.map(\.name))
  func aTransposedConvolutionWritesEveryVoxelOnce(step: [Int], isa: String) throws {
    let target = try Self.target(isa, threads: 3)
    for (inputs, outputs, size) in [
      (32, 16, [3, 4, 5]), (20, 24, [2, 3, 17]), (3, 5, [1, 1, 2]),
    ] {
      let (extent, step) = (Extent3(size), Extent3(step))
      var numbers = TestNumbers(seed: 4)
      let values = numbers.array(inputs * outputs * step.count)
      let input = numbers.array(inputs * extent.count)
      let weights = try PackedWeights(
        upsampling: { values }, shape: [inputs, outputs, step.z, step.y, step.x],
        origin: PackedWeights.Origin(store: WeightStore(), fold: 0, parameter: "w"))
      let padded = ChannelBlocks([outputs]).paddedChannels
      let geometry = ConvolutionGeometry(
        inputs: ChannelBlocks([inputs]), outputChannels: padded * step.count,
        kernel: Extent3(z: 1, y: 1, x: 1), stride: Extent3(z: 1, y: 1, x: 1),
        padding: Extent3(z: 0, y: 0, x: 0), input: extent, voxelStep: step)
      let ones = [Float](repeating: 1, count: inputs)
      let found = try ConvolutionTrial(geometry: geometry, maps: [inputs], slope: 1).run(
        input: input, scale: ones, shift: ones.map { _ in 0 }, target: target
      ) { operands, buffers throws(RuntimeError) in
        try ConvolutionMethod.direct.instruction(
          operands, weights: weights, target: target, buffers: &buffers)
      }
      let expected = ReferenceConvolution.transposed(
        input, weights: values, inputs: inputs, outputs: outputs, extent: extent, step: step)
      let count = outputs * extent.count * step.count
      #expect(Difference(found.values.prefix(count), expected).relative <= 1e-5)
      // The lanes that fill up a block are zero: later layers read them.
      #expect(found.values.dropFirst(count).allSatisfy { $0 == 0 })
    }
  }

  /// Where the processor has bf16: products of rounded numbers, so two to three digits.
  @Test(
    .enabled(if: Kernels.available[0].bf16 != nil, "no bf16 here"),
    arguments: geometries, [1, 3])
  func bf16AgreesToItsDigits(geometry: ConvolutionGeometry, threads: Int) throws {
    var target = Target(kernels: Kernels.available[0], threads: threads)
    target.bf16 = target.kernels.bf16
    let exact = ConvolutionProblem(geometry, isPending: false)
    let rounded = ConvolutionProblem(
      geometry, isPending: false, rounded: TensorDataType.bf16.rounded)
    let found = try exact.run(target, by: .directBf16)
    #expect(Difference(found.values, rounded.expected).relative <= 1e-5)
    #expect(
      (1e-5...2e-2).contains(Difference(found.values, exact.expected).relative),
      "really in bf16, and no worse")
    expectStatistics(of: found, geometry)
  }

  /// The statistics are those of what was written.
  private func expectStatistics(
    of output: ConvolutionTrial.Output, _ geometry: ConvolutionGeometry
  ) {
    let count = geometry.positions.count
    for channel in 0..<geometry.outputChannels {
      let values = output.values[channel * count..<(channel + 1) * count].map(Double.init)
      let mean = values.reduce(0, +) / Double(count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
      let found = output.moments[channel / 16]
      let deviation = max(variance.squareRoot(), 1e-6)
      #expect(found.count == Double(count))
      #expect(abs(found.mean(channel % 16) - mean) <= 1e-5 * deviation)
      #expect(abs(found.variance(channel % 16) - variance) <= 3e-5 * deviation * deviation)
    }
  }

  /// All tile sizes on outputs that the tiles do not fit.
  @Test(arguments: WinogradTileSizes.all, Kernels.available.map(\.name))
  func winogradOfAllTileSizesAgreesWithTheDefinition(tileSizes: WinogradTileSizes, isa: String)
    throws
  {
    let target = try Self.target(isa, threads: 2)
    // Weights that are kept, and weights that are transformed in every run; one batch of tiles, and
    // the smallest ones.
    for (inputs, outputs, size, largestKept) in [
      (16, 16, [5, 6, 7], Int.max), (24, 40, [1, 9, 31], Int.max), (24, 40, [1, 9, 31], 0),
      (3, 17, [2, 1, 1], 0),
    ] {
      let problem = ConvolutionProblem(
        ConvolutionGeometry(
          inputChannels: inputs, outputChannels: outputs, kernel: tileSizes.kernel,
          stride: tileSizes.stride, input: Extent3(size)), isPending: false)
      func reserved(
        _ instruction: any ConvolutionInstruction, _ buffers: inout Buffers
      ) -> any ConvolutionInstruction {
        var instruction = instruction
        instruction.operands.scratch = buffers.reserve(instruction.scratchCount)
        return instruction
      }
      let outputs = [
        try problem.run(target) { operands, buffers throws(RuntimeError) in
          reserved(
            try WinogradConvolution(
              operands, tileSizes: tileSizes, weights: problem.weights, target: target,
              largestKept: largestKept), &buffers)
        },
        try problem.run(target) { operands, buffers throws(RuntimeError) in
          reserved(
            StagedWinogradConvolution(
              operands, tileSizes: tileSizes, weights: problem.weights, target: target,
              batchFloats: largestKept), &buffers)
        },
      ]
      for found in outputs {
        let difference = Difference(found.values, problem.expected)
        #expect(difference.relative <= 2e-5, "\(tileSizes.name) \(inputs) \(size): \(difference)")
        expectStatistics(of: found, problem.geometry)
      }
    }
  }

  /// A convolution that writes over its input gives what one does that does not.
  @Test(
    arguments: WinogradTileSizes.all.filter { $0.stride == Extent3(z: 1, y: 1, x: 1) }, [1, 2, 3])
  func inPlaceGivesTheSameBits(tileSizes: WinogradTileSizes, layers: Int) throws {
    let (outputs, kernel) = (tileSizes.outputs, tileSizes.kernel)
    for (input, slack) in [
      (Extent3(z: 23, y: 10, x: 13), layers * outputs.z + kernel.z / 2),
      (Extent3(z: 1, y: 23, x: 13), layers * outputs.y + kernel.y / 2),
    ] {
      let geometry = ConvolutionGeometry(
        inputChannels: 24, outputChannels: 24, kernel: tileSizes.kernel, stride: tileSizes.stride,
        input: input)
      let problem = ConvolutionProblem(geometry)
      let target = Target(kernels: Kernels.available[0], threads: 3)
      let runs = try [0, slack].map { slackSlices in
        try problem.run(target, by: .fused(tileSizes), slackSlices: slackSlices)
          .values.map(\.bitPattern)
      }
      #expect(runs[0] == runs[1], "\(input)")
    }
  }

  @Test(arguments: geometries)
  func sameBitsForEveryRun(geometry: ConvolutionGeometry) throws {
    let problem = ConvolutionProblem(geometry)
    let method = AlgorithmChoice(target: Self.fastest).cheapest(geometry)
    let runs = try (0..<3).map { _ in
      try problem.run(Self.fastest, by: method).values.map(\.bitPattern)
    }
    #expect(runs[0] == runs[1] && runs[1] == runs[2])
  }
}
