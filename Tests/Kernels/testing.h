// SPDX-License-Identifier: Apache-2.0
// What the tests of the kernels share: random numbers, and comparisons that a NaN fails.
#pragma once

#include <setjmp.h>

#include "CKernels.h"

enum { BLOCK = NN_BLOCK };

/// How many expectations were not met.
extern int failures;

/// Where to go on at the first failure, instead of counting and printing it; null: nowhere.
extern jmp_buf *first_failure;

/// From −1 to 1, the same on every run.
float random_number(void);

/// So many random numbers, at a vector's alignment; to be freed.
float *numbers(size_t count);

/// The larger of an error and a difference's size; infinite where the difference is not a number.
double worse(double error, double difference);

/// Counts and prints an error above its bound.
void expect(const char *isa, const char *what, double error, double bound);

// The families' tests, of one instruction set.
void test_convolution(const nn_kernels *kernels);
void test_halves(const nn_kernels *kernels);
void test_transformer(const nn_kernels *kernels);
void test_backward(const nn_kernels *kernels);
void test_taps(const nn_kernels *kernels);
