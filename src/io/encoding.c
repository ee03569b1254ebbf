// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/encoding.h"

#include <math.h>
#include <string.h>

#include "base/noise.h"

const char *const pn_encoding_words[] = {"pcm16", "pcm24", "pcm32", "f32", "f64", NULL};
const char *const pn_dither_words[] = {"none", "tpdf", NULL};

bool pn_encoding_parse(const char *word, pn_encoding *encoding) {
    for (int i = 0; pn_encoding_words[i] != NULL; ++i) {
        if (strcmp(word, pn_encoding_words[i]) == 0) {
            *encoding = (pn_encoding)(PN_ENCODING_PCM16 + i);
            return true;
        }
    }
    return false;
}

bool pn_dither_parse(const char *word, pn_dither *dither) {
    bool tpdf = strcmp(word, "tpdf") == 0 || strcmp(word, "triangular") == 0;
    if (!tpdf && strcmp(word, "none") != 0)
        return false;
    *dither = tpdf ? PN_DITHER_TPDF : PN_DITHER_NONE;
    return true;
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

float pn_quantiser_sift(pn_quantiser *q, float sample) {
    if (!isfinite(sample)) {
        ++q->nonfinite;
        return 0;
    }
    double size = fabs((double)sample);
    if (size > q->peak)
        q->peak = size;
    return sample;
}

int32_t pn_quantiser_round(pn_quantiser *q, float sample) {
    double steps = ldexp(1.0, q->bits - 1);
    double x = (double)sample * steps;
    if (sample > 1 || sample < -1)
        ++q->clipped;
    if (q->dither) /* two uniform values of one step each: triangular, two steps wide */
        x += 0.5 * (pn_noise_uniform(&q->seed) + pn_noise_uniform(&q->seed));
    x = rint(x);
    x = x > steps - 1 ? steps - 1 : x < -steps ? -steps : x;
    return (int32_t)((int64_t)x * ((int64_t)1 << (32 - q->bits)));
}
