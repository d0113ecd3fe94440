// SPDX-License-Identifier: Apache-2.0
// Files that have no name until they are complete: whatever ends the process, nothing is left behind.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CLinux.h"

// Room for "/proc/self/fd/" and any int.
enum { LINK_PATH_SIZE = 32 };

static void link_path(int descriptor, char path[LINK_PATH_SIZE]) {
  snprintf(path, LINK_PATH_SIZE, "/proc/self/fd/%d", descriptor);
}

int linux_open_unnamed(const char *folder) {
  const int descriptor = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor < 0) return -1;
  // Without /proc it could not be named in the end.
  char path[LINK_PATH_SIZE];
  link_path(descriptor, path);
  if (access(path, F_OK) == 0) return descriptor;
  close(descriptor);
  errno = EOPNOTSUPP;
  return -1;
}

int linux_link_unnamed(int descriptor, const char *path) {
  char source[LINK_PATH_SIZE];
  link_path(descriptor, source);
  return linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

int linux_rename_new(const char *from, const char *to) {
  enum { NO_REPLACE = 1 };
  // musl has no wrapper for it.
  if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, NO_REPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // NFS has no such flag, but links.
  if (link(from, to) != 0) return -1;
  unlink(from);
  return 0;
}
