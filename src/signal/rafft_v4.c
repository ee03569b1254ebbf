// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 4: SSE2, the baseline of x86-64, or NEON. */
#include "signal/rafft_impl.h"

#if defined(__SSE2__) || defined(__ARM_NEON)
#define PN_LANES 4
#include "signal/rafft_width.h"
const pn_rafft_width *const pn_rafft_v4 = &width_ops;
#else
const pn_rafft_width *const pn_rafft_v4 = NULL;
#endif
