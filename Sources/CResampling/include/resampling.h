// SPDX-License-Identifier: Apache-2.0
// Columns of doubles, [count][lanes]: every lane is one line of an image along the axis at work.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Turns samples into cubic B-spline coefficients, in place; half-sample symmetric boundaries.
void resampling_spline_filter(double *columns, size_t count, size_t lanes);

// out[i] = sum over t < taps of weights[i * taps + t] * columns[indices[i * taps + t]], per lane.
void resampling_gather(const double *columns, size_t lanes, const int32_t *indices,
                       const double *weights, size_t taps, size_t outputs, double *out);
