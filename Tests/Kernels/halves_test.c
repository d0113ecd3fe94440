// SPDX-License-Identifier: Apache-2.0
// The kernels of half precision against its definition, to the last bit.
#include <math.h>
#include <string.h>

#include "testing.h"

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
static void test_arithmetic(const nn_kernels *kernels) {
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

static void test_interpolation(const nn_kernels *kernels, int row_count, int outputs, int rounds) {
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

void test_halves(const nn_kernels *kernels) {
  test_arithmetic(kernels);
  for (int rows = 1; rows <= 4; rows++)
    for (int outputs = 1; outputs <= 100; outputs += 11)
      for (int rounds = 0; rounds < 2; rounds++) test_interpolation(kernels, rows, outputs, rounds);
}
