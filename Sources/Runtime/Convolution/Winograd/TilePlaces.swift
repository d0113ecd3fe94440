// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// Where transformed tiles and their products lie, 16 channels of a tile at one point at a time.
struct TilePlaces {
  private static let block = TensorLayout.blockWidth

  /// Floats from a point, a group of tiles, a block of channels and a tile to the next.
  let pointStep, groupStep, blockStep, tileStep: Int
  /// Tiles of every group but the last, which has the place of as many.
  let groupTiles: Int

  /// `[point][group][block][tile of its group][16]`. A group is as many tiles as the registers of `winograd_products` hold,
  /// of nearly equal size, so that what it reads of all blocks is one run of memory.
  init(tiles: Int, blocks: Int, kernels: Kernels) {
    let (groups, groupTiles) = Self.groups(tiles: tiles, kernels: kernels)
    self.init(groups: groups, groupTiles: groupTiles, blocks: blocks)
  }

  /// `[point][tile][16]`, of one block.
  init(tiles: Int) { self.init(groups: 1, groupTiles: tiles, blocks: 1) }

  private init(groups: Int, groupTiles: Int, blocks: Int) {
    self.groupTiles = groupTiles
    tileStep = Self.block
    blockStep = groupTiles * tileStep
    groupStep = blocks * blockStep
    // An odd number of cache lines, since points at a power of two's distance would fight for the same cache sets.
    pointStep = (groups * groupTiles * blocks | 1) * Self.block
  }

  /// `[block][tile][point][16]`, of tiles in groups as by `init(tiles:blocks:kernels:)`: a tile's points are neighbours.
  init(tiles: Int, points: Int, kernels: Kernels) {
    groupTiles = Self.groups(tiles: tiles, kernels: kernels).tiles
    pointStep = Self.block
    // One cache line more than a tile needs: at a power of two's distance tiles would fight for the same sets.
    tileStep = (points + 1) * Self.block
    groupStep = groupTiles * tileStep
    blockStep = tiles * tileStep
  }

  private static func groups(tiles: Int, kernels: Kernels) -> (count: Int, tiles: Int) {
    let largest = Int(kernels.pointee.direct_voxels)
    let count = (tiles + largest - 1) / largest
    return (count, (tiles + count - 1) / count)
  }

  /// As the kernels take them.
  var kernel: nn_tile_places {
    nn_tile_places(
      point_step: pointStep, group_step: groupStep, block_step: blockStep, tile_step: tileStep,
      group_tiles: Int32(groupTiles))
  }
}
