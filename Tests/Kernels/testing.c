// SPDX-License-Identifier: Apache-2.0
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int failures;
jmp_buf *first_failure;

static uint64_t state = 1;

float random_number(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)(int32_t)(state >> 32) * 0x1p-31f;
}

float *numbers(size_t count) {
  float *values = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
  if (!values) abort();
  for (size_t i = 0; i < count; i++) values[i] = random_number();
  return values;
}

double worse(double error, double difference) {
  if (isnan(difference)) return INFINITY;
  return fmax(error, fabs(difference));
}

void expect(const char *isa, const char *what, double error, double bound) {
  if (error <= bound) return;
  if (first_failure) longjmp(*first_failure, 1);
  printf("%s %s: error %.2e, allowed %.2e\n", isa, what, error, bound);
  failures++;
}
