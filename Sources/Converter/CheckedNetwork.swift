// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// A checkpoint whose weights were held against its plans: what can be converted.
struct CheckedNetwork {
  let network: PlannedNetwork
  /// What the user should know.
  let warnings: [String]

  /// - Throws: `ConversionError` that says why the part wanted cannot be converted.
  init(_ checkpoint: Checkpoint, options: ConversionOptions) throws {
    do { try self.init(checking: checkpoint, options: options) } catch {
      throw ConversionError.named(error, network: checkpoint.networkName)
    }
  }

  private init(checking checkpoint: Checkpoint, options: ConversionOptions) throws {
    var warnings = checkpoint.warnings
    network = try PlannedNetwork(checkpoint, options: options, warn: { warnings.append($0) })
    let check = NetworkCheck(architecture: network.architecture, weights: checkpoint.weights)
    switch options.part {
    case .network:
      guard checkpoint.weights.hasDecoder, !checkpoint.isPretrained else {
        throw ConversionError(
          .options(
            problem: "the input has no decoder that segments", advice: "leave out \(.part) network")
        )
      }
      try check.requireNetwork()
    case .encoder:
      try check.requireEncoder()
      // What pre-training needed besides is known to be there, and what a head needs is taken.
      if !checkpoint.isPretrained, options.headPath == nil { warnings += check.remainder() }
    }
    self.warnings = warnings
  }

  /// Checks that another fold is of the same network as the first.
  ///
  /// - Throws: `ConversionError` with the tensor that does not fit.
  static func requireFit(
    of fold: Checkpoint, to network: PlannedNetwork, options: ConversionOptions
  ) throws {
    let name = fold.fold.map(DisplayText.escaped) ?? ""
    do {
      let check = NetworkCheck(architecture: network.architecture, weights: fold.weights)
      try options.part == .network ? check.requireNetwork() : check.requireEncoder()
      let own = try CheckedNetwork(fold, options: options).network
      guard own.architecture == network.architecture, own.preprocessing == network.preprocessing,
        own.labels == network.labels
      else {
        throw ConversionError(.options(problem: "its plans or labels are others"))
      }
    } catch {
      throw ConversionError(
        .unreadable(
          file: "fold_\(name)", problem: "does not fit the first fold: \(error)",
          advice: "convert folds of one training"))
    }
  }
}
