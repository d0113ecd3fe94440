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
  ]

  static func geometry(
    _ inputs: Int, _ outputs: Int, _ kernel: [Int], _ stride: [Int], _ input: [Int]
  ) -> ConvolutionGeometry {
    ConvolutionGeometry(
      inputChannels: inputs, outputChannels: outputs, kernel: Extent3(kernel),
      stride: Extent3(stride), input: Extent3(input))
  }

  /// Any source that is not the network's input; only its kind matters for the choice.
  static let feature = ConvolutionSource.feature(
    Feature(
      activation: Activation(
        ArenaRange(offset: 0, count: 0), channels: 1, extent: Extent3(z: 1, y: 1, x: 1)),
      pending: Pending(
        scale: ArenaRange(offset: 0, count: 0), shift: ArenaRange(offset: 0, count: 0), slope: 1)))

  @Test(arguments: geometries, Kernels.available.map(\.name))
  func agreesWithTheDefinition(geometry: ConvolutionGeometry, isa: String) throws {
    let kernels = try #require(Kernels.available.first { $0.name == isa })
    var numbers = TestNumbers(seed: UInt64(geometry.inputChannels))
    let shape =
      [geometry.outputChannels, geometry.inputChannels]
      + [geometry.kernel.z, geometry.kernel.y, geometry.kernel.x]
    let weights = numbers.array(shape.reduce(1, *))
    let input = numbers.array(geometry.inputChannels * geometry.input.count)
    let scale = numbers.array(geometry.inputChannels)
    let shift = numbers.array(geometry.inputChannels)
    let activated = input.indices.map { index in
      let channel = index / geometry.input.count
      let value = input[index] * scale[channel] + shift[channel]
      return value < 0 ? value * 0.01 : value
    }
    let packed = PackedWeights(shape: shape, values: weights)
    for threads in [1, 3] {
      for planar in [false, true] {
        let algorithm = try AlgorithmChoice(kernels: kernels, threads: threads)
          .algorithm(for: geometry, source: planar ? .networkInput : Self.feature, weights: packed)
        let found = try ConvolutionBench(geometry: geometry).run(
          algorithm, input: input, scale: scale, shift: shift, threads: threads, planar: planar)
        let expected = ReferenceConvolution(geometry: geometry, weights: weights)
          .run(planar ? input : activated)
        #expect(
          Difference(found.values, expected).relative <= 2e-5,
          "\(algorithm.name), \(threads) threads, planar \(planar)")
        expectStatistics(of: found, geometry)
      }
    }
  }

  /// Where the processor has bf16: products of rounded numbers, so two to three digits.
  @Test(
    .enabled(if: Kernels.available[0].bf16 != nil, "no bf16 here"),
    arguments: geometries, [1, 3])
  func bf16AgreesToItsDigits(geometry: ConvolutionGeometry, threads: Int) throws {
    let kernels = Kernels.available[0]
    let bf16 = try #require(kernels.bf16)
    var numbers = TestNumbers(seed: 3)
    let kernel = geometry.kernel
    let shape = [
      geometry.outputChannels, geometry.inputChannels, kernel.z, kernel.y, kernel.x,
    ]
    let weights = numbers.array(shape.reduce(1, *))
    let input = numbers.array(geometry.inputChannels * geometry.input.count)
    let ones = [Float](repeating: 1, count: geometry.inputChannels)
    let algorithm = try DirectConvolution(
      geometry, weights: PackedWeights(shape: shape, values: weights), bf16: bf16,
      kernels: kernels, threads: threads)
    let found = try ConvolutionBench(geometry: geometry, slope: 1).run(
      algorithm, input: input, scale: ones, shift: ones.map { _ in 0 }, threads: threads,
      planar: false)
    let reference = ReferenceConvolution(geometry: geometry, weights: weights).run(input)
    let rounded = ReferenceConvolution(
      geometry: geometry, weights: weights.map(TensorDataType.bf16.rounded)
    ).run(input.map(TensorDataType.bf16.rounded))
    #expect(Difference(found.values, rounded).relative <= 1e-5)
    #expect(
      (1e-5...2e-2).contains(Difference(found.values, reference).relative),
      "really in bf16, and no worse")
    expectStatistics(of: found, geometry)
  }

  /// The statistics are those of what was written.
  private func expectStatistics(
    of output: ConvolutionBench.Output, _ geometry: ConvolutionGeometry
  ) {
    let count = geometry.output.count
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
    let kernels = try #require(Kernels.available.first { $0.name == isa })
    // Weights that are kept, and weights that are transformed in every run; one batch of tiles, and
    // the smallest ones.
    for (inputs, outputs, size, largestKept) in [
      (16, 16, [5, 6, 7], Int.max), (24, 40, [1, 9, 31], Int.max), (24, 40, [1, 9, 31], 0),
      (3, 17, [2, 1, 1], 0),
    ] {
      let geometry = ConvolutionGeometry(
        inputChannels: inputs, outputChannels: outputs, kernel: tileSizes.kernel,
        stride: tileSizes.stride,
        input: Extent3(size))
      var numbers = TestNumbers(seed: 11)
      let shape = [outputs, inputs, tileSizes.kernel.z, tileSizes.kernel.y, tileSizes.kernel.x]
      let weights = numbers.array(shape.reduce(1, *))
      let input = numbers.array(inputs * geometry.input.count)
      let packed = PackedWeights(shape: shape, values: weights)
      let ones = [Float](repeating: 1, count: inputs)
      let expected = ReferenceConvolution(geometry: geometry, weights: weights).run(input)
      let algorithms: [any ConvolutionAlgorithm] = [
        try WinogradConvolution(
          geometry, tileSizes: tileSizes, weights: packed, kernels: kernels, threads: 2,
          largestKept: largestKept),
        StagedWinogradConvolution(
          geometry, tileSizes: tileSizes, weights: packed, kernels: kernels,
          batchFloats: largestKept),
      ]
      for algorithm in algorithms {
        let found = try ConvolutionBench(geometry: geometry, slope: 1).run(
          algorithm, input: input, scale: ones, shift: ones.map { _ in 0 }, threads: 2,
          planar: false)
        #expect(
          Difference(found.values, expected).relative <= 2e-5,
          "\(algorithm.name) \(inputs)→\(outputs) \(size)")
        expectStatistics(of: found, geometry)
      }
    }
  }

  /// A convolution that writes over its input gives what one does that does not.
  @Test(
    arguments: WinogradTileSizes.all.filter { $0.stride == Extent3(z: 1, y: 1, x: 1) }, [1, 2, 3])
  func inPlaceGivesTheSameBits(tileSizes: WinogradTileSizes, layers: Int) throws {
    let geometry = ConvolutionGeometry(
      inputChannels: 24, outputChannels: 24, kernel: tileSizes.kernel, stride: tileSizes.stride,
      input: Extent3(z: 23, y: 10, x: 13))
    var numbers = TestNumbers(seed: 5)
    let count = 24 * 24 * tileSizes.kernel.count
    let packed = PackedWeights(
      shape: [24, 24, tileSizes.kernel.z, tileSizes.kernel.y, tileSizes.kernel.x],
      values: numbers.array(count))
    let input = numbers.array(24 * geometry.input.count)
    let scale = numbers.array(24)
    let algorithm = try WinogradConvolution(
      geometry, tileSizes: tileSizes, weights: packed, kernels: Kernels.available[0], threads: 3)
    let slack = layers * tileSizes.outputs.z + geometry.padding.z
    let runs = try [0, slack].map { slackPlanes in
      try ConvolutionBench(geometry: geometry).run(
        algorithm, input: input, scale: scale, shift: scale, threads: 3, planar: false,
        slackPlanes: slackPlanes
      ).values.map(\.bitPattern)
    }
    #expect(runs[0] == runs[1])
  }

  @Test(arguments: geometries)
  func sameBitsForEveryRun(geometry: ConvolutionGeometry) throws {
    let kernels = Kernels.available[0]
    var numbers = TestNumbers(seed: 7)
    let shape = [
      geometry.outputChannels, geometry.inputChannels, geometry.kernel.z,
      geometry.kernel.y, geometry.kernel.x,
    ]
    let packed = PackedWeights(shape: shape, values: numbers.array(shape.reduce(1, *)))
    let input = numbers.array(geometry.inputChannels * geometry.input.count)
    let ones = [Float](repeating: 1, count: geometry.inputChannels)
    let algorithm = try AlgorithmChoice(kernels: kernels, threads: 2)
      .algorithm(for: geometry, source: Self.feature, weights: packed)
    let bench = ConvolutionBench(geometry: geometry)
    let runs = try (0..<3).map { _ in
      try bench.run(algorithm, input: input, scale: ones, shift: ones, threads: 2, planar: false)
        .values.map(\.bitPattern)
    }
    #expect(runs[0] == runs[1] && runs[1] == runs[2])
  }
}
