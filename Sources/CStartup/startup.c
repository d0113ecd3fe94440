// SPDX-License-Identifier: Apache-2.0
// Lets a fully static program start where there is no /proc. Swift's runtime reads its arguments from
// /proc/self/cmdline, and to find its crash reporter its own path from /proc/self/exe; it gives up
// without either. glibc hands the arguments to constructors, and this one runs before the runtime's.
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "CStartup.h"

extern void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc);

__attribute__((constructor(101))) static void start(int argc, char **argv) {
  if (access("/proc/self/cmdline", R_OK) == 0) return;
  // There is no crash reporter to be found; with a root given, its absence is no error.
  setenv("SWIFT_ROOT", "/", 0);
  _swift_stdlib_overrideUnsafeArgvArgc(argv, argc);
}
