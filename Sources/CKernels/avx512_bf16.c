// SPDX-License-Identifier: Apache-2.0
// AVX-512 with bf16: as AVX-512, sixteen pairs of products per instruction.
#include "CKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512bf16,avx2,fma"))), apply_to = function)
#define KERNEL(name) nn_##name##_avx512_bf16
#define LANES 16
#define DIRECT_VOXELS 14
#define DIRECT_BLOCKS 2
#define DOT(sum, x, w) ((vec)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(x), (__m512bh)(w)))
#include "bf16.inc"
#pragma clang attribute pop
#endif
