/// What nnU-Net's plans say of preprocessing, in the plans' own words and order.
public struct PreprocessingDescription: Sendable, Equatable {
  /// `foreground_intensity_properties_per_channel` of one channel.
  public struct IntensityProperties: Sendable, Equatable {
    /// `mean`.
    public var mean: Double
    /// `std`.
    public var std: Double
    /// `percentile_00_5`.
    public var percentile005: Double
    /// `percentile_99_5`.
    public var percentile995: Double
    /// `median`, where the plans give it.
    public var median: Double?
    /// `min`, where the plans give it.
    public var min: Double?
    /// `max`, where the plans give it.
    public var max: Double?

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
    public var name: String
    /// `normalization_schemes` entry: `CTNormalization`, `ZScoreNormalization`, …
    public var normalizationScheme: String
    /// `use_mask_for_norm` entry.
    public var useMaskForNorm: Bool
    /// Its intensity properties, where the plans have them.
    public var intensityProperties: IntensityProperties?

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
  public struct Resampling: Sendable, Equatable {
    /// The function's name, e.g. `resample_data_or_seg_to_shape`.
    public var function: String
    /// Its keyword arguments.
    public var keywords: JSONObject

    /// Creates a resampling.
    package init(function: String, keywords: JSONObject) {
      self.function = function
      self.keywords = keywords
    }
  }

  /// `transpose_forward`: array axis of the image for every axis of the network, always 3 entries.
  public var transposeForward: [Int]
  /// `transpose_backward`.
  public var transposeBackward: [Int]
  /// `spacing` of the configuration in mm: `[z, y, x]`, or `[y, x]` for a 2-D configuration; `nil`
  /// where training kept each scan's own.
  public var spacing: [Double]?
  /// `patch_size` of the configuration in voxels.
  public var patchSize: [Int]
  /// The image channels in order.
  public var channels: [Channel]
  /// Labels appended as one-hot channels by a cascade's second stage; empty otherwise.
  public var cascadeLabels: [Int]
  /// `resampling_fn_data`.
  public var resamplingData: Resampling
  /// `resampling_fn_seg`, where given.
  public var resamplingSeg: Resampling?
  /// `resampling_fn_probabilities`, where given.
  public var resamplingProbabilities: Resampling?
  /// `preprocessor_name`.
  public var preprocessorName: String
  /// `image_reader_writer`.
  public var imageReaderWriter: String
  /// `file_ending` of dataset.json.
  public var fileEnding: String?
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
