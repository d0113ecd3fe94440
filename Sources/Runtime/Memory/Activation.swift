// SPDX-License-Identifier: Apache-2.0
internal import CKernels
internal import SWTFormat

/// A blocked activation: `[⌈channels/16⌉][z][y][x][16]`.
///
/// With slack, every channel block has some spare planes before its values: a convolution that goes
/// from plane to plane can then write over what it reads, some planes behind.
struct Activation: Sendable, Equatable {
  let buffer: Buffer
  /// Floats of the buffer before the first value.
  let offset: Int
  let channels: Int
  let extent: Extent3
  /// Floats from a channel block to the next.
  let blockStep: Int

  init(_ buffer: Buffer, channels: Int, extent: Extent3, slackPlanes: Int = 0) {
    self.buffer = buffer
    self.channels = channels
    self.extent = extent
    offset = slackPlanes * extent.y * extent.x * TensorLayout.blockWidth
    blockStep = extent.count * TensorLayout.blockWidth + offset
  }

  /// What overwrites this activation, so many planes before it.
  func successor(_ planes: Int) -> Activation { Activation(overwriting: self, planes: planes) }

  private init(overwriting other: Activation, planes: Int) {
    buffer = other.buffer
    offset = other.offset - planes * other.extent.y * other.extent.x * TensorLayout.blockWidth
    channels = other.channels
    extent = other.extent
    blockStep = other.blockStep
  }

  /// Spare planes before the values.
  var slackPlanes: Int { offset / (extent.y * extent.x * TensorLayout.blockWidth) }

  /// Whether it is too large for any cache, so that it is better written past them.
  var isStreamed: Bool { buffer.count - offset > Caches.found.thirdLevel / 2 }

  var blocks: Int { (channels + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth }

  static func floatCount(channels: Int, extent: Extent3, slackPlanes: Int = 0) -> Int {
    (channels + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth * TensorLayout.blockWidth
      * (extent.count + slackPlanes * extent.y * extent.x)
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
