// SPDX-License-Identifier: Apache-2.0
// What convolutional encoders need: direct and Winograd convolution, activation, statistics, pooling.
//
// Activations are blocked: 16 channels of one voxel are neighbours (`NN_BLOCK`), then x, y, z, and the
// channel blocks.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Channels per block of an activation, and output channels per block of a packed weight.
#define NN_BLOCK 16

/// The statistics of 16 channels' values: how many there are, their means, and the sums of squared
/// distances from these.
typedef struct nn_moments {
  double count, unused[7];
  double mean[NN_BLOCK];
  double squares[NN_BLOCK];
} nn_moments;

/// One register tile of a direct convolution: some voxels of a row times one or two output blocks,
/// over all taps of one block of input channels.
typedef struct nn_direct_tile {
  /// The slab of packed input at the first voxel's first tap.
  const float *_Nonnull input;
  /// For every tap, how many floats it lies beyond the first one.
  const int32_t *_Nonnull tap_offsets;
  int32_t taps;
  /// Input channels in this block, at most NN_BLOCK.
  int32_t inputs;
  /// Floats from one output voxel's input to the next one's.
  int32_t voxel_step;
  /// Voxels of the tile: 1 … nn_kernels.direct_voxels.
  int32_t voxels;
  /// Output blocks of the tile: 1 … nn_kernels.direct_blocks.
  int32_t blocks;
  /// 0: overwrite the output; 1: add to it.
  int32_t accumulate;
  /// Packed weights `[tap][input][16]` of the first output block.
  const float *_Nonnull weights;
  /// Floats from an output block's weights to the next one's.
  ptrdiff_t weight_block_step;
  /// The first voxel of the first output block.
  float *_Nonnull output;
  /// Floats from an output block to the next one.
  ptrdiff_t output_block_step;
  /// Floats from an output voxel to the next one: NN_BLOCK where they are neighbours.
  ptrdiff_t output_voxel_step;
  /// 1: the output is large, and is written past the caches.
  int32_t streams;
  /// The outputs are added to these statistics of the first output block, unless null.
  nn_moments *_Nullable moments;
  /// From an output block's statistics to the next one's.
  ptrdiff_t moments_step;
} nn_direct_tile;

/// A normalisation and activation that is applied when a block of 16 channels is loaded:
/// `x ≥ 0 ? x : slope · x` of `scale · raw + shift`. A slope of 1 is no activation.
typedef struct nn_pending {
  const float *_Nonnull scale;
  const float *_Nonnull shift;
  float slope;
} nn_pending;

/// Averages windows of activated voxels: one row of outputs of a channel block.
typedef struct nn_average {
  /// The rows of the windows, at the first window's first voxel.
  const float *_Nonnull const *_Nonnull row;
  int32_t rows;
  /// Voxels of a window along a row, and from a window to the next.
  int32_t width;
  /// Outputs.
  int32_t voxels;
  nn_pending pending;
  /// 1 / voxels of a window.
  float factor;
  float *_Nonnull target;
} nn_average;

/// One axis of a Winograd convolution; see winograd_tiles.inc.
typedef struct nn_winograd_axis {
  int32_t code, kernel, stride;
  /// Of a tile: its outputs, its inputs (which are its products), and those with a weight of their own.
  int32_t outputs, points, weight_points;
  const char *_Nonnull name;
} nn_winograd_axis;

/// The largest of all axes.
enum {
  NN_WINOGRAD_TAPS = 3,
  NN_WINOGRAD_OUTPUTS = 4,
  NN_WINOGRAD_POINTS = 9,
  NN_WINOGRAD_WEIGHT_POINTS = 6,
};

/// How a convolution is tiled along z, y and x: an axis' code each, one hexadecimal digit.
typedef int32_t nn_winograd_tile_sizes;

/// The axis of that code; null where there is none.
const nn_winograd_axis *_Nullable nn_winograd_axis_of(int32_t code);

/// The tile sizes that there are kernels for; `count` is set to their number.
const nn_winograd_tile_sizes *_Nonnull nn_winograd_all_tile_sizes(int32_t *_Nonnull count);

/// Where numbers of tiles lie, 16 of a channel block at a time: floats from a point to the next, from a group of tiles, from
/// a block, and from a tile of its group.
typedef struct nn_tile_places {
  ptrdiff_t point_step, group_step, block_step, tile_step;
  /// Tiles of a group; the last group may have fewer, and has the place of as many.
  int32_t group_tiles;
} nn_tile_places;

/// Transforms a run of neighbouring tiles of one channel block, activating its voxels on the way.
typedef struct nn_winograd_input {
  nn_winograd_tile_sizes tile_sizes;
  /// The rows (at x = 0) of the tiles' z × y voxels, null where they lie outside: zeros.
  const float *_Nullable const *_Nonnull rows;
  /// Voxels per row.
  int32_t width;
  /// The first tile's first voxel; may be outside.
  int32_t first_x;
  int32_t tiles;
  nn_pending pending;
  /// The first group's place for this block.
  float *_Nonnull target;
  nn_tile_places places;
  /// Tiles that lie before these.
  int32_t tiles_before;
  /// The first tile's first voxel of the run that is likely to come next, and its rows, which are fetched; or null.
  int32_t next_first_x;
  const float *_Nullable const *_Nullable next_rows;
} nn_winograd_input;

/// Multiplies transformed tiles by transformed weights: at every point a matrix product, tiles × inputs
/// times inputs × outputs.
typedef struct nn_winograd_products {
  /// Tiles of a group, at most `direct_voxels`, are neighbours.
  const float *_Nonnull source;
  nn_tile_places source_places;
  /// `[weight point][output block][input, whole blocks][16]`.
  const float *_Nonnull weights;
  ptrdiff_t weight_point_step, weight_block_step;
  /// Of every point its weight's.
  const int32_t *_Nonnull weight_points;
  /// In as large groups as the source; may be the source's memory, but not the same point's or a later one's.
  float *_Nonnull target;
  nn_tile_places target_places;
  int32_t points, tiles, input_blocks, output_blocks;
  /// 1: the weights are far away, and are fetched ahead.
  int32_t fetches_weights;
  /// 1: products are added to what is there.
  int32_t accumulates;
} nn_winograd_products;

/// Of a row's tiles: their outputs, and their inputs.
enum { NN_WINOGRAD_ROW_OUTPUTS = 4, NN_WINOGRAD_ROW_POINTS = 6 };

/// A row of a convolution of few channels by F(4, 3) along x, of one or two output blocks.
typedef struct nn_winograd_row {
  /// Transformed rows, `[point][tile]` each.
  const float *_Nonnull input;
  /// For every row of the kernel and every input, how many floats its row lies beyond the first one.
  const int32_t *_Nonnull line_offsets;
  int32_t lines;
  /// Floats from a point to the next; tiles up to a multiple of 16 can be read.
  ptrdiff_t point_step;
  /// Outputs.
  int32_t voxels;
  /// Output blocks: 1 … nn_kernels.direct_blocks.
  int32_t blocks;
  /// `[line][point][16]` of the first output block.
  const float *_Nonnull weights;
  /// Floats from an output block's weights to the next one's.
  ptrdiff_t weight_block_step;
  /// The first voxel of the first output block.
  float *_Nonnull output;
  ptrdiff_t output_block_step;
  /// 1: the output is large, and is written past the caches.
  int32_t streams;
  /// The outputs are added to these statistics of the first output block, unless null.
  nn_moments *_Nullable moments;
  /// From an output block's statistics to the next one's.
  ptrdiff_t moments_step;
} nn_winograd_row;

/// Transforms the products of a run of neighbouring tiles and one output block back.
typedef struct nn_winograd_output {
  nn_winograd_tile_sizes tile_sizes;
  int32_t tiles;
  /// The first group's place for this block.
  const float *_Nonnull source;
  nn_tile_places places;
  /// Tiles that lie before these.
  int32_t tiles_before;
  /// The first tile's first voxel.
  float *_Nonnull target;
  ptrdiff_t plane_step;
  ptrdiff_t row_step;
  /// Voxels that lie inside the output; along x those of all tiles, at least one of each.
  int32_t count_z, count_y, count_x;
  /// 1: the output is large, and is written past the caches.
  int32_t streams;
  /// The outputs are added to these statistics, unless null.
  nn_moments *_Nullable moments;
} nn_winograd_output;

/// Transforms the weights of one input block and one output block at one weight point along z and some along y.
typedef struct nn_winograd_weights {
  nn_winograd_tile_sizes tile_sizes;
  int32_t z_point, y_point;
  /// Weight points along y.
  int32_t rows;
  /// Inputs of this block; those up to NN_BLOCK become zeros.
  int32_t inputs;
  /// `[tap][input][16]`.
  const float *_Nonnull source;
  /// Floats from a tap to the next.
  ptrdiff_t tap_step;
  /// `[weight point along y, x][input][16]`.
  float *_Nonnull target;
  /// Floats from a point to the next.
  ptrdiff_t point_step;
} nn_winograd_weights;
