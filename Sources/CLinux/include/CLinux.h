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

// Calls `body` for 0 ..< count, on several threads; returns when all calls have.
void linux_parallel(size_t count, void *_Nonnull context,
                    void (*_Nonnull body)(void *_Nullable context, size_t index));
