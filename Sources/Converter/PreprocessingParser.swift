// SPDX-License-Identifier: Apache-2.0
internal import FileIO
internal import SWTFormat

/// Reads from plans and dataset.json what preprocessing needs.
struct PreprocessingParser {
  let plans: Plans
  let configuration: JSONField
  let dataset: DatasetJSON
  /// Channels behind the images' that people draw, of nnInteractive.
  var interactionChannels = 0
  /// The spacing that the user gives, for plans without one.
  var givenSpacing: [Double]?
  let warn: (String) -> Void

  /// Labels that a cascade's second stage takes as one-hot channels; empty for other stages.
  func cascadeLabels() throws -> [Int] {
    try configuration.optional("previous_stage") == nil ? [] : dataset.foregroundLabels
  }

  /// Whether a scheme reads `foreground_intensity_properties_per_channel`; of schemes that are none
  /// of nnU-Net's nobody knows. Source: nnunetv2 `default_normalization_schemes`.
  private static let schemes: [String: Bool] = [
    "ZScoreNormalization": false, "CTNormalization": true, "NoNormalization": false,
    "RescaleTo01Normalization": false, "RGBTo01Normalization": false,
  ]

  /// Names of channels in dataset.json that stand for schemes, where plans want the classes. Source:
  /// nnunetv2 `channel_name_to_normalization_mapping`.
  private static let channelWords = [
    "ct": "CTNormalization", "nonorm": "NoNormalization", "nonct": "ZScoreNormalization",
    "zscore": "ZScoreNormalization", "rescale_to_0_1": "RescaleTo01Normalization",
    "rgb_to_0_1": "RGBTo01Normalization",
  ]

  private func channel(
    _ name: String, scheme field: JSONField, mask: JSONField, intensities: JSONField?
  ) throws -> PreprocessingDescription.Channel {
    let scheme = try field.name()
    if let schemeClass = Self.channelWords[scheme.lowercased()] {
      throw ConversionError(
        .unsupported(
          what: "\(field.path) = \(scheme)", advice: "plans want the class's name, \(schemeClass)"))
    }
    let needsIntensities = Self.schemes[scheme]
    if needsIntensities == nil {
      warn(
        "the normalisation \(scheme) is none of nnU-Net's: scans will be refused — give .npy arrays "
          + "that are normalised, or --plans with a scheme of nnU-Net's")
    }
    return PreprocessingDescription.Channel(
      name: name, normalizationScheme: scheme,
      useMaskForNorm: mask.value.isNull ? false : try mask.bool(),
      intensityProperties: try intensities.flatMap {
        // Where nothing reads them they may be missing, empty or NaN.
        needsIntensities == true ? try properties($0) : try? properties($0)
      })
  }

  /// Spacings in mm that images have: from electron microscopes' nanometres on.
  private static let spacings = 1e-6...1e6

  /// The spacing; `nil` where images keep their own.
  private func spacing(dimension: Int) throws -> [Double]? {
    let field = try configuration.optional("spacing")
    let isKnown = field?.value.array.map { !$0.contains(where: \.isNull) } ?? (field != nil)
    guard let field, isKnown else {
      if let spacing = givenSpacing {
        guard spacing.count == dimension else {
          throw ConversionError(
            .options(
              problem:
                "the spacing given has \(spacing.count) numbers, the network \(dimension) axes"
            ))
        }
        if let value = spacing.first(where: { !Self.spacings.contains($0) }) {
          throw ConversionError(
            .options(problem: "\(value) is no spacing in mm", advice: "give another \(.spacing)"))
        }
        return spacing
      }
      // Scans are refused anyway.
      guard try preprocessorName() == "DefaultPreprocessor" else { return nil }
      warn(
        "the plans name no spacing: training kept each scan's own, so scans will be refused — give "
          + "--spacing z,y,x in mm, or .npy arrays that are resampled")
      return nil
    }
    guard givenSpacing == nil else {
      throw ConversionError(
        .options(
          problem: "the plans have the spacing \(field.value.lineText)",
          advice: "leave out \(.spacing)"))
    }
    return try field.elements(dimension...dimension).map { entry in
      let value = try entry.number()
      guard Self.spacings.contains(value) else {
        throw entry.problem("is \(value), no spacing in mm")
      }
      return value
    }
  }

  func parse() throws -> PreprocessingDescription {
    let dimension = try configuration["patch_size"].elements(2...3).count
    let count = dataset.channelNames.count
    let schemes = try configuration["normalization_schemes"].elements(count...count)
    let masks = try configuration["use_mask_for_norm"].elements(count...count)
    let intensities =
      try plans.root.optional("foreground_intensity_properties_per_channel")
      ?? plans.root.optional("foreground_intensity_properties_by_modality")
    let isTable = intensities?.value.object != nil
    var channels = try dataset.channelNames.enumerated().map { index, name in
      try channel(
        name, scheme: schemes[index], mask: masks[index],
        intensities: isTable ? try intensities?.optional(String(index)) : nil)
    }
    channels += (0..<interactionChannels).map { index in
      PreprocessingDescription.Channel(
        name: "interaction \(index + 1)", normalizationScheme: "NoNormalization",
        useMaskForNorm: false)
    }
    let spacing = try spacing(dimension: dimension)
    guard let data = try resampling("resampling_fn_data") else {
      throw try configuration["resampling_fn_data"].problem("is missing")
    }
    return PreprocessingDescription(
      transposeForward: try permutation("transpose_forward"),
      transposeBackward: try permutation("transpose_backward"), spacing: spacing,
      patchSize: try configuration["patch_size"].integers(1...65_536, count: dimension...dimension),
      channels: channels, cascadeLabels: try cascadeLabels(), resamplingData: data,
      resamplingSeg: try resampling("resampling_fn_seg"),
      resamplingProbabilities: try resampling("resampling_fn_probabilities"),
      preprocessorName: try preprocessorName(),
      imageReaderWriter: try plans.root.optional("image_reader_writer")?.name() ?? "SimpleITKIO",
      fileEnding: dataset.fileEnding)
  }

  private func preprocessorName() throws -> String {
    try configuration.optional("preprocessor_name")?.name() ?? "DefaultPreprocessor"
  }

  private func permutation(_ key: String) throws -> [Int] {
    let field = try plans.root[key]
    let axes = try field.integers(0...2, count: 3...3)
    guard axes.sorted() == [0, 1, 2] else { throw field.problem("is no permutation of 0, 1, 2") }
    return axes
  }

  private func resampling(_ key: String) throws -> PreprocessingDescription.Resampling? {
    guard let name = try configuration.optional(key)?.name() else { return nil }
    let keywords = try configuration.optional("\(key)_kwargs")
    if let keywords, keywords.value.object == nil { throw keywords.problem("is no object") }
    return PreprocessingDescription.Resampling(
      function: name, keywords: keywords?.value.object ?? JSONObject())
  }

  private func properties(
    _ field: JSONField
  ) throws -> PreprocessingDescription.IntensityProperties {
    PreprocessingDescription.IntensityProperties(
      mean: try field["mean"].number(), std: try field["std"].number(),
      percentile005: try field["percentile_00_5"].number(),
      percentile995: try field["percentile_99_5"].number(),
      median: try field.optional("median")?.number(), min: try field.optional("min")?.number(),
      max: try field.optional("max")?.number())
  }
}
