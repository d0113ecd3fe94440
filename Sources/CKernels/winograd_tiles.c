// SPDX-License-Identifier: Apache-2.0
// The list of Winograd tile sizes as tables.
#include "CKernels.h"

const nn_winograd_axis *nn_winograd_axis_of(int32_t code) {
  switch (code) {
#define WINOGRAD_AXIS(code, kernel, stride, outputs, points, weight_points, name)                   \
  case code: {                                                                                      \
    static const nn_winograd_axis axis = {code, kernel, stride, outputs, points, weight_points, name}; \
    return &axis;                                                                                   \
  }
#include "winograd_tiles.inc"
    default: return NULL;
  }
}

const nn_winograd_tile_sizes *nn_winograd_all_tile_sizes(int32_t *count) {
  static const nn_winograd_tile_sizes all[] = {
#define WINOGRAD_TILE_SIZES(z, y, x) 0x##z##y##x,
#include "winograd_tiles.inc"
  };
  *count = sizeof all / sizeof *all;
  return all;
}

#define WINOGRAD_AXIS(code, kernel, stride, outputs, points, weight_points, name)                 \
  _Static_assert(code < 16, "a tile size is one hexadecimal digit");                              \
  _Static_assert(kernel <= NN_WINOGRAD_TAPS && outputs <= NN_WINOGRAD_OUTPUTS &&                  \
                     points <= NN_WINOGRAD_POINTS && weight_points <= NN_WINOGRAD_WEIGHT_POINTS, \
                 "the kernels' buffers have to be larger");
#include "winograd_tiles.inc"
