// Which instruction sets this processor runs.
#include "CKernels.h"

extern const nn_kernels nn_kernels_portable;

#if defined(__x86_64__)
extern const nn_kernels nn_kernels_avx512;
extern const nn_kernels nn_kernels_avx2;
extern const nn_bf16_kernels nn_bf16_kernels_avx512_bf16;

const nn_kernels *const *nn_available_kernels(int32_t *count) {
  static const nn_kernels *const all[] = {&nn_kernels_avx512, &nn_kernels_avx2,
                                          &nn_kernels_portable};
  __builtin_cpu_init();
  const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const int avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("avx512bw");
  const int skipped = avx512 ? 0 : avx2 ? 1 : 2;
  *count = 3 - skipped;
  return all + skipped;
}

const nn_bf16_kernels *nn_bf16(const nn_kernels *kernels) {
  if (kernels != &nn_kernels_avx512) return NULL;
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") ? &nn_bf16_kernels_avx512_bf16 : NULL;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

extern const nn_kernels nn_kernels_neon;
extern const nn_bf16_kernels nn_bf16_kernels_neon_bf16;

// HWCAP2_BF16 of Linux' asm/hwcap.h.
enum { HAS_BF16 = 1 << 14 };

const nn_kernels *const *nn_available_kernels(int32_t *count) {
  static const nn_kernels *const all[] = {&nn_kernels_neon, &nn_kernels_portable};
  *count = 2;
  return all;
}

const nn_bf16_kernels *nn_bf16(const nn_kernels *kernels) {
  const int has_bf16 = (getauxval(AT_HWCAP2) & HAS_BF16) != 0;
  return kernels == &nn_kernels_neon && has_bf16 ? &nn_bf16_kernels_neon_bf16 : NULL;
}

#else

const nn_kernels *const *nn_available_kernels(int32_t *count) {
  static const nn_kernels *const all[] = {&nn_kernels_portable};
  *count = 1;
  return all;
}

const nn_bf16_kernels *nn_bf16(const nn_kernels *kernels) {
  (void)kernels;
  return NULL;
}

#endif
