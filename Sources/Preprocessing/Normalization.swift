// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// nnU-Net's normalisation schemes, in float32 as there; means are summed in double.
enum Normalization: Sendable {
  case zScore(useMask: Bool)
  case ct(PreprocessingDescription.IntensityProperties)
  case none
  case rescaleTo01
  case rgbTo01

  init(_ channel: PreprocessingDescription.Channel, index: Int) throws(PreprocessingError) {
    switch channel.normalizationScheme {
    case "ZScoreNormalization": self = .zScore(useMask: channel.useMaskForNorm)
    case "CTNormalization":
      guard let properties = channel.intensityProperties else {
        throw PreprocessingError(
          .unsupported(
            field: "foreground_intensity_properties_per_channel.\(index)", value: "missing"))
      }
      self = .ct(properties)
    case "NoNormalization": self = .none
    case "RescaleTo01Normalization": self = .rescaleTo01
    case "RGBTo01Normalization": self = .rgbTo01
    default:
      throw PreprocessingError(
        .unsupported(
          field: "normalization_schemes[\(index)]", value: channel.normalizationScheme))
    }
  }

  var needsMask: Bool { if case .zScore(let useMask) = self { useMask } else { false } }

  /// Normalises a channel; `mask` tells which voxels lie inside the nonzero region.
  func run(
    _ values: UnsafeMutableBufferPointer<Float>, mask: [Bool]?, threads: Int
  ) throws(PreprocessingError) {
    let voxels = VoxelPass(values: values, threads: threads)
    switch self {
    case .none: return
    case .zScore: Self.zScore(voxels, mask: needsMask ? mask : nil)
    case .ct(let properties):
      let lower = Float(properties.percentile005)
      let upper = Float(properties.percentile995)
      let mean = Float(properties.mean)
      let deviation = Float(max(properties.std, 1e-8))
      voxels.map { value in
        // NaN stays NaN, as numpy's clip has it.
        let clipped = value < lower ? lower : value > upper ? upper : value
        return (clipped - mean) / deviation
      }
    case .rescaleTo01:
      let smallest = values.min() ?? 0
      voxels.map { $0 - smallest }
      let largest = max(values.max() ?? 0, 1e-8)
      voxels.map { $0 / largest }
    case .rgbTo01:
      guard values.allSatisfy({ $0 >= 0 && $0 <= 255 }) else {
        throw PreprocessingError(
          .channels("RGBTo01Normalization takes values from 0 to 255 — this is no RGB image"))
      }
      voxels.map { $0 / 255 }
    }
  }

  private static func zScore(_ voxels: VoxelPass, mask: [Bool]?) {
    let (count, sum) = voxels.sum(where: mask) { Double($0) }
    guard count > 0 else { return }
    let mean = sum / Double(count)
    let (_, squares) = voxels.sum(where: mask) {
      let distance = Double($0) - mean
      return distance * distance
    }
    let deviation = Float(max((squares / Double(count)).squareRoot(), 1e-8))
    let center = Float(mean)
    voxels.map(where: mask) { ($0 - center) / deviation }
  }
}

/// Passes over all voxels of a channel on several threads. Sums do not depend on their number.
private struct VoxelPass {
  nonisolated(unsafe) let values: UnsafeMutableBufferPointer<Float>
  let threads: Int

  private static let chunkCount = 1 << 16

  private var chunks: ParallelRanges {
    ParallelRanges(
      count: (values.count + Self.chunkCount - 1) / Self.chunkCount, threads: threads)
  }

  private func range(of chunk: Int) -> Range<Int> {
    chunk * Self.chunkCount..<min((chunk + 1) * Self.chunkCount, values.count)
  }

  func map(where mask: [Bool]? = nil, _ body: @Sendable (Float) -> Float) {
    nonisolated(unsafe) let values = values
    chunks.run { chunks in
      for index in range(of: chunks.lowerBound)
        .lowerBound..<range(of: chunks.upperBound - 1)
        .upperBound where mask?[index] ?? true
      {
        values[index] = body(values[index])
      }
    }
  }

  func sum(
    where mask: [Bool]?, _ body: @Sendable (Float) -> Double
  ) -> (count: Int, sum: Double) {
    var sums = [Double](repeating: 0, count: max(chunks.count, 1))
    var counts = [Int](repeating: 0, count: max(chunks.count, 1))
    nonisolated(unsafe) let values = values
    sums.withUnsafeMutableBufferPointer { sums in
      counts.withUnsafeMutableBufferPointer { counts in
        nonisolated(unsafe) let (sums, counts) = (sums, counts)
        chunks.run { chunks in
          for chunk in chunks {
            var count = 0
            var sum = 0.0
            for index in range(of: chunk) where mask?[index] ?? true {
              count += 1
              sum += body(values[index])
            }
            (sums[chunk], counts[chunk]) = (sum, count)
          }
        }
      }
    }
    return (counts.reduce(0, +), sums.reduce(0, +))
  }
}
