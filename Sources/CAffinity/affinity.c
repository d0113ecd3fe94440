// How many processors this process is bound to; Swift does not see the GNU call.
#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>

#include "CAffinity.h"

int32_t affinity_processor_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int32_t)online : 1;
}
