// SPDX-License-Identifier: Apache-2.0
/// An image of several channels, `[C, z, y, x]` or `[C, y, x]`, the last axis fastest.
package struct ChannelImage: Sendable, Equatable {
  package let channels: Int
  /// Voxels per spatial axis: two or three.
  package let shape: [Int]
  package var values: [Float]

  package init(channels: Int, shape: [Int], values: [Float]) {
    precondition(values.count == shape.reduce(channels, *))
    self.channels = channels
    self.shape = shape
    self.values = values
  }

  package var voxelCount: Int { shape.reduce(1, *) }

  /// The distance between neighbours along every axis.
  package var strides: [Int] {
    shape.indices.map { axis in shape[(axis + 1)...].reduce(1, *) }
  }

  package subscript(channel channel: Int) -> [Float] {
    get { Array(values[channel * voxelCount..<(channel + 1) * voxelCount]) }
    set {
      precondition(newValue.count == voxelCount)
      values.replaceSubrange(channel * voxelCount..<(channel + 1) * voxelCount, with: newValue)
    }
  }

  /// The image with one channel after the other changed by `body`, which gets and gives its voxels.
  package func mapping(channels: [Int], _ body: (Int, [Float]) -> [Float]) -> ChannelImage {
    var result = self
    for (position, channel) in channels.enumerated() {
      result[channel: channel] = body(position, self[channel: channel])
    }
    return result
  }
}

/// Lines of voxels along an axis of a row-major array.
struct AxisLines {
  let count: Int
  let length: Int
  let stride: Int
  private let inner: Int

  init(shape: [Int], axis: Int) {
    length = shape[axis]
    inner = shape[(axis + 1)...].reduce(1, *)
    stride = inner
    count = shape.reduce(1, *) / max(length, 1)
  }

  /// Where the first voxel of a line lies.
  func start(_ line: Int) -> Int { line / inner * inner * length + line % inner }
}
