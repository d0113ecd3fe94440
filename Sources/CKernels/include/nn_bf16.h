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
} nn_bf16_kernels;
