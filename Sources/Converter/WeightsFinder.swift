internal import PickleReader

/// Finds the dictionary of tensors in a checkpoint, whatever it is wrapped in.
enum WeightsFinder {
  /// The keys under which training scripts keep a state dict, the most specific first.
  private static let wrapperKeys = [
    "network_weights", "state_dict", "model_state_dict", "model", "net", "encoder_state_dict",
    "module", "weights",
  ]

  /// The state dict in `value`: the value itself or the first of the wrappers that is one.
  static func stateDict(in value: PickleValue) -> PickleValue? {
    if isStateDict(value) { return value }
    for key in wrapperKeys {
      if let inner = value[key], isStateDict(inner) { return inner }
    }
    return nil
  }

  /// Whether a value is a dictionary whose values are tensors (or tensors of a kind we refuse).
  static func isStateDict(_ value: PickleValue) -> Bool {
    guard value.isDictionary else { return false }
    let entries = value.entries
    let tensors = entries.filter { $0.key.string != nil && $0.value.tensor != nil }
    return !tensors.isEmpty && tensors.count * 2 >= entries.count
  }
}
