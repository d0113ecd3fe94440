// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// A convolution's weight transposed for the way back: `[input block][taps][output block][tap][16 outputs][16 inputs]`,
/// outputs padded with zeros to whole blocks. Made anew where training has changed it, or inputs of another size need
/// another order.
struct TurnedWeights: Sendable {
  let weight: TrainedParameters.Entry
  let parameters: TrainedParameters
  let kernels: Kernels
  /// Of every class of voxels the taps that reach it, in the order of the state dict.
  let taps: [[Int]]

  /// Floats from an input block to the next one.
  var blockStep: Int {
    let layout = PackedLayout(shape: weight.shape)
    let block = TensorLayout.blockWidth
    return layout.blockCount * taps.reduce(0) { $0 + $1.count } * block * block
  }

  func pointer(_ team: ThreadTeam) -> UnsafePointer<Float> {
    parameters.turned(weight, taps: taps) { turn(into: $0, team) }
  }

  private func turn(into target: UnsafeMutablePointer<Float>, _ team: ThreadTeam) {
    let block = TensorLayout.blockWidth
    let layout = PackedLayout(shape: weight.shape)
    let source = parameters.values(weight)
    let outputBlocks = layout.blockCount
    let inputBlocks = (layout.inputs + block - 1) / block
    team.forEach(inputBlocks * outputBlocks) { index, _ in
      let (inputBlock, outputBlock) = (index / outputBlocks, index % outputBlocks)
      let inputs = min(block, layout.inputs - inputBlock * block)
      var place = target + inputBlock * blockStep
      for own in taps {
        for (number, tap) in own.enumerated() {
          kernels.pointee.transpose_weights(
            source + layout.laneIndex(block: outputBlock, input: inputBlock * block, tap: tap),
            Int32(inputs), place + (outputBlock * own.count + number) * block * block)
        }
        place += outputBlocks * own.count * block * block
      }
    }
  }
}

extension PackedWeights {
  /// The weight of the convolution of stride 1 that takes outputs' gradients back to inputs: transposed, its taps in the
  /// opposite order.
  init(turning entry: TrainedParameters.Entry, of parameters: TrainedParameters, kernels: Kernels) {
    self.init(entry, of: parameters, kernels: kernels) { $0.reversed() }
  }

  /// The transposed weight, its taps in the order of the state dict.
  init(
    transposing entry: TrainedParameters.Entry, of parameters: TrainedParameters,
    kernels: Kernels
  ) {
    self.init(entry, of: parameters, kernels: kernels) { Array($0) }
  }

  private init(
    _ entry: TrainedParameters.Entry, of parameters: TrainedParameters, kernels: Kernels,
    order: (Range<Int>) -> [Int]
  ) {
    let layout = PackedLayout(shape: entry.shape)
    let outputs = layout.blockCount * TensorLayout.blockWidth
    self.init(
      turned: TurnedWeights(
        weight: entry, parameters: parameters, kernels: kernels, taps: [order(0..<layout.taps)]),
      shape: [layout.inputs, outputs] + entry.shape.dropFirst(2))
  }
}
