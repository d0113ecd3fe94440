// SPDX-License-Identifier: Apache-2.0
#include "mutants.h"

#include <math.h>

static const nn_kernels *right;

static void direct(const nn_direct_tile *tile) {
  right->direct(tile);
  tile->output[0] = NAN;
}

static void activate(const float *source, nn_pending pending, float *target, size_t voxels) {
  right->activate(source, pending, target, voxels);
  target[NN_BLOCK * voxels - 1] = NAN;
}

static void add(const float *a, nn_pending pending_a, const float *b, nn_pending pending_b, float *target,
                size_t voxels, int32_t streams) {
  right->add(a, pending_a, b, pending_b, target, voxels, streams);
  target[NN_BLOCK * voxels - 1] = NAN;
}

static void widen_f16(const uint16_t *source, float *target, size_t count) {
  right->widen_f16(source, target, count);
  target[0] = NAN;
}

static void widen_bf16(const uint16_t *source, float *target, size_t count) {
  right->widen_bf16(source, target, count);
  target[0] = NAN;
}

static void average(const nn_average *job) {
  right->average(job);
  job->target[0] = NAN;
}

static void activated_sum(const float *source, nn_pending pending, size_t voxels, double *sums) {
  right->activated_sum(source, pending, voxels, sums);
  sums[NN_BLOCK - 1] = NAN;
}

static void activated_max(const float *source, nn_pending pending, size_t voxels, float *maxima, int32_t *places) {
  right->activated_max(source, pending, voxels, maxima, places);
  maxima[NN_BLOCK - 1] = NAN;
}

static void combine(nn_moments *moments, size_t count) {
  right->combine(moments, count);
  moments->squares[1] = NAN;
}

static void winograd_input(const nn_winograd_input *job) {
  right->winograd_input(job);
  job->target[0] = NAN;
}

static void winograd_row_points(const float *row, int32_t tiles, float *target, ptrdiff_t point_step) {
  right->winograd_row_points(row, tiles, target, point_step);
  target[0] = NAN;
}

static void winograd_row_weights(const float *source, int32_t rows, int32_t inputs, float *target) {
  right->winograd_row_weights(source, rows, inputs, target);
  target[0] = NAN;
}

static void winograd_row(const nn_winograd_row *job) {
  right->winograd_row(job);
  job->output[0] = NAN;
}

static void winograd_products(const nn_winograd_products *job) {
  right->winograd_products(job);
  job->target[0] = NAN;
}

static void winograd_output(const nn_winograd_output *job) {
  right->winograd_output(job);
  job->target[0] = NAN;
}

static void winograd_weights(const nn_winograd_weights *job) {
  right->winograd_weights(job);
  job->target[0] = NAN;
}

static void exponentials(const float *source, float *target, size_t count) {
  right->exponentials(source, target, count);
  target[count - 1] = NAN;
}

static void gelu(const float *source, float *target, size_t count) {
  right->gelu(source, target, count);
  target[0] = NAN;
}

static void matrix_product(const nn_matrix_product *job) {
  right->matrix_product(job);
  job->target[0] = NAN;
}

static void layer_norm(const nn_layer_norm *job) {
  right->layer_norm(job);
  job->target[0] = NAN;
}

static void rotate_queries(const nn_head_rows *job) {
  right->rotate_queries(job);
  job->target[0] = NAN;
}

static void pack_keys(const nn_head_rows *job) {
  right->pack_keys(job);
  job->target[0] = NAN;
}

static void pack_values(const nn_head_values *job) {
  right->pack_values(job);
  job->target[0] = NAN;
}

static void attention(const nn_attention *job) {
  right->attention(job);
  job->target[0] = NAN;
}

static void planar_row(const nn_planar_row *job) {
  right->planar_row(job);
  job->target[0] = NAN;
}

static void weight_gradient(const nn_weight_gradient *job) {
  right->weight_gradient(job);
  job->target[0] = NAN;
}

static void transpose_weights(const float *source, int32_t inputs, float *target) {
  right->transpose_weights(source, inputs, target);
  target[0] = NAN;
}

static void winograd_gradient(const nn_winograd_gradient *job) {
  right->winograd_gradient(job);
  job->target[0] = NAN;
}

static void winograd_gradient_products(const nn_winograd_gradient_products *job) {
  right->winograd_gradient_products(job);
  job->target[0] = NAN;
}

static void winograd_weight_gradient(const nn_winograd_weight_gradient *job) {
  right->winograd_weight_gradient(job);
  job->target[0] = NAN;
}

static void pack_voxels(const nn_packed_voxels *job) {
  right->pack_voxels(job);
  job->target[0] = NAN;
}

static void unpack_voxels(const nn_unpacked_voxels *job) {
  right->unpack_voxels(job);
  job->target[0] = NAN;
}

static void tap_products(const nn_tap_products *job) {
  right->tap_products(job);
  job->target[0] = NAN;
}

static void tap_gradients(const nn_tap_gradients *job) {
  right->tap_gradients(job);
  job->target[0] = NAN;
}

static void input_gradient(const nn_input_gradient *job) {
  right->input_gradient(job);
  job->target[0] = NAN;
}

static void norm_gradient_sums(const nn_norm_gradient *job, double *sums, double *products) {
  right->norm_gradient_sums(job, sums, products);
  products[NN_BLOCK - 1] = NAN;
}

static void norm_gradient(const nn_norm_gradient *job) {
  right->norm_gradient(job);
  job->target[0] = NAN;
}

static void activation_gradient(const float *output, const float *gradient, float slope, float *target,
                                size_t voxels) {
  right->activation_gradient(output, gradient, slope, target, voxels);
  target[NN_BLOCK * voxels - 1] = NAN;
}

static void average_gradient(const nn_average_gradient *job) {
  right->average_gradient(job);
  job->target[0] = NAN;
}

static void sum_of_squares(const float *values, size_t count, double *sum) {
  right->sum_of_squares(values, count, sum);
  *sum = NAN;
}

static void sgd_step(const nn_sgd *step, const float *gradients, float *velocities, float *parameters,
                     size_t count) {
  right->sgd_step(step, gradients, velocities, parameters, count);
  parameters[count - 1] = NAN;
}

static void adamw_step(const nn_adamw *step, const float *gradients, float *means, float *squares,
                       float *parameters, size_t count) {
  right->adamw_step(step, gradients, means, squares, parameters, count);
  parameters[count - 1] = NAN;
}

// One for every kernel of the list.
enum {
#define NN_KERNEL(name, ...) MUTANT_##name,
#include "kernel_list.inc"
  MUTANTS
};

const int mutant_count = MUTANTS;

nn_kernels mutant_of(const nn_kernels *kernels, int mutant, const char **name) {
  nn_kernels broken = *kernels;
  right = kernels;
  switch (mutant) {
#define NN_KERNEL(kernel, ...) \
  case MUTANT_##kernel:         \
    broken.kernel = kernel;     \
    *name = #kernel;            \
    break;
#include "kernel_list.inc"
  }
  return broken;
}
