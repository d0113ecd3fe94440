// SPDX-License-Identifier: Apache-2.0
/// The numbers that convolutions are computed with.
public enum Precision: String, Sendable, CaseIterable {
  /// Single precision throughout.
  case f32
  /// Products of bf16 numbers, eight bits of precision each, summed in single precision, in layers where
  /// that is faster than Winograd's algorithm in single precision, in linear layers over tokens and in their
  /// attention; all else is `f32`. Needs a processor with bf16 arithmetic (AVX-512 BF16, or Armv8.6).
  case bf16
}
