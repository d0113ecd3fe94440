// SPDX-License-Identifier: Apache-2.0
import CKernels
import CReference
import SWTFormat

@testable import SWTRuntime

/// Convolution by its definition, in double precision, on plain `[channels][z][y][x]` arrays.
struct ReferenceConvolution {
  let geometry: ConvolutionGeometry
  /// `[outputs][inputs][z][y][x]`.
  let weights: [Float]

  func run<Value: BinaryFloatingPoint>(_ input: [Value]) -> [Double] {
    sums(input.map { Double($0) })
  }

  private func sums(_ input: [Double]) -> [Double] {
    func axes(_ extent: Extent3) -> (Int, Int, Int) { (extent.z, extent.y, extent.x) }
    let definition = reference_geometry(
      inputs: geometry.inputChannels, outputs: geometry.outputChannels,
      kernel: axes(geometry.kernel), stride: axes(geometry.stride),
      padding: axes(geometry.padding), input: axes(geometry.input),
      output: axes(geometry.positions))
    let count = geometry.outputChannels * geometry.positions.count
    return [Double](unsafeUninitializedCapacity: count) { result, initialized in
      withUnsafePointer(to: definition) {
        // It writes `count` values and reads what the geometry says, which both arrays hold.
        reference_convolution($0, input, weights, result.baseAddress)
      }
      initialized = count
    }
  }

  /// A transposed convolution whose kernel is its stride, with weights `[inputs][outputs][z][y][x]`.
  static func transposed<Value: BinaryFloatingPoint>(
    _ input: [Value], weights: [Float], inputs: Int, outputs: Int, extent: Extent3, step: Extent3
  ) -> [Double] {
    let size = extent.combined(with: step, *)
    var result = [Double](repeating: 0, count: outputs * size.count)
    for o in 0..<outputs {
      for voxel in 0..<size.count {
        let (z, y, x) = (voxel / (size.y * size.x), voxel / size.x % size.y, voxel % size.x)
        let source =
          ((z / step.z) * extent.y + y / step.y) * extent.x + x / step.x
        let tap = ((z % step.z) * step.y + y % step.y) * step.x + x % step.x
        for i in 0..<inputs {
          result[o * size.count + voxel] +=
            Double(input[i * extent.count + source])
            * Double(weights[(i * outputs + o) * step.count + tap])
        }
      }
    }
    return result
  }
}

/// Numbers that look random and are the same every time.
struct TestNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 2_654_435_761 &+ 1 }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
  }

  mutating func array(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }

  /// A whole number of a range.
  mutating func integer(_ range: ClosedRange<Int>) -> Int {
    let position = Int((next() + 1) / 2 * Float(range.count))
    return min(range.lowerBound + position, range.upperBound)
  }
}

/// A convolution with random numbers, and what it should give.
struct ConvolutionProblem {
  let geometry: ConvolutionGeometry
  /// Channels of the maps that it reads; empty for the network's input.
  let maps: [Int]
  let weights: PackedWeights
  let input: [Float]
  let scale: [Float]
  let shift: [Float]
  /// In double precision, `[channels][z][y][x]`.
  let expected: [Double]

  private static let slope: Float = 0.01

  /// - Parameters:
  ///   - maps: by default one map of all channels.
  ///   - rounded: what becomes of inputs and weights before they are multiplied, in the reference.
  init(
    _ geometry: ConvolutionGeometry, maps: [Int]? = nil, seed: UInt64 = 1,
    isPending: Bool = true, rounded: (Float) -> Float = { $0 }
  ) {
    var numbers = TestNumbers(seed: seed)
    let maps = maps ?? [geometry.inputChannels]
    var geometry = geometry
    if !maps.isEmpty { geometry.inputs = ChannelBlocks(maps) }
    self.geometry = geometry
    self.maps = maps
    let kernel = geometry.kernel
    let shape = [geometry.outputChannels, geometry.inputChannels, kernel.z, kernel.y, kernel.x]
    let values = numbers.array(shape.reduce(1, *))
    weights = PackedWeights(shape: shape, values: values)
    input = numbers.array(geometry.inputChannels * geometry.input.count)
    let isPending = isPending && !maps.isEmpty
    scale = numbers.array(geometry.inputChannels).map { isPending ? $0 : 1 }
    shift = numbers.array(geometry.inputChannels).map { isPending ? $0 : 0 }
    let slope = isPending ? Self.slope : 1
    let voxels = geometry.input.count
    let activated = input.indices.map { [input, scale, shift] index in
      let value = input[index] * scale[index / voxels] + shift[index / voxels]
      return rounded(value < 0 ? value * slope : value)
    }
    expected = ReferenceConvolution(geometry: geometry, weights: values.map(rounded))
      .run(activated)
    self.isPending = isPending
  }

  private let isPending: Bool

  /// Runs it by `make`.
  func run(
    _ target: Target, slackSlices: Int = 0,
    make: (ConvolutionOperands, inout Buffers) throws(RuntimeError) -> any ConvolutionInstruction
  ) throws -> ConvolutionTrial.Output {
    let trial = ConvolutionTrial(
      geometry: geometry, maps: maps, slope: isPending ? Self.slope : 1, slackSlices: slackSlices)
    return try trial.run(input: input, scale: scale, shift: shift, target: target, make: make)
  }

  /// Runs it by a method.
  func run(
    _ target: Target, by method: ConvolutionMethod, slackSlices: Int = 0
  ) throws -> ConvolutionTrial.Output {
    try run(target, slackSlices: slackSlices) { operands, buffers throws(RuntimeError) in
      try method.instruction(operands, weights: weights, target: target, buffers: &buffers)
    }
  }
}
