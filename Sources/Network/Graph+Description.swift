// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

extension Graph {
  /// The network of a model: encoder, decoder where there is one, classifier where there is one.
  package init(_ description: ModelDescription) {
    self.init(description.architecture)
    if let classifier = description.classifier, let pooled {
      logits = ClassifierHead.build(classifier, pooled: pooled, in: &self)
    }
  }

  /// The network of an architecture, its decoder included where it has one.
  package init(_ architecture: NetworkArchitecture) {
    self.init(inputChannels: architecture.inputChannels, dimension: architecture.dimension)
    switch architecture.networkClass {
    case .plainConvUNet: skips = PlainConvEncoder.build(architecture, in: &self)
    case .residualEncoderUNet, .residualUNet:
      skips = ResidualEncoder.build(architecture, in: &self)
    case .stuNet: skips = STUNetEncoder.build(architecture, in: &self)
    case .dynUNet: skips = DynUNetEncoder.build(architecture, in: &self)
    case .primus: skips = PrimusEncoder.build(architecture, in: &self)
    }
    if let last = skips.last {
      pooled = add(.globalAverage, last, path: "pooled", form: .vector(count: width(of: last)))
    }
    guard let decoder = architecture.decoder else { return }
    switch architecture.networkClass {
    case .residualUNet:
      segmentation = UNetResDecoder.build(decoder, of: architecture, skips: skips, in: &self)
    case .stuNet:
      segmentation = STUNetDecoder.build(decoder, of: architecture, skips: skips, in: &self)
    case .primus:
      segmentation = skips.last.map { PrimusDecoder.build(decoder, map: $0, in: &self) }
    case .dynUNet:
      segmentation = DynUNetDecoder.build(decoder, of: architecture, skips: skips, in: &self)
    case .plainConvUNet, .residualEncoderUNet:
      segmentation = UNetDecoder.build(decoder, of: architecture, skips: skips, in: &self)
    }
  }
}
