// SPDX-License-Identifier: Apache-2.0
// The kernels of convolutions against their definition in double.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"

enum {
  MOST_POINTS = NN_WINOGRAD_POINTS * NN_WINOGRAD_POINTS * NN_WINOGRAD_POINTS,
  // A place for the outputs of two tiles.
  SIDE = NN_WINOGRAD_OUTPUTS,
  ROW = 2 * SIDE,
  VOXELS = SIDE * SIDE * ROW,
};

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
    error = worse(error, out[i] - activated(a[i], first, (int)(i % BLOCK)));
  expect(kernels->name, "activate", error, 1e-6);

  error = 0;
  kernels->add(a, first, b, second, out, voxels, voxels % 4 == 3);
  for (size_t i = 0; i < voxels * BLOCK; i++) {
    const int lane = (int)(i % BLOCK);
    const double sum = (double)first.scale[lane] * a[i] + first.shift[lane] + activated(b[i], second, lane);
    error = worse(error, out[i] - (sum >= 0 ? sum : (double)first.slope * sum));
  }
  expect(kernels->name, "add", error, 1e-6);

  double sums[BLOCK], expected[BLOCK] = {0};
  kernels->activated_sum(a, first, voxels, sums);
  for (size_t i = 0; i < voxels * BLOCK; i++)
    expected[i % BLOCK] += activated(a[i], first, (int)(i % BLOCK));
  error = 0;
  for (int lane = 0; lane < BLOCK; lane++) error = worse(error, sums[lane] - expected[lane]);
  expect(kernels->name, "activated_sum", error, 1e-6 * (double)voxels);
  free(a), free(b), free(out), free(vectors);
}

// The values whose statistics were taken, one block of channels.
typedef struct samples {
  double values[512][BLOCK];
  int count;
} samples;

static void expect_moments(const nn_kernels *kernels, const char *what, const nn_moments *found, const samples *all) {
  double error = worse(0, found->count - all->count);
  for (int lane = 0; lane < BLOCK; lane++) {
    double mean = 0, squares = 0;
    for (int i = 0; i < all->count; i++) mean += all->values[i][lane] / all->count;
    for (int i = 0; i < all->count; i++) squares += pow(all->values[i][lane] - mean, 2);
    error = worse(error, (found->mean[lane] - mean) / (1 + fabs(mean)));
    error = worse(error, (found->squares[lane] - squares) / (1e-3 + squares));
  }
  // Few values may lie some deviations from their pivot, which costs a digit.
  expect(kernels->name, what, error, 3e-5);
}

// A mean a thousand times the deviation must cost no digits.
static void test_combine(const nn_kernels *kernels, int groups) {
  static samples all;
  nn_moments moments[8] = {0};
  all.count = 0;
  for (int group = 0; group < groups; group++) {
    const int count = group == 1 ? 0 : 3 * group + 1;
    moments[group].count = count;
    for (int lane = 0; lane < BLOCK; lane++) {
      for (int i = 0; i < count; i++) {
        all.values[all.count + i][lane] = 1000 * lane + random_number();
        moments[group].mean[lane] += all.values[all.count + i][lane] / count;
      }
      for (int i = 0; i < count; i++)
        moments[group].squares[lane] += pow(all.values[all.count + i][lane] - moments[group].mean[lane], 2);
    }
    all.count += count;
  }
  kernels->combine(moments, (size_t)groups);
  expect_moments(kernels, "combine", moments, &all);
}

static void test_average(const nn_kernels *kernels, int rows, int width) {
  enum { VOXELS = 5 };
  float *input = numbers((size_t)rows * VOXELS * width * BLOCK), *vectors = numbers(2 * BLOCK);
  float output[VOXELS * BLOCK];
  const nn_pending pending = {vectors, vectors + BLOCK, 0.01f};
  const float *row[9];
  for (int i = 0; i < rows; i++) row[i] = input + (size_t)i * VOXELS * width * BLOCK;
  const nn_average job = {row, rows, width, VOXELS, pending, 1 / (float)(rows * width), output};
  kernels->average(&job);
  double error = 0;
  for (int i = 0; i < VOXELS * BLOCK; i++) {
    double sum = 0;
    for (int j = 0; j < rows * width; j++)
      sum += activated(row[j / width][(i / BLOCK * width + j % width) * BLOCK + i % BLOCK], pending, i % BLOCK);
    error = worse(error, output[i] - sum / (rows * width));
  }
  expect(kernels->name, "average", error, 1e-6);
  free(input), free(vectors);
}

// `step`: how far apart neighbouring outputs are written, in voxels.
static void test_direct(const nn_kernels *kernels, int voxels, int blocks, int inputs, int accumulate, int step) {
  enum { TAPS = 9, WIDTH = 40 };
  float *input = numbers((size_t)WIDTH * 3 * BLOCK), *weights = numbers(2 * TAPS * BLOCK * BLOCK);
  const ptrdiff_t weight_step = (ptrdiff_t)TAPS * inputs * BLOCK, output_step = WIDTH * BLOCK;
  float *output = numbers(2 * (size_t)output_step), *before = numbers(2 * (size_t)output_step);
  memcpy(before, output, 2 * (size_t)output_step * sizeof(float));
  int32_t offsets[TAPS];
  for (int tap = 0; tap < TAPS; tap++) offsets[tap] = (tap / 3 * WIDTH + tap % 3) * inputs;
  nn_moments moments[2] = {0};
  const nn_direct_tile tile = {input, offsets, TAPS, inputs, inputs, voxels, blocks, accumulate,
                               weights, weight_step, output, output_step, step * BLOCK, voxels % 2,
                               accumulate ? moments : NULL, 1};
  kernels->direct(&tile);
  double error = 0;
  for (int block = 0; block < 2; block++)
    for (int voxel = 0; voxel < WIDTH; voxel++)
      for (int lane = 0; lane < BLOCK; lane++) {
        const size_t at = (size_t)(block * output_step + voxel * BLOCK + lane);
        double sum = before[at];
        if (block < blocks && voxel % step == 0 && voxel / step < voxels) {
          if (!accumulate) sum = 0;
          for (int tap = 0; tap < TAPS; tap++)
            for (int i = 0; i < inputs; i++)
              sum += (double)input[offsets[tap] + voxel / step * inputs + i] *
                     weights[block * weight_step + (tap * inputs + i) * BLOCK + lane];
        }
        error = worse(error, output[at] - sum);
      }
  expect(kernels->name, "direct", error, 2e-5);
  for (int block = 0; accumulate && block < blocks; block++) {
    static samples all;
    all.count = voxels;
    for (int i = 0; i < voxels * BLOCK; i++)
      all.values[i / BLOCK][i % BLOCK] = output[block * output_step + i / BLOCK * step * BLOCK + i % BLOCK];
    expect_moments(kernels, "direct's statistics", &moments[block], &all);
  }
  free(input), free(weights), free(output), free(before);
}

static double bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

static void test_bf16(const nn_kernels *kernels, int voxels, int blocks, int pairs) {
  enum { TAPS = 3, WIDTH = 20 };
  const nn_bf16_kernels *narrow = kernels->bf16;
  // `[voxel][channel]` and `[block][tap][channel][16]`.
  float *input = numbers((size_t)WIDTH * BLOCK), *weights = numbers(2 * TAPS * BLOCK * BLOCK);
  float *packed = numbers((size_t)WIDTH * pairs), *packed_weights = numbers((size_t)2 * TAPS * pairs * BLOCK);
  float *output = numbers(2 * (size_t)WIDTH * BLOCK);
  for (int voxel = 0; voxel < WIDTH; voxel++)
    narrow->narrow(input + voxel * BLOCK, (uint16_t *)(packed + voxel * pairs), 2 * (size_t)pairs);
  for (int row = 0; row < 2 * TAPS * pairs; row++) {
    const float *first = weights + (row / pairs * BLOCK + row % pairs * 2) * BLOCK;
    narrow->pair(first, first + BLOCK, (uint32_t *)packed_weights + row * BLOCK, BLOCK);
  }
  int32_t offsets[TAPS];
  for (int tap = 0; tap < TAPS; tap++) offsets[tap] = tap * pairs;
  const nn_direct_tile tile = {packed, offsets, TAPS, pairs, pairs, voxels, blocks, 0, packed_weights,
                               (ptrdiff_t)TAPS * pairs * BLOCK, output, WIDTH * BLOCK, BLOCK, 0, NULL, 0};
  narrow->direct(&tile);
  double error = 0;
  for (int block = 0; block < blocks; block++)
    for (int voxel = 0; voxel < voxels; voxel++)
      for (int lane = 0; lane < BLOCK; lane++) {
        double sum = 0;
        for (int tap = 0; tap < TAPS; tap++)
          for (int i = 0; i < 2 * pairs; i++)
            sum += bf16(input[(voxel + tap) * BLOCK + i]) * bf16(weights[((block * TAPS + tap) * BLOCK + i) * BLOCK + lane]);
        error = worse(error, output[(block * WIDTH + voxel) * BLOCK + lane] - sum);
      }
  // Of the numbers as rounded, the sums are exact to f32.
  expect(kernels->name, "direct in bf16", error, 2e-5);
  free(input), free(weights), free(packed), free(packed_weights), free(output);
}

static void test_widening(const nn_kernels *kernels) {
  enum { COUNT = 1 << 16 };
  static uint16_t bits[COUNT];
  static float half[COUNT], brain[COUNT];
  for (int i = 0; i < COUNT; i++) bits[i] = (uint16_t)i;
  kernels->widen_f16(bits, half, COUNT);
  kernels->widen_bf16(bits, brain, COUNT);
  double error = 0;
  for (int i = 0; i < COUNT; i++) {
    const int exponent = i >> 10 & 31, fraction = i & 1023;
    const double magnitude = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    const double expected = i & 0x8000 ? -magnitude : magnitude;
    if (exponent == 31 ? isfinite(half[i]) : half[i] != expected) error = 1;
    const uint32_t wide = (uint32_t)i << 16;
    if (memcmp(&wide, &brain[i], sizeof wide) != 0) error = 2;
  }
  expect(kernels->name, "widening", error, 0);
}

static int weight_point(nn_winograd_axis axis, int point) {
  return point < axis.weight_points - 1 ? point : axis.weight_points - 1;
}

// Two neighbouring tiles of one input block and one output block; the first voxel may lie outside.
static void test_winograd(const nn_kernels *kernels, nn_winograd_tile_sizes sizes, int first_x, int inputs) {
  const nn_winograd_axis z = *nn_winograd_axis_of(sizes >> 8), y = *nn_winograd_axis_of(sizes >> 4 & 15),
                         x = *nn_winograd_axis_of(sizes & 15);
  const int depth = z.points, height = y.points, width = 24, points = z.points * y.points * x.points;
  const int taps = z.kernel * y.kernel * x.kernel;
  float *input = numbers((size_t)depth * height * width * BLOCK);
  float *weights = numbers((size_t)taps * BLOCK * BLOCK), *vectors = numbers(2 * BLOCK);
  // Two tiles, of one group or of two.
  const int group_tiles = 1 + inputs % 2, groups = 2 / group_tiles;
  // Every group has room for two blocks.
  const ptrdiff_t group_step = 2 * group_tiles * BLOCK, point_step = groups * group_step + BLOCK;
  const nn_tile_places places = {point_step, group_step, group_step / 2, BLOCK, group_tiles};
  float *tiles = numbers((size_t)((points + 1) * point_step)), *data = tiles + point_step, *kernel = numbers((size_t)MOST_POINTS * BLOCK * BLOCK);
  const ptrdiff_t block_step = (ptrdiff_t)points * 2 * BLOCK;
  float *products = numbers((size_t)(2 * block_step)), *output = numbers(VOXELS * BLOCK);
  const nn_pending pending = {vectors, vectors + BLOCK, 0.01f};
  const float *rows[NN_WINOGRAD_POINTS * NN_WINOGRAD_POINTS];
  for (int row = 0; row < depth * height; row++) rows[row] = input + (size_t)row * width * BLOCK;
  rows[1 % (depth * height)] = NULL;
  const nn_winograd_input load = {sizes, rows, width, first_x, 2, pending, data, places, 0, 0, 0};
  kernels->winograd_input(&load);
  const int plane_points = y.weight_points * x.weight_points;
  for (int z_point = 0; z_point < z.weight_points; z_point++) {
    // In one go, or the first row by itself.
    const int first = inputs % 2 || y.weight_points == 1 ? y.weight_points : 1;
    for (int y_point = 0; y_point < y.weight_points; y_point += first) {
      const int rows = y_point == 0 ? first : y.weight_points - first;
      float *target = kernel + ((size_t)z_point * plane_points + (size_t)(y_point * x.weight_points)) * BLOCK * BLOCK;
      const nn_winograd_weights job = {sizes, z_point, y_point, rows, inputs, weights, BLOCK * BLOCK, target, BLOCK * BLOCK};
      kernels->winograd_weights(&job);
      if (y_point > 0) break;
    }
  }
  int32_t weight_points[MOST_POINTS];
  for (int point = 0; point < points; point++)
    weight_points[point] = (weight_point(z, point / (y.points * x.points)) * y.weight_points +
                            weight_point(y, point / x.points % y.points)) * x.weight_points +
                           weight_point(x, point % x.points);
  // Tile after tile.
  const nn_tile_places by_tile = {BLOCK, group_tiles * points * BLOCK, block_step, points * BLOCK, group_tiles};
  const nn_winograd_products multiply = {data,   places, kernel, BLOCK * BLOCK, 0, weight_points, products, by_tile,
                                         points, 2,      1,      2,             inputs % 2,       0};
  kernels->winograd_products(&multiply);
  float *once = numbers((size_t)(2 * block_step));
  memcpy(once, products, (size_t)(2 * block_step) * sizeof *once);
  // Added to themselves they are twice as large.
  nn_winograd_products add = multiply;
  add.accumulates = 1;
  kernels->winograd_products(&add);
  for (int i = 0; i < points * 2 * BLOCK; i++) products[i] *= 0.5f;
  // In place: a point's products lie where the tiles of the point before it were.
  nn_winograd_products over = multiply;
  over.target = tiles;
  over.target_places = places;
  kernels->winograd_products(&over);
  double difference = 0;
  for (int tile = 0; tile < 2; tile++)
    for (int point = 0; point < points; point++)
      for (int i = 0; i < 2 * BLOCK; i++) {
        const float *moved = tiles + point * point_step + tile / group_tiles * group_step + tile % group_tiles * BLOCK;
        const float *wanted = once + (ptrdiff_t)(tile * points + point) * BLOCK;
        difference = worse(difference, moved[i / BLOCK * places.block_step + i % BLOCK] - wanted[i / BLOCK * block_step + i % BLOCK]);
      }
  expect(kernels->name, "products in place", difference, 0);
  // Two output blocks that have the same weights.
  difference = 0;
  for (int i = 0; i < block_step; i++) difference = worse(difference, 0.5f * products[block_step + i] - products[i]);
  expect(kernels->name, "products of a second block", difference, 0);
  double error = 0;
  static samples all;
  nn_moments moments = {0};
  all.count = 0;
  // The run sticks out along every axis that has room for it; its second part is taken by itself.
  const int count_z = z.outputs - (z.outputs > 1), count_y = y.outputs - (y.outputs > 1);
  const int count_x = 2 * x.outputs - (x.outputs > 1);
  for (int part = 0; part < 2; part++) {
    for (int i = 0; i < VOXELS * BLOCK; i++) output[i] = NAN;
    const int first_tile = part, inside_x = count_x - part * x.outputs;
    const nn_winograd_output store = {sizes, 2 - part, products, by_tile, first_tile, output,
                                      SIDE * ROW * BLOCK, ROW * BLOCK, count_z, count_y, inside_x, part, &moments};
    kernels->winograd_output(&store);
    for (int oz = 0; oz < SIDE; oz++)
      for (int oy = 0; oy < SIDE; oy++)
        for (int ox = 0; ox < ROW; ox++) {
          const float *voxel = output + ((oz * SIDE + oy) * ROW + ox) * BLOCK;
          const int is_inside = oz < count_z && oy < count_y && ox < inside_x;
          for (int lane = 0; lane < BLOCK; lane++) {
            if (!is_inside) {
              if (!isnan(voxel[lane])) error = INFINITY;
              continue;
            }
            all.values[all.count][lane] = voxel[lane];
            double sum = 0;
            for (int tap = 0; tap < taps; tap++) {
              const int iz = oz * z.stride + tap / (y.kernel * x.kernel);
              const int iy = oy * y.stride + tap / x.kernel % y.kernel;
              const int ix = first_x + (first_tile * x.outputs + ox) * x.stride + tap % x.kernel;
              const float *row = rows[iz * height + iy];
              if (!row || ix < 0 || ix >= width) continue;
              for (int i = 0; i < inputs; i++)
                sum += activated(row[ix * BLOCK + i], pending, i) * weights[(tap * BLOCK + i) * BLOCK + lane];
            }
            error = worse(error, voxel[lane] - sum);
          }
          all.count += is_inside;
        }
  }
  char name[32];
  snprintf(name, sizeof name, "winograd %03x", (unsigned)sizes);
  // The largest outputs are about 10.
  expect(kernels->name, name, error, 2e-4);
  expect_moments(kernels, "winograd's statistics", &moments, &all);
  free(input), free(weights), free(vectors), free(tiles), free(kernel), free(products), free(once), free(output);
}

// Three rows of a kernel, of some inputs.
static void test_winograd_row(const nn_kernels *kernels, int voxels, int blocks, int inputs) {
  enum { ROWS = 3, TAPS = 3, WIDTH = 256, TILES = 64, LINES = ROWS * 5 };
  const int lines = ROWS * inputs;
  // Plain, `[row][input][x]`, and their points.
  float *input = numbers((size_t)LINES * (WIDTH + TAPS - 1));
  float *points = numbers((size_t)LINES * NN_WINOGRAD_ROW_POINTS * TILES);
  int32_t offsets[LINES];
  for (int line = 0; line < lines; line++) {
    offsets[line] = line * NN_WINOGRAD_ROW_POINTS * TILES;
    kernels->winograd_row_points(input + line * (WIDTH + TAPS - 1), TILES, points + offsets[line], TILES);
  }
  const ptrdiff_t plain_step = (ptrdiff_t)lines * TAPS * BLOCK, weight_step = (ptrdiff_t)lines * NN_WINOGRAD_ROW_POINTS * BLOCK;
  float *plain = numbers(2 * (size_t)plain_step), *weights = numbers(2 * (size_t)weight_step);
  for (int block = 0; block < 2; block++)
    kernels->winograd_row_weights(plain + block * plain_step, ROWS, inputs, weights + block * weight_step);
  const ptrdiff_t output_step = (ptrdiff_t)(WIDTH + 1) * BLOCK;
  float *output = numbers(2 * (size_t)output_step);
  float *before = numbers(2 * (size_t)output_step);
  memcpy(before, output, 2 * (size_t)output_step * sizeof(float));
  nn_moments moments[2] = {0};
  const nn_winograd_row row = {points, offsets, lines, TILES, voxels, blocks, weights, weight_step,
                               output, output_step, voxels % 2, moments, 1};
  kernels->winograd_row(&row);
  double error = 0;
  for (int block = 0; block < 2; block++) {
    static samples all;
    all.count = block < blocks ? voxels : 0;
    for (int x = 0; x <= WIDTH; x++)
      for (int lane = 0; lane < BLOCK; lane++) {
        const size_t at = (size_t)(block * output_step + x * BLOCK + lane);
        double sum = before[at];
        if (x < all.count) {
          sum = 0;
          all.values[x][lane] = output[at];
          for (int line = 0; line < lines; line++)
            for (int tap = 0; tap < TAPS; tap++)
              sum += (double)input[line * (WIDTH + TAPS - 1) + x + tap] *
                     plain[block * plain_step + ((line / inputs * TAPS + tap) * inputs + line % inputs) * BLOCK + lane];
        }
        error = worse(error, output[at] - sum);
      }
    if (all.count > 0) expect_moments(kernels, "statistics of a row", &moments[block], &all);
  }
  expect(kernels->name, "winograd along a row", error, 2e-5);
  free(input), free(points), free(plain), free(weights), free(output), free(before);
}

void test_convolution(const nn_kernels *kernels) {
  for (size_t voxels = 1; voxels < 200; voxels = voxels * 2 + 1) test_elementwise(kernels, voxels);
  test_widening(kernels);
  const nn_bf16_kernels *narrow = kernels->bf16;
  for (int voxels = 1; narrow && voxels <= narrow->direct_voxels; voxels++)
    for (int blocks = 1; blocks <= narrow->direct_blocks; blocks++)
      for (int pairs = 1; pairs <= BLOCK / 2; pairs++) test_bf16(kernels, voxels, blocks, pairs);
  for (int rows = 1; rows <= 9; rows += 2)
    for (int width = 1; width <= 3; width++) test_average(kernels, rows, width);
  for (int groups = 1; groups <= 8; groups++) test_combine(kernels, groups);
  for (int voxels = 1; voxels <= kernels->direct_voxels; voxels++)
    for (int blocks = 1; blocks <= kernels->direct_blocks; blocks++)
      for (int inputs = 1; inputs <= BLOCK; inputs += 5)
        for (int accumulate = 0; accumulate < 2; accumulate++)
          test_direct(kernels, voxels, blocks, inputs, accumulate, 1 + voxels % 2);
  // Through every part of a tile, and through more voxels than statistics are summed of in one go.
  for (int voxels = 1; voxels <= 256; voxels += voxels < 20 ? 1 : 59)
    for (int blocks = 1; blocks <= kernels->direct_blocks; blocks++)
      for (int inputs = 1; inputs <= 5; inputs += 2) test_winograd_row(kernels, voxels, blocks, inputs);
  int32_t tilings = 0;
  const nn_winograd_tile_sizes *sizes = nn_winograd_all_tile_sizes(&tilings);
  for (int32_t tiling = 0; tiling < tilings; tiling++)
    for (int first_x = -1; first_x < 20; first_x += 4)
      for (int inputs = 1; inputs <= BLOCK; inputs += 5)
        test_winograd(kernels, sizes[tiling], first_x, inputs);
}
