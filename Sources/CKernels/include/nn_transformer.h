// SPDX-License-Identifier: Apache-2.0
// What transformers need: matrix products with what follows them, attention, layer norm.
//
// Tokens are rows: `[token][width]`, so many floats apart as a job says. Weights are as in the file,
// `[output block][input][16]`; the last block's missing outputs are zeros.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// What is applied to a sum.
enum {
  NN_ACTIVATION_NONE = 0,
  /// `x · Φ(x)`, exactly (by erf, not by tanh).
  NN_ACTIVATION_GELU = 1,
  /// `x / (1 + exp(−x))`.
  NN_ACTIVATION_SILU = 2,
};

/// `target = activation(source · weights + bias) · scale · factor + addend`; what is null is left out.
///
/// SwiGLU is two products: the gate's with SiLU into the target, then the other with the target as factor.
/// `target` may be `factor` or `addend`, not `source`.
typedef struct nn_matrix_product {
  /// `[row][input]`.
  const float *_Nonnull source;
  ptrdiff_t source_row_step;
  int32_t rows, inputs;
  const float *_Nonnull weights;
  /// Floats from an output block to the next.
  ptrdiff_t weight_block_step;
  int32_t outputs;
  int32_t activation;
  /// `[output]`.
  const float *_Nullable bias;
  const float *_Nullable scale;
  /// `[row][output]`.
  const float *_Nullable factor;
  ptrdiff_t factor_row_step;
  const float *_Nullable addend;
  ptrdiff_t addend_row_step;
  float *_Nonnull target;
  ptrdiff_t target_row_step;
  /// `nn_matrix_product_scratch(rows, inputs)` floats.
  float *_Nonnull scratch;
} nn_matrix_product;

/// Floats that a product works in: its rows as tiles, and the sums of one tile's outputs.
static inline ptrdiff_t nn_matrix_product_scratch(int32_t rows, int32_t inputs) {
  return ((ptrdiff_t)rows + 16) * ((ptrdiff_t)inputs + 48);
}

/// `target = (source − mean) / √(variance + eps) · weight + bias` over each row; the variance is the biased
/// one. `target` may be `source`.
typedef struct nn_layer_norm {
  const float *_Nonnull source;
  ptrdiff_t source_row_step;
  int32_t rows, width;
  float eps;
  const float *_Nonnull weight;
  const float *_Nonnull bias;
  float *_Nonnull target;
  ptrdiff_t target_row_step;
} nn_layer_norm;

/// One head's part of some tokens, rotated: of every pair `(a, b)` of neighbours
/// `(a · cos − b · sin, b · cos + a · sin) · factor`.
typedef struct nn_head_rows {
  /// `[row][head_width]`.
  const float *_Nonnull source;
  ptrdiff_t source_row_step;
  int32_t rows;
  /// An even number.
  int32_t head_width;
  /// `[row][head_width / 2]` each; null: rows are not rotated.
  const float *_Nullable cosines;
  const float *_Nullable sines;
  float factor;
  /// Queries: `[row][head_width]`. Keys: `[block of 16 rows][head_width][16]`, to which rows are added
  /// from `first_row` on; those that fill the last block become zeros.
  float *_Nonnull target;
  ptrdiff_t target_row_step;
  int32_t first_row;
} nn_head_rows;

/// Floats from the values of a key to the next one's.
static inline int32_t nn_head_step(int32_t head_width) { return (head_width + 15) / 16 * 16; }

/// One head's values as attention reads them: `[row][nn_head_step(head_width)]`, filled up with zeros.
typedef struct nn_head_values {
  const float *_Nonnull source;
  ptrdiff_t source_row_step;
  int32_t rows, head_width;
  float *_Nonnull target;
  ptrdiff_t target_row_step;
} nn_head_values;

/// log₂ e: two's powers are cheaper than e's.
static const float nn_log2_e = 1.44269504f;

/// `target = softmax(queries · keysᵀ / nn_log2_e) · values` for some queries of one head. The scores are never stored
/// but for a tile of them (online softmax: Milakov, Gimelshein 2018; Dao et al. 2022).
typedef struct nn_attention {
  /// `[row][head_width]`, scaled by `nn_log2_e` / √head_width: scores are powers of two.
  const float *_Nonnull queries;
  ptrdiff_t query_row_step;
  int32_t rows, head_width;
  /// As `pack_keys` makes them.
  const float *_Nonnull keys;
  int32_t key_count;
  /// As `pack_values` makes them.
  const float *_Nonnull values;
  /// `nn_attention_scratch(rows, head_width)` floats.
  float *_Nonnull scratch;
  /// `[row][head_width]`.
  float *_Nonnull target;
  ptrdiff_t target_row_step;
} nn_attention;

/// Keys whose scores exist at a time.
enum { NN_ATTENTION_KEYS = 128 };

/// Rows of a task, with those that may fill its last tile, or two of them.
static inline int32_t nn_attention_rows(int32_t rows) { return rows + 32; }

/// Floats that attention works in: of every row its weighted sum of values, its query, scores, sums of
/// weights and its largest score.
static inline ptrdiff_t nn_attention_scratch(int32_t rows, int32_t head_width) {
  return (ptrdiff_t)nn_attention_rows(rows) * (nn_head_step(head_width) + head_width + NN_ATTENTION_KEYS + 17);
}
