// SPDX-License-Identifier: Apache-2.0
#include "resampling.h"
#include <math.h>

// The cubic B-spline's pole, sqrt(3) - 2; gain (1 - z)(1 - 1/z) = 6.
static const double pole = -0.26794919243112270647;

void resampling_spline_filter(double *columns, size_t count, size_t lanes) {
  if (count < 2) return;
  double *last = columns + (count - 1) * lanes;
  for (size_t k = 0; k < count * lanes; k++) columns[k] *= 6;
  double end_power = pow(pole, (double)count);
  for (size_t l = 0; l < lanes; l++) {
    double power = pole;
    double sum = columns[l] + end_power * last[l];
    // Terms below 1e-20 change nothing in double precision.
    for (size_t i = 1; i < count && fabs(power) > 1e-20; i++) {
      sum += power * (columns[i * lanes + l] + end_power * columns[(count - 1 - i) * lanes + l]);
      power *= pole;
    }
    columns[l] += sum * (pole / (1 - end_power * end_power));
  }
  for (size_t i = 1; i < count; i++) {
    double *row = columns + i * lanes;
    const double *before = row - lanes;
    for (size_t l = 0; l < lanes; l++) row[l] += pole * before[l];
  }
  for (size_t l = 0; l < lanes; l++) last[l] *= pole / (pole - 1);
  for (size_t i = count - 1; i-- > 0;) {
    double *row = columns + i * lanes;
    const double *after = row + lanes;
    for (size_t l = 0; l < lanes; l++) row[l] = pole * (after[l] - row[l]);
  }
}

void resampling_gather(const double *columns, size_t lanes, const int32_t *indices,
                       const double *weights, size_t taps, size_t outputs, double *out) {
  for (size_t i = 0; i < outputs; i++) {
    double *row = out + i * lanes;
    const int32_t *index = indices + i * taps;
    const double *weight = weights + i * taps;
    if (taps == 4) {
      const double *a = columns + (size_t)index[0] * lanes, *b = columns + (size_t)index[1] * lanes;
      const double *c = columns + (size_t)index[2] * lanes, *d = columns + (size_t)index[3] * lanes;
      for (size_t l = 0; l < lanes; l++)
        row[l] = weight[0] * a[l] + weight[1] * b[l] + weight[2] * c[l] + weight[3] * d[l];
      continue;
    }
    for (size_t l = 0; l < lanes; l++) row[l] = 0;
    for (size_t t = 0; t < taps; t++) {
      const double *source = columns + (size_t)index[t] * lanes;
      for (size_t l = 0; l < lanes; l++) row[l] += weight[t] * source[l];
    }
  }
}
