// SPDX-License-Identifier: Apache-2.0
// AVX2 and FMA: 16 registers of 8 floats; 6 voxels times one output block are 12 accumulators.
#include "CKernels.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define KERNEL(name) nn_##name##_avx2
#define KERNEL_NAME "avx2"
#define LANES 8
#define DIRECT_VOXELS 6
#define DIRECT_BLOCKS 1
#include "kernels.inc"
#pragma clang attribute pop
#endif
