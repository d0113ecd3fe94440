internal import Network
internal import PickleReader
internal import SWTFormat

/// Checks weights against the architecture that the plans describe.
struct NetworkCheck {
  let architecture: NetworkArchitecture
  /// Names that may be there besides the network's, such as a classifier's.
  var allowedExtras: Set<String> = []

  /// Which norm the weights have, whatever the plans say: nnU-Net has a trainer that swaps it.
  static func normalization(
    planned: NetworkArchitecture.Normalization, weights: StateDict, warn: (String) -> Void
  ) -> NetworkArchitecture.Normalization {
    var result = planned
    result.kind = weights.names.contains { $0.hasSuffix(".norm.running_mean") } ? .batch : .instance
    if result.kind != planned.kind {
      warn(
        "the plans say \(planned.kind.rawValue) but the weights have \(result.kind.rawValue); "
          + "the weights are right (trainers such as nnUNetTrainerBN do that)")
    }
    return result
  }

  /// Checks that every parameter is there in its shape, and nothing else.
  ///
  /// - Parameter includingDecoder: whether decoder and segmentation layers must be there too.
  func check(_ weights: StateDict, includingDecoder: Bool) throws {
    let graph = Graph(architecture)
    let expected = includingDecoder ? graph.parameters : graph.parameters(of: .encoder)
    for parameter in expected {
      guard let tensor = weights[parameter.name] else {
        throw ConversionError.missingKey(parameter.name)
      }
      guard tensor.shape == parameter.shape else {
        throw ConversionError.shape(
          key: parameter.name, found: tensor.shape, expected: parameter.shape)
      }
      guard tensor.elementType.isFloatingPoint else {
        throw ConversionError.tensor(
          key: parameter.name,
          problem: "has type \(tensor.elementType.rawValue), not a floating-point type")
      }
    }
    let known = Set(expected.map(\.name)).union(allowedExtras)
    for name in weights.names where !known.contains(name) && !isCounter(name) {
      throw ConversionError.unexpectedKey(name)
    }
  }

  /// BatchNorm counts batches while it trains; the number means nothing afterwards.
  private func isCounter(_ name: String) -> Bool {
    architecture.normalization.kind == .batch && name.hasSuffix(".norm.num_batches_tracked")
  }
}
