// SPDX-License-Identifier: Apache-2.0
/// One of nnU-Net's training transforms with its parameters drawn: what it does is then fixed.
///
/// Source: batchgeneratorsv2 0.3.6, as `nnUNetTrainer.get_training_transforms` uses it.
package enum AugmentationStep: Sendable, Equatable {
  /// `SpatialTransform`: an image of `patch` voxels, sampled at `affine` times the distance from the
  /// centre; without `affine` cut or padded around the centre.
  case spatial(patch: [Int], affine: [[Double]]?)
  /// `GaussianNoiseTransform`: `sigma` times normal numbers, given or drawn.
  case noise(sigma: Double, unit: NoiseSource)
  /// `GaussianBlurTransform`: a sigma per channel and axis, in voxels.
  case blur(channels: [Int], sigmas: [[Double]])
  /// `MultiplicativeBrightnessTransform`.
  case brightness(channels: [Int], multipliers: [Double])
  /// `ContrastTransform`, clamped to the range there was.
  case contrast(channels: [Int], multipliers: [Double])
  /// `SimulateLowResolutionTransform`: a scale per channel and axis.
  case lowResolution(channels: [Int], scales: [[Double]])
  /// `GammaTransform`, mean and deviation kept.
  case gamma(channels: [Int], exponents: [Double], isInverted: Bool)
  /// `MirrorTransform`.
  case mirror(axes: [Int])
  /// `Convert3DTo2DTransform`: slices become channels.
  case to2D
  /// `Convert2DTo3DTransform`: and channels slices.
  case to3D

  /// Whether it moves voxels, and does not only change what they hold.
  var movesVoxels: Bool {
    switch self {
    case .spatial, .mirror, .to2D, .to3D: true
    case .noise, .blur, .brightness, .contrast, .lowResolution, .gamma: false
    }
  }

  /// Where unit noise comes from.
  package enum NoiseSource: Sendable, Equatable {
    case given([Float])
    case drawn(CounterRandom)
  }
}

/// An image on its way through steps.
package struct Augmentation {
  package private(set) var image: ChannelImage
  /// The image's channels while its slices are channels.
  private var foldedChannels: Int?

  package init(_ image: ChannelImage) { self.image = image }

  /// Goes on from another image of the same channels.
  mutating func replaceImage(_ image: ChannelImage) { self.image = image }

  /// - Throws: `TrainingError.augmentation` where a step's parameters do not fit the image.
  package mutating func apply(_ step: AugmentationStep) throws(TrainingError) {
    try check(step)
    switch step {
    case .spatial(let patch, let affine):
      image =
        affine.map { image.sampled(patch: patch, affine: $0) } ?? image.centred(patch: patch)
    case .noise(let sigma, let unit): image = image.addingNoise(sigma: sigma, unit)
    case .blur(let channels, let sigmas): image = image.blurred(channels, sigmas)
    case .brightness(let channels, let multipliers):
      image = image.mapping(channels: channels) { position, values in
        values.map { Float(Double($0) * multipliers[position]) }
      }
    case .contrast(let channels, let multipliers):
      image = image.mapping(channels: channels) { Statistics($1).contrast($1, multipliers[$0]) }
    case .lowResolution(let channels, let scales):
      image = image.lowResolution(channels, scales)
    case .gamma(let channels, let exponents, let isInverted):
      image = image.mapping(channels: channels) {
        Statistics.gamma($1, exponents[$0], isInverted: isInverted)
      }
    case .mirror(let axes): for axis in axes { image = image.mirrored(axis: axis) }
    case .to2D:
      foldedChannels = image.channels
      image = ChannelImage(
        channels: image.channels * image.shape[0], shape: Array(image.shape.dropFirst()),
        values: image.values)
    case .to3D:
      let channels = foldedChannels ?? 1
      image = ChannelImage(
        channels: channels, shape: [image.channels / channels] + image.shape, values: image.values)
      foldedChannels = nil
    }
  }

  private func check(_ step: AugmentationStep) throws(TrainingError) {
    let dimension = image.shape.count
    func need(_ condition: Bool, _ problem: String) throws(TrainingError) {
      guard condition else { throw .augmentation(problem: problem) }
    }
    func channelsFit(_ channels: [Int], _ count: Int) throws(TrainingError) {
      try need(
        channels.allSatisfy { (0..<image.channels).contains($0) } && channels.count == count,
        "channels and parameters do not fit an image of \(image.channels) channels")
    }
    switch step {
    case .spatial(let patch, let affine):
      try need(
        patch.count == dimension && patch.allSatisfy { (1...4096).contains($0) }
          && patch.reduce(image.channels, *) < 1 << 31, "a patch of \(patch) does not fit")
      try need(
        affine.map { rows in
          rows.count == dimension
            && rows.allSatisfy { $0.count == dimension && $0.allSatisfy(\.isFinite) }
        } != false, "the affine matrix is not \(dimension) × \(dimension)")
    case .noise(_, .given(let unit)):
      try need(unit.count == image.values.count, "the unit noise has another shape than the image")
    case .noise, .to2D, .to3D: break
    case .blur(let channels, let sigmas):
      try channelsFit(channels, sigmas.count)
      try need(
        sigmas.allSatisfy { $0.count == dimension && $0.allSatisfy { $0 > 0 && $0 < 100 } },
        "blur needs a positive sigma per axis")
    case .brightness(let channels, let factors), .contrast(let channels, let factors),
      .gamma(let channels, let factors, _):
      try channelsFit(channels, factors.count)
    case .lowResolution(let channels, let scales):
      try channelsFit(channels, scales.count)
      try need(
        scales.allSatisfy { $0.count == dimension && $0.allSatisfy { $0 > 0 && $0 <= 1 } },
        "low resolution needs a scale of 0…1 per axis")
    case .mirror(let axes):
      try need(
        axes.allSatisfy { (0..<dimension).contains($0) }, "mirrored axes are not the image's")
    }
    try need(step != .to2D || dimension == 3, "to_2d needs three axes")
    try need(step != .to3D || foldedChannels != nil, "to_3d stands without to_2d")
  }
}
