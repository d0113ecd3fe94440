// SPDX-License-Identifier: Apache-2.0
// The kernels of training against their definitions in double.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"

static double activated(double value, nn_pending pending, int lane) {
  const double x = (double)pending.scale[lane] * value + (double)pending.shift[lane];
  return x > 0 ? x : (double)pending.slope * x;
}

static float *zeros(size_t count) {
  float *values = numbers(count);
  memset(values, 0, count * sizeof(float));
  return values;
}

// A weight's gradient from blocked inputs, as a driver does it: planar rows with a halo of zeros, then tap by
// tap over all rows of outputs. One plane.
static void test_weight_gradient(const nn_kernels *kernels, int kernel, int stride, int width, int height, int channels, int blocks,
                                 int accumulate) {
  const int padding = (kernel - 1) / 2, output_width = (width + 2 * padding - kernel) / stride + 1;
  const int output_height = (height + 2 * padding - kernel) / stride + 1;
  // So many numbers of every phase: a row and its halo.
  const int pitch = (width + 2 * padding + stride - 1) / stride + 1, rows = height + 2 * padding;
  const int phase_step = channels * pitch, row_step = stride * phase_step;
  float *input = numbers((size_t)(width * height * BLOCK)), *vectors = numbers(2 * BLOCK);
  const nn_pending pending = {vectors, vectors + BLOCK, 0.01f};
  float *planar = zeros((size_t)(rows * row_step + stride * row_step));
  const ptrdiff_t gradient_step = (ptrdiff_t)output_width * output_height * BLOCK;
  float *gradients = numbers((size_t)(blocks * gradient_step));
  for (int y = 0; y < height; y++) {
    // The halo shifts phases: voxel x is number x + padding of the padded row.
    for (int x = 0; x < width; x++) {
      const int at = x + padding;
      const nn_planar_row job = {input + (y * width + x) * BLOCK, 1, pending, channels, stride,
                                 planar + (y + padding) * row_step + at % stride * phase_step + at / stride, phase_step, pitch};
      kernels->planar_row(&job);
    }
    if (padding == 0) {
      const nn_planar_row whole = {input + y * width * BLOCK, width, pending, channels, stride, planar + y * row_step, phase_step, pitch};
      kernels->planar_row(&whole);
    }
  }
  int32_t offsets[64];
  for (int y = 0; y < output_height; y++) offsets[y] = y * stride * row_step;
  const ptrdiff_t taps = kernel * kernel, target_step = taps * channels * BLOCK;
  float *target = numbers((size_t)(blocks * target_step) + BLOCK), *before = numbers((size_t)(blocks * target_step) + BLOCK);
  memcpy(before, target, ((size_t)(blocks * target_step) + BLOCK) * sizeof(float));
  for (int tap = 0; tap < taps; tap++) {
    const int ky = tap / kernel, kx = tap % kernel;
    const nn_weight_gradient job = {planar + ky * row_step + kx % stride * phase_step + kx / stride, pitch, offsets, output_height,
                                    output_width, channels, blocks, gradients, gradient_step,
                                    target + tap * channels * BLOCK, target_step, accumulate};
    kernels->weight_gradient(&job);
  }
  double error = 0;
  for (int i = 0; i < BLOCK; i++) error = worse(error, target[blocks * target_step + i] - before[blocks * target_step + i]);
  for (int block = 0; block < blocks; block++)
    for (int tap = 0; tap < taps; tap++)
      for (int c = 0; c < channels; c++)
        for (int lane = 0; lane < BLOCK; lane++) {
          const ptrdiff_t at = block * target_step + (tap * channels + c) * BLOCK + lane;
          double sum = accumulate ? before[at] : 0;
          for (int y = 0; y < output_height; y++)
            for (int x = 0; x < output_width; x++) {
              const int iy = y * stride + tap / kernel - padding, ix = x * stride + tap % kernel - padding;
              if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
              sum += activated(input[(iy * width + ix) * BLOCK + c], pending, c) *
                     gradients[block * gradient_step + (y * output_width + x) * BLOCK + lane];
            }
          error = worse(error, target[at] - sum);
        }
  expect(kernels->name, "weight gradient", error, 3e-5);
  free(input), free(vectors), free(planar), free(gradients), free(target), free(before);
}

// A weight's gradient by Winograd's tiles, as a driver does it: two tiles along x, which stick out of outputs and input.
static void test_winograd_gradient(const nn_kernels *kernels, nn_winograd_tile_sizes sizes, int inputs, int accumulate) {
  const nn_winograd_axis z = *nn_winograd_axis_of(sizes >> 8), y = *nn_winograd_axis_of(sizes >> 4 & 15),
                         x = *nn_winograd_axis_of(sizes & 15);
  const int points = z.points * y.points * x.points, taps = z.kernel * y.kernel * x.kernel;
  const int product_step = (BLOCK + 1) * BLOCK;
  const int width = 2 * x.outputs * x.stride + 1;
  const int count_z = z.outputs, count_y = y.outputs > 2 ? y.outputs - 1 : 1, count_x = 2 * x.outputs - 1;
  float *input = numbers((size_t)(z.points * y.points * width * BLOCK)), *vectors = numbers(2 * BLOCK);
  float *gradients = numbers((size_t)(z.outputs * y.outputs * width * BLOCK));
  float *moved = numbers((size_t)(2 * points * BLOCK)), *products = numbers((size_t)(points * product_step));
  float *sorted = numbers((size_t)(3 * points * BLOCK));
  float *target = numbers((size_t)((taps + 1) * BLOCK * BLOCK)), *before = numbers((size_t)((taps + 1) * BLOCK * BLOCK));
  memcpy(before, target, (size_t)((taps + 1) * BLOCK * BLOCK) * sizeof(float));
  const nn_pending pending = {vectors, vectors + BLOCK, 0.01f};
  const float *rows[NN_WINOGRAD_POINTS * NN_WINOGRAD_POINTS];
  for (int row = 0; row < z.points * y.points; row++) rows[row] = input + row * width * BLOCK;
  rows[1] = NULL;
  const nn_winograd_input load = {sizes, rows, width, -1, 2, pending, sorted, {3 * BLOCK, 0, 0, BLOCK, 2}, 0, 0, 0};
  kernels->winograd_input(&load);
  const nn_winograd_gradient move = {sizes, 2, gradients, y.outputs * width * BLOCK, width * BLOCK, count_z, count_y, count_x,
                                     moved, 2 * BLOCK};
  kernels->winograd_gradient(&move);
  int32_t weight_points[NN_WINOGRAD_POINTS * NN_WINOGRAD_POINTS * NN_WINOGRAD_POINTS];
  for (int point = 0; point < points; point++) {
    const int pz = point / (y.points * x.points), py = point / x.points % y.points, px = point % x.points;
    const int wz = pz < z.weight_points ? pz : z.weight_points - 1, wy = py < y.weight_points ? py : y.weight_points - 1;
    weight_points[point] = (wz * y.weight_points + wy) * x.weight_points + (px < x.weight_points ? px : x.weight_points - 1);
  }
  const nn_winograd_gradient_products multiply = {sorted, moved, 3 * BLOCK, 2 * BLOCK, points, 2, weight_points, products,
                                                 product_step, product_step, 0};
  kernels->winograd_gradient_products(&multiply);
  // Added to itself it is twice as large.
  const nn_winograd_gradient_products add = {sorted, moved, 3 * BLOCK, 2 * BLOCK, points, 2, weight_points, products,
                                            product_step, product_step, 1};
  kernels->winograd_gradient_products(&add);
  for (int i = 0; i < points * product_step; i++) products[i] *= 0.5f;
  const nn_winograd_weight_gradient store = {sizes, inputs, products, product_step, target, inputs * BLOCK, accumulate};
  kernels->winograd_weight_gradient(&store);
  double error = 0;
  for (int i = taps * inputs * BLOCK; i < (taps + 1) * BLOCK * BLOCK; i++) error = worse(error, target[i] - before[i]);
  for (int tap = 0; tap < taps; tap++)
    for (int c = 0; c < inputs; c++)
      for (int lane = 0; lane < BLOCK; lane++) {
        const int at = (tap * inputs + c) * BLOCK + lane;
        double sum = accumulate ? before[at] : 0;
        for (int voxel = 0; voxel < count_z * count_y * count_x; voxel++) {
          const int oz = voxel / (count_y * count_x), oy = voxel / count_x % count_y, ox = voxel % count_x;
          const float *row = rows[(oz * z.stride + tap / (y.kernel * x.kernel)) * y.points + oy * y.stride + tap / x.kernel % y.kernel];
          const int ix = ox * x.stride + tap % x.kernel - 1;
          if (!row || ix < 0 || ix >= width) continue;
          sum += activated(row[ix * BLOCK + c], pending, c) * gradients[((oz * y.outputs + oy) * width + ox) * BLOCK + lane];
        }
        error = worse(error, target[at] - sum);
      }
  // The worst of thirty draws was 4.3e-5, of F(4, 3)³.
  expect(kernels->name, "winograd's weight gradient", error, 1e-4);
  free(input), free(vectors), free(gradients), free(moved), free(sorted), free(products), free(target), free(before);
}

// An input's gradient along one axis: classes of voxels, each a convolution with the taps that reach it.
static void test_input_gradient(const nn_kernels *kernels, int kernel, int stride, int width, int outputs, int inputs, int accumulate) {
  const int padding = (kernel - 1) / 2, count = (width + 2 * padding - kernel) / stride + 1;
  const int blocks = (inputs + BLOCK - 1) / BLOCK, halo = kernel;
  // `[tap][input][16 outputs]` of one output block, input block by input block.
  float *weights = numbers((size_t)(blocks * kernel * BLOCK * BLOCK)), *turned = numbers((size_t)(blocks * kernel * BLOCK * BLOCK));
  float *slab = zeros((size_t)((count + 2 * halo) * outputs)), *target = numbers((size_t)(blocks * width * BLOCK));
  float *before = numbers((size_t)(blocks * width * BLOCK));
  memcpy(before, target, (size_t)(blocks * width * BLOCK) * sizeof(float));
  for (int i = 0; i < count * outputs; i++) slab[halo * outputs + i] = random_number();
  double error = 0;
  for (int class = 0; class < stride && class < width; class++) {
    int32_t offsets[8];
    int taps = 0;
    // Input x meets output j by tap t where x = j · stride + t − padding.
    for (int tap = 0; tap < kernel; tap++) {
      if ((class + padding - tap) % stride) continue;
      offsets[taps] = (halo + (class + padding - tap) / stride) * outputs;
      for (int block = 0; block < blocks; block++) {
        const int some = inputs - block * BLOCK < BLOCK ? inputs - block * BLOCK : BLOCK;
        float lanes[BLOCK * BLOCK];
        kernels->transpose_weights(weights + (block * kernel + tap) * BLOCK * BLOCK, some, lanes);
        memcpy(turned + (block * kernel * BLOCK + taps * outputs) * BLOCK, lanes, (size_t)(outputs * BLOCK) * sizeof(float));
      }
      taps++;
    }
    if (taps == 0) continue;
    const int voxels = (width - class + stride - 1) / stride;
    const nn_input_gradient job = {
        .convolution = {.input = slab, .tap_offsets = offsets, .taps = taps, .inputs = outputs, .voxel_step = outputs,
                        .voxels = voxels, .blocks = blocks, .accumulate = accumulate, .weights = turned,
                        .weight_block_step = kernel * BLOCK * BLOCK, .output = target},
        .target = target + class * BLOCK, .target_step = stride * BLOCK, .target_block_step = width * BLOCK};
    kernels->input_gradient(&job);
    for (int x = class; x < width; x += stride)
      for (int input = 0; input < blocks * BLOCK; input++) {
        const int at = (input / BLOCK * width + x) * BLOCK + input % BLOCK;
        double sum = accumulate ? before[at] : 0;
        for (int tap = 0; tap < kernel && input < inputs; tap++) {
          const int from = x + padding - tap;
          if (from % stride || from < 0 || from / stride >= count) continue;
          for (int o = 0; o < outputs; o++)
            sum += (double)slab[(halo + from / stride) * outputs + o] *
                   weights[((input / BLOCK * kernel + tap) * BLOCK + input % BLOCK) * BLOCK + o];
        }
        error = worse(error, target[at] - sum);
      }
  }
  expect(kernels->name, "input gradient", error, 1e-5);
  free(weights), free(turned), free(slab), free(target), free(before);
}

static void test_norm_gradient(const nn_kernels *kernels, size_t voxels) {
  float *raw = numbers(voxels * BLOCK), *gradient = numbers(voxels * BLOCK), *target = numbers((voxels + 1) * BLOCK);
  float *vectors = numbers(6 * BLOCK);
  for (int i = 0; i < BLOCK; i++) target[voxels * BLOCK + (size_t)i] = 7;
  const nn_pending pending = {vectors, vectors + BLOCK, 0.01f};
  const nn_norm_gradient job = {raw, gradient, voxels, pending, vectors + 2 * BLOCK, vectors + 3 * BLOCK,
                                vectors + 4 * BLOCK, vectors + 5 * BLOCK, target};
  double sums[BLOCK], products[BLOCK], expected[2][BLOCK], error = 0, sum_error = 0;
  for (int i = 0; i < BLOCK; i++) sums[i] = expected[0][i] = i, products[i] = expected[1][i] = -i;
  kernels->norm_gradient_sums(&job, sums, products);
  kernels->norm_gradient(&job);
  for (size_t at = 0; at < voxels * BLOCK; at++) {
    const size_t i = at % BLOCK;
    const double value = (double)raw[at] * pending.scale[i] + pending.shift[i];
    const double before = gradient[at] * (value > 0 ? 1 : (double)pending.slope);
    const double normal = ((double)raw[at] - job.mean[i]) * job.inverse[i];
    expected[0][i] += before;
    expected[1][i] += before * normal;
    // Where rounding decides the sign, either side is right.
    if (fabs(value) < 1e-6) continue;
    error = worse(error, target[at] - (before - job.mean_gradient[i] - normal * job.mean_product[i]) * pending.scale[i]);
  }
  for (int i = 0; i < BLOCK; i++) {
    sum_error = worse(sum_error, sums[i] - expected[0][i]);
    sum_error = worse(sum_error, products[i] - expected[1][i]);
    error = worse(error, target[voxels * BLOCK + (size_t)i] - 7);
  }
  expect(kernels->name, "norm's gradient", error, 2e-6);
  expect(kernels->name, "norm's sums", sum_error, 2e-6 * (double)voxels + 1e-6);

  error = 0;
  kernels->activation_gradient(raw, gradient, 0.01f, target, voxels);
  for (size_t at = 0; at < voxels * BLOCK; at++)
    error = worse(error, target[at] - (raw[at] > 0 ? gradient[at] : gradient[at] * 0.01f));
  expect(kernels->name, "activation's gradient", error, 1e-7);
  free(raw), free(gradient), free(target), free(vectors);
}

static void test_activated_max(const nn_kernels *kernels, size_t voxels) {
  float *source = numbers(voxels * BLOCK), *vectors = numbers(2 * BLOCK), maxima[BLOCK];
  const nn_pending pending = {vectors, vectors + BLOCK, 0.01f};
  // The first of equal values counts.
  for (size_t v = voxels / 2; v < voxels; v++) memcpy(source + v * BLOCK, source + (v - voxels / 2) * BLOCK, BLOCK * sizeof(float));
  int32_t places[BLOCK];
  kernels->activated_max(source, pending, voxels, maxima, places);
  double error = 0;
  for (int i = 0; i < BLOCK; i++) {
    double best = -HUGE_VAL;
    for (size_t v = 0; v < voxels; v++) best = fmax(best, activated(source[v * BLOCK + (size_t)i], pending, i));
    const int in_range = places[i] >= 0 && (size_t)places[i] < (voxels > 1 ? voxels / 2 : 1);
    error = worse(error, maxima[i] - best);
    error = worse(error, in_range ? activated(source[places[i] * BLOCK + i], pending, i) - best : NAN);
  }
  expect(kernels->name, "activated_max", error, 1e-6);
  free(source), free(vectors);
}

static void test_average_gradient(const nn_kernels *kernels, int voxels, int width, int accumulate) {
  const size_t count = (size_t)(voxels * width * BLOCK);
  float *source = numbers((size_t)(voxels * BLOCK)), *target = numbers(count + BLOCK), *before = numbers(count + BLOCK);
  memcpy(before, target, (count + BLOCK) * sizeof(float));
  const nn_average_gradient job = {source, voxels, width, 0.25f, accumulate, target};
  kernels->average_gradient(&job);
  double error = 0;
  for (size_t at = 0; at < count + BLOCK; at++) {
    const double added = at < count ? 0.25 * source[at / BLOCK / (size_t)width * BLOCK + at % BLOCK] : 0;
    error = worse(error, target[at] - (added + (accumulate || at >= count ? before[at] : 0)));
  }
  expect(kernels->name, "average's gradient", error, 1e-6);
  free(source), free(target), free(before);
}

static void test_optimisers(const nn_kernels *kernels, size_t count) {
  float *gradients = numbers(count), *parameters = numbers(count + 1), *first = zeros(count + 1), *second = zeros(count + 1);
  double *p = malloc(count * sizeof *p), *m = calloc(count, sizeof *m), *v = calloc(count, sizeof *v);
  double error = 0, squares = 0, sum = 3, expected = 3;
  kernels->sum_of_squares(gradients, count, &sum);
  for (size_t i = 0; i < count; i++) expected += (double)gradients[i] * gradients[i];
  expect(kernels->name, "sum of squares", worse(0, sum - expected), 1e-9);
  parameters[count] = first[count] = second[count] = 5;
  for (size_t i = 0; i < count; i++) p[i] = parameters[i];
  for (int step = 1; step <= 5; step++) {
    const nn_sgd sgd = {0.01f, 0.9f, 3e-3f, 0.5f, step == 1};
    kernels->sgd_step(&sgd, gradients, first, parameters, count);
    for (size_t i = 0; i < count; i++) {
      const double g = (double)sgd.gradient_factor * gradients[i] + (double)sgd.decay * p[i];
      m[i] = step == 1 ? g : (double)sgd.momentum * m[i] + g;
      p[i] -= (double)sgd.rate * (g + (double)sgd.momentum * m[i]);
      error = worse(error, parameters[i] - p[i]);
    }
  }
  expect(kernels->name, "SGD", error, 1e-6);
  error = 0;
  memset(first, 0, count * sizeof(float));
  for (size_t i = 0; i < count; i++) p[i] = parameters[i], m[i] = 0;
  for (int step = 1; step <= 5; step++) {
    const nn_adamw adamw = {.kept = 1 - 1e-3f * 0.05f, .beta1 = 0.9f, .rest1 = 0.1f, .beta2 = 0.999f, .rest2 = 0.001f,
                            .eps = 1e-8f, .gradient_factor = 0.5f, .rate = (float)(1e-3 / (1 - pow(0.9, step))),
                            .root = (float)sqrt(1 - pow(0.999, step))};
    kernels->adamw_step(&adamw, gradients, first, second, parameters, count);
    for (size_t i = 0; i < count; i++) {
      const double g = 0.5 * gradients[i];
      p[i] *= 1 - 1e-3 * 0.05;
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      p[i] -= 1e-3 * (m[i] / (1 - pow(0.9, step))) / (sqrt(v[i] / (1 - pow(0.999, step))) + 1e-8);
      error = worse(error, parameters[i] - p[i]);
      squares = worse(squares, (second[i] - v[i]) / v[i]);
    }
  }
  expect(kernels->name, "AdamW's means of squares", squares, 1e-6);
  error = worse(error, parameters[count] - 5), error = worse(error, first[count] - 5), error = worse(error, second[count] - 5);
  expect(kernels->name, "AdamW", error, 1e-6);
  free(gradients), free(parameters), free(first), free(second), free(p), free(m), free(v);
}

void test_backward(const nn_kernels *kernels) {
  for (int kernel = 1; kernel <= 7; kernel += 2)
    for (int stride = 1; stride <= 3; stride++) {
      for (int accumulate = 0; accumulate < 2; accumulate++) {
        test_weight_gradient(kernels, kernel, stride, 11, 9, 16, 3, accumulate);
        test_weight_gradient(kernels, kernel, stride, 16, 7, 5, 1, accumulate);
        test_input_gradient(kernels, kernel, stride, 33, 16, 40, accumulate);
        test_input_gradient(kernels, kernel, stride, 8, 3, 7, accumulate);
        test_input_gradient(kernels, kernel, stride, 1, 1, 1, accumulate);
      }
    }
  for (int inputs = 1; inputs <= BLOCK; inputs += 5) {
    const nn_winograd_tile_sizes sizes[] = {0x444, 0x244, 0x144, 0x222, 0x122, 0x333, 0x233, 0x133};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) test_winograd_gradient(kernels, sizes[i], inputs, inputs % 2);
  }
  for (size_t voxels = 1; voxels < 200; voxels = voxels * 2 + 1) {
    test_norm_gradient(kernels, voxels);
    test_activated_max(kernels, voxels);
  }
  for (int width = 1; width <= 3; width++)
    for (int accumulate = 0; accumulate < 2; accumulate++) test_average_gradient(kernels, 5, width, accumulate);
  for (size_t count = 1; count < 100; count += count < 20 ? 1 : 13) test_optimisers(kernels, count);
}
