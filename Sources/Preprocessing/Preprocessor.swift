public import SWTFormat

/// nnU-Net's `DefaultPreprocessor`: transpose → crop to nonzero → normalise → resample.
public struct Preprocessor: Sendable {
  private let description: PreprocessingDescription
  private let normalizations: [Normalization]
  private let resampling: ResamplingRule
  private let threads: Int

  /// Creates the preprocessing that plans describe, working on at most `threads` threads.
  ///
  /// Throws, naming the plans' field, where they ask for something that is not here.
  public init(
    description: PreprocessingDescription, threads: Int = 1
  ) throws(PreprocessingError) {
    // The reorienting readers turn the array, and the others read no NIfTI.
    guard ["SimpleITKIO", "NibabelIO"].contains(description.imageReaderWriter) else {
      throw .unsupported(field: "image_reader_writer", value: description.imageReaderWriter)
    }
    guard description.preprocessorName == "DefaultPreprocessor" else {
      throw .unsupported(field: "preprocessor_name", value: description.preprocessorName)
    }
    guard description.cascadeLabels.isEmpty else {
      throw .unsupported(field: "previous_stage", value: "a cascade's second stage")
    }
    guard description.transposeForward.sorted() == [0, 1, 2] else {
      throw .unsupported(field: "transpose_forward", value: "\(description.transposeForward)")
    }
    var normalizations: [Normalization] = []
    for (index, channel) in description.channels.enumerated() {
      normalizations.append(try Normalization(channel, index: index))
    }
    self.description = description
    self.normalizations = normalizations
    resampling = try ResamplingRule(description.resamplingData)
    self.threads = threads
  }

  /// Prepares a case from its channels, in the order of `channel_names`.
  public func prepare(channels: [Volume]) throws(PreprocessingError) -> PreparedImage {
    guard channels.count == normalizations.count, let first = channels.first else {
      let names = description.channels.map(\.name).joined(separator: ", ")
      throw .channels(
        "the case has \(channels.count) channels but the model takes \(normalizations.count) "
          + "(\(names)) — give one file per channel, joined by commas")
    }
    for (index, channel) in channels.enumerated() {
      guard channel.shape == first.shape else {
        throw .channels(
          "channel \(index) has shape \(channel.shape) but channel 0 has \(first.shape)")
      }
      guard channel.spacing == first.spacing else {
        throw .channels(
          "channel \(index) has spacing \(channel.spacing) but channel 0 has \(first.spacing)")
      }
    }
    let order = description.transposeForward
    let originalShape = order.map { first.shape[$0] }
    let originalSpacing = order.map { first.spacing[$0] }
    var arrays = channels.map { Self.transposed($0.values, shape: first.shape, order: order) }
    let box = NonzeroRegion.box(of: arrays, shape: originalShape)
    arrays = arrays.map { Self.cropped($0, shape: originalShape, box: box) }
    let shape = box.map(\.count)
    let mask =
      normalizations.contains(where: \.needsMask)
      ? NonzeroRegion.mask(of: arrays, shape: shape) : nil
    for index in arrays.indices {
      var failure: PreprocessingError?
      arrays[index].withUnsafeMutableBufferPointer { values in
        do throws(PreprocessingError) {
          try normalizations[index].run(values, mask: mask)
        } catch { failure = error }
      }
      if let failure { throw failure }
    }
    let spacing =
      description.spacing.count == 2
      ? [originalSpacing[0]] + description.spacing : description.spacing
    let newShape = try Self.newShape(of: shape, spacing: originalSpacing, newSpacing: spacing)
    if let volume = resampling.resampling(
      from: shape, to: newShape, spacing: originalSpacing, newSpacing: spacing, threads: threads)
    {
      // One channel at a time, so that its source goes before the next result comes.
      for index in arrays.indices { arrays[index] = volume.run(arrays[index]) }
    }
    let values = arrays.count == 1 ? arrays[0] : Array(arrays.joined())
    return PreparedImage(
      shape: [arrays.count] + (resampling.keepsShape ? shape : newShape), values: values,
      spacing: resampling.keepsShape ? originalSpacing : spacing,
      originalSpacing: originalSpacing, originalShape: originalShape, cropBox: box)
  }

  /// `compute_new_shape`: rounds half to even, as Python does.
  private static func newShape(
    of shape: [Int], spacing: [Double], newSpacing: [Double]
  ) throws(PreprocessingError) -> [Int] {
    var result: [Int] = []
    var count = 1.0
    for axis in 0..<3 {
      let size = (spacing[axis] / newSpacing[axis] * Double(shape[axis]))
        .rounded(.toNearestOrEven)
      count *= size
      guard size >= 1, count < 1e10 else {
        throw .channels(
          "spacing \(spacing) with shape \(shape) resampled to \(newSpacing) gives no usable size "
            + "— is the spacing in mm?")
      }
      result.append(Int(size))
    }
    return result
  }

  private static func transposed(_ values: [Float], shape: [Int], order: [Int]) -> [Float] {
    guard order != [0, 1, 2] else { return values }
    let strides = [shape[1] * shape[2], shape[2], 1]
    let sizes = order.map { shape[$0] }
    var result: [Float] = []
    result.reserveCapacity(values.count)
    for z in 0..<sizes[0] {
      for y in 0..<sizes[1] {
        let start = z * strides[order[0]] + y * strides[order[1]]
        for x in 0..<sizes[2] { result.append(values[start + x * strides[order[2]]]) }
      }
    }
    return result
  }

  private static func cropped(_ values: [Float], shape: [Int], box: [Range<Int>]) -> [Float] {
    guard box.map(\.count) != shape else { return values }
    var result: [Float] = []
    result.reserveCapacity(box.reduce(1) { $0 * $1.count })
    for z in box[0] {
      for y in box[1] {
        let row = (z * shape[1] + y) * shape[2]
        result.append(contentsOf: values[row + box[2].lowerBound..<row + box[2].upperBound])
      }
    }
    return result
  }
}
