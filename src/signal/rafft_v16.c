// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Vectors of 16: AVX-512. The flags for this file are in CMakeLists.txt. */
#include "signal/rafft_impl.h"

#if defined(__AVX512F__)
#define PN_LANES 16
#include "signal/rafft_width.h"
const pn_rafft_width *const pn_rafft_v16 = &width_ops;
#else
const pn_rafft_width *const pn_rafft_v16 = NULL;
#endif
