// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// What a program is compiled for: the kernels and the threads it runs with.
struct Target: Sendable {
  let kernels: Kernels
  let threads: Int
  var overwriting = OverwritingRule()
  /// Direct convolution in bf16 where these are given and it is the fastest.
  var bf16: nn_bf16_kernels?
  /// Multiply-adds of a layer, of all cases that run together, from which on training may take Winograd's algorithm.
  ///
  /// Smaller layers take no time worth saving, and plain sums come closer to PyTorch's: AdamW's first steps are as
  /// long as the rate whatever a gradient's size, so where one is hardly more than rounding this decides the step's sign.
  var fewestTrainedProducts = 0x1p28
  /// Whether what training computes as it is defined goes tap by tap; `nil` for whichever costs less, else for comparisons.
  var takesTaps: Bool?
  /// Forces direct convolution, for comparisons.
  var isDirectOnly = false
}

/// When a convolution writes over its input.
struct OverwritingRule: Sendable {
  /// Activations from this size on, in floats.
  var smallestActivation = 8 << 20
  /// So many tasks at least between two waits, for all threads to end at about the same time.
  var tasksPerThread = 24
}
