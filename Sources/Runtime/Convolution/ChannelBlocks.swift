// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// The input channels of a convolution in blocks of at most 16, as the maps that it reads have them: each
/// map starts a block of its own.
struct ChannelBlocks: Sendable, Hashable {
  /// Channels per block.
  let widths: [Int]
  /// Of every block its first channel, counted over all maps.
  let starts: [Int]

  /// - Parameter channels: those of every map.
  init(_ channels: [Int]) {
    let block = TensorLayout.blockWidth
    widths = channels.flatMap { count in
      stride(from: 0, to: count, by: block).map { min(block, count - $0) }
    }
    var start = 0
    starts = widths.map { width in
      defer { start += width }
      return start
    }
  }

  var count: Int { widths.count }
  var channels: Int { widths.reduce(0, +) }
  /// With those that fill up the blocks.
  var paddedChannels: Int { count * TensorLayout.blockWidth }
}
