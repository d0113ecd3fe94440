// SPDX-License-Identifier: Apache-2.0
extension ChannelImage {
  /// The image cut or padded with zeros around its centre.
  func centred(patch: [Int]) -> ChannelImage {
    let first = zip(shape, patch).map { $0 / 2 - $1 / 2 }
    return gathered(shape: patch) { index in
      zip(index, first).map(+)
    }
  }

  /// The image mirrored.
  func mirrored(axis: Int) -> ChannelImage {
    gathered(shape: shape) { index in
      var source = index
      source[axis] = shape[axis] - 1 - index[axis]
      return source
    }
  }

  /// An image whose voxels are those at other places; zero where there are none.
  private func gathered(shape target: [Int], _ source: ([Int]) -> [Int]) -> ChannelImage {
    var result = ChannelImage(
      channels: channels, shape: target,
      values: [Float](repeating: 0, count: target.reduce(channels, *)))
    let strides = strides
    for (position, index) in GridIndices(target).enumerated() {
      let from = source(index)
      guard zip(from, shape).allSatisfy({ $0 >= 0 && $0 < $1 }) else { continue }
      let offset = zip(from, strides).reduce(0) { $0 + $1.0 * $1.1 }
      for channel in 0..<channels {
        result.values[channel * result.voxelCount + position] =
          values[channel * voxelCount + offset]
      }
    }
    return result
  }

  /// Output voxel o is the linear interpolation at `affine · (o − (P − 1)/2) + (s − 1)/2`; what lies
  /// outside counts as zero.
  func sampled(patch: [Int], affine: [[Double]]) -> ChannelImage {
    var result = ChannelImage(
      channels: channels, shape: patch,
      values: [Float](repeating: 0, count: patch.reduce(channels, *)))
    let dimension = shape.count
    let strides = strides
    var lower = [Int](repeating: 0, count: dimension)
    var weight = [Double](repeating: 0, count: dimension)
    var sums = [Double](repeating: 0, count: channels)
    for (position, index) in GridIndices(patch).enumerated() {
      for axis in 0..<dimension {
        var place = Double(shape[axis] - 1) / 2
        for other in 0..<dimension {
          place += affine[axis][other] * (Double(index[other]) - Double(patch[other] - 1) / 2)
        }
        // Far outside is outside; the bound keeps the conversion to an integer safe.
        let below = min(max(place, -2), Double(shape[axis]) + 1).rounded(.down)
        lower[axis] = Int(below)
        weight[axis] = min(max(place - below, 0), 1)
      }
      for channel in sums.indices { sums[channel] = 0 }
      for corner in 0..<(1 << dimension) {
        var offset = 0
        var factor = 1.0
        for axis in 0..<dimension {
          let isUpper = corner >> axis & 1
          let voxel = lower[axis] + isUpper
          guard (0..<shape[axis]).contains(voxel) else {
            factor = 0
            break
          }
          offset += voxel * strides[axis]
          factor *= isUpper == 1 ? weight[axis] : 1 - weight[axis]
        }
        guard factor != 0 else { continue }
        for channel in sums.indices {
          sums[channel] += factor * Double(values[channel * voxelCount + offset])
        }
      }
      for channel in sums.indices {
        result.values[channel * result.voxelCount + position] = Float(sums[channel])
      }
    }
    return result
  }
}

/// All positions of a grid, the last axis fastest.
private struct GridIndices: Sequence, IteratorProtocol {
  private let shape: [Int]
  private var upcoming: [Int]?

  init(_ shape: [Int]) {
    self.shape = shape
    upcoming = shape.allSatisfy { $0 > 0 } ? [Int](repeating: 0, count: shape.count) : nil
  }

  mutating func next() -> [Int]? {
    guard var index = upcoming else { return nil }
    let result = index
    for axis in shape.indices.reversed() {
      index[axis] += 1
      if index[axis] < shape[axis] {
        upcoming = index
        return result
      }
      index[axis] = 0
    }
    upcoming = nil
    return result
  }
}
