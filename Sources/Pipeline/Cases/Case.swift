// SPDX-License-Identifier: Apache-2.0
public import Preprocessing

/// A case that has been read: its channels, and what preprocessing and the network will make of them.
///
/// It is given away to `EncoderPipeline.run`, which frees the channels on its way.
public struct Case: ~Copyable, Sendable {
  /// What a person should look at, one line each.
  public let warnings: [String]
  /// Sizes, spacing and crop, worked out before anything is resampled.
  public let geometry: PreparedGeometry
  /// Where the voxels of the first file lie; `nil` for channels given in memory.
  package let place: ScanGeometry?
  /// Where the network will look.
  package let framing: InputFraming
  /// One volume per channel, in the order of `channel_names`.
  package private(set) var channels: [Volume]

  init(
    warnings: [String], geometry: PreparedGeometry, place: ScanGeometry?,
    framing: InputFraming, channels: consuming [Volume]
  ) {
    self.warnings = warnings
    self.geometry = geometry
    self.place = place
    self.framing = framing
    self.channels = channels
  }

  /// Gives the channels away.
  consuming func takeChannels() -> [Volume] { channels }
}
