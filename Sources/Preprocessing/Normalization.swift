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
        throw .unsupported(
          field: "foreground_intensity_properties_per_channel.\(index)", value: "missing")
      }
      self = .ct(properties)
    case "NoNormalization": self = .none
    case "RescaleTo01Normalization": self = .rescaleTo01
    case "RGBTo01Normalization": self = .rgbTo01
    default:
      throw .unsupported(
        field: "normalization_schemes[\(index)]", value: channel.normalizationScheme)
    }
  }

  var needsMask: Bool { if case .zScore(let useMask) = self { useMask } else { false } }

  /// Normalises a channel; `mask` tells which voxels lie inside the nonzero region.
  func run(
    _ values: UnsafeMutableBufferPointer<Float>, mask: [Bool]?
  ) throws(PreprocessingError) {
    switch self {
    case .none: return
    case .zScore: Self.zScore(values, mask: needsMask ? mask : nil)
    case .ct(let properties):
      let lower = Float(properties.percentile005)
      let upper = Float(properties.percentile995)
      let mean = Float(properties.mean)
      let deviation = Float(max(properties.std, 1e-8))
      for index in values.indices {
        let value = values[index]
        // NaN stays NaN, as numpy's clip has it.
        let clipped = value < lower ? lower : value > upper ? upper : value
        values[index] = (clipped - mean) / deviation
      }
    case .rescaleTo01:
      let smallest = values.min() ?? 0
      for index in values.indices { values[index] -= smallest }
      let largest = max(values.max() ?? 0, 1e-8)
      for index in values.indices { values[index] /= largest }
    case .rgbTo01:
      guard values.allSatisfy({ $0 >= 0 && $0 <= 255 }) else {
        throw .channels("RGBTo01Normalization takes values from 0 to 255 — this is no RGB image")
      }
      for index in values.indices { values[index] /= 255 }
    }
  }

  private static func zScore(_ values: UnsafeMutableBufferPointer<Float>, mask: [Bool]?) {
    var count = 0
    var sum = 0.0
    for index in values.indices where mask?[index] ?? true {
      count += 1
      sum += Double(values[index])
    }
    guard count > 0 else { return }
    let mean = sum / Double(count)
    var squares = 0.0
    for index in values.indices where mask?[index] ?? true {
      let distance = Double(values[index]) - mean
      squares += distance * distance
    }
    let deviation = Float(max((squares / Double(count)).squareRoot(), 1e-8))
    let center = Float(mean)
    for index in values.indices where mask?[index] ?? true {
      values[index] = (values[index] - center) / deviation
    }
  }
}
