internal import SWTFormat

/// Writes the network's input as a map, for what reads maps only: a skip that is the input itself.
struct InputMap: Instruction {
  let output: Activation

  var name: String { "input" }
  var algorithm: String { "map" }
  var buffers: [Buffer] { [output.buffer] }

  func run(_ context: RunContext) {
    let block = TensorLayout.blockWidth
    let target = context.memory[output]
    let (voxels, plane) = (output.extent.count, output.extent.y * output.extent.x)
    context.team.forEach(output.blocks * output.extent.z) { index, _ in
      let (channelBlock, z) = (index / output.extent.z, index % output.extent.z)
      let count = min(block, output.channels - channelBlock * block)
      for voxel in z * plane..<(z + 1) * plane {
        let place = target + channelBlock * output.blockStep + voxel * block
        for lane in 0..<count {
          place[lane] = context.input[(channelBlock * block + lane) * voxels + voxel]
        }
        for lane in count..<block { place[lane] = 0 }
      }
    }
  }
}
