// SPDX-License-Identifier: Apache-2.0
internal import SWTFormat

/// The sizes of one convolution.
struct ConvolutionGeometry: Sendable, Equatable {
  /// Input channels.
  var inputs: ChannelBlocks
  var outputChannels: Int
  var kernel: Extent3
  var stride: Extent3
  /// Zeros on either side.
  var padding: Extent3
  var input: Extent3
  /// How far apart neighbouring outputs are written: 1 but for a transposed convolution. There the output
  /// channels are those of the first voxel of a block of that size (whole blocks of channels), then those
  /// of the next.
  var voxelStep = Extent3(z: 1, y: 1, x: 1)

  var inputChannels: Int { inputs.channels }

  /// Where the kernel is put: the output's size but for the voxel step.
  var positions: Extent3 {
    let span = input.combined(with: padding) { $0 + 2 * $1 }.combined(with: kernel, -)
    return span.combined(with: stride) { $0 / $1 + 1 }
  }

  /// Multiplications and additions of the plain algorithm.
  var flops: Double {
    2 * Double(positions.count) * Double(kernel.count) * Double(inputChannels)
      * Double(outputChannels)
  }
}

extension ConvolutionGeometry {
  /// Of the convolution that takes outputs' gradients back to inputs, at stride 1; outputs in whole blocks.
  var turned: ConvolutionGeometry {
    let block = TensorLayout.blockWidth
    return ConvolutionGeometry(
      inputs: ChannelBlocks([(outputChannels + block - 1) / block * block]),
      outputChannels: inputChannels, kernel: kernel,
      stride: stride, padding: kernel.combined(with: padding) { $0 - 1 - $1 }, input: positions)
  }

  /// With nnU-Net's padding, which keeps the size at stride 1.
  init(
    inputChannels: Int, outputChannels: Int, kernel: Extent3, stride: Extent3, input: Extent3
  ) {
    self.init(
      inputs: ChannelBlocks([inputChannels]), outputChannels: outputChannels, kernel: kernel,
      stride: stride, padding: kernel.combined(with: kernel) { size, _ in (size - 1) / 2 },
      input: input)
  }
}
