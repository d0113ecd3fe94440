// SPDX-License-Identifier: Apache-2.0
/// What no file or folder may exceed; all are checked before memory is taken.
enum DICOMLimits {
  /// Sequences within sequences.
  static let nesting = 16
  /// Elements of a file, those of its sequences included.
  static let elements = 200_000
  /// Bytes of a value that is read.
  static let valueByteCount = 1_024
  /// What a deflated data set may hold beside its pixels.
  static let inflatedByteCount = 64 << 20
  /// How many times its size a deflated data set may grow to beyond that.
  static let largestExpansion = 16
  static let frames = 65_535
  /// Millimetres.
  static let spacing = 0.001...1_000.0
  /// Millimetres from the origin.
  static let position = 1e6
  static let value = 3e38
  static let voxels = 10_000_000_000
  /// Folders within folders.
  static let folderDepth = 32
  static let files = 200_000
}
