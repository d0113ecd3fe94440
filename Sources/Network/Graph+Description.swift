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
    if let decoder = architecture.decoder {
      segmentation =
        architecture.networkClass == .residualUNet
        ? UNetResDecoder.build(decoder, of: architecture, skips: skips, in: &self)
        : UNetDecoder.build(decoder, of: architecture, skips: skips, in: &self)
    }
  }
}
