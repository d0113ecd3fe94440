// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// Which Primus a checkpoint is said to be: by the class in its plans, or by its trainer.
///
/// Source: nnunetv2 `primus_trainers` (`nnUNet_Primus_M_Trainer`, `nnUNet_PrimusV3S_Trainer`, …), whose plans
/// describe a U-Net that does not exist; nnssl's and fine-tuned plans with a class of a published size.
struct PrimusIdentity {
  /// A published size.
  struct Size: Equatable {
    let letter: String
    let width: Int
    let depth: Int
    let heads: Int
  }

  static let sizes = [
    Size(letter: "S", width: 396, depth: 12, heads: 6),
    Size(letter: "B", width: 792, depth: 12, heads: 12),
    Size(letter: "M", width: 864, depth: 16, heads: 12),
    Size(letter: "L", width: 1056, depth: 24, heads: 16),
    // nnFoundationViT.
    Size(letter: "X", width: 1056, depth: 40, heads: 16),
  ]

  /// `Primus`, `PrimusM`, `PrimusV3S`, `PrimusX`, …
  private(set) var className = "Primus"
  /// The constructor's words, where the plans have them.
  private(set) var keywords: JSONField?
  /// The size that its name stands for.
  private(set) var size: Size?
  /// 1, 2 or 3; `nil` where nothing says it.
  private(set) var version: Int?
  /// The side of the cube that a trainer puts in place of the plans' patch size.
  private(set) var trainerPatchSide: Int?

  /// Whether nnssl pre-trained it, and there by SimMIM, which has another order of tokens.
  let isPretrained: Bool
  let isSimMIM: Bool

  /// - Parameter configuration: of the plans.
  init(_ checkpoint: Checkpoint, configuration: JSONField?) {
    let planned = (try? configuration?.optional("architecture")).flatMap { $0 }
    self.init(
      architecture: checkpoint.pretrainedArchitecture ?? planned,
      trainerName: checkpoint.trainerName, isPretrained: checkpoint.isPretrained)
  }

  /// - Parameter architecture: of the plans, or of nnssl's adaptation plan.
  init(architecture: JSONField?, trainerName: String?, isPretrained: Bool) {
    self.isPretrained = isPretrained
    isSimMIM = trainerName?.contains("SimMIM") == true
    let planned = (try? architecture?["network_class_name"].name()).flatMap { $0 }
    let name = planned?.split(separator: ".").last.map(String.init) ?? ""
    if let match = name.wholeMatch(of: /Primus(?:V([23]))?([SBML])?X?/) {
      className = name
      version = match.1.flatMap { Int($0) } ?? 1
      take(letter: match.2)
      keywords = (try? architecture?.optional("arch_kwargs")).flatMap { $0 }
      return
    }
    guard let trainerName, trainerName.utf8.count <= 256,
      let match = trainerName.firstMatch(of: /Primus(?:V([23]))?_?([SBML])(?:_|$|\d)/)
    else { return }
    version = match.1.flatMap { Int($0) } ?? 1
    className = "Primus\(version == 1 ? "" : "V\(match.1 ?? "")")\(match.2)"
    take(letter: match.2)
    if let side = trainerName.firstMatch(of: /_(96|48)_BS1/) { trainerPatchSide = Int(side.1) }
  }

  private mutating func take(letter: Substring?) {
    size = Self.sizes.first { $0.letter == letter.map(String.init) }
  }

  /// The size that weights have, where it is a published one.
  static func size(of weights: PrimusWeights) -> Size? {
    sizes.first { $0.width == weights.width && $0.depth == weights.depth }
  }
}

extension Checkpoint {
  /// What the network is called in messages; `nil` for nnU-Net's U-Nets.
  var networkName: String? {
    guard weights.naming == .primus else { return weights.naming.family }
    let named = configuration.flatMap { name in
      plans.flatMap { try? Plans($0, path: "plans").configuration(name) }
    }
    let identity = PrimusIdentity(self, configuration: named)
    guard identity.className == "Primus", let weights = try? PrimusWeights(weights),
      let size = PrimusIdentity.size(of: weights)
    else { return identity.className }
    return "Primus\(weights.version.map { $0 == 1 ? "" : "V\($0)" } ?? "")\(size.letter)"
  }
}
