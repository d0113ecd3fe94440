// SPDX-License-Identifier: Apache-2.0
// Any processor: four lanes, which compilers map to whatever there is.
#include "CKernels.h"

#define KERNEL(name) nn_##name##_portable
#define KERNEL_NAME "portable"
#define LANES 4
#define DIRECT_VOXELS 2
#define DIRECT_BLOCKS 1
#include "kernels.inc"
