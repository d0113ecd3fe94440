// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

// What glibc and libdispatch offer to C only.

// How many processors this process may run on.
int32_t linux_processor_count(void);

// Opens a file without a name in `folder` for writing; -1 and errno where the file system has none.
int linux_open_unnamed(const char *_Nonnull folder);

// Gives such a file its name; fails with EEXIST where there is one. 0, or -1 and errno.
int linux_link_unnamed(int descriptor, const char *_Nonnull path);

// Renames a file unless `to` exists, which fails with EEXIST. 0, or -1 and errno.
int linux_rename_new(const char *_Nonnull from, const char *_Nonnull to);

// Has the first interruption (SIGINT, SIGTERM) told on the descriptor returned, which can then be read, and
// the second end the process as the first would have. Before any other thread is started. -1 and errno where
// that is not available: then nothing has changed.
int linux_watch_interruptions(void);

// Ends the process as the signal would have that was told on the descriptor.
void linux_die_interrupted(int descriptor);

// Whether a read would not wait; never for a descriptor below 0.
int linux_is_readable(int descriptor);

// Waits until one of the two can be read; a descriptor below 0 never can. 1 or 2, or -1 and errno.
int linux_wait(int first, int second);

// Calls `body` for 0 ..< count, on several threads; returns when all calls have.
void linux_parallel(size_t count, void *_Nonnull context,
                    void (*_Nonnull body)(void *_Nullable context, size_t index));

// Gives the system back what large arrays left between smaller ones that are kept, where the allocator can.
void linux_give_back_memory(void);
