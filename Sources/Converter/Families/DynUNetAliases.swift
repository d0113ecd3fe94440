// SPDX-License-Identifier: Apache-2.0

/// DynUNet registers its blocks once more, each level inside the one above: `skip_layers.next_layer.downsample` is
/// `downsamples.0`. Files that keep one name of each tensor (safetensors) may have either.
enum DynUNetAliases {
  /// A canonical name that is an alias, taken apart.
  private struct Alias {
    let level: Int
    let module: Substring
    let rest: String

    init?(_ name: String) {
      var parts = name.split(separator: ".", omittingEmptySubsequences: false)[...]
      guard parts.starts(with: ["decoder", "skip_layers"]) else { return nil }
      parts = parts.dropFirst(2)
      level = parts.prefix { $0 == "next_layer" }.count
      parts = parts.dropFirst(level)
      module = parts.first ?? ""
      rest = parts.dropFirst().joined(separator: ".")
    }
  }

  /// The names with every alias replaced by what it stands for.
  static func resolved(_ names: [String?]) -> [String?] {
    let aliases = names.map { $0.flatMap(Alias.init) }
    // The decoder counts from the lowest level, which is the one above the bottleneck.
    let lowest = aliases.lazy.compactMap { $0 }.filter { $0.module == "upsample" }.map(\.level)
      .max()
    return zip(names, aliases).map { name, alias in
      guard let alias else { return name }
      let (level, rest) = (alias.level, alias.rest)
      return switch alias.module {
      case "downsample" where level == 0: "encoder.input_block.\(rest)"
      case "downsample": "encoder.downsamples.\(level - 1).\(rest)"
      case "upsample": "decoder.upsamples.\((lowest ?? level) - level).\(rest)"
      case "super_head" where level > 0: "decoder.deep_supervision_heads.\(level - 1).\(rest)"
      default: level == 0 ? name : "encoder.bottleneck.\(alias.module).\(rest)"
      }
    }
  }
}
