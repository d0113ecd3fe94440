// SPDX-License-Identifier: Apache-2.0
// The kernels of small maps, tap by tap, against their definitions in double.
#include <stdlib.h>
#include <string.h>

#include "testing.h"

static float *copy(const float *values, size_t count) {
  float *same = numbers(count);
  memcpy(same, values, count * sizeof(float));
  return same;
}

// Voxels there and back, at other distances; nothing between them is touched.
static void test_packing(const nn_kernels *kernels, int voxels, int step, int other_step, int accumulate) {
  const size_t count = (size_t)(voxels * step * BLOCK), other_count = (size_t)(voxels * other_step * BLOCK);
  float *source = numbers(count), *vectors = numbers(2 * BLOCK), *packed = numbers(other_count), *target = numbers(count);
  float *before = copy(packed, other_count), *target_before = copy(target, count);
  const nn_packed_voxels pack = {source, step * BLOCK, voxels, {vectors, vectors + BLOCK, 0.01f}, packed, other_step * BLOCK};
  kernels->pack_voxels(&pack);
  nn_moments moments = {0};
  const nn_unpacked_voxels unpack = {packed, other_step * BLOCK, voxels, accumulate, target, step * BLOCK, accumulate ? NULL : &moments};
  kernels->unpack_voxels(&unpack);
  double error = 0, unpack_error = 0, moment_error = accumulate ? 0 : worse(0, moments.count - voxels);
  for (int lane = 0; lane < BLOCK; lane++) {
    double mean = 0, squares = 0;
    for (int v = 0; v < voxels; v++) {
      const double x = (double)vectors[lane] * source[v * step * BLOCK + lane] + (double)vectors[BLOCK + lane];
      const float *own = packed + v * other_step * BLOCK, *back = target + v * step * BLOCK;
      error = worse(error, own[lane] - (x > 0 ? x : 0.01 * x));
      unpack_error = worse(unpack_error, back[lane] - (own[lane] + (accumulate ? (double)target_before[v * step * BLOCK + lane] : 0)));
      mean += own[lane] / (double)voxels;
      for (int i = 1; i < other_step; i++) error = worse(error, own[i * BLOCK + lane] - before[(v * other_step + i) * BLOCK + lane]);
      for (int i = 1; i < step; i++) {
        unpack_error = worse(unpack_error, back[i * BLOCK + lane] - target_before[(v * step + i) * BLOCK + lane]);
      }
    }
    if (accumulate) continue;
    for (int v = 0; v < voxels; v++) {
      const double distance = packed[v * other_step * BLOCK + lane] - mean;
      squares += distance * distance;
    }
    moment_error = worse(worse(moment_error, moments.mean[lane] - mean), moments.squares[lane] - squares);
  }
  expect(kernels->name, "packed voxels", error, 1e-6);
  expect(kernels->name, "unpacked voxels", unpack_error, 1e-6);
  expect(kernels->name, "unpacked voxels' statistics", moment_error, 1e-5);
  free(source), free(vectors), free(packed), free(target), free(before), free(target_before);
}

// Taps in any order, of weights that have more of them.
static void test_products(const nn_kernels *kernels, int voxels, int inputs, int taps, int blocks, int accumulate) {
  enum { ALL = 9 };
  const ptrdiff_t weight_step = ALL * inputs * BLOCK + 2 * BLOCK, target_step = (voxels + 1) * BLOCK;
  const size_t target_count = (size_t)(blocks * target_step);
  float *source = numbers((size_t)((voxels + 2 * taps) * BLOCK)), *weights = numbers((size_t)(blocks * weight_step));
  float *target = numbers(target_count), *before = copy(target, target_count);
  int32_t offsets[ALL], tap_numbers[ALL];
  for (int tap = 0; tap < taps; tap++) offsets[tap] = 2 * tap * BLOCK, tap_numbers[tap] = (5 * tap + 3) % ALL;
  const nn_tap_products job = {source, offsets, tap_numbers, taps, inputs, voxels, blocks, weights, inputs * BLOCK, weight_step, 0,
                               target, target_step, accumulate};
  kernels->tap_products(&job);
  double error = 0;
  for (int block = 0; block < blocks; block++)
    for (int v = 0; v <= voxels; v++)
      for (int lane = 0; lane < BLOCK; lane++) {
        const ptrdiff_t at = block * target_step + v * BLOCK + lane;
        double sum = accumulate || v == voxels ? before[at] : 0;
        for (int tap = 0; tap < taps && v < voxels; tap++)
          for (int c = 0; c < inputs; c++) {
            sum += (double)source[offsets[tap] + v * BLOCK + c] *
                   weights[block * weight_step + (tap_numbers[tap] * inputs + c) * BLOCK + lane];
          }
        error = worse(error, target[at] - sum);
      }
  expect(kernels->name, "products by taps", error, 3e-5);
  free(source), free(weights), free(target), free(before);
}

// Three taps, of which the second meets nothing.
static void test_gradients(const nn_kernels *kernels, int planes, int rows, int voxels, int channels, int accumulate) {
  enum { TAPS = 3 };
  const int input_row = (voxels + 1) * BLOCK, input_plane = (rows + 2) * input_row, gradient_row = voxels * BLOCK;
  const int gradient_plane = rows * gradient_row;
  const size_t target_count = (size_t)((TAPS * channels + 1) * BLOCK);
  float *inputs = numbers((size_t)((planes + 1) * input_plane)), *gradients = numbers((size_t)(planes * gradient_plane));
  float *target = numbers(target_count), *before = copy(target, target_count);
  const nn_tap_range ranges[TAPS] = {
      {0, 0, planes, rows, voxels}, {0, 0, planes, 0, voxels}, {input_row + BLOCK, 0, planes, rows, voxels}};
  const nn_tap_gradients job = {inputs, gradients, input_plane, input_row, gradient_plane, gradient_row, ranges, TAPS, channels, target, accumulate};
  kernels->tap_gradients(&job);
  double error = 0;
  for (int tap = 0; tap <= TAPS; tap++)
    for (int c = 0; c < (tap < TAPS ? channels : 1); c++)
      for (int lane = 0; lane < BLOCK; lane++) {
        const int at = (tap * channels + c) * BLOCK + lane;
        double sum = accumulate || tap == TAPS ? before[at] : 0;
        for (int z = 0; z < planes && tap < TAPS; z++)
          for (int y = 0; y < ranges[tap].rows; y++)
            for (int x = 0; x < voxels; x++) {
              sum += (double)inputs[ranges[tap].input + z * input_plane + y * input_row + x * BLOCK + c] *
                     gradients[z * gradient_plane + y * gradient_row + x * BLOCK + lane];
            }
        error = worse(error, target[at] - sum);
      }
  expect(kernels->name, "gradients by taps", error, 3e-5);
  free(inputs), free(gradients), free(target), free(before);
}

void test_taps(const nn_kernels *kernels) {
  for (int accumulate = 0; accumulate < 2; accumulate++) {
    for (int voxels = 1; voxels < 20; voxels++) {
      test_packing(kernels, voxels, voxels % 3 + 1, voxels % 4 + 1, accumulate);
      for (int blocks = 1; blocks <= 3; blocks++) test_products(kernels, voxels, voxels % BLOCK + 1, voxels % 9 + 1, blocks, accumulate);
    }
    test_products(kernels, 64, BLOCK, 9, 2, accumulate);
    for (int channels = 1; channels <= BLOCK; channels++) test_gradients(kernels, channels % 3 + 1, channels % 4 + 1, channels % 5 + 1, channels, accumulate);
    test_gradients(kernels, 0, 1, 1, BLOCK, accumulate);
  }
}
