// SPDX-License-Identifier: Apache-2.0
// NEON with bf16: as NEON, four pairs of products per instruction.
#include "CKernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("bf16"))), apply_to = function)
#define KERNEL(name) nn_##name##_neon_bf16
#define LANES 4
#define DIRECT_VOXELS 6
#define DIRECT_BLOCKS 1
#define DOT(sum, x, w) \
  ((vec)vbfdotq_f32((float32x4_t)(sum), (bfloat16x8_t)(x), (bfloat16x8_t)(w)))
#include "bf16.inc"
#pragma clang attribute pop
#endif
