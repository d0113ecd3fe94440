// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

/// Where the network looks in a prepared image: the windows that an input policy cuts out of it.
///
/// - `whole`: one window, the image padded with zeros to at least the patch size and to a multiple
///   of the total stride; of `d` missing voxels `d / 2` come before the image.
/// - `sliding-window`: nnU-Net's windows at half steps over the image padded to the patch size
///   (`compute_steps_for_sliding_window`, `pad_nd_image`).
/// - `center-crop`: one window of the patch size at the centre.
///
/// A 2-D configuration looks at every slice of axis 0 this way.
package struct InputFraming: Sendable, Equatable {
  /// Sizes of every window: `[z, y, x]`, or `[y, x]` for a 2-D network.
  package let windowShape: [Int]
  /// `[C, z, y, x]` of the image.
  package private(set) var imageShape: [Int]
  /// First voxels of the windows per axis, negative where a window begins before the image.
  package let origins: [[Int]]

  /// Frames an image of `imageShape`, `[C, z, y, x]`; windows slide by at most `stepSize` of their size.
  package init(
    _ policy: InputPolicy, imageShape: [Int], model: ModelDescription, stepSize: Double = 0.5
  ) {
    self.init(
      policy, imageShape: imageShape, patchSize: model.preprocessing.patchSize,
      totalStride: model.architecture.totalStride, stepSize: stepSize)
  }

  package init(
    _ policy: InputPolicy, imageShape: [Int], patchSize: [Int], totalStride stride: [Int],
    stepSize: Double
  ) {
    let sizes = Array(imageShape.suffix(patchSize.count))
    var windowShape: [Int] = []
    var origins: [[Int]] = []
    for axis in patchSize.indices {
      let (size, patch) = (sizes[axis], patchSize[axis])
      switch policy {
      case .whole:
        let window = (max(size, patch) + stride[axis] - 1) / stride[axis] * stride[axis]
        windowShape.append(window)
        origins.append([-((window - size) / 2)])
      case .slidingWindow:
        let padded = max(size, patch)
        windowShape.append(patch)
        let steps = Self.steps(padded, tile: patch, stepSize: stepSize)
        origins.append(steps.map { $0 - (padded - size) / 2 })
      case .centerCrop:
        windowShape.append(patch)
        origins.append([size < patch ? -((patch - size) / 2) : (size - patch) / 2])
      }
    }
    // A 2-D network sees one slice at a time.
    if patchSize.count == 2 { origins.insert(Array(0..<imageShape[1]), at: 0) }
    self.windowShape = windowShape
    self.imageShape = imageShape
    self.origins = origins
  }

  /// `compute_steps_for_sliding_window`.
  private static func steps(_ size: Int, tile: Int, stepSize: Double) -> [Int] {
    let count = Int((Double(size - tile) / (Double(tile) * stepSize)).rounded(.up)) + 1
    guard count > 1 else { return [0] }
    let step = Double(size - tile) / Double(count - 1)
    return (0..<count).map { Int((step * Double($0)).rounded(.toNearestOrEven)) }
  }

  /// How many windows there are.
  package var windowCount: Int { origins.reduce(1) { $0 * $1.count } }

  /// What all windows together reach, `[z, y, x]`; beyond the image where it is padded.
  package var area: [Range<Int>] {
    let sizes = windowSizes
    return (0..<3).map { axis in
      (origins[axis].min() ?? 0)..<(origins[axis].max() ?? 0) + sizes[axis]
    }
  }

  /// What the network takes: `[C, z, y, x]` or `[C, y, x]`.
  package var inputShape: [Int] { [imageShape[0]] + windowShape }

  /// The voxels of every window, `[z, y, x]`; negative where a window begins before the image.
  package var windows: [[Range<Int>]] {
    (0..<windowCount).map { index in
      zip(origin(of: index), windowSizes).map { $0..<$0 + $1 }
    }
  }

  /// `[z, y, x]` of every window; a 2-D network's have one slice.
  package var windowSizes: [Int] { windowShape.count == 2 ? [1] + windowShape : windowShape }

  /// A window's first voxel, `[z, y, x]`; the last axis runs fastest.
  package func origin(of index: Int) -> [Int] {
    var left = index
    var origin = [0, 0, 0]
    for axis in [2, 1, 0] {
      origin[axis] = origins[axis][left % origins[axis].count]
      left /= origins[axis].count
    }
    return origin
  }

  /// A window of a single channel, `[z, y, x]` or `[y, x]`, zeros where it leaves the image.
  package func window(_ index: Int, ofChannel values: [Float]) -> [Float] {
    var framing = self
    framing.imageShape[0] = 1
    return [Float](unsafeUninitializedCapacity: windowShape.reduce(1, *)) { window, count in
      framing.copyWindow(index, of: values, into: window)
      count = window.count
    }
  }

  /// Copies a window, zeros where it leaves the image.
  ///
  /// - Parameters:
  ///   - index: `0 ..< windowCount`; the last axis runs fastest.
  ///   - image: the values of the image, `[C, z, y, x]`.
  ///   - window: as many floats as `inputShape` has.
  ///   - flipped: the window's axes, of `windowShape`, along which it is turned round.
  package func copyWindow(
    _ index: Int, of image: [Float], into window: UnsafeMutableBufferPointer<Float>,
    flipped: [Int] = []
  ) {
    let origin = origin(of: index)
    let flips = (0..<3).map { flipped.contains($0 - 3 + windowShape.count) }
    let sizes = windowSizes
    let extent = Array(imageShape.dropFirst())
    let columns = max(0, -origin[2])..<max(0, -origin[2], min(sizes[2], extent[2] - origin[2]))
    window.update(repeating: 0)
    for channel in 0..<imageShape[0] {
      for z in 0..<sizes[0] where (0..<extent[0]).contains(origin[0] + z) {
        for y in 0..<sizes[1] where (0..<extent[1]).contains(origin[1] + y) {
          let source =
            ((channel * extent[0] + origin[0] + z) * extent[1] + origin[1] + y) * extent[2]
            + origin[2]
          let row = flips[0] ? sizes[0] - 1 - z : z
          let line = flips[1] ? sizes[1] - 1 - y : y
          let target = ((channel * sizes[0] + row) * sizes[1] + line) * sizes[2]
          if flips[2] {
            for x in columns { window[target + sizes[2] - 1 - x] = image[source + x] }
          } else {
            for x in columns { window[target + x] = image[source + x] }
          }
        }
      }
    }
  }
}
