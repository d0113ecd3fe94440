internal import FileIO
internal import SWTFormat

/// A checkpoint whose weights were held against its plans: what can be converted.
struct CheckedNetwork {
  let network: PlannedNetwork
  /// What the user should know.
  let warnings: [String]

  /// - Throws: `ConversionError` that says why the part wanted cannot be converted.
  init(_ checkpoint: Checkpoint, options: ConversionOptions) throws {
    var warnings = checkpoint.warnings
    network = try PlannedNetwork(checkpoint, options: options, warn: { warnings.append($0) })
    let check = NetworkCheck(architecture: network.architecture, weights: checkpoint.weights)
    switch options.part {
    case .network:
      guard checkpoint.weights.hasDecoder, !checkpoint.isPretrained else {
        throw ConversionError.options(
          problem: "the input has no decoder that segments", advice: "leave out \(.part) network")
      }
      guard network.architecture.decoder != nil else {
        throw ConversionError.options(
          problem:
            "the plans' class has another decoder than UNetDecoder, which cannot be converted",
          advice: "leave out \(.part) network")
      }
      try check.requireNetwork()
    case .encoder:
      try check.requireEncoder()
      // What pre-training needed besides is known to be there, and what a head needs is taken.
      if !checkpoint.isPretrained, options.headPath == nil { warnings += check.remainder() }
    }
    self.warnings = warnings
  }
}
