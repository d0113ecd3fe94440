// SPDX-License-Identifier: Apache-2.0
#include "reference_convolution.h"

static double sum_at(
    const reference_geometry *g, const double *input, const float *weights, long z, long y, long x) {
  const long *size = g->input, *kernel = g->kernel;
  double sum = 0;
  for (long i = 0; i < g->inputs; i++)
    for (long kz = 0; kz < kernel[0]; kz++) {
      long iz = z * g->stride[0] + kz - g->padding[0];
      if (iz < 0 || iz >= size[0]) continue;
      for (long ky = 0; ky < kernel[1]; ky++) {
        long iy = y * g->stride[1] + ky - g->padding[1];
        if (iy < 0 || iy >= size[1]) continue;
        for (long kx = 0; kx < kernel[2]; kx++) {
          long ix = x * g->stride[2] + kx - g->padding[2];
          if (ix < 0 || ix >= size[2]) continue;
          sum += (double)weights[((i * kernel[0] + kz) * kernel[1] + ky) * kernel[2] + kx] *
                 input[((i * size[0] + iz) * size[1] + iy) * size[2] + ix];
        }
      }
    }
  return sum;
}

void reference_convolution(
    const reference_geometry *g, const double *input, const float *weights, double *result) {
  long taps = g->kernel[0] * g->kernel[1] * g->kernel[2];
  for (long o = 0; o < g->outputs; o++)
    for (long z = 0; z < g->output[0]; z++)
      for (long y = 0; y < g->output[1]; y++)
        for (long x = 0; x < g->output[2]; x++)
          *result++ = sum_at(g, input, weights + o * g->inputs * taps, z, y, x);
}
