// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader

/// Finds the dictionaries of tensors in a checkpoint, whatever they are wrapped in.
struct WeightsFinder {
  /// A dictionary of tensors, and the keys that lead to it: `state_dict`, `model.teacher`, …
  struct Found {
    let path: [String]
    let value: PickleValue

    /// As `--weights-key` takes it.
    var name: String { path.joined(separator: ".") }
  }

  /// Keys under which training scripts keep the weights that count, whatever lies beside them.
  private static let usualKeys: Set<String> = [
    "network_weights", "state_dict", "model_state_dict", "model", "net", "network",
  ]

  private static let depthLimit = 4
  private static let dictionaryLimit = 1_000
  private static let entryLimit = 1_000_000

  /// All dictionaries of tensors, the outermost first.
  let found: [Found]

  init(_ root: PickleValue) {
    var found: [Found] = []
    var level = [Found(path: [], value: root)]
    var visited: Set<Int> = []
    var entryCount = 0
    for _ in 0..<Self.depthLimit where !level.isEmpty {
      var next: [Found] = []
      for place in level where place.value.isDictionary && entryCount < Self.entryLimit {
        guard visited.insert(place.value.number).inserted else { continue }
        entryCount += place.value.entries.count
        if Self.isStateDict(place.value) {
          found.append(place)
          continue
        }
        for entry in place.value.entries where entry.value.isDictionary {
          guard let key = entry.key.string, next.count < Self.dictionaryLimit else { continue }
          next.append(Found(path: place.path + [key], value: entry.value))
        }
      }
      level = next
    }
    self.found = found
  }

  /// Whether a value is a dictionary whose values are tensors (or tensors of a kind we refuse).
  static func isStateDict(_ value: PickleValue) -> Bool {
    guard value.isDictionary else { return false }
    let entries = value.entries
    let tensors = entries.filter { entry in
      switch entry.value.kind {
      case .tensor, .unreadableTensor: entry.key.string != nil
      default: false
      }
    }
    return !tensors.isEmpty && tensors.count * 2 >= entries.count
  }

  /// The weights to convert: those the user names, else the only ones with an encoder, else those
  /// under a usual key.
  func choose(key: String?, warn: (String) -> Void) throws -> Found? {
    if let key {
      if let match = found.first(where: { $0.name == key }) { return match }
      throw ConversionError(
        .options(
          problem: "there are no weights under \(DisplayText.quoted(key))",
          advice: "\(.weightsKey) is one of: \(Self.list(found))"))
    }
    let encoders = found.filter { place in
      !EncoderLocation.all(in: place.value.entries.compactMap(\.key.string)).isEmpty
    }
    // Weights of another network, or of none: those under a usual key will be told by their names.
    let choice = encoders.isEmpty ? found : encoders
    guard choice.count > 1 else { return choice.first }
    let usual = choice.filter { $0.path.isEmpty || Self.usualKeys.contains($0.path.last ?? "") }
    let candidates = usual.isEmpty ? choice.filter { !AveragedWeights.isNamed($0.path) } : usual
    guard candidates.count == 1 || encoders.isEmpty, let first = candidates.first else {
      throw ConversionError(
        .options(
          problem: "there are several networks",
          advice: "give \(.weightsKey), one of: \(Self.list(choice))"))
    }
    if !encoders.isEmpty {
      warn(
        "the weights under \(DisplayText.quoted(first.name)) are taken; there are others, which "
          + "--weights-key takes: \(Self.list(choice.filter { $0.path != first.path }))")
    }
    return first
  }

  private static func list(_ found: [Found]) -> String {
    found.isEmpty ? "none" : DisplayText.list(found.map(\.name))
  }
}

/// Names of weights that are an average over training, kept beside the trained ones.
enum AveragedWeights {
  private static let names: Set<String> = ["ema", "swa", "averaged", "average", "avg"]

  static func isNamed(_ path: [String]) -> Bool {
    path.contains { part in
      part.lowercased().split { $0 == "_" || $0 == "." || $0 == "-" }.contains {
        names.contains(String($0))
      }
    }
  }
}
