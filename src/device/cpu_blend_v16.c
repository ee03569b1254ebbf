// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 16: AVX-512. The flags for this file are in CMakeLists.txt. */
#include "device/cpu_blend.h"

#if defined(__AVX512F__)
#define PN_LANES 16
#include "device/cpu_blend_width.h"
const pn_blend_width *const pn_blend_v16 = &blend_ops;
#else
const pn_blend_width *const pn_blend_v16 = NULL;
#endif
