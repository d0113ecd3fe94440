// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

/// What a session is to compute.
public struct SessionOutputs: Sendable, Equatable {
  /// Stages whose features are wanted, as `[features, z, y, x]`; 0 is the highest resolution.
  package var stages: Set<Int>
  /// Whether the pooled features of the last stage are wanted.
  package var pooled: Bool
  /// Whether the classifier's logits are wanted.
  package var logits: Bool
  /// Whether the segmentation's logits are wanted, at full resolution.
  package var segmentation: Bool
  /// Whether these logits are wanted plane by plane, by `Session.forEachSegmentationSlab`: they are then
  /// never whole in memory.
  package var segmentationSlabs = false
  /// What is pooled of stages, which are then not kept for it.
  package var pooling: [Classifier.Pooling] = []

  /// Pooled features, and nothing else unless asked for.
  public init(
    stages: Set<Int> = [], pooled: Bool = true, logits: Bool = false, segmentation: Bool = false
  ) {
    self.stages = stages
    self.pooled = pooled
    self.logits = logits
    self.segmentation = segmentation
  }
}
