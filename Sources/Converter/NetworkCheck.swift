// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import Network
internal import PickleReader
internal import SWTFormat

/// Checks weights against the architecture that the plans describe.
struct NetworkCheck {
  /// The whole network; without a decoder where the plans name an encoder by itself.
  let architecture: NetworkArchitecture
  let weights: StateDict
  private let graph: Graph

  init(architecture: NetworkArchitecture, weights: StateDict) {
    self.architecture = architecture
    self.weights = weights
    graph = Graph(architecture)
  }

  /// Which norm the weights have, whatever the plans say: nnU-Net has a trainer that swaps it.
  static func normalization(
    planned: NetworkArchitecture.Normalization, weights: StateDict, warn: (String) -> Void
  ) -> NetworkArchitecture.Normalization {
    var result = planned
    let hasStatistics = weights.names.contains {
      $0.hasPrefix("encoder.") && $0.hasSuffix(".norm.running_mean")
    }
    result.kind = hasStatistics ? .batch : .instance
    if result.kind != planned.kind {
      warn(
        "the plans say \(planned.kind.rawValue) but the weights have \(result.kind.rawValue); "
          + "the weights are right (trainers such as nnUNetTrainerBN do that)")
    }
    return result
  }

  /// Checks that the encoder is there exactly: every parameter in its shape, and nothing else; and
  /// that its strides are those the decoder was made for.
  func requireEncoder() throws {
    guard weights.hasEncoder || weights.location != nil else { throw noEncoder() }
    let parameters = graph.parameters(of: .encoder)
    try require(parameters)
    let known = Set(parameters.map(\.name))
    for name in weights.names
    where name.hasPrefix("encoder.") && !known.contains(name) && !isUnused(name) {
      throw ConversionError(.unexpectedKey(name))
    }
    try checkStrides()
  }

  /// Checks that all of the network is there exactly, a decoder too.
  func requireNetwork() throws {
    guard architecture.decoder != nil else {
      throw upProjectionProblem
        ?? ConversionError(
          .options(
            problem:
              "the plans' class is an encoder by itself, or the weights' decoder is none that can be converted",
            advice: "leave out \(.part) network"))
    }
    try requireEncoder()
    try requireDecoder()
    if let name = otherNames.first { throw ConversionError(.unexpectedKey(name)) }
  }

  /// A Primus' decoder comes from its weights: what keeps these from being one.
  private var upProjectionProblem: ConversionError? {
    guard architecture.transformer != nil else { return nil }
    return (try? PrimusWeights(weights))?.upProjectionProblem
  }

  /// What the weights have besides the encoder and a decoder as planned, for a person.
  func remainder() -> [String] {
    var result: [String] = []
    if weights.hasDecoder, architecture.decoder != nil {
      do { try requireDecoder() } catch {
        result.append(
          "the decoder is not the planned one, and is left out: \(error); the encoder is")
      }
    }
    let others = otherNames
    if !others.isEmpty {
      let tensors = others.count == 1 ? "one tensor" : "\(others.count) tensors"
      result.append(
        "\(tensors) beside the network left out: \(DisplayText.list(Array(others.prefix(4))))"
          + (others.count > 4 ? ", …" : ""))
    }
    return result
  }

  private var otherNames: [String] { weights.otherNames.filter { !isUnused($0) } }

  private func requireDecoder() throws {
    let parameters = graph.parameters(of: .decoder)
    try require(parameters)
    let known = Set(parameters.map(\.name))
    for name in weights.names
    where name.hasPrefix("decoder.") && !known.contains(name) && !isUnused(name) {
      throw ConversionError(.unexpectedKey(name))
    }
  }

  /// Numbers that tensors may have beyond what their storages hold, which no training writes.
  private static let expandedLimit = 1 << 28

  private func require(_ parameters: [Parameter]) throws {
    var expanded = 0
    for parameter in parameters {
      if let problem = weights.problem(of: parameter.name) {
        throw ConversionError(.tensor(key: parameter.name, problem: problem))
      }
      guard let tensor = weights[parameter.name] else {
        throw ConversionError(.missingKey(parameter.name))
      }
      guard tensor.shape == parameter.shape else {
        throw ConversionError(
          .shape(
            key: parameter.name, found: tensor.shape, expected: parameter.shape))
      }
      guard tensor.elementType.isFloatingPoint else {
        throw ConversionError(
          .tensor(
            key: parameter.name,
            problem: "has type \(tensor.elementType.rawValue), not a floating-point type"))
      }
      let stored = tensor.storage.byteCount / tensor.elementType.byteCount
      expanded += max(0, tensor.elementCount - stored)
      guard expanded <= Self.expandedLimit else {
        throw ConversionError(
          .tensor(
            key: parameter.name, problem: "repeats its \(stored) stored numbers beyond measure"))
      }
      try weights.checkAliases(of: parameter.name)
    }
  }

  /// The kernels of the transposed convolutions are the strides, and nothing else in a file says them.
  private func checkStrides() throws {
    let stages = architecture.stages
    for name in weights.names + weights.foreignNames {
      let parts = name.split(separator: ".")
      guard parts.count >= 4, parts.last == "weight",
        parts.suffix(4).prefix(2).elementsEqual(["decoder", "transpconvs"]),
        let index = Int(parts[parts.count - 2]), (0..<stages.count - 1).contains(index),
        let shape = weights.shape(of: name), shape.count == architecture.dimension + 2
      else { continue }
      let stage = stages.count - 1 - index
      // Another decoder's layer proves nothing.
      guard shape[0] == stages[stage].features, shape[1] == stages[stage - 1].features else {
        continue
      }
      guard Array(shape[2...]) == stages[stage].stride else {
        throw ConversionError(
          .stride(
            key: name, stage: stage, planned: stages[stage].stride, found: Array(shape[2...])))
      }
    }
  }

  private func noEncoder() -> ConversionError {
    let names = weights.names.isEmpty ? weights.otherNames : weights.names
    return ConversionError(
      .notNNUNet(
        problem: "the weights hold no encoder of nnU-Net's; their names are "
          + DisplayText.list(Array(names.prefix(4))) + (names.count > 4 ? ", …" : ""),
        advice: "an encoder has stages.0.0.convs.0 or stem.convs.0 and stages.0.blocks.0"))
  }

  /// BatchNorm counts batches while it trains, Primus masks tokens, DynUNet supervises lower resolutions: none of it
  /// means anything afterwards.
  private func isUnused(_ name: String) -> Bool {
    name.hasSuffix(".num_batches_tracked") || name == "decoder.mask_token"
      || (architecture.networkClass == .dynUNet
        && (name.hasPrefix("decoder.deep_supervision_heads.") || name.hasPrefix("decoder.heads.")))
  }
}
