// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// What a program is compiled for: the kernels and the threads it runs with.
struct Target: Sendable {
  let kernels: Kernels
  let threads: Int
  var overwriting = OverwritingRule()
  /// Direct convolution in bf16 where these are given and it is the fastest.
  var bf16: nn_bf16_kernels?
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
