internal import CKernels
internal import SWTFormat

/// A blocked activation in a session's arena: `[⌈channels/16⌉][z][y][x][16]`.
///
/// With slack, every channel block has some planes of room before its values: a convolution that goes
/// from plane to plane can then write over what it reads, some planes behind.
struct Activation: Sendable, Equatable {
  /// What was reserved, slack included.
  let reservation: ArenaRange
  /// From the first value on.
  let range: ArenaRange
  let channels: Int
  let extent: Extent3
  /// Floats from a channel block to the next.
  let blockStep: Int

  init(_ reservation: ArenaRange, channels: Int, extent: Extent3, slackPlanes: Int = 0) {
    let slack = slackPlanes * extent.y * extent.x * TensorLayout.blockWidth
    self.reservation = reservation
    range = ArenaRange(offset: reservation.offset + slack, count: reservation.count - slack)
    self.channels = channels
    self.extent = extent
    blockStep = extent.count * TensorLayout.blockWidth + slack
  }

  /// What overwrites this activation, so many planes before it.
  func successor(_ planes: Int) -> Activation { Activation(overwriting: self, planes: planes) }

  private init(overwriting other: Activation, planes: Int) {
    let shift = planes * other.extent.y * other.extent.x * TensorLayout.blockWidth
    reservation = other.reservation
    range = ArenaRange(offset: other.range.offset - shift, count: other.range.count + shift)
    channels = other.channels
    extent = other.extent
    blockStep = other.blockStep
  }

  /// Planes of room before the values.
  var slackPlanes: Int {
    (range.offset - reservation.offset) / (extent.y * extent.x * TensorLayout.blockWidth)
  }

  /// Whether it is too large for any cache, so that it is better written past them.
  var isStreamed: Bool { range.count > Caches.found.thirdLevel / 2 }

  var blocks: Int { (channels + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth }

  static func floatCount(channels: Int, extent: Extent3, slackPlanes: Int = 0) -> Int {
    (channels + TensorLayout.blockWidth - 1) / TensorLayout.blockWidth * TensorLayout.blockWidth
      * (extent.count + slackPlanes * extent.y * extent.x)
  }
}

/// Normalisation and nonlinearity that are applied when an activation is read: scale and shift per
/// channel (padded to whole blocks, padding zero), and the slope below zero (1: no nonlinearity).
struct Pending: Sendable, Equatable {
  var scale: ArenaRange
  var shift: ArenaRange
  var slope: Float
}

/// The values between two layers: what a convolution wrote, and what is still to be applied.
struct Feature: Sendable, Equatable {
  var activation: Activation
  var pending: Pending
}

extension Pending {
  /// The C view for one channel block.
  func kernel(block: Int, in arena: Arena) -> nn_pending {
    nn_pending(
      scale: UnsafePointer(arena[scale]) + block * TensorLayout.blockWidth,
      shift: UnsafePointer(arena[shift]) + block * TensorLayout.blockWidth, slope: slope)
  }
}
