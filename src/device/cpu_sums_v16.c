// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 16: AVX-512. The flags for this file are in CMakeLists.txt. */
#include "device/cpu_sums.h"

#if defined(__AVX512F__)
#define PN_LANES 16
#include "device/cpu_sums_width.h"
const pn_sums_width *const pn_sums_v16 = &sums_ops;
#else
const pn_sums_width *const pn_sums_v16 = NULL;
#endif
