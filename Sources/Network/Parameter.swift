// SPDX-License-Identifier: Apache-2.0
package import SWTFormat

/// A tensor of weights that an operation reads.
package struct Parameter: Sendable, Hashable {
  /// What it is, which decides how a `.swt` file stores it.
  package enum Role: Sendable, Hashable {
    /// `[outputs, inputs, kernel…]`; stored in the packed layout.
    case convolutionWeight
    /// `[inputs, outputs, kernel…]` of a transposed convolution.
    case transposedConvolutionWeight
    /// `[outputs, inputs]`.
    case linearWeight
    /// `[outputs, inputs]` of a layer over many tokens; stored in the packed layout.
    case tokenWeight
    /// Tokens that are added or put in front of others.
    case embedding
    /// One number per channel.
    case perChannel
  }

  /// The part of the network that it belongs to.
  package enum Part: Sendable, Hashable {
    case encoder
    case decoder
    /// The classifier on the pooled features.
    case head
  }

  /// Its canonical name in the state dict.
  package let name: String
  /// Its logical shape, as in PyTorch; of rank 0 to 5.
  package let shape: [Int]
  package let role: Role
  package let part: Part

  /// The module that it belongs to.
  var module: String { name.split(separator: ".").dropLast().joined(separator: ".") }

  /// How a `.swt` file stores it.
  package var layout: TensorLayout {
    switch role {
    case .convolutionWeight, .tokenWeight: .packed16
    case .transposedConvolutionWeight, .linearWeight, .embedding, .perChannel: .rowMajor
    }
  }

  /// Whether it is always stored in `f32`: it is small, and its rounding would move every value of a
  /// channel or a token.
  package var isStoredWhole: Bool { role == .perChannel || role == .embedding }

  /// How many numbers it has; saturated, since shapes come from files.
  package var elementCount: Int {
    shape.reduce(1) { product, size in
      let (result, overflow) = product.multipliedReportingOverflow(by: size)
      return overflow ? .max : result
    }
  }
}
