// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 8: AVX2 with fused multiply-add. The flags for this file are in CMakeLists.txt. */
#include "device/cpu_blend.h"

#if defined(__AVX2__) && defined(__FMA__)
#define PN_LANES 8
#include "device/cpu_blend_width.h"
const pn_blend_width *const pn_blend_v8 = &blend_ops;
#else
const pn_blend_width *const pn_blend_v8 = NULL;
#endif
