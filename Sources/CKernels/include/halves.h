// SPDX-License-Identifier: Apache-2.0
// Half precision as PyTorch has it on a CPU: kept in 16 bits, computed in 32, rounded once per step to the
// nearest number, ties to even. Pointers to uint16_t are to the bits of such numbers.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// One row of a resampled volume: rows of halves, weighted and interpolated along x, are summed in double.
typedef struct nn_half_interpolation {
  const uint16_t *_Nonnull rows[4];
  /// Of every row its plane's weight, and its own among the plane's.
  double row_weights[4][2];
  int32_t row_count;
  /// Numbers of every row.
  int32_t width;
  /// Of every output its two inputs' places in a row, and their weights.
  const int32_t *_Nonnull lower;
  const int32_t *_Nonnull upper;
  const double *_Nonnull lower_weights;
  const double *_Nonnull upper_weights;
  int32_t outputs;
  /// 1: outputs are rounded to half precision; 0: to single.
  int32_t rounds;
  /// `row_count · width` numbers.
  double *_Nonnull scratch;
  float *_Nonnull target;
} nn_half_interpolation;

/// What sliding windows need, in one instruction set.
typedef struct nn_half_kernels {
  /// `sums = half(sums + values · factor · weights)`.
  void (*_Nonnull accumulate)(uint16_t *_Nonnull sums, const float *_Nonnull values, float factor,
                              const uint16_t *_Nonnull weights, size_t count);
  /// `sums = half(sums + values)`.
  void (*_Nonnull add)(uint16_t *_Nonnull sums, const uint16_t *_Nonnull values, size_t count);
  /// `values = half(values / divisors)`; 0 where a result is infinite or not a number.
  int32_t (*_Nonnull divide)(uint16_t *_Nonnull values, const uint16_t *_Nonnull divisors, size_t count);
  /// `sums += values`, these back to front where `reversed` is 1.
  void (*_Nonnull add_row)(float *_Nonnull sums, const float *_Nonnull values, int32_t reversed,
                           size_t count);
  void (*_Nonnull interpolate)(const nn_half_interpolation *_Nonnull job);
  /// Where a value is larger than `best`, it becomes that, and `label` its label.
  void (*_Nonnull take_larger)(const float *_Nonnull values, uint16_t label, float *_Nonnull best,
                               uint16_t *_Nonnull labels, size_t count);
  /// Where a value is larger than `bound`, `label` becomes its label.
  void (*_Nonnull take_above)(const float *_Nonnull values, float bound, uint16_t label,
                              uint16_t *_Nonnull labels, size_t count);
} nn_half_kernels;
