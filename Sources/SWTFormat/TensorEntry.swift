// SPDX-License-Identifier: Apache-2.0
/// How a tensor's numbers are stored. Arithmetic is always `f32`.
public enum TensorDataType: String, Sendable, CaseIterable {
  /// IEEE 754 binary32.
  case f32
  /// IEEE 754 binary16.
  case f16
  /// The upper half of a binary32.
  case bf16

  /// Bytes per element.
  package var byteCount: Int { self == .f32 ? 4 : 2 }
}

/// In which order a tensor's elements lie in the file.
package enum TensorLayout: String, Sendable, CaseIterable {
  /// The last axis is contiguous.
  case rowMajor = "row-major"
  /// A convolution's weight `[O, I, k…]` as the kernels read it: output channels in blocks of 16,
  /// inside those input channels in blocks of (up to) 16, inside those the kernel's taps.
  ///
  /// With `T` = product of `k…`, `w = min(16, I − 16·⌊i/16⌋)`, element `(o, i, t)` has the index
  /// `((⌊o/16⌋·I + 16·⌊i/16⌋)·T + t·w + i mod 16)·16 + o mod 16`. Lanes beyond `O` are zero.
  case packed16 = "o16-i16"

  /// Output channels per block of the packed layout.
  package static let blockWidth = 16

  /// The number of stored elements of a tensor of `shape`, padding lanes included; `nil` where that
  /// overflows or the layout does not fit the shape.
  package func elementCount(shape: [Int]) -> Int? {
    var dimensions = shape
    if self == .packed16 {
      guard shape.count >= 2, shape[0] >= 1, shape[0] <= Int.max - Self.blockWidth else {
        return nil
      }
      dimensions[0] = (shape[0] + Self.blockWidth - 1) / Self.blockWidth * Self.blockWidth
    }
    var count = 1
    for dimension in dimensions {
      guard dimension >= 1 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow else { return nil }
      count = product
    }
    return count
  }
}

/// One line of a `.swt` file's tensor table.
package struct TensorEntry: Sendable, Equatable {
  /// The canonical state-dict name.
  package var name: String
  /// How its numbers are stored.
  package var dataType: TensorDataType
  /// The logical shape, as in PyTorch.
  package var shape: [Int]
  /// The order of its elements.
  package var layout: TensorLayout
  /// Where its bytes start, counted from the start of the file.
  package var offset: Int
  /// How many bytes it has.
  package var byteCount: Int
  /// SHA-256 of those bytes, in hex.
  package var sha256: String

  /// Creates an entry.
  package init(
    name: String, dataType: TensorDataType, shape: [Int], layout: TensorLayout, offset: Int,
    byteCount: Int, sha256: String
  ) {
    self.name = name
    self.dataType = dataType
    self.shape = shape
    self.layout = layout
    self.offset = offset
    self.byteCount = byteCount
    self.sha256 = sha256
  }
}
