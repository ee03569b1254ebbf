// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 8: AVX2 with fused multiply-add. The flags for this file are in CMakeLists.txt. */
#include "device/cpu_sums.h"

#if defined(__AVX2__) && defined(__FMA__)
#define PN_LANES 8
#include "device/cpu_sums_width.h"
const pn_sums_width *const pn_sums_v8 = &sums_ops;
#else
const pn_sums_width *const pn_sums_v8 = NULL;
#endif
