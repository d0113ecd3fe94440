// SPDX-License-Identifier: Apache-2.0
// Convolution by its definition, in double precision: what the kernels are held to. In C because tests are
// built without optimisation of Swift, and these loops would be most of their time.
#pragma once

typedef struct {
  long inputs, outputs;
  long kernel[3], stride[3], padding[3];
  long input[3], output[3];
} reference_geometry;

// `input` is [inputs][z][y][x], `weights` [outputs][inputs][z][y][x], `result` [outputs][z][y][x].
void reference_convolution(
    const reference_geometry *geometry, const double *input, const float *weights, double *result);
