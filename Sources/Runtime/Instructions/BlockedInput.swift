// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Puts the caller's input, `[channels][z][y][x]`, into blocks of 16 channels.
struct BlockedInput: Instruction {
  let name: String
  let output: Activation

  var algorithm: String { "block" }
  var buffers: [Buffer] { [output.buffer] }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let extent = output.extent
    let plane = extent.y * extent.x
    let target = context.memory[output]
    context.team.forEach(output.blocks * extent.z) { index, _ in
      let (channelBlock, z) = (index / extent.z, index % extent.z)
      let first = target + channelBlock * output.blockStep + z * plane * block
      let lanes = min(block, output.channels - channelBlock * block)
      if lanes < block { first.update(repeating: 0, count: plane * block) }
      for lane in 0..<lanes {
        let source =
          context.input + (channelBlock * block + lane) * extent.count + z * plane
        for voxel in 0..<plane { first[voxel * block + lane] = source[voxel] }
      }
    }
  }
}
