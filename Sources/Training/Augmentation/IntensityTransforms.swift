// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

extension ChannelImage {
  func addingNoise(sigma: Double, _ source: AugmentationStep.NoiseSource) -> ChannelImage {
    var result = self
    for index in values.indices {
      let unit =
        switch source {
        case .given(let values): Double(values[index])
        case .drawn(let random): random.normal(at: index)
        }
      result.values[index] = Float(Double(values[index]) + sigma * unit)
    }
    return result
  }

  func blurred(_ channels: [Int], _ sigmas: [[Double]]) -> ChannelImage {
    mapping(channels: channels) { position, values in
      var current = values.map { Double($0) }
      for (axis, sigma) in sigmas[position].enumerated() {
        let kernel = Self.gaussian(sigma: sigma)
        let half = kernel.count / 2
        let lines = AxisLines(shape: shape, axis: axis)
        var next = current
        for line in 0..<lines.count {
          let start = lines.start(line)
          for index in 0..<lines.length {
            var sum = 0.0
            for (tap, weight) in kernel.enumerated() {
              let source = Self.reflected(index + tap - half, lines.length)
              sum += weight * current[start + source * lines.stride]
            }
            next[start + index * lines.stride] = sum
          }
        }
        current = next
      }
      return current.map { Float($0) }
    }
  }

  /// batchgeneratorsv2's kernel: 6σ + ½ taps, rounded half to even, made odd towards the nearer side.
  static func gaussian(sigma: Double) -> [Double] {
    let wanted = 6 * sigma + 0.5
    let rounded = wanted.rounded(.toNearestOrEven)
    let isOdd = rounded.truncatingRemainder(dividingBy: 2) != 0
    let count = isOdd ? rounded : wanted >= rounded ? rounded + 1 : rounded - 1
    let taps = (0..<max(1, Int(count))).map { index in
      let distance = (Double(index) - (count - 1) / 2) / sigma
      return exp(-0.5 * distance * distance)
    }
    let sum = taps.reduce(0, +)
    return taps.map { $0 / sum }
  }

  /// An index outside, reflected at the outermost voxels' centres.
  private static func reflected(_ index: Int, _ length: Int) -> Int {
    guard length > 1 else { return 0 }
    let period = 2 * (length - 1)
    let inside = ((index % period) + period) % period
    return inside < length ? inside : period - inside
  }

  func lowResolution(_ channels: [Int], _ scales: [[Double]]) -> ChannelImage {
    mapping(channels: channels) { position, values in
      var current = values.map { Double($0) }
      var size = shape
      for (axis, scale) in scales[position].enumerated() {
        // The scale is a float32 there.
        let wanted = (Double(shape[axis]) * Double(Float(scale))).rounded(.toNearestOrEven)
        let target = max(1, Int(wanted))
        current = Self.resampled(current, &size, axis: axis, to: target) { index, length in
          let place = (Double(index) + 0.5) * Double(length) / Double(target)
          return (min(Int(place), length - 1), min(Int(place), length - 1), 0)
        }
      }
      for axis in shape.indices {
        let target = shape[axis]
        current = Self.resampled(current, &size, axis: axis, to: target) { index, length in
          let place = max((Double(index) + 0.5) * Double(length) / Double(target) - 0.5, 0)
          let lower = min(Int(place), length - 1)
          return (lower, min(lower + 1, length - 1), place - Double(lower))
        }
      }
      return current.map { Float($0) }
    }
  }

  /// An axis resampled: `source` gives two voxels of the old length, and the second one's weight.
  private static func resampled(
    _ values: [Double], _ size: inout [Int], axis: Int, to target: Int,
    _ source: (_ index: Int, _ length: Int) -> (Int, Int, Double)
  ) -> [Double] {
    let old = AxisLines(shape: size, axis: axis)
    size[axis] = target
    let new = AxisLines(shape: size, axis: axis)
    var result = [Double](repeating: 0, count: size.reduce(1, *))
    for index in 0..<target {
      let (lower, upper, weight) = source(index, old.length)
      for line in 0..<old.count {
        let start = old.start(line)
        result[new.start(line) + index * new.stride] =
          values[start + lower * old.stride] * (1 - weight)
          + values[start + upper * old.stride] * weight
      }
    }
    return result
  }
}

/// What contrast and gamma keep of a channel.
struct Statistics {
  let mean: Double
  let smallest: Double
  let largest: Double
  /// With n − 1.
  let deviation: Double

  init(_ values: [Float]) { self.init(values.map { Double($0) }) }

  init(_ values: [Double]) {
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    smallest = values.min() ?? 0
    largest = values.max() ?? 0
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
  }

  func contrast(_ values: [Float], _ multiplier: Double) -> [Float] {
    values.map { Float(min(max((Double($0) - mean) * multiplier + mean, smallest), largest)) }
  }

  static func gamma(_ values: [Float], _ exponent: Double, isInverted: Bool) -> [Float] {
    let sign: Double = isInverted ? -1 : 1
    let signed = values.map { sign * Double($0) }
    let before = Statistics(signed)
    let range = before.largest - before.smallest
    let curved = signed.map { value in
      pow((value - before.smallest) / max(range, 1e-7), exponent) * range + before.smallest
    }
    let after = Statistics(curved)
    let scale = before.deviation / max(after.deviation, 1e-7)
    return curved.map { Float(sign * (($0 - after.mean) * scale + before.mean)) }
  }
}

extension CounterRandom {
  /// A standard normal number: Box and Muller's of two uniform ones.
  func normal(at position: Int) -> Double {
    let radius = (-2 * log(1 - unit(at: 2 * position))).squareRoot()
    return radius * cos(2 * .pi * unit(at: 2 * position + 1))
  }
}
