// SPDX-License-Identifier: Apache-2.0
// Leaf kernels of the runtime: no threads, no allocation, no I/O. Every kernel is listed in kernel_list.inc;
// what it takes is in its family's header. All pointers are to float unless said otherwise; sizes count
// elements.
#pragma once

#include "halves.h"
#include "nn_backward.h"
#include "nn_bf16.h"
#include "nn_convolution.h"
#include "nn_transformer.h"

/// The kernels of one instruction set.
typedef struct nn_kernels {
  const char *_Nonnull name;
  /// Floats per vector.
  int32_t lanes;
  /// The largest register tile of `direct`.
  int32_t direct_voxels;
  int32_t direct_blocks;
  /// Null where the processor has no bf16 arithmetic.
  const nn_bf16_kernels *_Nullable bf16;
  const nn_half_kernels *_Nonnull halves;
#define NN_KERNEL(name, ...) void (*_Nonnull name)(__VA_ARGS__);
#include "kernel_list.inc"
} nn_kernels;

/// The instruction sets this processor runs, the fastest first; `count` is set to their number.
const nn_kernels *_Nonnull const *_Nonnull nn_available_kernels(int32_t *_Nonnull count);

/// Bytes of a core's data cache of level 2 or 3; 0 where the processor does not say.
int64_t nn_cache_bytes(int32_t level);
