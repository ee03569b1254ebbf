// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 4: SSE2, the baseline of x86-64, or NEON. */
#include "device/cpu_blend.h"

#if defined(__SSE2__) || defined(__ARM_NEON)
#define PN_LANES 4
#include "device/cpu_blend_width.h"
const pn_blend_width *const pn_blend_v4 = &blend_ops;
#else
const pn_blend_width *const pn_blend_v4 = NULL;
#endif
