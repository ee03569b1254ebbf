// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Plain C: vectors of one, the definition of the sums; and which width serves which transform. */
#define PN_LANES 1
#include "device/cpu_sums_width.h"

const pn_sums_width *const pn_sums_plain = &sums_ops;

const pn_sums_width *pn_sums_width_of(int lanes) {
    switch (lanes) {
    case 4:
        return pn_sums_v4;
    case 8:
        return pn_sums_v8;
    case 16:
        return pn_sums_v16;
    default:
        return pn_sums_plain;
    }
}
