// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Where transformed tiles lie: `[point][group][block][tile of its group][16]`. For products a group is as many tiles as
/// their registers hold, so that what they read of all input blocks is one run of memory.
struct TransformedTiles {
  let blocks: Int
  /// Tiles of every group but the last, which has the place of as many.
  let groupTiles: Int
  /// Floats from a point to the next: an odd number of cache lines, since points at a power of two's distance would
  /// fight for the same cache sets.
  let pointStep: Int

  /// Tiles for `winograd_products`, in groups of nearly equal size.
  init(tiles: Int, blocks: Int, kernels: Kernels) {
    let largest = Int(kernels.pointee.direct_voxels)
    let groups = (tiles + largest - 1) / largest
    self.init(groups: groups, groupTiles: (tiles + groups - 1) / groups, blocks: blocks)
  }

  /// Tiles of one block, one after the other: `[point][tile][16]`.
  init(tiles: Int) { self.init(groups: 1, groupTiles: tiles, blocks: 1) }

  private init(groups: Int, groupTiles: Int, blocks: Int) {
    self.blocks = blocks
    self.groupTiles = groupTiles
    pointStep = (groups * groupTiles * blocks | 1) * TensorLayout.blockWidth
  }

  /// Floats from a block to the next.
  var blockStep: Int { groupTiles * TensorLayout.blockWidth }
  /// Floats from a group to the next.
  var groupStep: Int { blocks * blockStep }
}
