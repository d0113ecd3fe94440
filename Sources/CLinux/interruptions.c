// SPDX-License-Identifier: Apache-2.0
// The first interruption is told, the second kills: by a thread that waits for signals, so that no handler runs
// in the middle of anything.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "CLinux.h"

// Those that whoever started the process did not have it ignore.
static sigset_t interruptions(void) {
  static const int numbers[] = {SIGINT, SIGTERM};
  sigset_t set;
  sigemptyset(&set);
  for (size_t index = 0; index < sizeof numbers / sizeof *numbers; ++index) {
    struct sigaction action;
    if (sigaction(numbers[index], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
      sigaddset(&set, numbers[index]);
  }
  return set;
}

static void die(int signal_number) {
  signal(signal_number, SIG_DFL);
  sigset_t set = interruptions();
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  raise(signal_number);
}

static void *wait_for_signals(void *context) {
  const int descriptor = (int)(intptr_t)context;
  sigset_t set = interruptions();
  int number;
  if (sigwait(&set, &number) != 0) return NULL;
  const unsigned char byte = (unsigned char)number;
  while (write(descriptor, &byte, 1) < 0 && errno == EINTR) continue;
  if (sigwait(&set, &number) == 0) die(number);
  return NULL;
}

int linux_watch_interruptions(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  sigset_t set = interruptions(), before;
  pthread_sigmask(SIG_BLOCK, &set, &before);
  pthread_t thread;
  const int failure = pthread_create(&thread, NULL, wait_for_signals, (void *)(intptr_t)ends[1]);
  if (failure == 0) {
    pthread_detach(thread);
    return ends[0];
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[0]);
  close(ends[1]);
  errno = failure;
  return -1;
}

void linux_die_interrupted(int descriptor) {
  unsigned char number = SIGINT;
  if (read(descriptor, &number, 1) != 1) number = SIGINT;
  die(number);
}

int linux_is_readable(int descriptor) {
  struct pollfd one = {descriptor, POLLIN, 0};
  return poll(&one, 1, 0) > 0;
}

int linux_wait(int first, int second) {
  struct pollfd both[2] = {{first, POLLIN, 0}, {second, POLLIN, 0}};
  while (poll(both, 2, -1) < 0) {
    if (errno != EINTR) return -1;
  }
  return both[0].revents ? 1 : 2;
}
