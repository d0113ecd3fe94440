// SPDX-License-Identifier: Apache-2.0
#include "linear_algebra.h"

#include <math.h>
#include <stdlib.h>

// y += factor · x
static void add_scaled(double *restrict y, const double *restrict x, double factor, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

void la_weighted_product(const double *a, size_t c, const double *b, size_t d, const double *weight,
                         size_t rows, double *out) {
  for (size_t i = 0; i < c * d; ++i) out[i] = 0;
  for (size_t row = 0; row < rows; ++row) {
    const double w = weight ? weight[row] : 1;
    for (size_t i = 0; i < c; ++i) add_scaled(out + i * d, b + row * d, w * a[row * c + i], d);
  }
}

void la_product(const double *a, size_t n, const double *b, size_t m, size_t k, double *out) {
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < m; ++j) {
      // Four sums, so that the next product need not wait for the last.
      double sum[4] = {0, 0, 0, 0};
      const double *x = a + i * k, *y = b + j * k;
      size_t t = 0;
      for (; t + 4 <= k; t += 4)
        for (size_t lane = 0; lane < 4; ++lane) sum[lane] += x[t + lane] * y[t + lane];
      for (; t < k; ++t) sum[0] += x[t] * y[t];
      out[i * m + j] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
  }
}

int la_cholesky(double *a, size_t n) {
  double *column = malloc(n * sizeof *column);
  if (!column && n > 0) return 0;
  int is_definite = 1;
  for (size_t k = 0; k < n && is_definite; ++k) {
    const double pivot = a[k * n + k];
    // Also false for NaN.
    is_definite = pivot > 0 && pivot < INFINITY;
    const double root = sqrt(pivot);
    for (size_t i = k; i < n; ++i) column[i] = a[i * n + k] = a[i * n + k] / root;
    for (size_t i = k + 1; i < n; ++i)
      add_scaled(a + i * n + k + 1, column + k + 1, -column[i], i - k);
  }
  free(column);
  return is_definite;
}

void la_solve_lower(const double *l, size_t n, double *b, size_t m, int transposed) {
  for (size_t step = 0; step < n; ++step) {
    const size_t i = transposed ? n - 1 - step : step;
    for (size_t j = 0; j < m; ++j) b[i * m + j] /= l[i * n + i];
    if (transposed) {
      for (size_t k = 0; k < i; ++k) add_scaled(b + k * m, b + i * m, -l[i * n + k], m);
    } else {
      for (size_t k = i + 1; k < n; ++k) add_scaled(b + k * m, b + i * m, -l[k * n + i], m);
    }
  }
}
