// SPDX-License-Identifier: Apache-2.0
// Kernels for processors with bf16 arithmetic.
#pragma once

#include "nn_convolution.h"
#include "nn_transformer.h"

/// Products of bf16 numbers, summed in f32.
typedef struct nn_bf16_kernels {
  /// The largest register tile of `direct`.
  int32_t direct_voxels;
  int32_t direct_blocks;
  /// As `nn_kernels.direct`; but an input is a pair of channels' bf16 numbers, the first in the lower
  /// half, in the place of a float; and so is a weight.
  void (*_Nonnull direct)(const nn_direct_tile *_Nonnull tile);
  /// Rounds numbers to bf16.
  void (*_Nonnull narrow)(const float *_Nonnull source, uint16_t *_Nonnull target, size_t count);
  /// Makes pairs of numbers.
  void (*_Nonnull pair)(const float *_Nonnull first, const float *_Nonnull second,
                        uint32_t *_Nonnull target, size_t count);
  /// As `nn_kernels.matrix_product`; but weights are pairs of inputs' bf16 numbers in the place of floats,
  /// `[output block][pair][16]`, inputs filled up with zeros to whole blocks of 16.
  void (*_Nonnull matrix_product)(const nn_matrix_product *_Nonnull job);
  /// As `nn_kernels.pack_keys`; but two neighbours of a key make a pair: `[block of 16 keys][head_width / 2][16]`.
  void (*_Nonnull pack_keys)(const nn_head_rows *_Nonnull job);
  /// As `nn_kernels.pack_values`; but every two blocks of 16 keys make 16 rows, of pairs of keys that are 16
  /// apart. All keys at a time.
  void (*_Nonnull pack_values)(const nn_head_values *_Nonnull job);
  /// As `nn_kernels.attention`; but its keys and values are these, queries and weights become bf16 too. Scores, their
  /// softmax and sums are f32.
  void (*_Nonnull attention)(const nn_attention *_Nonnull job);
} nn_bf16_kernels;
