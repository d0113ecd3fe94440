// SPDX-License-Identifier: Apache-2.0
extension PreprocessingDescription {
  var json: JSONValue {
    var object = JSONObject()
    object["transpose_forward"] = JSONValue(transposeForward)
    object["transpose_backward"] = JSONValue(transposeBackward)
    object["spacing"] = spacing.map { JSONValue($0) } ?? .null
    object["patch_size"] = JSONValue(patchSize)
    object["channels"] = .array(channels.map(\.json))
    object["cascade_labels"] = JSONValue(cascadeLabels)
    object["resampling_fn_data"] = resamplingData.json
    object["resampling_fn_seg"] = resamplingSeg?.json ?? .null
    object["resampling_fn_probabilities"] = resamplingProbabilities?.json ?? .null
    object["preprocessor_name"] = .string(preprocessorName)
    object["image_reader_writer"] = .string(imageReaderWriter)
    object["file_ending"] = JSONValue(fileEnding)
    if let orientation { object["orientation"] = .string(orientation) }
    if let dicomConvention { object["dicom_convention"] = .string(dicomConvention) }
    return .object(object)
  }

  init(_ field: JSONField, dimension: Int) throws(SWTError) {
    let forward = try field["transpose_forward"].permutation()
    let backward = try field["transpose_backward"].permutation()
    var spacing: [Double]?
    // Null where it is not known; it is never left out.
    if try !field["spacing"].value.isNull {
      spacing = []
      for entry in try field["spacing"].elements(dimension...dimension) {
        let value = try entry.number()
        guard value > 0 else { throw entry.problem("is \(value), not positive") }
        spacing?.append(value)
      }
    }
    var channels: [Channel] = []
    for channel in try field["channels"].elements(NetworkArchitecture.Bounds.inputChannels) {
      channels.append(try Channel(channel))
    }
    self.init(
      transposeForward: forward, transposeBackward: backward, spacing: spacing,
      patchSize: try field["patch_size"].integers(1...65_536, count: dimension...dimension),
      channels: channels,
      cascadeLabels: try field["cascade_labels"].integers(0...65_535, count: 0...4096),
      resamplingData: try Resampling(try field["resampling_fn_data"]),
      preprocessorName: try field["preprocessor_name"].name(),
      imageReaderWriter: try field["image_reader_writer"].name(),
      fileEnding: try field.optional("file_ending")?.name(limit: 64))
    orientation = try field.optional("orientation")?.orientation()
    dicomConvention = try field.optional("dicom_convention")?.string()
    if let seg = try field.optional("resampling_fn_seg") { resamplingSeg = try Resampling(seg) }
    if let probabilities = try field.optional("resampling_fn_probabilities") {
      resamplingProbabilities = try Resampling(probabilities)
    }
  }
}

extension PreprocessingDescription.Resampling {
  var json: JSONValue { ["name": .string(function), "kwargs": .object(keywords)] }

  init(_ field: JSONField) throws(SWTError) {
    let keywords = try field["kwargs"]
    guard let object = keywords.value.object else { throw keywords.problem("is no object") }
    self.init(function: try field["name"].name(), keywords: object)
  }
}

extension PreprocessingDescription.Channel {
  var json: JSONValue {
    [
      "name": .string(name), "normalization_scheme": .string(normalizationScheme),
      "use_mask_for_norm": .bool(useMaskForNorm),
      "foreground_intensity_properties": intensityProperties?.json ?? .null,
    ]
  }

  init(_ field: JSONField) throws(SWTError) {
    self.init(
      name: try field["name"].string(),
      normalizationScheme: try field["normalization_scheme"].name(),
      useMaskForNorm: try field["use_mask_for_norm"].bool())
    if let properties = try field.optional("foreground_intensity_properties") {
      intensityProperties = try PreprocessingDescription.IntensityProperties(properties)
    }
  }
}

extension PreprocessingDescription.IntensityProperties {
  var json: JSONValue {
    var object = JSONObject()
    object["mean"] = .number(mean)
    object["std"] = .number(std)
    object["percentile_00_5"] = .number(percentile005)
    object["percentile_99_5"] = .number(percentile995)
    if let median { object["median"] = .number(median) }
    if let min { object["min"] = .number(min) }
    if let max { object["max"] = .number(max) }
    return .object(object)
  }

  init(_ field: JSONField) throws(SWTError) {
    self.init(
      mean: try field["mean"].number(), std: try field["std"].number(),
      percentile005: try field["percentile_00_5"].number(),
      percentile995: try field["percentile_99_5"].number(),
      median: try field.optional("median")?.number(), min: try field.optional("min")?.number(),
      max: try field.optional("max")?.number())
  }
}

extension JSONField {
  /// A letter of each of the pairs left and right, anterior and posterior, inferior and superior.
  fileprivate func orientation() throws(SWTError) -> String {
    let letters = try name(limit: 3)
    let pairs = [Set("LR"), Set("AP"), Set("IS")]
    guard letters.count == 3, pairs.allSatisfy({ !$0.isDisjoint(with: letters) }) else {
      throw problem("is no orientation such as LPS")
    }
    return letters
  }

  fileprivate func permutation() throws(SWTError) -> [Int] {
    let axes = try integers(0...2, count: 3...3)
    guard axes.sorted() == [0, 1, 2] else { throw problem("is no permutation of 0, 1, 2") }
    return axes
  }
}
