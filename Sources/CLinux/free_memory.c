// SPDX-License-Identifier: Apache-2.0
// What the allocator keeps though nobody uses it.
#include <features.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "CLinux.h"

void linux_give_back_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
