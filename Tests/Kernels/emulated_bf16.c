// SPDX-License-Identifier: Apache-2.0
// Kernels for bf16 arithmetic whose products are two multiplications of floats: see emulated.c.
#include "CKernels.h"

// Whatever takes vectors is inlined: no call depends on how they are passed.
#pragma clang diagnostic ignored "-Wpsabi"

#define KERNEL(name) nn_##name##_emulated_bf16
#define LANES 16
#define DIRECT_VOXELS 14
#define DIRECT_BLOCKS 2
#define FIRST(pairs) ((vec)((int_vec)(pairs) << 16))
#define SECOND(pairs) ((vec)((int_vec)(pairs) & ~0xFFFF))
#define DOT(sum, x, w) ((sum) + FIRST(x) * FIRST(w) + SECOND(x) * SECOND(w))
#include "bf16.inc"
