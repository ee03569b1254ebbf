// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_DELAY_H
#define PN_RENDER_DELAY_H

#include <stddef.h>

#include "base/realtime.h"

/* A delay of a fixed whole number of samples. Start zeroed. */
typedef struct {
    float *data;
    size_t length, position;
} pn_delay;

int pn_delay_init(pn_delay *delay, size_t samples); /* 0 when out of memory */
void pn_delay_clear(pn_delay *delay);               /* frees; accepts a zeroed one */

/* Replaces signal[0 .. frames-1] by itself `length` samples ago. */
PN_BLOCK_PATH void pn_delay_process(pn_delay *delay, float *signal, size_t frames);

#endif
