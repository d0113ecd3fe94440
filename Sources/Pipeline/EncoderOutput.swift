/// What the encoder makes of one case.
public struct EncoderOutput: Sendable {
  /// The mean of the last stage's features, over all windows and slices, `[features]`.
  public let pooled: [Float]
  /// The classifier's logits for `pooled`, `[classes]`, where they were asked for.
  public let logits: [Float]?
  /// Features of the stages that were asked for, `[features, z, y, x]` or `[features, y, x]`.
  public let stages: [Int: StageFeatures]
  /// The segmentation's logits, `[heads, z, y, x]` or `[heads, y, x]`, where they were asked for.
  package var segmentation: StageFeatures?

  /// The features of one stage.
  public struct StageFeatures: Sendable {
    /// `[features, z, y, x]` or `[features, y, x]`.
    public let shape: [Int]
    /// Row-major.
    public let values: [Float]
  }
}
