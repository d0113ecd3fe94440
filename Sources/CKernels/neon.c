// SPDX-License-Identifier: Apache-2.0
// NEON: 32 registers of 4 floats; 6 voxels times one output block are 24 accumulators.
#include "CKernels.h"

#if defined(__aarch64__)

#define KERNEL(name) nn_##name##_neon
#define KERNEL_NAME "neon"
#define LANES 4
#define DIRECT_VOXELS 6
#define DIRECT_BLOCKS 1
#define BF16_KERNELS nn_bf16_kernels_neon_bf16
#include "kernels.inc"
#endif
