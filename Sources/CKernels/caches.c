// SPDX-License-Identifier: Apache-2.0
// The sizes of this processor's caches.
#include "CKernels.h"

#if defined(__x86_64__)
#include <cpuid.h>

// Leaf 4, or AMD's leaf of the same form, lists the caches one by one. (The C library's answer for the
// third level is all such caches of the socket, of which a core reaches one.)
int64_t nn_cache_bytes(int32_t level) {
  unsigned a, b, c, d;
  const int is_amd = __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & 1u << 22);
  const unsigned leaf = is_amd ? 0x8000001D : 4;
  for (unsigned index = 0; index < 16; index++) {
    if (!__get_cpuid_count(leaf, index, &a, &b, &c, &d) || (a & 31) == 0) return 0;
    const int is_instruction_cache = (a & 31) == 2;
    if ((int32_t)(a >> 5 & 7) != level || is_instruction_cache) continue;
    const int64_t ways = (b >> 22) + 1, partitions = (b >> 12 & 1023) + 1, line = (b & 4095) + 1;
    return ways * partitions * line * ((int64_t)c + 1);
  }
  return 0;
}

#else

int64_t nn_cache_bytes(int32_t level) {
  (void)level;
  return 0;
}

#endif
