// SPDX-License-Identifier: Apache-2.0
// Which instruction sets this processor runs.
#include "CKernels.h"

extern const nn_kernels nn_kernels_portable;

#if defined(__x86_64__)
extern const nn_kernels nn_bf16_too_avx512;
extern const nn_kernels nn_kernels_avx512;
extern const nn_kernels nn_kernels_avx2;

const nn_kernels *const *nn_available_kernels(int32_t *count) {
  static const nn_kernels *const all[] = {&nn_kernels_avx512, &nn_kernels_avx2,
                                          &nn_kernels_portable};
  static const nn_kernels *const with_bf16[] = {&nn_bf16_too_avx512, &nn_kernels_avx2,
                                                &nn_kernels_portable};
  __builtin_cpu_init();
  const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const int avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("avx512bw");
  const int skipped = avx512 ? 0 : avx2 ? 1 : 2;
  *count = 3 - skipped;
  return (__builtin_cpu_supports("avx512bf16") ? with_bf16 : all) + skipped;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

extern const nn_kernels nn_bf16_too_neon;
extern const nn_kernels nn_kernels_neon;

// HWCAP2_BF16 of Linux' asm/hwcap.h.
enum { HAS_BF16 = 1 << 14 };

const nn_kernels *const *nn_available_kernels(int32_t *count) {
  static const nn_kernels *const all[] = {&nn_kernels_neon, &nn_kernels_portable};
  static const nn_kernels *const with_bf16[] = {&nn_bf16_too_neon, &nn_kernels_portable};
  *count = 2;
  return getauxval(AT_HWCAP2) & HAS_BF16 ? with_bf16 : all;
}

#else

const nn_kernels *const *nn_available_kernels(int32_t *count) {
  static const nn_kernels *const all[] = {&nn_kernels_portable};
  *count = 1;
  return all;
}

#endif
