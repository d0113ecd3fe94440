// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import PickleReader

/// A network's weights under their canonical names: one name per parameter.
///
/// nnU-Net registers every parameter under several names (`conv` and `all_modules.0`; the encoder
/// once more inside the decoder), and training scripts add prefixes. Names of one parameter must
/// agree where it is used; the canonical one stands for all.
struct StateDict {
  /// Canonical names of the network's tensors in the order of their first occurrence.
  private(set) var names: [String] = []
  /// Names, as in the file, of tensors that do not belong to the network: another one's, heads, buffers.
  private(set) var foreignNames: [String] = []
  /// Where the encoder was found; `nil` where there is none of nnU-Net's.
  let location: EncoderLocation?
  /// What the user should know of the choice.
  private(set) var warnings: [String] = []

  private var tensors: [String: [Source]] = [:]
  private var foreignShapes: [String: [Int]] = [:]
  /// What is no readable tensor, by its canonical name.
  private var unusable: [String: String] = [:]

  private struct Source {
    var key: String
    var tensor: TensorView
  }

  subscript(name: String) -> TensorView? { tensors[name]?.first?.tensor }

  /// Why the value under a name cannot be used, where it is there and is no readable tensor.
  func problem(of name: String) -> String? { unusable[name] }

  /// The shape of a tensor, also of a foreign one.
  func shape(of name: String) -> [Int]? { self[name]?.shape ?? foreignShapes[name] }

  /// Whether a decoder is in it, besides the encoder that decoders repeat.
  var hasDecoder: Bool { names.contains { $0.hasPrefix("decoder.") } }
  var hasEncoder: Bool { names.contains { $0.hasPrefix("encoder.") } }
  var isVersion1: Bool { location?.isVersion1 == true }
  /// Whose names its keys are.
  var naming: KeyNaming { location?.naming ?? .version2 }

  /// Names of everything but encoder and decoder.
  var otherNames: [String] {
    names.filter { !$0.hasPrefix("encoder.") && !$0.hasPrefix("decoder.") } + foreignNames
  }

  /// Reads a dictionary of tensors.
  ///
  /// - Parameters:
  ///   - prefix: which encoder to take, where there are several.
  ///   - hint: the file's own word for it.
  init(
    _ entries: [(key: String, tensor: TensorView)], prefix: String? = nil, hint: String? = nil
  ) throws {
    try self.init(
      entries.map { Entry(key: $0.key, content: .tensor($0.tensor)) }, prefix: prefix, hint: hint)
  }

  /// Reads a pickled dictionary of tensors.
  init(_ value: PickleValue, prefix: String? = nil, hint: String? = nil) throws {
    let entries = try value.entries.map { entry -> Entry in
      guard let key = entry.key.string else {
        throw ConversionError(
          .notNNUNet(
            problem: "the weights have a key that is no text", advice: "save network.state_dict()"))
      }
      return switch entry.value.kind {
      case .tensor(let tensor): Entry(key: key, content: .tensor(tensor))
      case .unreadableTensor(let what), .opaque(let what):
        Entry(key: key, content: .problem("is a \(what), which cannot be converted"))
      default: Entry(key: key, content: .problem("is no tensor"))
      }
    }
    try self.init(entries, prefix: prefix, hint: hint)
  }

  private struct Entry {
    enum Content {
      case tensor(TensorView)
      case problem(String)
    }
    let key: String
    let content: Content
  }

  /// More entries are none of one network: the largest have a few thousand.
  static let entryLimit = 20_000

  private init(_ entries: [Entry], prefix: String?, hint: String?) throws {
    guard entries.count <= Self.entryLimit else {
      throw ConversionError(
        .notNNUNet(
          problem: "the weights have \(entries.count) entries, more than networks have",
          advice: "save network.state_dict() alone"))
    }
    var seen: Set<String> = []
    for entry in entries where !seen.insert(entry.key).inserted {
      throw ConversionError(.duplicateKey(entry.key))
    }
    let keys = entries.map { EncoderLocation.unwrapped($0.key) }
    var tensorsByKey: [String: TensorView] = [:]
    for (key, entry) in zip(keys, entries) {
      if case .tensor(let tensor) = entry.content { tensorsByKey[key] = tensor }
    }
    let choice = try EncoderChoice(keys: keys, tensors: tensorsByKey, prefix: prefix, hint: hint)
    location = choice.location
    warnings = choice.warnings
    var names = keys.map { key -> String? in
      guard key.utf8.count <= EncoderLocation.keyLimit else { return nil }
      return location.map { $0.name(of: key) } ?? key
    }
    if isVersion1 { names = Version1.renamed(names) }
    if naming == .dynUNet { names = DynUNetAliases.resolved(names) }
    for (name, entry) in zip(names, entries) {
      guard let name = name.map(Self.canonicalName) else {
        foreignNames.append(entry.key)
        if case .tensor(let tensor) = entry.content { foreignShapes[entry.key] = tensor.shape }
        continue
      }
      switch entry.content {
      case .problem(let problem): unusable[name] = problem
      case .tensor(let tensor):
        if tensors[name] == nil { self.names.append(name) }
        tensors[name, default: []].append(Source(key: entry.key, tensor: tensor))
      }
    }
  }

  /// Puts another tensor in place of a parameter's.
  mutating func replace(_ name: String, with tensor: TensorView) {
    guard let key = tensors[name]?.first?.key else { return }
    tensors[name] = [Source(key: key, tensor: tensor)]
  }

  /// Checks that all names of a parameter have the same values.
  func checkAliases(of name: String) throws {
    guard let sources = tensors[name], let first = sources.first else { return }
    for other in sources.dropFirst() {
      do {
        guard try first.tensor.hasSameBytes(as: other.tensor) else {
          throw ConversionError(.aliasesDiffer(first.key, other.key))
        }
      } catch let error as PickleError { throw ConversionError(error, file: "weights") }
    }
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

extension TensorView {
  /// Whether two tensors hold the same numbers in the same type, bit for bit.
  func hasSameBytes(as other: TensorView) throws(PickleError) -> Bool {
    if identity == other.identity { return true }
    guard shape == other.shape, elementType == other.elementType,
      elementCount <= other.storage.byteCount + 1
    else { return false }
    return try rowMajorBytes().hasBytes(other.rowMajorBytes().array)
  }
}

extension EncoderLocation {
  /// The network's own name for a key; `nil` for what does not belong to the network.
  fileprivate func name(of key: String) -> String? {
    guard naming == .version2 else {
      return key.hasPrefix(prefix)
        ? naming.canonicalName(String(key.dropFirst(prefix.count))) : nil
    }
    if key.hasPrefix(prefix) { return "encoder." + key.dropFirst(prefix.count) }
    guard let networkPrefix, key.hasPrefix(networkPrefix) else { return nil }
    return String(key.dropFirst(networkPrefix.count))
  }
}
