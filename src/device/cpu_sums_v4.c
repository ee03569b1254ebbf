// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 4: SSE2, the baseline of x86-64, or NEON. */
#include "device/cpu_sums.h"

#if defined(__SSE2__) || defined(__ARM_NEON)
#define PN_LANES 4
#include "device/cpu_sums_width.h"
const pn_sums_width *const pn_sums_v4 = &sums_ops;
#else
const pn_sums_width *const pn_sums_v4 = NULL;
#endif
