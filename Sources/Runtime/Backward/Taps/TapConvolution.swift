// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Direct convolution over small maps of all cases together, there or back: a tap's weights are read once for all cases, and
/// zeros beyond the map's edge, which are most of what small maps meet, are not multiplied by.
struct TapConvolution: JointConvolution {
  var operands: ConvolutionOperands
  private let isBackward: Bool
  /// Whether the output is added to: there only, where nothing is made of its statistics.
  private let accumulates: Bool
  private let products: TapProducts
  private let kernels: Kernels

  var method: ConvolutionMethod { .direct }
  var algorithm: String { isBackward ? "input gradient by taps" : "direct by taps" }
  var weights: PackedWeights { products.weights }
  var momentGroups: Int { 1 }

  /// - Parameters:
  ///   - operands: with the geometry of the way there; what is read and written is the way's own.
  ///   - weights: those of the way: on the way back transposed ones.
  init(
    _ operands: ConvolutionOperands, weights: PackedWeights, isBackward: Bool = false,
    accumulates: Bool = false, target: Target
  ) {
    self.operands = operands
    self.isBackward = isBackward
    self.accumulates = accumulates
    kernels = target.kernels
    products = TapProducts(
      operands.geometry, weights: weights, outputBlocks: operands.output.blocks,
      cases: operands.cases, isBackward: isBackward, target: target)
  }

  var scratchCount: Int {
    packedCount + products.outputBlocks * products.target.blockStep + weights.widenedCount
  }
  private var packedCount: Int { weights.blocks.count * products.source.blockStep }

  func convolve(
    _ cases: [RunContext], moments: [UnsafeMutablePointer<nn_moments>?]
  ) {
    guard let shared = cases.first else { return }
    let packed = shared.memory[operands.scratch ?? operands.output.buffer]
    let sums = packed + packedCount
    let (inputBlocks, output, accumulates) = (operands.input.blocks, operands.output, accumulates)
    let (source, target, kernels) = (products.source, products.target, kernels)
    shared.team.forEach(inputBlocks.count * source.cases) { index, _ in
      let (block, number) = (index / source.cases, index % source.cases)
      source.pack(
        inputBlocks[block].feature, block: inputBlocks[block].block,
        into: packed + block * source.blockStep, kernels: kernels, cases, case: number)
    }
    products.multiply(packed, into: sums, team: shared.team)
    shared.team.forEach(output.blocks * cases.count) { index, _ in
      let (block, number) = (index / cases.count, index % cases.count)
      target.unpack(
        sums + block * target.blockStep, case: number, block: block, to: output,
        accumulates: accumulates, moments: moments[number].map { $0 + block }, kernels: kernels,
        memory: cases[number].memory)
    }
  }
}
