// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 8: AVX2 with fused multiply-add. The flags for this file are in CMakeLists.txt. */
#include "signal/rafft_impl.h"

#if defined(__AVX2__) && defined(__FMA__)
#define PN_LANES 8
#include "signal/rafft_width.h"
const pn_rafft_width *const pn_rafft_v8 = &width_ops;
#else
const pn_rafft_width *const pn_rafft_v8 = NULL;
#endif
