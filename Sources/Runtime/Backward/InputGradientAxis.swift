// SPDX-License-Identifier: Apache-2.0
/// Back through a convolution along one axis: with stride s there are s classes of inputs, each of which meets
/// outputs by taps of its own.
struct InputGradientAxis: Sendable {
  /// Every s-th input from `first` on. Number n of them meets output n + offset by a tap.
  struct Class: Sendable {
    let first: Int
    let count: Int
    let taps: [(tap: Int, offset: Int)]
  }

  let classes: [Class]
  /// Zeros before and after the outputs' gradients.
  let before, after: Int

  init(inputs: Int, outputs: Int, kernel: Int, stride: Int, padding: Int) {
    classes = (0..<min(stride, inputs)).map { first in
      // Input x meets output j by tap t where x = j · stride + t − padding.
      Class(
        first: first, count: (inputs - first + stride - 1) / stride,
        taps: (0..<kernel).filter { (first + padding - $0) % stride == 0 }
          .map { ($0, (first + padding - $0) / stride) })
    }
    before = max(0, classes.flatMap(\.taps).map { -$0.offset }.max() ?? 0)
    after = max(
      0,
      classes.flatMap { own in own.taps.map { own.count + $0.offset - outputs } }.max() ?? 0)
  }
}
