// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// What a convolution reads.
enum ConvolutionInput: Sendable, Equatable {
  /// The caller's array, `[channels][z][y][x]`.
  case network
  /// The channels of maps, one after the other: a concatenation that is never made.
  case features([Feature])

  var features: [Feature] {
    switch self {
    case .network: []
    case .features(let features): features
    }
  }

  /// Of every block of channels where it is: in which map, and its number there.
  var blocks: [(feature: Feature, block: Int)] {
    features.flatMap { feature in
      (0..<feature.activation.blocks).map { (feature, $0) }
    }
  }
}

/// What a convolution reads and writes, whichever way it goes about it.
struct ConvolutionOperands: Sendable {
  let name: String
  let geometry: ConvolutionGeometry
  let input: ConvolutionInput
  let output: Activation
  /// How many cases run together.
  var cases = 1
  /// What the threads share while it runs, and cases too.
  var scratch: Buffer?
  /// Makes the output's pending norm from its statistics; `nil` where it is known beforehand.
  var norm: InstanceNorm?
}

/// A convolution, by one of the ways to compute it.
///
/// The output is raw: no bias, no norm, no nonlinearity. Its statistics are taken while it is written.
protocol ConvolutionInstruction: JointInstruction {
  var operands: ConvolutionOperands { get set }
  var method: ConvolutionMethod { get }
  var weights: PackedWeights { get }
  /// Floats that the threads share.
  var scratchCount: Int { get }
  /// Parts of the output whose statistics are taken each by itself.
  var momentGroups: Int { get }
  /// Convolves, and makes `moments`, `[output block][group]`, the output's statistics.
  func convolve(moments: UnsafeMutablePointer<nn_moments>?, context: RunContext)
}

/// A convolution that goes through all cases together.
protocol JointConvolution: ConvolutionInstruction {
  /// Convolves all cases, and makes `moments`, of every case `[output block][group]`, the outputs' statistics.
  func convolve(_ cases: [RunContext], moments: [UnsafeMutablePointer<nn_moments>?])
}

extension JointConvolution {
  func convolve(moments: UnsafeMutablePointer<nn_moments>?, context: RunContext) {
    convolve([context], moments: [moments])
  }

  func run(_ cases: [RunContext]) {
    convolve(cases, moments: cases.map { operands.norm?.moments($0.memory) })
    for context in cases { operands.norm?.finish(operands.output, context: context) }
  }
}

/// A convolution of which some planes can be computed by themselves.
protocol PlaneConvolution: ConvolutionInstruction {
  /// Computes some planes only; the first of them is the first in the output.
  ///
  /// - Parameter streams: whether nothing reads the output before it would leave the caches.
  func run(
    planes: Range<Int>, streams: Bool, moments: UnsafeMutablePointer<nn_moments>?,
    context: RunContext)
}

extension PlaneConvolution {
  func convolve(moments: UnsafeMutablePointer<nn_moments>?, context: RunContext) {
    run(
      planes: 0..<operands.geometry.positions.z, streams: operands.output.isStreamed,
      moments: moments, context: context)
  }
}

extension ConvolutionInstruction {
  var scratchCount: Int { 0 }
  var name: String { operands.name }
  var algorithm: String { method.name }
  var flops: Double { operands.geometry.flops }

  var buffers: [Buffer] {
    operands.input.features.flatMap(\.buffers)
      + [operands.output.buffer, operands.scratch].compactMap { $0 }
      + (operands.norm?.buffers ?? [])
  }

  func run(_ context: RunContext) {
    convolve(moments: operands.norm?.moments(context.memory), context: context)
    operands.norm?.finish(operands.output, context: context)
  }

  /// One after the other: threads share the weights.
  func run(_ cases: [RunContext]) { cases.forEach(run) }
}
