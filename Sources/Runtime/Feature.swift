internal import CKernels

/// A blocked activation in a session's arena: `[⌈channels/16⌉][z][y][x][16]`.
struct Activation: Sendable, Equatable {
  var range: ArenaRange
  var channels: Int
  var extent: Extent3

  var blocks: Int { (channels + Int(NN_BLOCK) - 1) / Int(NN_BLOCK) }
  /// Floats from a channel block to the next.
  var blockStep: Int { extent.count * Int(NN_BLOCK) }

  static func floatCount(channels: Int, extent: Extent3) -> Int {
    (channels + Int(NN_BLOCK) - 1) / Int(NN_BLOCK) * Int(NN_BLOCK) * extent.count
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
      scale: UnsafePointer(arena[scale]) + block * Int(NN_BLOCK),
      shift: UnsafePointer(arena[shift]) + block * Int(NN_BLOCK), slope: slope)
  }
}
