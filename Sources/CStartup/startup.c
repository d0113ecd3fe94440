// SPDX-License-Identifier: Apache-2.0
// What commands do before Swift's runtime starts.
//
// Large blocks of memory go back to the system as soon as they are freed: glibc would keep ever larger ones, a scan's
// voxels among them, beside what the network then takes.
//
// A fully static program can start where there is no /proc. Swift's runtime reads its arguments from
// /proc/self/cmdline, and to find its crash reporter its own path from /proc/self/exe; it gives up
// without either. glibc hands the arguments to constructors, and this one runs before the runtime's.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "CStartup.h"

extern void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc);

__attribute__((constructor(101))) static void start(int argc, char **argv) {
#ifdef __GLIBC__
  const int largest_kept = 4 << 20;
  mallopt(M_MMAP_THRESHOLD, largest_kept);
  mallopt(M_TRIM_THRESHOLD, largest_kept);
#endif
  if (access("/proc/self/cmdline", R_OK) == 0) return;
  // There is no crash reporter to be found; with a root given, its absence is no error.
  setenv("SWIFT_ROOT", "/", 0);
  _swift_stdlib_overrideUnsafeArgvArgc(argv, argc);
}
