internal import CKernels

/// How a convolution is transformed along each axis.
struct WinogradMix: Sendable, Equatable {
  /// How one axis is transformed; the C kernels say how.
  enum Way: Int, Sendable {
    /// Not at all: kernel 1.
    case none = 1
    /// F(2, 3).
    case twoOutputs = 2
    /// F(4, 3).
    case fourOutputs = 4
    /// Kernel 3 and stride 2 by phase: F(4, 2) on the outer taps, plain products on the middle one.
    case strided = 8

    var outputs: Int { self == .strided ? 4 : rawValue }
    /// Inputs of a tile, and products per input and output channel.
    var points: Int {
      switch self {
      case .none: 1
      case .strided: 9
      case .twoOutputs, .fourOutputs: rawValue + 2
      }
    }
    /// Points with a weight of their own: a strided axis' four plain products share one.
    var weightPoints: Int { self == .strided ? 6 : points }
    var kernel: Int { self == .none ? 1 : 3 }
    var stride: Int { self == .strided ? 2 : 1 }
    var name: String {
      switch self {
      case .none: "1"
      case .strided: "F(4,2)"
      case .twoOutputs, .fourOutputs: "F(\(rawValue),3)"
      }
    }
  }

  let z: Way
  let y: Way
  let x: Way

  /// The mixes that there are kernels for.
  static let all = [
    WinogradMix(z: .fourOutputs, y: .fourOutputs, x: .fourOutputs),
    WinogradMix(z: .twoOutputs, y: .fourOutputs, x: .fourOutputs),
    WinogradMix(z: .twoOutputs, y: .twoOutputs, x: .twoOutputs),
    WinogradMix(z: .none, y: .fourOutputs, x: .fourOutputs),
    WinogradMix(z: .none, y: .twoOutputs, x: .twoOutputs),
    WinogradMix(z: .strided, y: .strided, x: .strided),
    WinogradMix(z: .fourOutputs, y: .strided, x: .strided),
    WinogradMix(z: .none, y: .strided, x: .strided),
  ]

  private func extent(_ property: (Way) -> Int) -> Extent3 {
    Extent3(z: property(z), y: property(y), x: property(x))
  }

  /// The kernel and stride that the mix is for.
  var kernel: Extent3 { extent(\.kernel) }
  var stride: Extent3 { extent(\.stride) }
  /// Outputs of a tile.
  var outputs: Extent3 { extent(\.outputs) }
  /// How far apart the inputs of neighbouring tiles are.
  var inputStep: Extent3 { extent { $0.outputs * $0.stride } }
  /// Points along every axis.
  var points: Extent3 { extent(\.points) }
  var weightPoints: Extent3 { extent(\.weightPoints) }

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

  var code: nn_winograd_mix { Int32(z.rawValue << 8 | y.rawValue << 4 | x.rawValue) }

  var name: String { "winograd \(z.name)·\(y.name)·\(x.name)" }
}
