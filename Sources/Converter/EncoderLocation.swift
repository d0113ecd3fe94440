// SPDX-License-Identifier: Apache-2.0
internal import FileIO

/// Where in a state dict an encoder lies: the text before its own names.
struct EncoderLocation: Hashable {
  /// `encoder.`, `model.encoder.`, `backbone.`, …; of version 1 and other families what is before the
  /// network's names.
  let prefix: String
  let naming: KeyNaming

  var isVersion1: Bool { naming == .version1 }

  /// What is before the network's names: the decoder's prefix where there is one.
  var networkPrefix: String? {
    guard naming == .version2 else { return prefix }
    guard prefix == "encoder." || prefix.hasSuffix(".encoder.") else { return nil }
    return String(prefix.dropLast("encoder.".count))
  }

  /// What wrappers put between names: they stand for the module inside.
  private static let wrappers: Set<Substring> = [
    "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]

  private static let wrapperMarkers = NameMarkers(wrappers.map { ((), String($0)) })

  /// Longer names are none of a network's.
  static let keyLimit = 512

  /// A key without the names of wrappers (`DistributedDataParallel`, `torch.compile`, …).
  static func unwrapped(_ key: String) -> String {
    guard key.utf8.count <= keyLimit, wrapperMarkers.first(in: key) != nil else { return key }
    let parts = key.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.contains(where: wrappers.contains) else { return key }
    return parts.filter { !wrappers.contains($0) }.joined(separator: ".")
  }

  /// Every encoder that the keys name, in the order of their first occurrence.
  static func all(in keys: [String]) -> [EncoderLocation] {
    var locations: [EncoderLocation] = []
    var seen: Set<EncoderLocation> = []
    for key in keys where key.utf8.count <= keyLimit {
      guard let location = EncoderLocation(of: unwrapped(key)) else { continue }
      if seen.insert(location).inserted { locations.append(location) }
    }
    // One stray name makes no network of version 1.
    let version2 = locations.filter { !$0.isVersion1 }
    return version2.isEmpty ? locations : version2
  }

  private static let markers = NameMarkers(
    KeyNaming.allCases.flatMap { naming in naming.markers.map { (naming, $0) } })

  private init?(of key: String) {
    guard let (naming, offset) = Self.markers.first(in: key) else { return nil }
    let start = key.utf8.index(key.startIndex, offsetBy: offset)
    let prefix = String(key[..<start])
    // A residual decoder has such blocks too, and so has a transformer's tokenizer.
    if naming == .version2, key[start...].hasPrefix("stages.0.blocks.0."),
      prefix.hasSuffix("decoder.") || prefix.hasSuffix("down_projection.")
    {
      return nil
    }
    self.naming = naming
    self.prefix = Self.withoutDecoder(prefix)
  }

  /// The decoder registers the encoder once more: `decoder.encoder.` is `encoder.`.
  private static func withoutDecoder(_ prefix: String) -> String {
    for ending in ["decoder.encoder."] where prefix == ending || prefix.hasSuffix(".\(ending)") {
      return String(prefix.dropLast(ending.count)) + "encoder."
    }
    return prefix
  }

  /// Whether the user or the file means this one by `name`, with or without `encoder` and the dot.
  func isNamed(_ name: String) -> Bool {
    let wanted = name.isEmpty || name.hasSuffix(".") ? name : "\(name)."
    return prefix == wanted || networkPrefix == wanted
      || (naming == .primus && "\(prefix)eva." == wanted)
  }
}
