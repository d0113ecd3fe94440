// SPDX-License-Identifier: Apache-2.0
import SWTFormat

/// What the fixtures' plans and dataset.json say, as the converter puts it into a model.
enum PreprocessingCase {
  static func description(_ json: JSONValue) -> PreprocessingDescription {
    let plans = json["plans"]
    let configuration = plans?["configurations"]?[json["configuration"]?.string ?? ""]
    let schemes = configuration?["normalization_schemes"]?.array ?? []
    let masks = configuration?["use_mask_for_norm"]?.array ?? []
    let intensities = plans?["foreground_intensity_properties_per_channel"]
    return PreprocessingDescription(
      transposeForward: integers(plans?["transpose_forward"]),
      transposeBackward: integers(plans?["transpose_backward"]),
      spacing: configuration?["spacing"]?.array?.compactMap(\.double) ?? [],
      patchSize: integers(configuration?["patch_size"]),
      channels: schemes.indices.map { index in
        let values = intensities?["\(index)"]
        return PreprocessingDescription.Channel(
          name: "\(index)", normalizationScheme: schemes[index].string ?? "",
          useMaskForNorm: masks[index].bool ?? false,
          intensityProperties: .init(
            mean: values?["mean"]?.double ?? .nan, std: values?["std"]?.double ?? .nan,
            percentile005: values?["percentile_00_5"]?.double ?? .nan,
            percentile995: values?["percentile_99_5"]?.double ?? .nan))
      },
      resamplingData: .init(
        function: configuration?["resampling_fn_data"]?.string ?? "",
        keywords: configuration?["resampling_fn_data_kwargs"]?.object ?? JSONObject()),
      preprocessorName: configuration?["preprocessor_name"]?.string ?? "",
      imageReaderWriter: plans?["image_reader_writer"]?.string ?? "")
  }

  private static func integers(_ value: JSONValue?) -> [Int] {
    value?.array?.compactMap(\.integer) ?? []
  }
}
