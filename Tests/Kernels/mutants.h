// SPDX-License-Identifier: Apache-2.0
// Kernels that are broken on purpose: each gives the right values but for one NaN.
#pragma once

#include "CKernels.h"

extern const int mutant_count;

/// The kernels of an instruction set, one of them broken; `name` is set to its name.
nn_kernels mutant_of(const nn_kernels *kernels, int mutant, const char **name);
