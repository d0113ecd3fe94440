// SPDX-License-Identifier: Apache-2.0
/// Random numbers that depend on nothing but a seed, what they are for, and their position: the same
/// on every machine, in any order and on any number of threads.
package struct CounterRandom: Sendable, Equatable {
  private let key: UInt64

  /// - Parameter stream: what the numbers are for: the case, the view, the transform.
  package init(seed: UInt64, stream: [UInt64]) {
    key = stream.reduce(Self.mix(seed)) { Self.mix($0 ^ Self.mix($1 &+ 0x9E37_79B9_7F4A_7C15)) }
  }

  /// The finaliser of SplitMix64, a bijection whose output bits all depend on all input bits.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  package func bits(at position: Int) -> UInt64 {
    Self.mix(key &+ UInt64(truncatingIfNeeded: position) &* 0xD134_2543_DE82_EF95)
  }

  /// A number of `0..<1`.
  package func unit(at position: Int) -> Double { Double(bits(at: position) >> 11) * 0x1p-53 }

  package func integer(at position: Int, below bound: Int) -> Int {
    Int(bits(at: position).multipliedFullWidth(by: UInt64(bound)).high)
  }
}
