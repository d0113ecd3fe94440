// SPDX-License-Identifier: Apache-2.0
// What training needs: gradients of convolutions, norms, activations and pooling, and the optimisers' steps.
//
// A gradient lies as what it is the gradient of: activations in blocks of 16 channels, weights as
// `[output block][input block][tap][input][16]`.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nn_convolution.h"

/// Activated inputs by channel, where a row's voxels are neighbours: what a weight's gradient is summed over.
typedef struct nn_planar_row {
  /// A row of one channel block.
  const float *_Nonnull source;
  int32_t voxels;
  nn_pending pending;
  /// Channels of the block that are written, 1 … 16.
  int32_t channels;
  /// Voxel `x` becomes number `x / stride` of phase `x % stride`; so what a strided tap meets are neighbours.
  int32_t stride;
  /// `[phase][channel][x / stride]`.
  float *_Nonnull target;
  ptrdiff_t phase_step, channel_step;
} nn_planar_row;

/// One tap's gradient, summed over some rows of outputs: `[input][16]` of some output blocks.
typedef struct nn_weight_gradient {
  /// The input, planar, that the tap meets at the rows' first output; of every channel.
  const float *_Nonnull planar;
  int32_t channel_step;
  /// Of every row of outputs, how far its inputs lie beyond the first one's.
  const int32_t *_Nonnull row_offsets;
  int32_t rows;
  /// Outputs of a row.
  int32_t width;
  /// Channels of the input block, 1 … 16.
  int32_t inputs;
  int32_t blocks;
  /// `[row][x][16]`, without a gap, of the first output block.
  const float *_Nonnull gradients;
  ptrdiff_t gradient_block_step;
  float *_Nonnull target;
  ptrdiff_t target_block_step;
  /// 1 to add to the target, 0 to overwrite it.
  int32_t accumulate;
} nn_weight_gradient;

/// A convolution of outputs' gradients to every `target_step / 16`-th voxel of a row of inputs: with stride s
/// these are s classes, each with the taps that reach it, of transposed weights.
typedef struct nn_input_gradient {
  /// As of a direct convolution from output channels to input channels; any number of voxels, one or more
  /// blocks. `output`, `streams` and `moments` are not used.
  nn_direct_tile convolution;
  float *_Nonnull target;
  /// Floats from a voxel to the next.
  ptrdiff_t target_step;
  ptrdiff_t target_block_step;
} nn_input_gradient;

/// Activates some voxels of a map and puts them elsewhere, at other distances.
typedef struct nn_packed_voxels {
  const float *_Nonnull source;
  ptrdiff_t source_step;
  int32_t voxels;
  nn_pending pending;
  float *_Nonnull target;
  ptrdiff_t target_step;
} nn_packed_voxels;

/// The way back: some voxels to a map.
typedef struct nn_unpacked_voxels {
  const float *_Nonnull source;
  ptrdiff_t source_step;
  int32_t voxels;
  /// 1 to add to the target, 0 to overwrite it.
  int32_t accumulate;
  float *_Nonnull target;
  ptrdiff_t target_step;
  /// The voxels are added to these statistics.
  nn_moments *_Nullable moments;
} nn_unpacked_voxels;

/// What some taps of one input block add to a run of neighbouring voxels of some output blocks.
typedef struct nn_tap_products {
  /// `[voxel][16]`; of every tap how far its inputs lie beyond.
  const float *_Nonnull source;
  const int32_t *_Nonnull source_offsets;
  /// Which taps they are, of all that `weights` has: `[tap][input][16]`.
  const int32_t *_Nonnull tap_numbers;
  int32_t taps;
  /// Channels of the input block, 1 … 16.
  int32_t inputs;
  int32_t voxels, blocks;
  const float *_Nonnull weights;
  ptrdiff_t tap_step, weight_block_step;
  /// How far beyond these the weights lie that come next: they are fetched meanwhile.
  ptrdiff_t next;
  /// `[voxel][16]`.
  float *_Nonnull target;
  ptrdiff_t target_block_step;
  /// 1 to add to the target, 0 to overwrite it.
  int32_t accumulate;
} nn_tap_products;

/// The voxels that one tap meets inside a map: planes of rows of neighbouring voxels.
typedef struct nn_tap_range {
  /// Where the first ones lie in the input and in the outputs' gradients.
  int32_t input, gradient;
  int32_t planes, rows, voxels;
} nn_tap_range;

/// The gradient of one input block's and one output block's weights: sums over all voxels that each tap meets.
typedef struct nn_tap_gradients {
  /// Whole blocks of channels, though fewer may be wanted.
  const float *_Nonnull inputs;
  const float *_Nonnull gradients;
  ptrdiff_t input_plane_step, input_row_step, gradient_plane_step, gradient_row_step;
  /// Of every tap.
  const nn_tap_range *_Nonnull ranges;
  int32_t taps;
  /// Of the input block, 1 … 16.
  int32_t channels;
  /// `[tap][channel][16]`.
  float *_Nonnull target;
  /// 1 to add to the target, 0 to overwrite it.
  int32_t accumulate;
} nn_tap_gradients;

/// Transforms outputs' gradients of a run of neighbouring Winograd tiles of one block: the transpose of the way
/// back from products to outputs. For tiles of two outputs along an axis, or of one.
typedef struct nn_winograd_gradient {
  nn_winograd_tile_sizes tile_sizes;
  int32_t tiles;
  /// The first tile's first voxel.
  const float *_Nonnull source;
  ptrdiff_t plane_step, row_step;
  /// Voxels that lie inside the output; along x those of all tiles. Others count as zeros.
  int32_t count_z, count_y, count_x;
  /// `[point][tile][16]`.
  float *_Nonnull target;
  ptrdiff_t point_step;
} nn_winograd_gradient;

/// Sums over tiles, at every point, of one input block's transformed values times one output block's gradients.
typedef struct nn_winograd_gradient_products {
  /// `[point][tile][16]` both.
  const float *_Nonnull inputs;
  const float *_Nonnull gradients;
  ptrdiff_t input_point_step, gradient_point_step;
  int32_t points, tiles;
  /// Of every point its weight's.
  const int32_t *_Nonnull weight_points;
  /// `[weight point][16 inputs][16]`.
  float *_Nonnull target;
  ptrdiff_t target_point_step;
  /// How far beyond these the sums lie that come next: they are fetched meanwhile.
  ptrdiff_t next;
  /// 1 to add to the target, 0 to overwrite it.
  int32_t accumulate;
} nn_winograd_gradient_products;

/// The gradient of one input block's and one output block's weights from that of the transformed ones: the transpose of
/// their transform.
typedef struct nn_winograd_weight_gradient {
  nn_winograd_tile_sizes tile_sizes;
  /// Channels of the input block, 1 … 16.
  int32_t inputs;
  /// `[weight point][input][16]`.
  const float *_Nonnull source;
  ptrdiff_t point_step;
  /// `[tap][input][16]`.
  float *_Nonnull target;
  ptrdiff_t tap_step;
  /// 1 to add to the target, 0 to overwrite it.
  int32_t accumulate;
} nn_winograd_weight_gradient;

/// A norm of 16 channels and what is known of it: `h = (raw − mean) · inverse`, of which came
/// `activation(scale · raw + shift)`.
typedef struct nn_norm_gradient {
  const float *_Nonnull raw;
  /// Of the activated values; `target` may be the same.
  const float *_Nonnull gradient;
  size_t voxels;
  nn_pending pending;
  const float *_Nonnull mean;
  const float *_Nonnull inverse;
  /// Of every channel: means of the gradient before the activation, and of its products with h. Zeros
  /// where the norm's statistics are constants.
  const float *_Nullable mean_gradient;
  const float *_Nullable mean_product;
  float *_Nullable target;
} nn_norm_gradient;

/// A row of pooled voxels' gradients to the voxels of their windows, times a factor.
typedef struct nn_average_gradient {
  const float *_Nonnull source;
  /// Pooled voxels, and voxels of each one's window along the row.
  int32_t voxels, width;
  float factor;
  /// 0: overwrite the target; 1: add to it.
  int32_t accumulate;
  float *_Nonnull target;
} nn_average_gradient;

/// A step of stochastic gradient descent with Nesterov momentum, as PyTorch has it.
typedef struct nn_sgd {
  float rate, momentum, decay;
  /// Gradients are multiplied by this first (clipping).
  float gradient_factor;
  /// 1: the velocity becomes the gradient.
  int32_t is_first;
} nn_sgd;

/// A step of AdamW, as PyTorch has it. Its numbers are made in double precision: 1 − 0.999 in single precision is
/// wrong in the fifth digit.
typedef struct nn_adamw {
  /// What stays of a parameter: 1 − rate · decay.
  float kept;
  /// The betas, and what is missing to 1.
  float beta1, rest1, beta2, rest2;
  float eps, gradient_factor;
  /// rate / (1 − beta1ⁿ) and √(1 − beta2ⁿ); n is the step's number, which starts at 1.
  float rate, root;
} nn_adamw;
