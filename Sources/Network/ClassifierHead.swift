// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// AdaptiveAvgPool(1) → Flatten → Linear, on the last stage's features; or a head on other features, whose
/// tensors are declared and whose operations are not.
enum ClassifierHead {
  /// Declares the parameters, adds the operation, and returns the logits.
  static func build(
    _ classifier: Classifier, pooled: Graph.Value, in graph: inout Graph
  ) -> Graph.Value? {
    var declared: [String: Parameter] = [:]
    for (name, shape) in classifier.tensors {
      declared[name] = graph.declare(
        name, shape: shape, shape.count == 2 ? .linearWeight : .perChannel, .head)
    }
    guard classifier.pooling == nil, let weight = declared[Classifier.weightName] else {
      return nil
    }
    return graph.add(
      .linear(Operation.Linear(weight: weight, bias: declared[Classifier.biasName])), pooled,
      path: "classifier", form: .vector(count: classifier.classNames.count))
  }
}
