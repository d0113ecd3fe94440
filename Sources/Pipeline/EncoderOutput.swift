/// What the encoder makes of one case; the features of stages are lent by
/// `EncoderPipeline.withFeatures`.
public struct EncoderOutput: Sendable {
  /// The mean of the last stage's features, over all windows and slices, `[features]`.
  public let pooled: [Float]
  /// The classifier's logits for `pooled`, `[classes]`, where they were asked for.
  public let logits: [Float]?
}
