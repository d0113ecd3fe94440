// SPDX-License-Identifier: Apache-2.0
/// What the encoder makes of one case; the features of stages are lent by
/// `EncoderPipeline.withFeatures`.
public struct EncoderOutput: Sendable {
  /// The mean of the last stage's features, over all windows and slices, `[features]`; where logits were
  /// asked for, the features that the classifier reads.
  public let pooled: [Float]
  /// The classifier's logits for `pooled`, `[classes]`, where they were asked for.
  public let logits: [Float]?
  /// How far `pooled` lies from the scans of training, as the model's classifier measures it; where
  /// logits were asked for and it can.
  package let foreignDistance: Double?
  /// Where the logits come from, where that was asked for.
  package let maps: ActivationMaps?
}
