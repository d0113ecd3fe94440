// SPDX-License-Identifier: Apache-2.0
// Any processor: four lanes, which compilers map to whatever there is. Small rather than fast: few run it.
#include "CKernels.h"

#pragma clang attribute push(__attribute__((minsize)), apply_to = function)
// Loops over a size that is known only then are not unrolled.
#pragma clang diagnostic ignored "-Wpass-failed"
#define EVERY_SIZE static __attribute__((noinline))
#define KERNEL(name) nn_##name##_portable
#define KERNEL_NAME "portable"
#define LANES 4
#define DIRECT_VOXELS 2
#define DIRECT_BLOCKS 1
#include "kernels.inc"
#pragma clang attribute pop
