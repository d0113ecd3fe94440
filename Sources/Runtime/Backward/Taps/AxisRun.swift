// SPDX-License-Identifier: Apache-2.0
/// Places along an axis that meet the other side of a convolution by the same taps: outputs that meet inputs, or inputs that
/// meet outputs on the way back. What a tap meets beyond the map is left out.
struct AxisRun: Sendable, Equatable {
  /// The first place, and how far apart they are.
  let first, step: Int
  let count: Int
  let taps: [Tap]
  /// How far apart on the other side what neighbouring places meet by one tap is.
  let sourceStep: Int

  struct Tap: Sendable, Equatable {
    let number: Int
    /// What the first place meets by it.
    let source: Int
  }

  /// Outputs, and the inputs that they are made of.
  static func forward(_ axis: Axis) -> [AxisRun] {
    runs(0..<axis.outputs, step: 1, sourceStep: axis.stride) { output in
      (0..<axis.kernel).map { Tap(number: $0, source: output * axis.stride + $0 - axis.padding) }
        .filter { (0..<axis.inputs).contains($0.source) }
    }
  }

  /// Inputs, and the outputs that are made of them.
  static func backward(_ axis: Axis) -> [AxisRun] {
    (0..<min(axis.stride, axis.inputs)).flatMap { phase in
      let count = (axis.inputs - phase + axis.stride - 1) / axis.stride
      return runs(0..<count, step: axis.stride, sourceStep: 1) { number in
        (0..<axis.kernel).compactMap { tap in
          let place = phase + number * axis.stride + axis.padding - tap
          return place >= 0 && place % axis.stride == 0 && place / axis.stride < axis.outputs
            ? Tap(number: tap, source: place / axis.stride) : nil
        }
      }.map { run in
        AxisRun(
          first: run.first + phase, step: run.step, count: run.count, taps: run.taps,
          sourceStep: run.sourceStep)
      }
    }
  }

  /// The outputs that meet inputs by each tap: an output's run has one tap, and its source is the input.
  static func ofTaps(_ axis: Axis) -> [AxisRun] {
    (0..<axis.kernel).map { tap in
      let met = (0..<axis.outputs).filter {
        (0..<axis.inputs).contains($0 * axis.stride + tap - axis.padding)
      }
      let first = met.first ?? 0
      let source = met.isEmpty ? 0 : first * axis.stride + tap - axis.padding
      return AxisRun(
        first: first, step: 1, count: met.count, taps: [Tap(number: tap, source: source)],
        sourceStep: axis.stride)
    }
  }

  private static func runs(
    _ places: Range<Int>, step: Int, sourceStep: Int, _ taps: (Int) -> [Tap]
  ) -> [AxisRun] {
    var runs: [AxisRun] = []
    for place in places {
      let own = taps(place)
      if let last = runs.last, last.taps.map(\.number) == own.map(\.number) {
        runs[runs.count - 1] = AxisRun(
          first: last.first, step: step, count: last.count + 1, taps: last.taps,
          sourceStep: sourceStep)
      } else {
        runs.append(
          AxisRun(first: place * step, step: step, count: 1, taps: own, sourceStep: sourceStep))
      }
    }
    return runs
  }
}

extension AxisRun {
  /// One axis of a convolution.
  struct Axis: Sendable {
    let inputs, outputs, kernel, stride, padding: Int
  }
}

extension ConvolutionGeometry {
  var axes: (z: AxisRun.Axis, y: AxisRun.Axis, x: AxisRun.Axis) {
    func axis(_ size: (Extent3) -> Int) -> AxisRun.Axis {
      AxisRun.Axis(
        inputs: size(input), outputs: size(positions), kernel: size(kernel), stride: size(stride),
        padding: size(padding))
    }
    return (axis(\.z), axis(\.y), axis(\.x))
  }
}
