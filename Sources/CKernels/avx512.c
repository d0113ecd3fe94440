// SPDX-License-Identifier: Apache-2.0
// AVX-512: 32 registers of 16 floats; 14 voxels times two output blocks are 28 accumulators.
#include "CKernels.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#define KERNEL(name) nn_##name##_avx512
#define KERNEL_NAME "avx512"
#define LANES 16
#define DIRECT_VOXELS 14
#define DIRECT_BLOCKS 2
#define BF16_KERNELS nn_bf16_kernels_avx512_bf16
#include "kernels.inc"
#pragma clang attribute pop
#endif
