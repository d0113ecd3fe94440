internal import CKernels

/// The numbers that convolutions are computed with.
public enum Precision: String, Sendable, CaseIterable {
  /// Single precision throughout.
  case f32
  /// Products of bf16 numbers, eight bits of precision each, summed in single precision, in layers where
  /// that is faster than Winograd's algorithm in single precision; all else is `f32`. Needs a processor
  /// with bf16 arithmetic (AVX-512 BF16, or Armv8.6).
  case bf16
}

/// The bf16 kernels of an instruction set.
struct Bf16Kernels: @unchecked Sendable {
  // Invariant: points to a constant of the C module.
  private let pointer: UnsafePointer<nn_bf16_kernels>

  var pointee: nn_bf16_kernels { pointer.pointee }

  /// `nil` where this processor has none.
  init?(_ instructionSet: InstructionSet) {
    guard let kernels = nn_bf16(instructionSet.kernels) else { return nil }
    pointer = kernels
  }
}
