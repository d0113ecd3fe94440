// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Convolution as it is defined, in double precision, one output at a time.
struct ConvolutionDefinition {
  let geometry: ConvolutionGeometry
  let weights: PackedWeights
  /// `[channels][z][y][x]`, activated.
  let input: [Double]

  /// Calls `body` with what gives the output of a channel and a voxel.
  func withValues(
    kernels: Kernels, threads: Int, _ body: ((_ channel: Int, _ voxel: Int) -> Double) -> Void
  ) {
    weights.prepare()
    weights.withUnsafePointer(kernels: kernels, team: ThreadTeam(count: threads)) { packed in
      body { channel, voxel in value(packed, channel: channel, voxel: voxel) }
    }
  }

  private func value(_ packed: UnsafePointer<Float>, channel: Int, voxel: Int) -> Double {
    let (extent, kernel, step) = (geometry.input, geometry.kernel, geometry.voxelStep)
    let output = geometry.positions.combined(with: step, *)
    let place = Extent3(
      z: voxel / (output.y * output.x), y: voxel / output.x % output.y, x: voxel % output.x)
    let position = place.combined(with: step, /)
    // With a voxel step, the channels of a voxel follow those of the one before.
    let inside = place.combined(with: step, %)
    let row =
      ((inside.z * step.y + inside.y) * step.x + inside.x)
      * (geometry.outputChannels / step.count) + channel
    let block = TensorLayout.blockWidth
    var sum = 0.0
    for tap in 0..<kernel.count {
      let z = position.z * geometry.stride.z + tap / (kernel.y * kernel.x) - geometry.padding.z
      let y = position.y * geometry.stride.y + tap / kernel.x % kernel.y - geometry.padding.y
      let x = position.x * geometry.stride.x + tap % kernel.x - geometry.padding.x
      guard (0..<extent.z).contains(z), (0..<extent.y).contains(y), (0..<extent.x).contains(x)
      else { continue }
      for (inputBlock, width) in weights.blocks.widths.enumerated() {
        let start =
          weights.offset(outputBlock: row / block, inputBlock: inputBlock) + tap * width * block
        for lane in 0..<width {
          let channelIn = weights.blocks.starts[inputBlock] + lane
          let value = input[channelIn * extent.count + (z * extent.y + y) * extent.x + x]
          sum += value * Double(packed[start + lane * block + row % block])
        }
      }
    }
    return sum
  }
}
