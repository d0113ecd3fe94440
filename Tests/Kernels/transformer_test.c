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

// A whole head: queries and keys rotated, keys packed in two runs, softmax.
typedef struct head {
  rows q, k, v, queries, target;
  int count, keys, width;
  // `[row][width / 2]`; null: nothing is rotated.
  float *cosines, *sines;
  float factor, *packed_keys, *packed_values, *scratch;
} head;

// `spread`: how large scores are.
static head random_head(int count, int keys, int width, int rotates, float spread) {
  head h = {.count = count, .keys = keys, .width = width, .factor = spread / sqrtf((float)width)};
  h.q = random_rows(count, width), h.k = random_rows(keys, width), h.v = random_rows(keys, width);
  h.queries = random_rows(count, width), h.target = random_rows(count, width);
  if (rotates) {
    h.cosines = numbers((size_t)(keys * width)), h.sines = h.cosines + keys * width / 2;
    for (int i = 0; i < keys * width / 2; i++) {
      const float angle = 3.2f * random_number();
      h.cosines[i] = cosf(angle), h.sines[i] = sinf(angle);
    }
  }
  // What bf16 packs is half of it.
  h.packed_keys = numbers((size_t)((keys + BLOCK - 1) / BLOCK * width * BLOCK));
  h.packed_values = numbers((size_t)(keys * nn_head_step(width)));
  h.scratch = numbers((size_t)nn_attention_scratch(count, width) + GUARD);
  for (int i = 0; i < GUARD; i++) h.scratch[nn_attention_scratch(count, width) + i] = UNTOUCHED;
  return h;
}

static void free_head(head h) {
  free(h.q.all), free(h.k.all), free(h.v.all), free(h.queries.all), free(h.target.all), free(h.cosines);
  free(h.packed_keys), free(h.packed_values), free(h.scratch);
}

static void rotate_queries(const nn_kernels *kernels, head h) {
  const nn_head_rows job = {h.q.first, h.q.step, h.count, h.width, h.cosines, h.sines, h.factor * nn_log2_e,
                            h.queries.first, h.queries.step, 0};
  kernels->rotate_queries(&job);
}

static void pack_keys(void (*pack)(const nn_head_rows *), head h) {
  const int half = h.keys / 2;
  for (int part = 0; part < 2; part++) {
    const int first = part * half, some = part ? h.keys - half : half, at = first * h.width / 2;
    const nn_head_rows job = {h.k.first + first * h.k.step, h.k.step, some, h.width, h.cosines ? h.cosines + at : NULL,
                              h.sines ? h.sines + at : NULL, 1, h.packed_keys, 0, first};
    if (some > 0) pack(&job);
  }
}

static void pack_values(void (*pack)(const nn_head_values *), head h, int first, int some) {
  const int step = nn_head_step(h.width);
  const nn_head_values job = {h.v.first + first * h.v.step, h.v.step, some, h.width, h.packed_values + first * step, step};
  if (some > 0) pack(&job);
}

// A row of queries or keys, rotated and `factor` times as large.
static void rotated(head h, rows r, int row, double factor, double *target) {
  for (int i = 0; i < h.width; i += 2) {
    const double a = r.first[row * r.step + i], b = r.first[row * r.step + i + 1];
    const int at = row * h.width / 2 + i / 2;
    const double cosine = h.cosines ? (double)h.cosines[at] : 1, sine = h.cosines ? (double)h.sines[at] : 0;
    target[i] = (a * cosine - b * sine) * factor, target[i + 1] = (b * cosine + a * sine) * factor;
  }
}

// The largest error of what attention gave, against its definition, with queries, keys and values that `round` made.
static double attention_error(head h, void (*attention)(const nn_attention *), double (*round)(double)) {
  const nn_attention job = {h.queries.first, h.queries.step, h.count, h.width, h.packed_keys, h.keys, h.packed_values,
                            h.scratch, h.target.first, h.target.step};
  attention(&job);
  double error = fmax(stray_writes(h.target), stray_writes(h.queries));
  for (int i = 0; i < GUARD; i++) error = worse(error, h.scratch[nn_attention_scratch(h.count, h.width) + i] - UNTOUCHED);
  double *weights = malloc((size_t)h.keys * sizeof *weights), *query = malloc(2 * (size_t)h.width * sizeof *query);
  double *other = query + h.width;
  for (int row = 0; row < h.count; row++) {
    double most = -INFINITY, sum = 0;
    rotated(h, h.q, row, (double)h.factor * (double)nn_log2_e, query);
    for (int key = 0; key < h.keys; key++) {
      rotated(h, h.k, key, 1, other);
      weights[key] = 0;
      for (int i = 0; i < h.width; i++) weights[key] += round(query[i]) * round(other[i]);
      most = fmax(most, weights[key]);
    }
    for (int key = 0; key < h.keys; key++) sum += weights[key] = exp2(weights[key] - most);
    for (int i = 0; i < h.width; i++) {
      double value = 0;
      for (int key = 0; key < h.keys; key++) value += weights[key] * round((double)h.v.first[key * h.v.step + i]) / sum;
      error = worse(error, h.target.first[row * h.target.step + i] - value);
    }
  }
  free(weights), free(query);
  return error;
}

static double exact(double value) { return value; }

static void test_attention(const nn_kernels *kernels, int count, int keys, int width, int rotates, float spread) {
  const head h = random_head(count, keys, width, rotates, spread);
  rotate_queries(kernels, h);
  pack_keys(kernels->pack_keys, h);
  pack_values(kernels->pack_values, h, 0, keys / 2);
  pack_values(kernels->pack_values, h, keys / 2, keys - keys / 2);
  // The larger the scores, the more their last digits count.
  expect(kernels->name, "attention", attention_error(h, kernels->attention, exact), 2e-6 * fmax(1, (double)spread));
  free_head(h);
}

static double in_bf16(double value) { return bf16((float)value); }

// Where the processor has it. Of numbers that were rounded as they are there, what is left is the rounding of weights, which are
// at most 2⁻⁹ of themselves away.
static void test_attention_in_bf16(const nn_kernels *kernels, int count, int keys, int width, int rotates, float spread) {
  if (!kernels->bf16) return;
  const head h = random_head(count, keys, width, rotates, spread);
  rotate_queries(kernels, h);
  pack_keys(kernels->bf16->pack_keys, h);
  pack_values(kernels->bf16->pack_values, h, 0, keys);
  expect(kernels->name, "attention in bf16", attention_error(h, kernels->bf16->attention, in_bf16), 0x1p-9);
  // As a value that all keys share: weights add up to one.
  for (int key = 0; key < keys; key++)
    for (int i = 0; i < width; i++) h.v.first[key * h.v.step + i] = 0.75f;
  pack_values(kernels->bf16->pack_values, h, 0, keys);
  expect(kernels->name, "attention in bf16 to one value", attention_error(h, kernels->bf16->attention, in_bf16), 1e-6);
  h.queries.first[0] = NAN;
  const nn_attention job = {h.queries.first, h.queries.step, count, width, h.packed_keys, keys, h.packed_values,
                            h.scratch, h.target.first, h.target.step};
  kernels->bf16->attention(&job);
  expect(kernels->name, "attention in bf16 with a NaN", !isnan(h.target.first[0]), 0);
  free_head(h);
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
      for (int rotates = 0; rotates < 2; rotates++) {
        test_attention(kernels, keys < 20 ? keys : 20, keys, heads[i], rotates, 1);
        test_attention_in_bf16(kernels, keys < 20 ? keys : 20, keys, heads[i], rotates, 1);
      }
  test_attention(kernels, 29, 300, 66, 1, 30);
  test_attention(kernels, 96, 200, 72, 1, 1);
  test_attention_in_bf16(kernels, 29, 300, 66, 1, 30);
  test_attention_in_bf16(kernels, 96, 200, 72, 1, 1);
}
