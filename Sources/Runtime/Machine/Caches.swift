// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// The sizes of this processor's caches, in floats.
struct Caches: Sendable {
  /// Of one core.
  let secondLevel: Int
  /// What a core reaches of the third level.
  let thirdLevel: Int

  /// What the processor says; a cautious guess where it says nothing, as on arm64.
  static let found: Caches = {
    let (second, third) = (Int(nn_cache_bytes(2)), Int(nn_cache_bytes(3)))
    let float = MemoryLayout<Float>.stride
    let secondLevel = max(second > 0 ? second : 512 << 10, 256 << 10)
    return Caches(
      secondLevel: secondLevel / float,
      thirdLevel: max(third > 0 ? third : 8 << 20, secondLevel) / float)
  }()
}
