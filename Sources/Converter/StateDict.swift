internal import FileIO
internal import PickleReader

/// A network's weights under their canonical names: one name per parameter.
///
/// nnU-Net registers every parameter under several names (`conv` and `all_modules.0`; the encoder
/// once more inside the decoder), and training scripts add prefixes. Names of one parameter must
/// agree; the canonical one stands for all.
struct StateDict {
  /// Canonical names in the order of their first occurrence.
  private(set) var names: [String] = []
  private var tensors: [String: Source] = [:]
  /// Names as they stand in the file, prefixes included.
  let keyCount: Int

  private struct Source {
    var key: String
    var tensor: TensorView
  }

  subscript(name: String) -> TensorView? { tensors[name]?.tensor }

  /// Whether a decoder is in it, besides the encoder that decoders repeat.
  var hasDecoder: Bool { names.contains { $0.hasPrefix("decoder.") } }
  var hasEncoder: Bool { names.contains { $0.hasPrefix("encoder.") } }

  /// Forgets what is neither encoder nor, in a classifier, head.
  mutating func removeDecoder() {
    for name in names where name.hasPrefix("decoder.") { tensors[name] = nil }
    names.removeAll { $0.hasPrefix("decoder.") }
  }

  /// Reads a dictionary of tensors.
  init(_ entries: [(key: String, tensor: TensorView)]) throws {
    keyCount = entries.count
    var seen: Set<String> = []
    var keys = KeyPrefix.stripped(entries.map(\.key))
    if Version1.has(keys) { keys = Version1.renamed(keys) }
    for (key, entry) in zip(keys, entries) {
      guard seen.insert(key).inserted else { throw ConversionError.duplicateKey(entry.key) }
      let name = Self.canonicalName(key)
      guard let known = tensors[name] else {
        names.append(name)
        tensors[name] = Source(key: key, tensor: entry.tensor)
        continue
      }
      guard try Self.agree(known.tensor, entry.tensor) else {
        throw ConversionError.aliasesDiffer(known.key, entry.key)
      }
    }
  }

  /// Reads a pickled dictionary of tensors.
  init(_ value: PickleValue) throws {
    var entries: [(key: String, tensor: TensorView)] = []
    for entry in value.entries {
      guard let key = entry.key.string else {
        throw ConversionError.notNNUNet(
          problem: "the weights have a key that is no text", advice: "save network.state_dict()")
      }
      switch entry.value.kind {
      case .tensor(let tensor): entries.append((key, tensor))
      case .opaque(let what):
        throw ConversionError.tensor(key: key, problem: "is a \(what), which cannot be converted")
      default:
        throw ConversionError.tensor(key: key, problem: "is no tensor")
      }
    }
    try self.init(entries)
  }

  private static func agree(_ first: TensorView, _ second: TensorView) throws -> Bool {
    if first.identity == second.identity { return true }
    guard first.shape == second.shape, first.elementType == second.elementType,
      first.elementCount <= second.storage.byteCount + 1
    else { return false }
    do {
      return try first.rowMajorBytes().hasBytes(second.rowMajorBytes().array)
    } catch { throw ConversionError(error, file: "weights") }
  }

  /// `decoder.encoder.…` is the encoder; `all_modules.0` is the convolution, later ones the norm.
  static func canonicalName(_ key: String) -> String {
    var parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts.starts(with: ["decoder", "encoder"]) { parts.removeFirst() }
    if parts.count >= 3, parts[parts.count - 3] == "all_modules",
      let position = Int(parts[parts.count - 2]), (0...3).contains(position)
    {
      parts.replaceSubrange(
        parts.count - 3..<parts.count - 1, with: [position == 0 ? "conv" : "norm"])
    }
    return parts.joined(separator: ".")
  }
}

/// Prefixes that wrappers put before every key.
enum KeyPrefix {
  private static let wrappers = ["module.", "_orig_mod."]

  /// The keys without wrappers, and with `encoder.` before those of a lone encoder.
  static func stripped(_ keys: [String]) -> [String] {
    var keys = keys.map(withoutWrappers)
    func has(_ prefix: String) -> Bool { keys.contains { $0.hasPrefix(prefix) } }
    if has("encoder.") { return keys }
    if has("stages.") || has("stem.") {
      return keys.map { $0.hasPrefix("stages.") || $0.hasPrefix("stem.") ? "encoder.\($0)" : $0 }
    }
    var prefixes: Set<String> = []
    for key in keys {
      for marker in ["encoder.stages.", "encoder.stem."] {
        guard let prefix = text(of: key, before: marker) else { continue }
        if !prefix.hasSuffix("decoder.") { prefixes.insert(prefix) }
      }
    }
    if prefixes.count == 1, let prefix = prefixes.first {
      keys = keys.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
    }
    return keys
  }

  private static func withoutWrappers(_ key: String) -> String {
    var key = key[...]
    while let wrapper = wrappers.first(where: { key.hasPrefix($0) }) {
      key = key.dropFirst(wrapper.count)
    }
    return String(key)
  }

  private static func text(of key: String, before marker: String) -> String? {
    var rest = key[...]
    while let dot = rest.firstIndex(of: ".") {
      if rest.hasPrefix(marker) { return String(key[..<rest.startIndex]) }
      rest = rest[rest.index(after: dot)...]
    }
    return nil
  }
}
