// SPDX-License-Identifier: Apache-2.0
/// What nnU-Net's plans say of preprocessing, in the plans' own words and order.
public struct PreprocessingDescription: Sendable, Equatable {
  /// `foreground_intensity_properties_per_channel` of one channel.
  package struct IntensityProperties: Sendable, Equatable {
    /// `mean`.
    package var mean: Double
    /// `std`.
    package var std: Double
    /// `percentile_00_5`.
    package var percentile005: Double
    /// `percentile_99_5`.
    package var percentile995: Double
    /// `median`, where the plans give it.
    package var median: Double?
    /// `min`, where the plans give it.
    package var min: Double?
    /// `max`, where the plans give it.
    package var max: Double?

    /// Creates intensity properties.
    package init(
      mean: Double, std: Double, percentile005: Double, percentile995: Double,
      median: Double? = nil, min: Double? = nil, max: Double? = nil
    ) {
      self.mean = mean
      self.std = std
      self.percentile005 = percentile005
      self.percentile995 = percentile995
      self.median = median
      self.min = min
      self.max = max
    }
  }

  /// One image channel.
  public struct Channel: Sendable, Equatable {
    /// Its name in dataset.json's `channel_names`.
    public package(set) var name: String
    /// `normalization_schemes` entry: `CTNormalization`, `ZScoreNormalization`, …
    package var normalizationScheme: String
    /// `use_mask_for_norm` entry.
    package var useMaskForNorm: Bool
    /// Its intensity properties, where the plans have them.
    package var intensityProperties: IntensityProperties?

    /// Creates a channel.
    package init(
      name: String, normalizationScheme: String, useMaskForNorm: Bool,
      intensityProperties: IntensityProperties? = nil
    ) {
      self.name = name
      self.normalizationScheme = normalizationScheme
      self.useMaskForNorm = useMaskForNorm
      self.intensityProperties = intensityProperties
    }
  }

  /// A resampling function with its keyword arguments.
  package struct Resampling: Sendable, Equatable {
    /// The function's name, e.g. `resample_data_or_seg_to_shape`.
    package var function: String
    /// Its keyword arguments.
    package var keywords: JSONObject

    /// Creates a resampling.
    package init(function: String, keywords: JSONObject) {
      self.function = function
      self.keywords = keywords
    }
  }

  /// `transpose_forward`: array axis of the image for every axis of the network, always 3 entries.
  package var transposeForward: [Int]
  /// `transpose_backward`.
  package var transposeBackward: [Int]
  /// `spacing` of the configuration in mm: `[z, y, x]`, or `[y, x]` for a 2-D configuration; `nil`
  /// where training kept each scan's own.
  public package(set) var spacing: [Double]?
  /// `patch_size` of the configuration in voxels.
  public package(set) var patchSize: [Int]
  /// The image channels in order.
  public package(set) var channels: [Channel]
  /// Labels appended as one-hot channels by a cascade's second stage; empty otherwise.
  package var cascadeLabels: [Int]
  /// `resampling_fn_data`.
  package var resamplingData: Resampling
  /// `resampling_fn_seg`, where given.
  package var resamplingSeg: Resampling?
  /// `resampling_fn_probabilities`, where given.
  package var resamplingProbabilities: Resampling?
  /// `preprocessor_name`.
  package var preprocessorName: String
  /// `image_reader_writer`.
  package var imageReaderWriter: String
  /// `file_ending` of dataset.json.
  package var fileEnding: String?
  /// Where the training scans' array axes point, x first: three letters such as "LPS".
  package var orientation: String?
  /// What made the training scans from DICOM, where that is known.
  package var dicomConvention: String?

  /// Creates a preprocessing description.
  package init(
    transposeForward: [Int], transposeBackward: [Int], spacing: [Double]?, patchSize: [Int],
    channels: [Channel], cascadeLabels: [Int] = [], resamplingData: Resampling,
    resamplingSeg: Resampling? = nil, resamplingProbabilities: Resampling? = nil,
    preprocessorName: String, imageReaderWriter: String, fileEnding: String? = nil
  ) {
    self.transposeForward = transposeForward
    self.transposeBackward = transposeBackward
    self.spacing = spacing
    self.patchSize = patchSize
    self.channels = channels
    self.cascadeLabels = cascadeLabels
    self.resamplingData = resamplingData
    self.resamplingSeg = resamplingSeg
    self.resamplingProbabilities = resamplingProbabilities
    self.preprocessorName = preprocessorName
    self.imageReaderWriter = imageReaderWriter
    self.fileEnding = fileEnding
  }
}
