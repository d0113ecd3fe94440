// SPDX-License-Identifier: Apache-2.0
// Dense linear algebra in double precision for fitting small linear models. All matrices are
// row-major; every sum is in a fixed order, so that results do not depend on how they are called.
#pragma once
#include <stddef.h>

// out[c × d] = sum over rows i of weight[i] · a[i, :]ᵀ b[i, :]; a has c columns, b d, both rows rows.
// weight may be NULL (all 1).
void la_weighted_product(const double *a, size_t c, const double *b, size_t d, const double *weight,
                         size_t rows, double *out);

// out[n × m] = a bᵀ, where a is n × k and b is m × k.
void la_product(const double *a, size_t n, const double *b, size_t m, size_t k, double *out);

// Replaces the lower triangle of a symmetric positive definite a[n × n] by its Cholesky factor;
// returns 0 where a pivot is not positive (or not a number), else 1.
int la_cholesky(double *a, size_t n);

// Solves L X = B, or Lᵀ X = B with transposed ≠ 0, in place: L is n × n, lower, b is n × m.
void la_solve_lower(const double *l, size_t n, double *b, size_t m, int transposed);
