// SPDX-License-Identifier: Apache-2.0
internal import FileIO
public import SWTFormat

/// nnU-Net's `DefaultPreprocessor`: transpose → crop to nonzero → normalise → resample.
public struct Preprocessor: Sendable {
  private let description: PreprocessingDescription
  private let spacing: [Double]
  private let normalizations: [Normalization]
  private let resampling: ResamplingRule
  private let threads: Int

  /// Creates the preprocessing that plans describe, working on at most `threads` threads.
  ///
  /// - Throws: `PreprocessingError`, naming the plans' field, where they ask for
  ///   something that is not here.
  public init(
    description: PreprocessingDescription, threads: Int = 1
  ) throws(PreprocessingError) {
    guard description.preprocessorName == "DefaultPreprocessor" else {
      throw PreprocessingError(
        .unsupported(field: "preprocessor_name", value: description.preprocessorName))
    }
    guard let spacing = description.spacing else { throw PreprocessingError(.unknownSpacing) }
    self.spacing = spacing
    guard description.transposeForward.sorted() == [0, 1, 2] else {
      throw PreprocessingError(
        .unsupported(field: "transpose_forward", value: "\(description.transposeForward)"))
    }
    var normalizations: [Normalization] = []
    for (index, channel) in description.channels.enumerated() {
      normalizations.append(try Normalization(channel, index: index))
    }
    self.description = description
    self.normalizations = normalizations
    resampling = try ResamplingRule(description.resamplingData, field: "resampling_fn_data")
    self.threads = threads
  }

  /// Reads a case's files, one per channel in the order of `channel_names`, as the reader that the
  /// plans name does.
  ///
  /// - Throws: `PreprocessingError`, naming the file.
  package func read(files: [String]) throws(PreprocessingError) -> Scan {
    try read(open(files: files), turningTo: nil)
  }

  /// Opens a case's files, one per channel in the order of `channel_names`, and reads their headers.
  package func open(files: [String]) throws(PreprocessingError) -> [NIfTISource] {
    var sources: [NIfTISource] = []
    for file in files { sources.append(try NIfTISource(path: file, reader: reader)) }
    return sources
  }

  /// Reads the voxels of open files, turned to `orientation` unless the reader turns them itself.
  package func read(
    _ files: [NIfTISource], turningTo orientation: ScanOrientation?
  ) throws(PreprocessingError) -> Scan {
    try Scan(files: files, names: description.channels.map(\.name), turningTo: orientation)
  }

  /// The shape `[z, y, x]` that the reader gives a file, from its header alone.
  package func shape(ofFile path: String) throws(PreprocessingError) -> [Int] {
    try NIfTISource(path: path, reader: reader).shape
  }

  /// The reader that the plans name.
  package var reader: ImageReader {
    get throws(PreprocessingError) {
      guard let reader = ImageReader(rawValue: description.imageReaderWriter) else {
        throw PreprocessingError(
          .unsupported(field: "image_reader_writer", value: description.imageReaderWriter))
      }
      return reader
    }
  }

  /// What `prepare` would return for these channels, and what it would take.
  ///
  /// - Throws: `PreprocessingError` where they do not fit each other or the model.
  public func geometry(of channels: [Volume]) throws(PreprocessingError) -> PreparedGeometry {
    let first = try checked(channels)
    let order = description.transposeForward
    let originalShape = order.map { first.shape[$0] }
    let originalSpacing = order.map { first.spacing[$0] }
    let region = NonzeroRegion(shape: first.shape, threads: threads)
    let box = region.box(of: channels.map(\.values))
    let cropBox = order.map { box[$0] }
    let shape = cropBox.map(\.count)
    let spacing = newSpacing(originalSpacing)
    let newShape = try Self.newShape(of: shape, spacing: originalSpacing, newSpacing: spacing)
    let result = resampling.keepsShape ? shape : newShape
    let plan = resampling.resampling(
      from: shape, to: newShape, spacing: originalSpacing, newSpacing: spacing, threads: threads)
    let moves = order != [0, 1, 2] || shape != originalShape
    let voxels = (
      original: originalShape.reduce(1, *), cropped: shape.reduce(1, *), new: result.reduce(1, *)
    )
    let cutting = voxels.original * channels.count + (moves ? voxels.cropped : 0)
    let normalising =
      voxels.cropped * channels.count
      + (normalizations.contains(where: \.needsMask) ? voxels.cropped : 0)
    let resampled = (voxels.cropped + voxels.new) * channels.count + (plan?.scratchCount ?? 0)
    let labelled =
      description.cascadeLabels.isEmpty
      ? 0
      : voxels.cropped + voxels.new * (channels.count + 1 + 2 * description.cascadeLabels.count)
    return PreparedGeometry(
      shape: [channels.count + description.cascadeLabels.count] + result,
      spacing: resampling.keepsShape ? originalSpacing : spacing,
      originalSpacing: originalSpacing, originalShape: originalShape, cropBox: cropBox,
      peakByteCount: max(cutting, normalising, resampled, labelled) * MemoryLayout<Float>.stride)
  }

  /// Prepares a case from its channels, in the order of `channel_names`.
  ///
  /// Channels that the caller does not keep are freed as soon as they have been read.
  ///
  /// - Throws: `PreprocessingError` where they do not fit each other or the model.
  public func prepare(
    channels: consuming [Volume]
  ) throws(PreprocessingError) -> PreparedImage {
    let geometry = try geometry(of: channels)
    return try prepare(channels: consume channels, geometry: geometry)
  }

  /// Prepares a case whose geometry is known; it has to be that of these very channels.
  ///
  /// - Parameters:
  ///   - previous: for a cascade's second stage, what the first one made of the scan.
  ///   - tellsNonzero: whether the image is to say where the scan's nonzero region lies.
  package func prepare(
    channels: consuming [Volume], geometry: PreparedGeometry, previous: Volume? = nil,
    tellsNonzero: Bool = false
  ) throws(PreprocessingError) -> PreparedImage {
    guard (previous != nil) == takesPrevious else {
      throw PreprocessingError(
        .channels(
          takesPrevious
            ? "the model is a cascade's second stage and takes what the first one made of the scan"
            : "the model is no cascade's second stage and takes no previous segmentation"))
    }
    let cut = ChannelCut(
      shape: channels[0].shape, order: description.transposeForward, box: geometry.cropBox,
      threads: threads)
    var arrays: [[Float]] = []
    for index in channels.indices {
      arrays.append(cut.run(channels[index].values))
      channels[index] = Volume.empty
    }
    let shape = geometry.cropBox.map(\.count)
    let stage = try previous.map { volume throws(PreprocessingError) in
      try PreviousStage(volume, cut: cut)
    }
    let inside =
      stage != nil || tellsNonzero || normalizations.contains(where: \.needsMask)
      ? NonzeroRegion(shape: shape, threads: threads).mask(of: arrays) : nil
    let mask = inside.map { stage?.mask($0) ?? $0 }
    for index in arrays.indices {
      var failure: PreprocessingError?
      arrays[index].withUnsafeMutableBufferPointer { values in
        do throws(PreprocessingError) {
          try normalizations[index].run(values, mask: mask, threads: threads)
        } catch { failure = error }
      }
      if let failure { throw failure }
    }
    var values = resampled(arrays, shape: shape, to: geometry)
    if let stage, let inside {
      values += try stage.channels(
        inside: inside, description, geometry: geometry, threads: threads)
    }
    var image = PreparedImage(geometry: geometry, values: values)
    if tellsNonzero, let inside { image.nonzero = try resampled(nonzero: inside, to: geometry) }
    return image
  }

  /// The nonzero region on the prepared grid, as nnU-Net resamples segmentations, in which it stands as a label.
  private func resampled(
    nonzero inside: [Bool], to geometry: PreparedGeometry
  ) throws(PreprocessingError) -> [Float] {
    let mask: [Float] = inside.map { $0 ? 1 : 0 }
    let usual = PreprocessingDescription.Resampling(
      function: "resample_data_or_seg_to_shape",
      keywords: JSONObject([
        ("is_seg", true), ("order", 1), ("order_z", 0), ("force_separate_z", .null),
      ]))
    let resampling = try LabelResampling(
      description.resamplingSeg ?? usual, from: geometry.cropBox.map(\.count),
      to: Array(geometry.shape.dropFirst()), spacing: geometry.originalSpacing,
      newSpacing: geometry.spacing)
    return resampling?.run(mask, threads: threads) ?? mask
  }

  /// Whether the network takes a previous stage's segmentation beside the channels.
  package var takesPrevious: Bool { !description.cascadeLabels.isEmpty }

  /// Resamples the channels, which go one after the other.
  private func resampled(
    _ arrays: consuming [[Float]], shape: [Int], to geometry: PreparedGeometry
  ) -> [Float] {
    let newShape = Array(geometry.shape.dropFirst())
    let volume = resampling.resampling(
      from: shape, to: newShape, spacing: geometry.originalSpacing, newSpacing: geometry.spacing,
      threads: threads)
    guard let volume else { return arrays.count == 1 ? arrays[0] : Array(arrays.joined()) }
    let count = newShape.reduce(1, *)
    return [Float](unsafeUninitializedCapacity: arrays.count * count) { output, initialized in
      for index in arrays.indices {
        let part = UnsafeMutableBufferPointer(
          rebasing: output[index * count..<(index + 1) * count])
        volume.run(arrays[index], into: part)
        arrays[index] = []
      }
      initialized = output.count
    }
  }

  /// Checks that the channels fit the model and each other; returns the first.
  private func checked(_ channels: [Volume]) throws(PreprocessingError) -> Volume {
    guard channels.count == normalizations.count, let first = channels.first else {
      let names = description.channels.map(\.name).joined(separator: ", ")
      throw PreprocessingError(
        .channels(
          "the case has \(channels.count) channel\(channels.count == 1 ? "" : "s") but the model takes "
            + "\(normalizations.count) (\(names)) — give one file per channel, joined by commas"))
    }
    for (number, channel) in channels.enumerated() {
      guard channel.shape == first.shape else {
        throw PreprocessingError(
          .channels(
            "channel \(number) has shape \(channel.shape) but channel 0 has \(first.shape)"))
      }
      guard AllClose.holds(first.spacing, channel.spacing) else {
        throw PreprocessingError(
          .channels(
            "channel \(number) has spacing \(channel.spacing) but channel 0 has \(first.spacing)"))
      }
      if let index = channel.values.firstIndex(where: { !$0.isFinite }) {
        throw PreprocessingError(.channels(notFinite(channel, at: index, channel: number)))
      }
    }
    return first
  }

  /// nnU-Net makes everything of such a scan NaN, without a word.
  private func notFinite(_ channel: Volume, at index: Int, channel number: Int) -> String {
    let count = channel.values.reduce(into: 0) { if !$1.isFinite { $0 += 1 } }
    let (height, width) = (channel.shape[1], channel.shape[2])
    let place = [index / (height * width), index / width % height, index % width]
    return
      "channel \(number) (\(DisplayText.escaped(description.channels[number].name))): \(count) of "
      + "\(channel.values.count) voxels are not finite, the first (\(channel.values[index])) at "
      + "[z, y, x] = \(place) — set them to 0 or to what the scan has for air"
  }

  /// The configuration's spacing; a 2-D configuration keeps that of the slices.
  private func newSpacing(_ original: [Double]) -> [Double] {
    spacing.count == 2 ? [original[0]] + spacing : spacing
  }

  /// So many voxels at most become of one: a few bytes that claim to be a metre wide must not fill the
  /// memory.
  private static let largestEnlargement = 4096.0

  /// `compute_new_shape`: rounds half to even, as Python does.
  private static func newShape(
    of shape: [Int], spacing: [Double], newSpacing: [Double]
  ) throws(PreprocessingError) -> [Int] {
    var result: [Int] = []
    var count = 1.0
    let limit = min(1e10, largestEnlargement * Double(shape.reduce(1, *)))
    for axis in 0..<3 {
      let size = (spacing[axis] / newSpacing[axis] * Double(shape[axis]))
        .rounded(.toNearestOrEven)
      count *= size
      guard size >= 1, size < 1e10, axis < 2 || count <= limit else {
        throw PreprocessingError(
          .channels(
            "spacing \(spacing) with shape \(shape) resampled to \(newSpacing) gives no usable size "
              + "— is the spacing in mm?"))
      }
      result.append(Int(size))
    }
    return result
  }
}
