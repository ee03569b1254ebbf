// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_PEAK_H
#define PN_BASE_PEAK_H

#include <stddef.h>

#include "base/realtime.h"

/* The largest size among the samples, 0 of none. NaN and infinite samples make it NaN or infinite: so it also tells whether
 * all are finite, as fast as they are read. */
PN_BLOCK_PATH float pn_largest(const float *samples, size_t count);

#endif
