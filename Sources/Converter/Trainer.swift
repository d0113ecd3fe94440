// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// A trainer's name, and what it says of the network beyond the plans.
///
/// A trainer may build another network than the plans describe; what has no parameters – the
/// nonlinearity, its slope, the order of layers – leaves no trace in the weights.
///
/// Source: the trainers of nnunet 1.7.1 (`architectural_variants`, `competitions_with_custom_Trainers`)
/// and of nnunetv2 2.0 … 2.8.1 (`training/nnUNetTrainer/variants`).
struct Trainer {
  let name: String
  let isVersion1: Bool

  /// What a trainer does to the planned network.
  enum Effect: Equatable {
    /// Nothing, or only what the weights show.
    case planned
    /// Another nonlinearity.
    case nonlinearity(NetworkArchitecture.Nonlinearity)
    /// Other numbers of convolutions, widths or kernels, all of which the weights show.
    case shownByWeights
    /// Something that cannot be run.
    case unsupported(String)
    /// Nobody knows.
    case unknown
  }

  var effect: Effect {
    guard name.utf8.count <= 256 else { return .unknown }
    if isVersion1, let effect = Self.version1[name] { return effect }
    guard let rest = Self.families.lazy.compactMap({ self.name.dropping(prefix: $0) }).first else {
      return .unknown
    }
    return Self.parts(of: rest).allSatisfy(Self.isHarmless) ? .planned : .unknown
  }

  private static let reLU = NetworkArchitecture.Nonlinearity(kind: .reLU, negativeSlope: 0)

  private static let version1: [String: Effect] = [
    "nnUNetTrainerV2_ReLU": .nonlinearity(reLU),
    "nnUNetTrainerV2_ReLU_biasInSegOutput": .nonlinearity(reLU),
    "nnUNetTrainerV2_LReLU_slope_2en1": .nonlinearity(
      NetworkArchitecture.Nonlinearity(kind: .leakyReLU, negativeSlope: 0.2)),
    "nnUNetTrainerV2_3ConvPerStage": .shownByWeights,
    "nnUNetTrainerV2_3ConvPerStageSameFilters": .shownByWeights,
    "nnUNetTrainerV2_3ConvPerStage_samefilters": .shownByWeights,
    "nnUNetTrainerV2_allConv3x3": .shownByWeights,
    "nnUNetTrainerV2_GN": .unsupported("GroupNorm"),
    "nnUNetTrainerV2_GeLU": .unsupported("GELU"),
    "nnUNetTrainerV2_Mish": .unsupported("Mish"),
    "nnUNetTrainerV2_FRN": .unsupported("filter response normalisation"),
    "nnUNetTrainerV2_NoNormalization": .unsupported("no normalisation"),
    "nnUNetTrainerV2_NoNormalization_lr1en3": .unsupported("no normalisation"),
    "nnUNetTrainerV2_ReLU_convReLUIN": .unsupported("the nonlinearity before the norm"),
    "nnUNetTrainerV2_lReLU_convReLUIN": .unsupported("the nonlinearity before the norm"),
    "nnUNetTrainerV2_lReLU_convlReLUIN": .unsupported("the nonlinearity before the norm"),
  ]

  /// How nnU-Net's own trainers begin, the longest first.
  private static let families = [
    "nnUNetTrainerV2CascadeFullRes", "nnUNetTrainerV2BraTSRegions", "nnUNetTrainerCascadeFullRes",
    "nnUNetTrainerBenchmark", "nnUNetTrainerV2", "nnUNetTrainer", "nnUNet_Trainer",
    "PretrainedTrainer",
  ]

  private static func parts(of name: Substring) -> [String] {
    name.split(separator: "_").map { $0.lowercased() }
  }

  /// Losses, schedules, augmentations and the like, which leave the network alone; and norms and
  /// biases that the weights show.
  private static let harmlessParts: Set<String> = [
    // Data
    "da2", "da3", "da4", "da5", "da5ord0", "da5segord0", "dasegord0", "noda", "insaneda",
    "nodataaugmentation", "nodataloading", "dummyload", "nodummy2dda", "nomirroring", "nomirror",
    "onlymirror01", "independentscaleperaxis", "probabilisticoversampling", "noconncomp",
    "smallerbinstrel", "educatedguess", "educatedguess2", "educatedguess3", "resample33", "mms",
    // Losses
    "loss", "ce", "celoss", "diceloss", "diceceloss", "nosmooth", "topk10loss", "topk10lossls01",
    "dicetopk10loss", "dice", "dicece", "dicewithbg", "dicetopk10", "topk10", "mcc", "mccnobg",
    "squared", "cegdl", "segloss", "focal", "focalloss", "graduallytransitionfromcetodice",
    "forcebd", "forcesd", "bd", "sd",
    // Optimisers and schedules
    "adam", "vanillaadam", "adan", "ranger", "sgd", "warmup", "cosanneal", "adancosanneal",
    "fixedschedule", "fixedschedule2", "reduceonplateau", "cycleatend", "cycleatend2",
    "momentum09", "momentum095", "momentum098", "momentum09in2d", "reducemomentumduringtraining",
    "nnunettrainerlr", "shorter", "lowerlr", "fp16", "fp32", "dp", "ddp", "fullevals",
    // Deep supervision, norms and biases
    "nodeepsupervision", "softdeepsupervision", "nods", "cenods", "dummyloadcenods", "bn",
    "lrelu", "biasinsegoutput",
  ]

  private static func isHarmless(_ part: String) -> Bool {
    if harmlessParts.contains(part) { return true }
    // Numbers of epochs, batches and copies, and rates: 250epochs, ep4000, bs8, lr1en3, adam3en4.
    var letters = part[...]
    if let range = letters.firstRange(of: "en"), part.contains(where: \.isNumber) {
      letters.replaceSubrange(range, with: "")
    }
    let word = String(letters.filter { !$0.isNumber })
    let words: Set<String> = [
      "", "epoch", "epochs", "ep", "bs", "lr", "copy", "e", "adam", "adan", "vanillaadam",
    ]
    return words.contains(word)
  }

  /// What to tell about a trainer that nobody knows.
  func warning(planned: NetworkArchitecture.Nonlinearity) -> String {
    let slope = planned.kind == .leakyReLU ? " \(planned.negativeSlope)" : ""
    return
      "the trainer \(DisplayText.escaped(name)) is none of nnU-Net's: whether it changed what no weight shows "
      + "(nonlinearity, slope, eps, order of layers) cannot be known; the plans' "
      + "\(planned.kind.rawValue)\(slope) is taken — if it did, give --plans that say so"
  }
}

extension String {
  fileprivate func dropping(prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
