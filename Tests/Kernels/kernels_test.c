// Holds every kernel of every instruction set this processor has against the definition in double.
// Needs nothing but libc, so that it also runs under an emulator: see scripts/test neon.
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
  kernels->add(a, first, b, second, out, voxels, voxels % 4 == 3);
  for (size_t i = 0; i < voxels * BLOCK; i++) {
    const int lane = (int)(i % BLOCK);
    const double sum = (double)first.scale[lane] * a[i] + first.shift[lane] + activated(b[i], second, lane);
    error = fmax(error, fabs(out[i] - (sum >= 0 ? sum : (double)first.slope * sum)));
  }
  expect(kernels->name, "add", error, 1e-6);

  double sums[BLOCK], expected[BLOCK] = {0};
  kernels->activated_sum(a, first, voxels, sums);
  for (size_t i = 0; i < voxels * BLOCK; i++)
    expected[i % BLOCK] += activated(a[i], first, (int)(i % BLOCK));
  error = 0;
  for (int lane = 0; lane < BLOCK; lane++) error = fmax(error, fabs(sums[lane] - expected[lane]));
  expect(kernels->name, "activated_sum", error, 1e-6 * (double)voxels);
  free(a), free(b), free(out), free(vectors);
}

// The values whose statistics were taken, one block of channels.
typedef struct samples {
  double values[512][BLOCK];
  int count;
} samples;

static void expect_moments(const nn_kernels *kernels, const char *what, const nn_moments *found, const samples *all) {
  double error = fabs(found->count - all->count);
  for (int lane = 0; lane < BLOCK; lane++) {
    double mean = 0, squares = 0;
    for (int i = 0; i < all->count; i++) mean += all->values[i][lane] / all->count;
    for (int i = 0; i < all->count; i++) squares += pow(all->values[i][lane] - mean, 2);
    error = fmax(error, fabs(found->mean[lane] - mean) / (1 + fabs(mean)));
    error = fmax(error, fabs(found->squares[lane] - squares) / (1e-3 + squares));
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
    error = fmax(error, fabs(output[i] - sum / (rows * width)));
  }
  expect(kernels->name, "average", error, 1e-6);
  free(input), free(vectors);
}

static void test_direct(const nn_kernels *kernels, int voxels, int blocks, int inputs, int accumulate) {
  enum { TAPS = 9, WIDTH = 40 };
  float *input = numbers((size_t)WIDTH * 3 * BLOCK), *weights = numbers(2 * TAPS * BLOCK * BLOCK);
  const ptrdiff_t weight_step = (ptrdiff_t)TAPS * inputs * BLOCK, output_step = WIDTH * BLOCK;
  float *output = numbers(2 * (size_t)output_step), *before = numbers(2 * (size_t)output_step);
  memcpy(before, output, 2 * (size_t)output_step * sizeof(float));
  int32_t offsets[TAPS];
  for (int tap = 0; tap < TAPS; tap++) offsets[tap] = (tap / 3 * WIDTH + tap % 3) * inputs;
  nn_moments moments[2] = {0};
  const nn_direct_tile tile = {input, offsets, TAPS, inputs, inputs, voxels, blocks, accumulate,
                               weights, weight_step, output, output_step, voxels % 2,
                               accumulate ? moments : NULL, 1};
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
  for (int block = 0; accumulate && block < blocks; block++) {
    static samples all;
    all.count = voxels;
    for (int i = 0; i < voxels * BLOCK; i++) all.values[i / BLOCK][i % BLOCK] = output[block * output_step + i];
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

static void test_bf16(const nn_kernels *kernels, const nn_bf16_kernels *narrow, int voxels, int blocks, int pairs) {
  enum { TAPS = 3, WIDTH = 20 };
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
                               (ptrdiff_t)TAPS * pairs * BLOCK, output, WIDTH * BLOCK, 0, NULL, 0};
  narrow->direct(&tile);
  double error = 0;
  for (int block = 0; block < blocks; block++)
    for (int voxel = 0; voxel < voxels; voxel++)
      for (int lane = 0; lane < BLOCK; lane++) {
        double sum = 0;
        for (int tap = 0; tap < TAPS; tap++)
          for (int i = 0; i < 2 * pairs; i++)
            sum += bf16(input[(voxel + tap) * BLOCK + i]) * bf16(weights[((block * TAPS + tap) * BLOCK + i) * BLOCK + lane]);
        error = fmax(error, fabs(output[(block * WIDTH + voxel) * BLOCK + lane] - sum));
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

// MARK: Half precision

static double half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 31) return fraction ? NAN : bits & 0x8000 ? -INFINITY : INFINITY;
  const double magnitude = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return bits & 0x8000 ? -magnitude : magnitude;
}

// The nearest half, ties to even; a single-precision number or a double one.
static double half_rounded(double value) {
  if (value == 0 || !isfinite(value)) return value;
  const int exponent = ilogb(value), place = (exponent < -14 ? -14 : exponent) - 10;
  const double rounded = ldexp(nearbyint(ldexp(value, -place)), place);
  return fabs(rounded) > 65504 ? copysign(INFINITY, value) : rounded;
}

static int is_half(uint16_t bits, double expected) {
  const double value = half_value(bits);
  return isnan(expected) ? isnan(value) : value == expected && signbit(value) == signbit(expected);
}

// Every half, with random and with special partners. Sums, products and quotients of singles are the same
// rounded from double, which has more than twice their bits.
static void test_halves(const nn_kernels *kernels) {
  enum { COUNT = 1 << 16 };
  static uint16_t all[COUNT], others[COUNT], sums[COUNT];
  static float values[COUNT], before[COUNT];
  static const float special[] = {0, -0.0f, 65504, 65519.9f, 65520, -1e30f, INFINITY, NAN, 0x1p-25f, 0x1.8p-25f, 1e-40f};
  const float factor = 0.125f;
  double error = 0;
  for (int round = 0; round < 8; round++) {
    for (int i = 0; i < COUNT; i++) {
      all[i] = (uint16_t)i;
      others[i] = (uint16_t)(fabsf(random_number()) * 0xFFFF);
      values[i] = i % 7 == round ? special[i % 11] : ldexpf(random_number(), (i + round) % 40 - 20);
    }
    memcpy(sums, all, sizeof sums);
    kernels->halves->accumulate(sums, values, factor, others, COUNT - (size_t)round);
    for (int i = 0; i < COUNT - round; i++) {
      const float product = (float)((double)values[i] * factor * half_value(others[i]));
      const float sum = (float)(half_value(all[i]) + product);
      if (!is_half(sums[i], half_rounded(sum))) error = 1;
    }
    memcpy(sums, all, sizeof sums);
    kernels->halves->add(sums, others, COUNT);
    for (int i = 0; i < COUNT; i++)
      if (!is_half(sums[i], half_rounded((float)(half_value(all[i]) + half_value(others[i]))))) error = 2;
    memcpy(sums, all, sizeof sums);
    const int32_t is_finite = kernels->halves->divide(sums, others, COUNT);
    for (int i = 0; i < COUNT; i++)
      if (!is_half(sums[i], half_rounded((float)(half_value(all[i]) / half_value(others[i]))))) error = 3;
    if (is_finite) error = 4;
    memcpy(before, values, sizeof before);
    kernels->halves->add_row(values, before, round % 2, COUNT - 5);
    for (int i = 0; i < COUNT - 5; i++) {
      const float sum = before[i] + before[round % 2 ? COUNT - 6 - i : i];
      if (!(values[i] == sum || (isnan(values[i]) && isnan(sum)))) error = 5;
    }
  }
  uint16_t three[] = {0x4200, 0x4400}, two[] = {0x4000, 0x4000};
  if (!kernels->halves->divide(three, two, 2) || three[0] != 0x3E00 || three[1] != 0x4000) error = 6;
  expect(kernels->name, "half precision", error, 0);
}

static void test_half_interpolation(const nn_kernels *kernels, int row_count, int outputs, int rounds) {
  enum { WIDTH = 37 };
  uint16_t rows[4][WIDTH];
  int32_t lower[100], upper[100];
  double weights[2][100], scratch[4 * WIDTH];
  float target[100], best[100];
  uint16_t labels[100], regions[100];
  nn_half_interpolation job = {.row_count = row_count, .width = WIDTH, .lower = lower, .upper = upper,
                               .lower_weights = weights[0], .upper_weights = weights[1], .outputs = outputs,
                               .rounds = rounds, .scratch = scratch, .target = target};
  for (int k = 0; k < 4; k++) {
    // Of all sizes, subnormal ones too.
    for (int x = 0; x < WIDTH; x++) rows[k][x] = (uint16_t)((uint16_t)(fabsf(random_number()) * 0x7BFF) | x % 2 << 15);
    job.rows[k] = rows[k];
    job.row_weights[k][0] = fabs(random_number()) / row_count;
    job.row_weights[k][1] = fabs(random_number());
  }
  for (int x = 0; x < outputs; x++) {
    lower[x] = (int32_t)(fabs(random_number()) * (WIDTH - 1));
    upper[x] = lower[x] + 1;
    weights[1][x] = x % 5 ? fabs(random_number()) : 0.5;
    weights[0][x] = 1 - weights[1][x];
    best[x] = x % 3 ? -INFINITY : INFINITY;
    labels[x] = regions[x] = 7;
  }
  kernels->halves->interpolate(&job);
  double error = 0;
  for (int x = 0; x < outputs; x++) {
    double sum = 0;
    for (int k = 0; k < row_count; k++) {
      const double weight = job.row_weights[k][0], other = job.row_weights[k][1];
      sum += half_value(rows[k][lower[x]]) * weight * other * weights[0][x];
      sum += half_value(rows[k][upper[x]]) * weight * other * weights[1][x];
    }
    const double expected = rounds ? half_rounded(sum) : (float)sum;
    if (!(fabs(target[x] - expected) <= (rounds ? 0 : 1e-7) * fabs(expected))) error++;
  }
  // Singles differ in their last place at most; halves would by 5e-4.
  expect(kernels->name, "interpolation of halves", error, 0);
  kernels->halves->take_larger(target, 9, best, labels, (size_t)outputs);
  kernels->halves->take_larger(target, 10, best, labels, (size_t)outputs);
  kernels->halves->take_above(target, target[0], 11, regions, (size_t)outputs);
  for (int x = 0; x < outputs; x++) {
    if (labels[x] != (x % 3 ? 9 : 7) || best[x] != (x % 3 ? target[x] : INFINITY)) error = 1;
    if (regions[x] != (target[x] > target[0] ? 11 : 7)) error = 1;
  }
  expect(kernels->name, "labels of interpolated rows", error, 0);
}

// MARK: Winograd

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
  float *products = numbers((size_t)points * 2 * BLOCK), *output = numbers(4 * 4 * 8 * BLOCK);
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
  static samples all;
  nn_moments moments = {0};
  all.count = 0;
  // The run sticks out along every axis that has room for it; its second part is taken by itself.
  const int count_z = z.outputs - (z.outputs > 1), count_y = y.outputs - (y.outputs > 1);
  const int count_x = 2 * x.outputs - (x.outputs > 1);
  for (int part = 0; part < 2; part++) {
    for (int i = 0; i < 4 * 4 * 8 * BLOCK; i++) output[i] = NAN;
    const int first_tile = part, inside_x = count_x - part * x.outputs;
    const nn_winograd_output store = {mix, 2 - part, products + (size_t)first_tile * points * BLOCK, points * BLOCK,
                                      output, 32 * BLOCK, 8 * BLOCK, count_z, count_y, inside_x, part, &moments};
    kernels->winograd_output(&store);
    for (int oz = 0; oz < 4; oz++)
      for (int oy = 0; oy < 4; oy++)
        for (int ox = 0; ox < 8; ox++) {
          const float *voxel = output + (oz * 32 + oy * 8 + ox) * BLOCK;
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
            error = fmax(error, fabs(voxel[lane] - sum));
          }
          all.count += is_inside;
        }
  }
  char name[32];
  snprintf(name, sizeof name, "winograd %03x", (unsigned)mix);
  // The largest outputs are about 10.
  expect(kernels->name, name, error, 2e-4);
  expect_moments(kernels, "winograd's statistics", &moments, &all);
  free(input), free(weights), free(vectors), free(data), free(kernel), free(products), free(output);
}

int main(void) {
  int32_t count = 0;
  const nn_kernels *const *all = nn_available_kernels(&count);
  static const nn_winograd_mix mixes[] = {0x444, 0x244, 0x222, 0x144, 0x122, 0x888, 0x488, 0x188};
  for (int32_t isa = 0; isa < count; isa++) {
    const nn_kernels *kernels = all[isa];
    for (size_t voxels = 1; voxels < 200; voxels = voxels * 2 + 1) test_elementwise(kernels, voxels);
    test_widening(kernels);
    test_halves(kernels);
    for (int rows = 1; rows <= 4; rows++)
      for (int outputs = 1; outputs <= 100; outputs += 11)
        for (int rounds = 0; rounds < 2; rounds++) test_half_interpolation(kernels, rows, outputs, rounds);
    const nn_bf16_kernels *narrow = nn_bf16(kernels);
    for (int voxels = 1; narrow && voxels <= narrow->direct_voxels; voxels++)
      for (int blocks = 1; blocks <= narrow->direct_blocks; blocks++)
        for (int pairs = 1; pairs <= BLOCK / 2; pairs++) test_bf16(kernels, narrow, voxels, blocks, pairs);
    for (int rows = 1; rows <= 9; rows += 2)
      for (int width = 1; width <= 3; width++) test_average(kernels, rows, width);
    for (int groups = 1; groups <= 8; groups++) test_combine(kernels, groups);
    for (int voxels = 1; voxels <= kernels->direct_voxels; voxels++)
      for (int blocks = 1; blocks <= kernels->direct_blocks; blocks++)
        for (int inputs = 1; inputs <= BLOCK; inputs += 5)
          for (int accumulate = 0; accumulate < 2; accumulate++)
            test_direct(kernels, voxels, blocks, inputs, accumulate);
    for (size_t mix = 0; mix < sizeof mixes / sizeof *mixes; mix++)
      for (int first_x = -1; first_x < 20; first_x += 4)
        for (int inputs = 1; inputs <= BLOCK; inputs += 5)
          test_winograd(kernels, mixes[mix], first_x, inputs);
    printf("%s%s: tested\n", kernels->name, narrow ? " with bf16" : "");
  }
  if (failures) printf("%d failures\n", failures);
  return failures ? 1 : 0;
}
