// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Writes the tokens of a grid as a map; registers are left out.
struct TokenMap: Instruction {
  let name: String
  let source: TokenSequence
  let order: TokenOrder
  let output: Activation

  var algorithm: String { "map" }
  var buffers: [Buffer] { [source.buffer, output.buffer] }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let rows = source.rows(in: context.memory)
    let target = context.memory[output]
    let (extent, channels) = (output.extent, output.channels)
    context.team.forEach(output.blocks * extent.z) { index, _ in
      let (channelBlock, z) = (index / extent.z, index % extent.z)
      let first = channelBlock * block
      let count = min(block, channels - first)
      for y in 0..<extent.y {
        for x in 0..<extent.x {
          let token = rows[source.registers + order.token(z: z, y: y, x: x)] + first
          let voxel =
            target + channelBlock * output.blockStep + ((z * extent.y + y) * extent.x + x) * block
          for lane in 0..<count { voxel[lane] = token[lane] }
          for lane in count..<block { voxel[lane] = 0 }
        }
      }
    }
  }
}
