// Holds every kernel of every instruction set this processor has against the definition in double.
// Needs nothing but libc, so that it also runs under an emulator: see scripts/test-neon.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

enum { BLOCK = NN_BLOCK, MOST_POINTS = 9 * 9 * 9 };

static uint64_t state = 1;
static int failures;

static float random_number(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)(int32_t)(state >> 32) * 0x1p-31f;
}

static float *numbers(size_t count) {
  float *values = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
  if (!values) abort();
  for (size_t i = 0; i < count; i++) values[i] = random_number();
  return values;
}

static void expect(const char *isa, const char *what, double error, double bound) {
  if (error <= bound) return;
  printf("%s %s: error %.2e, allowed %.2e\n", isa, what, error, bound);
  failures++;
}

static double activated(double value, nn_pending pending, int lane) {
  const double x = (double)pending.scale[lane] * value + (double)pending.shift[lane];
  return x >= 0 ? x : (double)pending.slope * x;
}

static void test_elementwise(const nn_kernels *kernels, size_t voxels) {
  float *a = numbers(voxels * BLOCK), *b = numbers(voxels * BLOCK), *out = numbers(voxels * BLOCK);
  float *vectors = numbers(4 * BLOCK);
  const nn_pending first = {vectors, vectors + BLOCK, 0.01f};
  const nn_pending second = {vectors + 2 * BLOCK, vectors + 3 * BLOCK, 1};
  double error = 0;
  kernels->activate(a, first, out, voxels);
  for (size_t i = 0; i < voxels * BLOCK; i++)
    error = fmax(error, fabs(out[i] - activated(a[i], first, (int)(i % BLOCK))));
  expect(kernels->name, "activate", error, 1e-6);

  error = 0;
  kernels->add(a, first, b, second, out, voxels);
  for (size_t i = 0; i < voxels * BLOCK; i++) {
    const int lane = (int)(i % BLOCK);
    const double sum = (double)first.scale[lane] * a[i] + first.shift[lane] + activated(b[i], second, lane);
    error = fmax(error, fabs(out[i] - (sum >= 0 ? sum : (double)first.slope * sum)));
  }
  expect(kernels->name, "add", error, 1e-6);

  double sums[2 * BLOCK], expected[3 * BLOCK] = {0};
  kernels->activated_sum(a, first, voxels, sums);
  for (size_t i = 0; i < voxels * BLOCK; i++) {
    const int lane = (int)(i % BLOCK);
    const double distance = (double)a[i] - b[lane];
    expected[lane] += activated(a[i], first, lane);
    expected[BLOCK + lane] += distance;
    expected[2 * BLOCK + lane] += distance * distance;
  }
  error = 0;
  for (int lane = 0; lane < BLOCK; lane++) error = fmax(error, fabs(sums[lane] - expected[lane]));
  expect(kernels->name, "activated_sum", error, 1e-6 * (double)voxels);
  kernels->moments(a, voxels, b, sums);
  error = 0;
  for (int lane = 0; lane < 2 * BLOCK; lane++)
    error = fmax(error, fabs(sums[lane] - expected[BLOCK + lane]));
  expect(kernels->name, "moments", error, 2e-6 * (double)voxels);
  free(a), free(b), free(out), free(vectors);
}

static void test_direct(const nn_kernels *kernels, int voxels, int blocks, int inputs, int accumulate) {
  enum { TAPS = 9, WIDTH = 40 };
  float *input = numbers((size_t)WIDTH * 3 * BLOCK), *weights = numbers(2 * TAPS * BLOCK * BLOCK);
  const ptrdiff_t weight_step = (ptrdiff_t)TAPS * inputs * BLOCK, output_step = WIDTH * BLOCK;
  float *output = numbers(2 * (size_t)output_step), *before = numbers(2 * (size_t)output_step);
  memcpy(before, output, 2 * (size_t)output_step * sizeof(float));
  int32_t offsets[TAPS];
  for (int tap = 0; tap < TAPS; tap++) offsets[tap] = (tap / 3 * WIDTH + tap % 3) * inputs;
  const nn_direct_tile tile = {input, offsets, TAPS, inputs, inputs, voxels, blocks, accumulate,
                               weights, weight_step, output, output_step};
  kernels->direct(&tile);
  double error = 0;
  for (int block = 0; block < 2; block++)
    for (int voxel = 0; voxel < WIDTH; voxel++)
      for (int lane = 0; lane < BLOCK; lane++) {
        const size_t at = (size_t)(block * output_step + voxel * BLOCK + lane);
        double sum = before[at];
        if (block < blocks && voxel < voxels) {
          if (!accumulate) sum = 0;
          for (int tap = 0; tap < TAPS; tap++)
            for (int i = 0; i < inputs; i++)
              sum += (double)input[offsets[tap] + voxel * inputs + i] *
                     weights[block * weight_step + (tap * inputs + i) * BLOCK + lane];
        }
        error = fmax(error, fabs(output[at] - sum));
      }
  expect(kernels->name, "direct", error, 2e-5);
  free(input), free(weights), free(output), free(before);
}

// One axis of a Winograd mix, as winograd.inc counts them.
typedef struct axis {
  int kernel, stride, outputs, points, weight_points;
} axis;

static axis axis_of(int way) {
  switch (way) {
    case 1: return (axis){1, 1, 1, 1, 1};
    case 8: return (axis){3, 2, 4, 9, 6};
    default: return (axis){3, 1, way, way + 2, way + 2};
  }
}

static int weight_point(axis a, int point) {
  return point < a.weight_points - 1 ? point : a.weight_points - 1;
}

// Two neighbouring tiles of one input block and one output block; the first voxel may lie outside.
static void test_winograd(const nn_kernels *kernels, nn_winograd_mix mix, int first_x, int inputs) {
  const axis z = axis_of(mix >> 8), y = axis_of(mix >> 4 & 15), x = axis_of(mix & 15);
  const int depth = z.points, height = y.points, width = 24, points = z.points * y.points * x.points;
  const int taps = z.kernel * y.kernel * x.kernel;
  float *input = numbers((size_t)depth * height * width * BLOCK);
  float *weights = numbers((size_t)taps * BLOCK * BLOCK), *vectors = numbers(2 * BLOCK);
  float *data = numbers((size_t)points * 2 * BLOCK), *kernel = numbers((size_t)MOST_POINTS * BLOCK * BLOCK);
  float *products = numbers((size_t)points * 2 * BLOCK), *output = numbers(4 * 4 * 4 * BLOCK);
  const nn_pending pending = {vectors, vectors + BLOCK, 0.01f};
  const float *rows[9 * 9];
  for (int row = 0; row < depth * height; row++) rows[row] = input + (size_t)row * width * BLOCK;
  rows[1 % (depth * height)] = NULL;
  const nn_winograd_input load = {mix, rows, width, first_x, 2, pending, data, points * BLOCK};
  kernels->winograd_input(&load);
  const int plane_points = y.weight_points * x.weight_points;
  for (int z_point = 0; z_point < z.weight_points; z_point++) {
    const nn_winograd_weights job = {mix, z_point, inputs, weights, BLOCK * BLOCK,
                                     kernel + (size_t)z_point * plane_points * BLOCK * BLOCK, BLOCK * BLOCK};
    kernels->winograd_weights(&job);
  }
  int32_t weight_points[MOST_POINTS];
  for (int point = 0; point < points; point++)
    weight_points[point] = (weight_point(z, point / (y.points * x.points)) * y.weight_points +
                            weight_point(y, point / x.points % y.points)) * x.weight_points +
                           weight_point(x, point % x.points);
  const nn_winograd_products multiply = {
      data, 0, points * BLOCK, kernel, BLOCK * BLOCK, 0, weight_points, products, 0, points * BLOCK, points, 2, 1, 1};
  kernels->winograd_products(&multiply);
  double error = 0;
  for (int tile = 0; tile < 2; tile++) {
    const nn_winograd_output store = {mix, products + (size_t)tile * points * BLOCK, output, 16 * BLOCK, 4 * BLOCK,
                                      z.outputs, y.outputs, x.outputs};
    kernels->winograd_output(&store);
    for (int oz = 0; oz < z.outputs; oz++)
      for (int oy = 0; oy < y.outputs; oy++)
        for (int ox = 0; ox < x.outputs; ox++)
          for (int lane = 0; lane < BLOCK; lane++) {
            double sum = 0;
            for (int tap = 0; tap < taps; tap++) {
              const int iz = oz * z.stride + tap / (y.kernel * x.kernel);
              const int iy = oy * y.stride + tap / x.kernel % y.kernel;
              const int ix = first_x + (tile * x.outputs + ox) * x.stride + tap % x.kernel;
              const float *row = rows[iz * height + iy];
              if (!row || ix < 0 || ix >= width) continue;
              for (int i = 0; i < inputs; i++)
                sum += activated(row[ix * BLOCK + i], pending, i) * weights[(tap * BLOCK + i) * BLOCK + lane];
            }
            error = fmax(error, fabs(output[(oz * 16 + oy * 4 + ox) * BLOCK + lane] - sum));
          }
  }
  char name[32];
  snprintf(name, sizeof name, "winograd %03x", (unsigned)mix);
  // The largest outputs are about 10.
  expect(kernels->name, name, error, 2e-4);
  free(input), free(weights), free(vectors), free(data), free(kernel), free(products), free(output);
}

int main(void) {
  int32_t count = 0;
  const nn_kernels *const *all = nn_available_kernels(&count);
  static const nn_winograd_mix mixes[] = {0x444, 0x244, 0x222, 0x144, 0x122, 0x888, 0x488, 0x188};
  for (int32_t isa = 0; isa < count; isa++) {
    const nn_kernels *kernels = all[isa];
    for (size_t voxels = 1; voxels < 200; voxels = voxels * 2 + 1) test_elementwise(kernels, voxels);
    for (int voxels = 1; voxels <= kernels->direct_voxels; voxels++)
      for (int blocks = 1; blocks <= kernels->direct_blocks; blocks++)
        for (int inputs = 1; inputs <= BLOCK; inputs += 5)
          for (int accumulate = 0; accumulate < 2; accumulate++)
            test_direct(kernels, voxels, blocks, inputs, accumulate);
    for (size_t mix = 0; mix < sizeof mixes / sizeof *mixes; mix++)
      for (int first_x = -1; first_x < 20; first_x += 4)
        for (int inputs = 1; inputs <= BLOCK; inputs += 5)
          test_winograd(kernels, mixes[mix], first_x, inputs);
    printf("%s: tested\n", kernels->name);
  }
  if (failures) printf("%d failures\n", failures);
  return failures ? 1 : 0;
}
