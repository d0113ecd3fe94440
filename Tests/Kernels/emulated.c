// SPDX-License-Identifier: Apache-2.0
// The kernels in the shape of AVX-512, sixteen lanes and large register tiles, and with bf16 arithmetic, for any
// processor: compilers map vectors to whatever there is.
#include "CKernels.h"

// Whatever takes vectors is inlined: no call depends on how they are passed.
#pragma clang diagnostic ignored "-Wpsabi"

#define KERNEL(name) nn_##name##_emulated
#define KERNEL_NAME "avx512's shape, emulated"
#define LANES 16
#define DIRECT_VOXELS 14
#define DIRECT_BLOCKS 2
#define BF16_KERNELS nn_bf16_kernels_emulated_bf16
#include "kernels.inc"
