// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Pipeline
import Training

/// What the head may read.
struct PoolingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What the head reads: mean (of the last stage), all (mean and max of all stages), nonzero-mean and nonzero-all (the \
      same over the scan's nonzero region), or auto (mean or all). Of several, each with its own --pooling, \
      cross-validation chooses (default: auto).
      """))
  var pooling: [Value] = []

  /// Whether a choice was made.
  var isGiven: Bool { !pooling.isEmpty }

  /// What is chosen from, each once.
  var choices: [Pooling] {
    (isGiven ? pooling : [.auto]).flatMap(\.poolings).reduce(into: []) {
      if !$0.contains($1) { $0.append($1) }
    }
  }

  struct Value: ExpressibleByArgument {
    let poolings: [Pooling]

    private static let autoName = "auto"
    static let auto = Value(poolings: Pooling.usual)

    private init(poolings: [Pooling]) { self.poolings = poolings }

    init?(argument: String) {
      if argument == Self.autoName {
        self = .auto
      } else if let pooling = Pooling(rawValue: argument) {
        self.init(poolings: [pooling])
      } else {
        return nil
      }
    }

    static var allValueStrings: [String] { [autoName] + Pooling.allCases.map(\.rawValue) }
  }
}
