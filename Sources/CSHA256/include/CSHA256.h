// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>
#include <stddef.h>

/// Absorbs `blocks` blocks of 64 bytes into `state` (FIPS 180-4, SHA-256's compression function).
typedef void (*nn_sha256_compress_function)(uint32_t *_Nonnull state, const void *_Nonnull data,
                                            size_t blocks);

/// The fastest implementation that this processor runs.
nn_sha256_compress_function _Nonnull nn_sha256_fastest(void);

/// The implementation in portable C.
void nn_sha256_compress_portable(uint32_t *_Nonnull state, const void *_Nonnull data,
                                 size_t blocks);
