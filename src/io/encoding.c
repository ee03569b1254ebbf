// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/encoding.h"

#include <math.h>
#include <string.h>

#include "base/noise.h"
#include "base/peak.h"
#include "io/planar.h"

const char *const pn_encoding_words[] = {"pcm16", "pcm24", "pcm32", "f32", "f64", NULL};

bool pn_encoding_parse(const char *word, pn_encoding *encoding) {
    for (int i = 0; pn_encoding_words[i] != NULL; ++i) {
        if (strcmp(word, pn_encoding_words[i]) == 0) {
            *encoding = (pn_encoding)(PN_ENCODING_PCM16 + i);
            return true;
        }
    }
    return false;
}

const char *pn_encoding_name(pn_encoding encoding) {
    return pn_encoding_words[encoding == PN_ENCODING_DEFAULT ? 1 : encoding - PN_ENCODING_PCM16];
}

int pn_encoding_bytes(pn_encoding encoding) {
    static const int bytes[] = {3, 2, 3, 4, 4, 8};
    return bytes[encoding];
}

int pn_encoding_bits(pn_encoding encoding) {
    static const int bits[] = {24, 16, 24, 32, 0, 0};
    return bits[encoding];
}

void pn_quantiser_init(pn_quantiser *q, pn_encoding encoding, pn_dither dither) {
    memset(q, 0, sizeof *q);
    q->bits = pn_encoding_bits(encoding);
    q->dither = dither == PN_DITHER_TPDF && (q->bits == 16 || q->bits == 24);
    q->seed = 0x70696e6e61;
}

void pn_quantiser_sift(pn_quantiser *q, float *samples, size_t count) {
    double peak = (double)pn_largest(samples, count);
    if (!isfinite(peak)) {
        for (size_t i = 0; i < count; ++i) {
            if (isfinite(samples[i]))
                continue;
            ++q->nonfinite;
            samples[i] = 0;
        }
        peak = (double)pn_largest(samples, count);
    }
    q->peak = peak > q->peak ? peak : q->peak;
}

static uint64_t count_clipped(const float *samples, size_t count) {
    uint64_t clipped = 0;
    for (size_t i = 0; i < count; ++i)
        clipped += samples[i] > 1 || samples[i] < -1;
    return clipped;
}

/* Two uniform values of one step each: triangular, two steps wide. */
static double dither(pn_quantiser *q) {
    double first = pn_noise_uniform(&q->seed), second = pn_noise_uniform(&q->seed);
    return 0.5 * (first + second);
}

/* Adding and taking away 1.5 * 2^52 leaves a double without its fraction, rounded to nearest, ties to even. */
static inline int32_t round_step(double x, double steps, int shift) {
    const double magic = 6755399441055744.0;
    x = x > steps - 1 ? steps - 1 : x < -steps ? -steps : x;
    int32_t step = (int32_t)((x + magic) - magic);
    return (int32_t)((uint32_t)step << shift);
}

void pn_quantiser_round(pn_quantiser *q, const float *samples, int32_t *integers, size_t count) {
    double steps = ldexp(1.0, q->bits - 1);
    int shift = 32 - q->bits;
    q->clipped += count_clipped(samples, count);
    if (q->dither) {
        for (size_t i = 0; i < count; ++i)
            integers[i] = round_step((double)samples[i] * steps + dither(q), steps, shift);
        return;
    }
    for (size_t i = 0; i < count; ++i)
        integers[i] = round_step((double)samples[i] * steps, steps, shift);
}
