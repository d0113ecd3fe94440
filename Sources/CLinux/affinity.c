// SPDX-License-Identifier: Apache-2.0
// How many processors this process is bound to.
#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>

#include "CLinux.h"

int32_t linux_processor_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int32_t)online : 1;
}
