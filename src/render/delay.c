// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/delay.h"

#include "base/memory.h"

int pn_delay_init(pn_delay *delay, size_t samples) {
    delay->data = samples == 0 ? NULL : pn_alloc_floats(samples);
    delay->length = samples;
    delay->position = 0;
    return samples == 0 || delay->data != NULL;
}

void pn_delay_clear(pn_delay *delay) {
    pn_free(delay->data);
    delay->data = NULL;
    delay->length = 0;
}

void pn_delay_process(pn_delay *delay, float *signal, size_t frames) {
    if (delay->length == 0)
        return;
    for (size_t n = 0; n < frames; ++n) {
        float old = delay->data[delay->position];
        delay->data[delay->position] = signal[n];
        signal[n] = old;
        if (++delay->position == delay->length)
            delay->position = 0;
    }
}
