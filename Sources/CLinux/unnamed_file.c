// Files that have no name until they are complete: whatever ends the process, nothing is left behind.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
