// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Plain C: vectors of one, the definition of the bank's inner loops; and which width serves which transform. */
#define PN_LANES 1
#include "device/cpu_blend_width.h"

const pn_blend_width *const pn_blend_plain = &blend_ops;

const pn_blend_width *pn_blend_width_of(int lanes) {
    switch (lanes) {
    case 4:
        return pn_blend_v4;
    case 8:
        return pn_blend_v8;
    case 16:
        return pn_blend_v16;
    default:
        return pn_blend_plain;
    }
}
