// SPDX-License-Identifier: Apache-2.0
// A parallel loop on libdispatch's threads.
#include "CLinux.h"

// As libdispatch's <dispatch/dispatch.h> has them, which SwiftPM does not show to C.
struct dispatch_queue_s;
extern struct dispatch_queue_s *dispatch_get_global_queue(intptr_t quality, uintptr_t flags);
extern void dispatch_apply_f(size_t count, struct dispatch_queue_s *queue, void *context,
                             void (*body)(void *context, size_t index));

// QOS_CLASS_DEFAULT, and DISPATCH_QUEUE_OVERCOMMIT of libdispatch's private header: it watches the threads
// of its other queues by reading /proc/TID/stat every second, and ends a process that has no /proc.
enum { default_quality = 0x15, overcommit = 2 };

void linux_parallel(size_t count, void *context, void (*body)(void *context, size_t index)) {
  dispatch_apply_f(count, dispatch_get_global_queue(default_quality, overcommit), context, body);
}
