#pragma once
#include <stdint.h>

// How many processors this process may run on.
int32_t affinity_processor_count(void);
