// SPDX-License-Identifier: Apache-2.0
// The kernels of transformers against their definitions in double.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"

// Numbers with room around each row that nothing may write.
typedef struct rows {
  float *all, *first;
  int count, width, step;
} rows;

enum { GUARD = 19 };
static const float UNTOUCHED = 12345;

static rows random_rows(int count, int width) {
  rows r = {.count = count, .width = width, .step = width + GUARD};
  r.all = numbers((size_t)(count + 1) * (size_t)r.step + GUARD);
  r.first = r.all + GUARD;
  for (int i = 0; i < (count + 1) * r.step + GUARD; i++) {
    const int place = i - GUARD;
    if (place < 0 || place >= count * r.step || place % r.step >= width) r.all[i] = UNTOUCHED;
  }
  return r;
}

// Infinite where something beside the rows was written.
static double stray_writes(rows r) {
  for (int i = 0; i < (r.count + 1) * r.step + GUARD; i++) {
    const int place = i - GUARD;
    const int is_inside = place >= 0 && place < r.count * r.step && place % r.step < r.width;
    if (!is_inside && r.all[i] != UNTOUCHED) return INFINITY;
  }
  return 0;
}

static void test_exponentials(const nn_kernels *kernels) {
  enum { COUNT = 8009 };
  static float source[COUNT], target[COUNT];
  for (int i = 0; i < COUNT; i++) source[i] = (i - 3980) * 0.0219f;
  source[0] = -1e30f, source[1] = -INFINITY, source[2] = 1e30f, source[3] = NAN;
  kernels->exponentials(source, target, COUNT);
  double error = 0;
  for (int i = 4; i < COUNT; i++) error = worse(error, target[i] / exp((double)source[i]) - 1);
  expect(kernels->name, "exp", error, 3e-7);
  const int extremes = target[0] < 1.3e-38f && target[1] < 1.3e-38f && target[2] > 1e38f && isnan(target[3]);
  expect(kernels->name, "exp's ends", !extremes, 0);
}

static double activation(double x, int kind) {
  switch (kind) {
    case NN_ACTIVATION_GELU: return 0.5 * x * erfc(-x * sqrt(0.5));
    case NN_ACTIVATION_SILU: return x / (1 + exp(-x));
    default: return x;
  }
}

static void test_gelu(const nn_kernels *kernels) {
  enum { COUNT = 4003 };
  static float source[COUNT], target[COUNT];
  for (int i = 0; i < COUNT; i++) source[i] = (i - 2000) * 0.004f;
  source[COUNT - 1] = NAN;
  kernels->gelu(source, target, COUNT);
  double error = 0;
  for (int i = 0; i < COUNT - 1; i++) error = worse(error, target[i] - activation((double)source[i], NN_ACTIVATION_GELU));
  expect(kernels->name, "gelu", error, 1e-6);
  expect(kernels->name, "gelu of a NaN", !isnan(target[COUNT - 1]), 0);
}

// `parts`: a bit each for bias, scale, factor and addend; 16: the target is the addend, 32: the factor.
static void test_matrix_product(const nn_kernels *kernels, int count, int inputs, int outputs, int kind, int parts) {
  const int blocks = (outputs + BLOCK - 1) / BLOCK;
  rows source = random_rows(count, inputs), target = random_rows(count, outputs);
  rows factor = random_rows(count, outputs), addend = random_rows(count, outputs);
  float *weights = numbers((size_t)blocks * (size_t)inputs * BLOCK), *vectors = numbers(2 * (size_t)outputs);
  for (int i = 0; i < blocks * inputs * BLOCK; i++)
    if (i / (inputs * BLOCK) * BLOCK + i % BLOCK >= outputs) weights[i] = 0;
  if (parts & 16) memcpy(target.all, addend.all, (size_t)((count + 1) * target.step + GUARD) * sizeof(float));
  if (parts & 32) memcpy(target.all, factor.all, (size_t)((count + 1) * target.step + GUARD) * sizeof(float));
  const float *other = parts & 32 ? target.first : factor.first, *sum = parts & 16 ? target.first : addend.first;
  const ptrdiff_t scratch_count = nn_matrix_product_scratch(count, inputs);
  float *scratch = numbers((size_t)scratch_count + GUARD);
  for (int i = 0; i < GUARD; i++) scratch[scratch_count + i] = UNTOUCHED;
  const nn_matrix_product job = {
      source.first, source.step, count, inputs, weights, (ptrdiff_t)inputs * BLOCK, outputs, kind,
      parts & 1 ? vectors : NULL, parts & 2 ? vectors + outputs : NULL, parts & 4 ? other : NULL, factor.step,
      parts & 8 ? sum : NULL, addend.step, target.first, target.step, scratch};
  kernels->matrix_product(&job);
  double error = stray_writes(target), largest = 1;
  for (int i = 0; i < GUARD; i++) error = worse(error, scratch[scratch_count + i] - UNTOUCHED);
  for (int row = 0; row < count; row++)
    for (int output = 0; output < outputs; output++) {
      double value = parts & 1 ? vectors[output] : 0;
      for (int i = 0; i < inputs; i++)
        value += (double)source.first[row * source.step + i] *
                 weights[(output / BLOCK * inputs + i) * BLOCK + output % BLOCK];
      value = activation(value, kind);
      if (parts & 2) value *= vectors[outputs + output];
      if (parts & 4) value *= factor.first[row * factor.step + output];
      if (parts & 8) value += addend.first[row * addend.step + output];
      error = worse(error, target.first[row * target.step + output] - value);
      largest = fmax(largest, fabs(value));
    }
  expect(kernels->name, "matrix product", error / largest, 2e-6);
  free(source.all), free(target.all), free(factor.all), free(addend.all), free(weights), free(vectors);
  free(scratch);
}

static double bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
  memcpy(&value, &bits, sizeof bits);
  return value;
}

// Products of rounded numbers, where the processor has them.
static void test_matrix_product_in_bf16(const nn_kernels *kernels, int count, int inputs, int outputs) {
  const nn_bf16_kernels *narrow = kernels->bf16;
  if (!narrow) return;
  const int blocks = (outputs + BLOCK - 1) / BLOCK, pairs = (inputs + BLOCK - 1) / BLOCK * BLOCK / 2;
  rows source = random_rows(count, inputs), target = random_rows(count, outputs);
  // `[block][input][16]`, inputs filled up with zeros.
  float *weights = numbers((size_t)(blocks * pairs * 2 * BLOCK)), *paired = numbers((size_t)(blocks * pairs * BLOCK));
  for (int i = 0; i < blocks * pairs * 2 * BLOCK; i++) {
    if (i / BLOCK % (2 * pairs) >= inputs || i / (2 * pairs * BLOCK) * BLOCK + i % BLOCK >= outputs) weights[i] = 0;
  }
  for (int row = 0; row < blocks * pairs; row++) {
    const float *first = weights + 2 * row * BLOCK;
    narrow->pair(first, first + BLOCK, (uint32_t *)paired + row * BLOCK, BLOCK);
  }
  float *scratch = numbers((size_t)nn_matrix_product_scratch(count, inputs));
  const nn_matrix_product job = {
      source.first, source.step, count, inputs, paired, (ptrdiff_t)pairs * BLOCK, outputs, NN_ACTIVATION_NONE,
      NULL, NULL, NULL, 0, NULL, 0, target.first, target.step, scratch};
  narrow->matrix_product(&job);
  double error = stray_writes(target), largest = 1;
  for (int row = 0; row < count; row++)
    for (int output = 0; output < outputs; output++) {
      double value = 0;
      for (int i = 0; i < inputs; i++)
        value += bf16(source.first[row * source.step + i]) *
                 bf16(weights[(output / BLOCK * 2 * pairs + i) * BLOCK + output % BLOCK]);
      error = worse(error, target.first[row * target.step + output] - value);
      largest = fmax(largest, fabs(value));
    }
  expect(kernels->name, "matrix product in bf16", error / largest, 2e-6);
  free(source.all), free(target.all), free(weights), free(paired), free(scratch);
}

static void test_layer_norm(const nn_kernels *kernels, int count, int width, float mean, float deviation, int in_place) {
  const float eps = 1e-5f;
  rows source = random_rows(count, width), target = in_place ? source : random_rows(count, width);
  float *vectors = numbers(2 * (size_t)width);
  double *before = malloc((size_t)(count * width) * sizeof *before);
  for (int i = 0; i < count * width; i++) {
    float *value = source.first + i / width * source.step + i % width;
    *value = *value * deviation + mean;
    before[i] = *value;
  }
  const nn_layer_norm job = {source.first, source.step, count, width, eps, vectors, vectors + width, target.first, target.step};
  kernels->layer_norm(&job);
  double error = stray_writes(target);
  for (int row = 0; row < count; row++) {
    double middle = 0, variance = 0;
    for (int i = 0; i < width; i++) middle += before[row * width + i] / width;
    for (int i = 0; i < width; i++) variance += pow(before[row * width + i] - middle, 2) / width;
    for (int i = 0; i < width; i++) {
      const double normal = (before[row * width + i] - middle) / sqrt(variance + (double)eps);
      error = worse(error, target.first[row * target.step + i] - (normal * vectors[i] + vectors[width + i]));
    }
  }
  expect(kernels->name, "layer norm", error, 3e-6);
  free(source.all), free(vectors), free(before);
  if (!in_place) free(target.all);
}

// A whole head: queries rotated, keys and values packed in two runs, softmax.
static void test_attention(const nn_kernels *kernels, int count, int keys, int width, int rotates, float spread) {
  rows q = random_rows(count, width), k = random_rows(keys, width), v = random_rows(keys, width);
  rows queries = random_rows(count, width), target = random_rows(count, width);
  const int key_blocks = (keys + BLOCK - 1) / BLOCK, value_step = nn_head_step(width);
  float *packed_keys = numbers((size_t)(key_blocks * width * BLOCK)), *angles = numbers((size_t)(keys * width));
  float *packed_values = numbers((size_t)(keys * value_step));
  float *cosines = angles, *sines = angles + keys * width / 2;
  for (int i = 0; i < keys * width / 2; i++) {
    const float angle = 3.2f * random_number();
    cosines[i] = cosf(angle), sines[i] = sinf(angle);
  }
  const float factor = spread / sqrtf((float)width);
  const nn_head_rows query_job = {q.first, q.step, count, width, rotates ? cosines : NULL, rotates ? sines : NULL,
                                  factor, queries.first, queries.step, 0};
  kernels->rotate_queries(&query_job);
  const int half = keys / 2;
  for (int part = 0; part < 2; part++) {
    const int first = part * half, some = part ? keys - half : half;
    if (some == 0) continue;
    const nn_head_rows key_job = {k.first + first * k.step, k.step, some, width, rotates ? cosines + first * width / 2 : NULL,
                                  rotates ? sines + first * width / 2 : NULL, 1, packed_keys, 0, first};
    kernels->pack_keys(&key_job);
    const nn_head_values value_job = {v.first + first * v.step, v.step, some, width,
                                       packed_values + first * value_step, value_step};
    kernels->pack_values(&value_job);
  }
  float *scratch = numbers((size_t)nn_attention_scratch(count, width) + GUARD);
  for (int i = 0; i < GUARD; i++) scratch[nn_attention_scratch(count, width) + i] = UNTOUCHED;
  const nn_attention job = {queries.first, queries.step, count, width, packed_keys, keys, packed_values,
                            scratch, target.first, target.step};
  kernels->attention(&job);
  double error = fmax(stray_writes(target), stray_writes(queries));
  for (int i = 0; i < GUARD; i++) error = worse(error, scratch[nn_attention_scratch(count, width) + i] - UNTOUCHED);
  double *weights = malloc((size_t)keys * sizeof *weights), *turned = malloc(2 * (size_t)width * sizeof *turned);
  for (int row = 0; row < count; row++) {
    double most = -INFINITY, sum = 0;
    for (int key = 0; key < keys; key++) {
      double score = 0;
      for (int i = 0; i < width; i += 2) {
        double a = q.first[row * q.step + i], b = q.first[row * q.step + i + 1];
        double c = k.first[key * k.step + i], d = k.first[key * k.step + i + 1];
        if (rotates) {
          const int at = row * width / 2 + i / 2, other = key * width / 2 + i / 2;
          const double qa = a * cosines[at] - b * sines[at], qb = b * cosines[at] + a * sines[at];
          const double kc = c * cosines[other] - d * sines[other], kd = d * cosines[other] + c * sines[other];
          a = qa, b = qb, c = kc, d = kd;
        }
        score += a * c + b * d;
      }
      weights[key] = score * (double)factor;
      most = fmax(most, weights[key]);
    }
    for (int key = 0; key < keys; key++) sum += weights[key] = exp(weights[key] - most);
    for (int i = 0; i < width; i++) {
      double value = 0;
      for (int key = 0; key < keys; key++) value += weights[key] * v.first[key * v.step + i] / sum;
      error = worse(error, target.first[row * target.step + i] - value);
    }
  }
  // The larger the scores, the more their last digits count.
  expect(kernels->name, "attention", error, 2e-6 * fmax(1, (double)spread));
  free(q.all), free(k.all), free(v.all), free(queries.all), free(target.all), free(packed_keys), free(angles);
  free(packed_values), free(scratch), free(weights), free(turned);
}

void test_transformer(const nn_kernels *kernels) {
  test_exponentials(kernels);
  test_gelu(kernels);
  for (int count = 1; count <= 31; count += count < 15 ? 1 : 8)
    test_matrix_product(kernels, count, 37, 50, NN_ACTIVATION_NONE, 0);
  static const int sizes[][3] = {{1, 1, 1}, {3, 2, 15}, {5, 64, 16}, {7, 33, 17}, {9, 200, 33}, {2, 8, 70}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int kind = NN_ACTIVATION_NONE; kind <= NN_ACTIVATION_SILU; kind++)
      for (int parts = 0; parts < 16; parts++)
        test_matrix_product(kernels, sizes[i][0], sizes[i][1], sizes[i][2], kind, parts);
  // In two and three parts of the inputs, with whole and partial tiles.
  test_matrix_product(kernels, 100, 193, 48, NN_ACTIVATION_SILU, 15);
  test_matrix_product(kernels, 17, 400, 20, NN_ACTIVATION_NONE, 1);
  static const int bf16_sizes[][3] = {{1, 1, 1}, {5, 17, 33}, {29, 396, 50}, {15, 840, 16}};
  for (size_t i = 0; i < sizeof bf16_sizes / sizeof *bf16_sizes; i++)
    test_matrix_product_in_bf16(kernels, bf16_sizes[i][0], bf16_sizes[i][1], bf16_sizes[i][2]);
  test_matrix_product(kernels, 6, 40, 50, NN_ACTIVATION_NONE, 1 | 2 | 8 | 16);
  test_matrix_product(kernels, 6, 40, 50, NN_ACTIVATION_NONE, 1 | 4 | 32);
  for (int width = 1; width <= 70; width += width < 20 ? 1 : 7)
    for (int in_place = 0; in_place < 2; in_place++) test_layer_norm(kernels, 3, width, 0.3f, 1, in_place);
  test_layer_norm(kernels, 2, 396, 100, 1e-2f, 0);
  test_layer_norm(kernels, 2, 864, 0, 1e-3f, 0);
  static const int heads[] = {2, 6, 16, 18, 66, 72};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    for (int keys = 1; keys <= 300; keys = keys * 2 + 5)
      for (int rotates = 0; rotates < 2; rotates++)
        test_attention(kernels, keys < 20 ? keys : 20, keys, heads[i], rotates, 1);
  test_attention(kernels, 29, 300, 66, 1, 30);
  test_attention(kernels, 96, 200, 72, 1, 1);
}
