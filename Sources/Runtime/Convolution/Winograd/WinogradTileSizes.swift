// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// How a Winograd convolution is tiled along each axis.
struct WinogradTileSizes: Sendable, Equatable {
  /// How one axis is tiled, as the list of the C kernels says (`winograd_tiles.inc`).
  struct Axis: @unchecked Sendable, Equatable {
    // Invariant: points to a constant of the C module, one for every axis.
    private let pointer: UnsafePointer<nn_winograd_axis>

    fileprivate init(code: Int32) {
      guard let pointer = nn_winograd_axis_of(code) else {
        preconditionFailure("the list has tile sizes of an axis that it lacks")
      }
      self.pointer = pointer
    }

    var code: Int { Int(pointer.pointee.code) }
    var kernel: Int { Int(pointer.pointee.kernel) }
    var stride: Int { Int(pointer.pointee.stride) }
    /// Outputs of a tile.
    var outputs: Int { Int(pointer.pointee.outputs) }
    /// Inputs of a tile, and products per input and output channel.
    var points: Int { Int(pointer.pointee.points) }
    /// Points with a weight of their own; the last one's serves all points after it.
    var weightPoints: Int { Int(pointer.pointee.weight_points) }
    var name: String { String(cString: pointer.pointee.name) }
  }

  let z: Axis
  let y: Axis
  let x: Axis

  /// The tile sizes that there are kernels for.
  static let all: [WinogradTileSizes] = {
    var count: Int32 = 0
    let codes = nn_winograd_all_tile_sizes(&count)
    return (0..<Int(count)).map { index in
      WinogradTileSizes(
        z: Axis(code: codes[index] >> 8), y: Axis(code: codes[index] >> 4 & 15),
        x: Axis(code: codes[index] & 15))
    }
  }()

  private func extent(_ property: (Axis) -> Int) -> Extent3 {
    Extent3(z: property(z), y: property(y), x: property(x))
  }

  /// The kernel and stride that the tiles are for.
  var kernel: Extent3 { extent(\.kernel) }
  var stride: Extent3 { extent(\.stride) }
  /// Outputs of a tile.
  var outputs: Extent3 { extent(\.outputs) }
  /// How far apart the inputs of neighbouring tiles are.
  var inputStep: Extent3 { extent { $0.outputs * $0.stride } }
  /// Points along every axis.
  var points: Extent3 { extent(\.points) }
  var weightPoints: Extent3 { extent(\.weightPoints) }

  /// Whether tiles have one or two outputs along every axis: these round less than larger ones.
  var isSmall: Bool { [z, y, x].allSatisfy { $0.outputs <= 2 } }

  /// With stride 2 larger tiles cost less where weights stay as they are.
  var isSmallAndStrided: Bool { isSmall && stride.count > 1 }

  /// Whether there are kernels for the way back: not for four outputs at stride 2, whose 729 points' sums go through memory
  /// and take what the products save.
  var hasGradient: Bool { isSmall || stride.count == 1 }

  func fits(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.kernel == kernel && geometry.stride == stride
  }

  /// Tiles that cover an output.
  func tiles(_ output: Extent3) -> Extent3 {
    output.combined(with: outputs) { ($0 + $1 - 1) / $1 }
  }

  /// The weight's point for every point of the input.
  var weightPointOfPoint: [Int] {
    (0..<points.count).map { point in
      let (pz, py, px) = (
        point / (points.y * points.x), point / points.x % points.y, point % points.x
      )
      return (min(pz, weightPoints.z - 1) * weightPoints.y + min(py, weightPoints.y - 1))
        * weightPoints.x + min(px, weightPoints.x - 1)
    }
  }

  /// As the kernels take them.
  var code: nn_winograd_tile_sizes { Int32(z.code << 8 | y.code << 4 | x.code) }

  var name: String { "winograd \(z.name)·\(y.name)·\(x.name)" }
}
