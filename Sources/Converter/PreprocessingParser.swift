internal import FileIO
internal import SWTFormat

/// Reads from plans and dataset.json what preprocessing needs.
struct PreprocessingParser {
  let plans: Plans
  let configuration: JSONField
  let dataset: DatasetJSON

  /// Labels that a cascade's second stage takes as one-hot channels; empty for other stages.
  func cascadeLabels() throws -> [Int] {
    try configuration.optional("previous_stage") == nil ? [] : dataset.foregroundLabels
  }

  /// Source: nnunetv2 `default_normalization_schemes`.
  private static let schemes: Set<String> = [
    "ZScoreNormalization", "CTNormalization", "NoNormalization", "RescaleTo01Normalization",
    "RGBTo01Normalization",
  ]

  private func scheme(_ field: JSONField) throws -> String {
    let name = try field.name()
    guard Self.schemes.contains(name) else {
      throw ConversionError.unsupported(
        what: "\(field.path) = \(name)", advice: "nnU-Net's own normalisations can be converted")
    }
    return name
  }

  func parse() throws -> PreprocessingDescription {
    let dimension = try configuration["patch_size"].elements(2...3).count
    let count = dataset.channelNames.count
    let schemes = try configuration["normalization_schemes"].elements(count...count)
    let masks = try configuration["use_mask_for_norm"].elements(count...count)
    let properties =
      try plans.root.optional("foreground_intensity_properties_per_channel")
      ?? plans.root.optional("foreground_intensity_properties_by_modality")
    var channels: [PreprocessingDescription.Channel] = []
    for (index, name) in dataset.channelNames.enumerated() {
      channels.append(
        PreprocessingDescription.Channel(
          name: name, normalizationScheme: try scheme(schemes[index]),
          useMaskForNorm: masks[index].value.isNull ? false : try masks[index].bool(),
          intensityProperties: try properties?.optional(String(index)).map { try intensities($0) }))
    }
    var spacing: [Double] = []
    for entry in try configuration["spacing"].elements(dimension...dimension) {
      let value = try entry.number()
      guard value > 0, value < 1e6 else { throw entry.problem("is \(value)") }
      spacing.append(value)
    }
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
      preprocessorName: try configuration.optional("preprocessor_name")?.name()
        ?? "DefaultPreprocessor",
      imageReaderWriter: try plans.root.optional("image_reader_writer")?.name() ?? "SimpleITKIO",
      fileEnding: dataset.fileEnding)
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

  private func intensities(
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
