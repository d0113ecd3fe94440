// SPDX-License-Identifier: Apache-2.0
/// What a checkpoint may cost to read. Real nnU-Net checkpoints stay a hundred times below.
package enum PickleLimits {
  /// Bytes of one pickle.
  static let pickleBytes = 256 << 20

  /// Bytes of one pickle that takes `storedByteCount` bytes in its archive.
  static func inflatedPickleBytes(storedByteCount: Int) -> Int {
    min(pickleBytes, 32 << 20 + largestExpansion * storedByteCount)
  }

  /// Bytes that the values of one pickle may take. It grows with the file, not with what the file
  /// asks for: shared shapes, copies and compressed pickles make much out of little.
  static func memory(storedByteCount: Int) -> Int { 64 << 20 + 16 * min(storedByteCount, 1 << 40) }

  /// Instructions of one pickle.
  static let instructions = 16_000_000
  /// Values of one pickle.
  static let values = 8_000_000
  /// Tensors of one pickle: ten times as many as the largest network, its optimizer's state and an average of
  /// its weights have, each read in some microseconds.
  static let tensors = 60_000
  /// Open marks: how deep containers are nested while they are built.
  static let marks = 1_000
  /// Bytes of one string.
  static let stringBytes = 16 << 20
  /// Bytes of the line of a text instruction.
  static let lineBytes = 4_096
  /// Axes of a tensor.
  static let rank = 64
  /// How deep a walk over values may go.
  package static let nesting = 64
  /// Bytes that one archive entry may inflate to.
  package static let inflatedBytes = 16 << 30
  /// Values of a pickle that is turned into plain JSON, shared ones counted as often as they occur.
  package static let plainValues = 200_000
  /// Above this size, how many times its stored bytes an entry may inflate to: weights hardly shrink,
  /// bombs do.
  static let freelyInflatedBytes = 128 << 20
  static let largestExpansion = 64
  /// Entries of an archive: thrice as many tensors as any network has, each read in some microseconds.
  static let entries = 30_000
}
