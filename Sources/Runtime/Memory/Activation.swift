// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// A blocked activation: `[⌈channels/16⌉][z][y][x][16]`.
///
/// With slack, every channel block has some spare slices before its values: a convolution that goes
/// from slice to slice can then write over what it reads, some slices behind.
struct Activation: Sendable, Equatable {
  let buffer: Buffer
  /// Floats of the buffer before the first value.
  let offset: Int
  let channels: Int
  let extent: Extent3
  /// Floats from a channel block to the next.
  let blockStep: Int

  init(_ buffer: Buffer, channels: Int, extent: Extent3, slackSlices: Int = 0) {
    self.buffer = buffer
    self.channels = channels
    self.extent = extent
    offset = slackSlices * extent.sliceCount * TensorLayout.blockWidth
    blockStep = extent.count * TensorLayout.blockWidth + offset
  }

  /// What overwrites this activation, so many slices before it.
  func successor(_ slices: Int) -> Activation { Activation(overwriting: self, slices: slices) }

  private init(overwriting other: Activation, slices: Int) {
    buffer = other.buffer
    offset = other.offset - slices * other.extent.sliceCount * TensorLayout.blockWidth
    channels = other.channels
    extent = other.extent
    blockStep = other.blockStep
  }

  /// Spare slices before the values.
  var slackSlices: Int { offset / (extent.sliceCount * TensorLayout.blockWidth) }

  /// Whether it is so large that it is better written past the caches: what reads it fetches ahead, and an ordinary store
  /// reads the line that it overwrites.
  var isStreamed: Bool { buffer.count - offset > Caches.found.thirdLevel / 8 }

  var blocks: Int { (channels + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth }

  static func floatCount(channels: Int, extent: Extent3, slackSlices: Int = 0) -> Int {
    (channels + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth * TensorLayout.blockWidth
      * (extent.count + slackSlices * extent.sliceCount)
  }
}

/// Normalisation and nonlinearity that are applied when an activation is read: scale and shift per
/// channel (padded to whole blocks, padding zero), and the slope below zero (1: no nonlinearity).
struct Pending: Sendable, Equatable {
  var scale: Buffer
  var shift: Buffer
  var slope: Float
}

/// The values between two layers: what an instruction wrote, and what is still to be applied.
struct Feature: Sendable, Equatable {
  var activation: Activation
  var pending: Pending

  var buffers: [Buffer] { [activation.buffer, pending.scale, pending.shift] }
}

extension Pending {
  /// The C view for one channel block.
  func kernel(block: Int, in memory: Memory) -> nn_pending {
    nn_pending(
      scale: UnsafePointer(memory[scale]) + block * TensorLayout.blockWidth,
      shift: UnsafePointer(memory[shift]) + block * TensorLayout.blockWidth, slope: slope)
  }
}
