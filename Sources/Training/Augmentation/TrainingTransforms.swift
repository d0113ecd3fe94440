// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// nnU-Net's `get_training_transforms` for whole images: which steps an image's view gets, drawn with
/// nnU-Net's probabilities from the case's and the view's numbers alone.
package struct TrainingTransforms: Sendable {
  private let shape: [Int]
  private let channels: Int
  private let mirrorAxes: [Int]
  private let seed: UInt64
  /// Slices are rotated in their plane only: the patch is much shorter along its first axis.
  private let isDummy2D: Bool
  private let largestAngle: Double

  /// - Parameters:
  ///   - shape: of every image, which is also the result's.
  ///   - patch: the network's patch, from which nnU-Net derives how far it rotates.
  ///   - mirrorAxes: axes that may be mirrored; none for labels that have a side.
  package init(shape: [Int], patch: [Int], channels: Int, mirrorAxes: [Int], seed: UInt64) {
    self.shape = shape
    self.channels = channels
    self.mirrorAxes = mirrorAxes
    self.seed = seed
    let longest = Double(patch.max() ?? 1)
    isDummy2D = shape.count == 3 && longest / Double(max(patch[0], 1)) > 3
    let isLong = shape.count == 2 && longest / Double(max(patch.min() ?? 1, 1)) > 1.5
    let degrees: Double = shape.count == 2 ? (isLong ? 15 : 180) : isDummy2D ? 180 : 30
    largestAngle = degrees * .pi / 180
  }

  /// The steps of a view.
  package func steps(case index: Int, view: Int) -> [AugmentationStep] {
    var steps: [AugmentationStep] = []
    /// The numbers of a transform; none where its turn does not come.
    func draw(_ transform: UInt64, probability: Double) -> Draw? {
      let random = CounterRandom(
        seed: seed, stream: [UInt64(index), UInt64(view), transform])
      var draw = Draw(random)
      return draw.unit() < probability ? draw : nil
    }
    if var draw = draw(1, probability: 1) {
      let spatial = spatialStep(&draw)
      steps += isDummy2D ? [.to2D, spatial, .to3D] : [spatial]
    }
    if var draw = draw(2, probability: 0.1) {
      let sigma = draw.number(0...0.1)
      let noise = CounterRandom(seed: seed, stream: [UInt64(index), UInt64(view), 102])
      steps.append(.noise(sigma: sigma, unit: .drawn(noise)))
    }
    if var draw = draw(3, probability: 0.2) {
      let chosen = draw.channels(channels, probability: 0.5)
      steps.append(
        .blur(
          channels: chosen,
          sigmas: chosen.map { _ in shape.map { _ in draw.number(0.5...1) } }))
    }
    if var draw = draw(4, probability: 0.15) {
      steps.append(
        .brightness(
          channels: Array(0..<channels),
          multipliers: (0..<channels).map { _ in draw.factor(0.75...1.25) }))
    }
    if var draw = draw(5, probability: 0.15) {
      steps.append(
        .contrast(
          channels: Array(0..<channels),
          multipliers: (0..<channels).map { _ in draw.factor(0.75...1.25) }))
    }
    if var draw = draw(6, probability: 0.25) {
      let chosen = draw.channels(channels, probability: 0.5)
      steps.append(
        .lowResolution(
          channels: chosen,
          scales: chosen.map { _ in
            let scale = draw.number(0.5...1)
            return shape.indices.map { isDummy2D && $0 == 0 ? 1 : scale }
          }))
    }
    for (transform, probability, isInverted) in [(7, 0.1, true), (8, 0.3, false)] {
      if var draw = draw(UInt64(transform), probability: probability) {
        steps.append(
          .gamma(
            channels: Array(0..<channels),
            exponents: (0..<channels).map { _ in draw.factor(0.7...1.5) }, isInverted: isInverted))
      }
    }
    if var draw = draw(9, probability: 1) {
      let axes = mirrorAxes.filter { _ in draw.unit() < 0.5 }
      if !axes.isEmpty { steps.append(.mirror(axes: axes)) }
    }
    return steps
  }

  private func spatialStep(_ draw: inout Draw) -> AugmentationStep {
    let axes = isDummy2D ? Array(shape.dropFirst()) : shape
    let isRotated = draw.unit() < 0.2
    let isScaled = draw.unit() < 0.2
    guard isRotated || isScaled else { return .spatial(patch: axes, affine: nil) }
    let angles = axes.map { _ in isRotated ? draw.number(-largestAngle...largestAngle) : 0 }
    let scale = isScaled ? draw.number(0.7...1.4) : 1
    return .spatial(patch: axes, affine: Self.affine(angles: angles, scale: scale))
  }

  /// `R(a₂) R(a₁) R(a₀) · scale` about the axes 0, 1, 2; in 2-D only the last of two angles counts.
  package static func affine(angles: [Double], scale: Double) -> [[Double]] {
    let c = angles.map { cos($0) }
    let s = angles.map { sin($0) }
    guard angles.count == 3 else {
      return [[c[1], -s[1]], [s[1], c[1]]].map { row in row.map { $0 * scale } }
    }
    let first = [[1, 0, 0], [0, c[0], -s[0]], [0, s[0], c[0]]]
    let second = [[c[1], 0, s[1]], [0, 1, 0], [-s[1], 0, c[1]]]
    let third = [[c[2], -s[2], 0], [s[2], c[2], 0], [0, 0, 1]]
    func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
      a.map { row in
        b[0].indices.map { column in
          zip(row, b).reduce(0) { $0 + $1.0 * $1.1[column] }
        }
      }
    }
    return product(product(third, second), first).map { row in row.map { $0 * scale } }
  }

  /// Numbers of one transform, one after the other.
  private struct Draw {
    private let random: CounterRandom
    private var position = 0

    init(_ random: CounterRandom) { self.random = random }

    mutating func unit() -> Double {
      defer { position += 1 }
      return random.unit(at: position)
    }

    mutating func number(_ range: ClosedRange<Double>) -> Double {
      range.lowerBound + unit() * (range.upperBound - range.lowerBound)
    }

    /// `BGContrast`: below one as often as above.
    mutating func factor(_ range: ClosedRange<Double>) -> Double {
      unit() < 0.5 ? number(range.lowerBound...1) : number(1...range.upperBound)
    }

    mutating func channels(_ count: Int, probability: Double) -> [Int] {
      (0..<count).filter { _ in unit() < probability }
    }
  }
}
