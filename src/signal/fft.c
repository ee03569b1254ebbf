// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/fft.h"

#include <math.h>

#include "base/memory.h"
#include "base/vec.h"

/* Decimation in frequency, radix 2, depth first so that small parts stay in the caches, then the bit
 * reversal. The twiddles of a part of `points` points are exp(-2 pi i k / points), k < points / 2, and stand
 * together at twiddle[points / 2]: one table of `size` entries serves all parts. */

struct pn_fft {
    int size;
    pn_complex *twiddle;
};

enum { MAX_SIZE = 1 << 24 };

static void fill_twiddles(pn_complex *twiddle, int half) {
    for (int k = 0; k < half; ++k) {
        double angle = -PN_PI * k / half;
        twiddle[half + k] = (pn_complex){cos(angle), sin(angle)};
    }
}

pinna_status pn_fft_create(int size, pn_fft **fft, pinna_error *err) {
    *fft = NULL;
    if (size < 2 || size > MAX_SIZE || (size & (size - 1)) != 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "FFT size %d: a power of two from 2 to %d is needed", size,
                       MAX_SIZE);
    pn_fft *made = pn_alloc(1, sizeof *made);
    if (made != NULL)
        made->twiddle = pn_alloc((size_t)size, sizeof *made->twiddle);
    if (made == NULL || made->twiddle == NULL) {
        pn_fft_free(made);
        return pn_fail_memory(err, "an FFT", (double)size * sizeof(pn_complex));
    }
    made->size = size;
    for (int half = 1; half < size; half *= 2)
        fill_twiddles(made->twiddle, half);
    *fft = made;
    return PINNA_OK;
}

void pn_fft_free(pn_fft *fft) {
    if (fft == NULL)
        return;
    pn_free(fft->twiddle);
    pn_free(fft);
}

int pn_fft_size(const pn_fft *fft) {
    return fft->size;
}

static void transform_part(const pn_complex *twiddle, pn_complex *data, int points) {
    int half = points / 2;
    for (int k = 0; k < half; ++k) {
        pn_complex a = data[k], b = data[k + half], w = twiddle[half + k];
        pn_complex d = {a.re - b.re, a.im - b.im};
        data[k] = (pn_complex){a.re + b.re, a.im + b.im};
        data[k + half] = (pn_complex){d.re * w.re - d.im * w.im, d.re * w.im + d.im * w.re};
    }
    if (half == 1)
        return;
    transform_part(twiddle, data, half);
    transform_part(twiddle, data + half, half);
}

static void swap(pn_complex *data, int a, int b) {
    pn_complex kept = data[a];
    data[a] = data[b];
    data[b] = kept;
}

static void reverse_bits(pn_complex *data, int size) {
    for (int k = 0, reversed = 0; k < size; ++k) {
        if (k < reversed)
            swap(data, k, reversed);
        int bit = size / 2;
        for (; bit > 0 && (reversed & bit) != 0; bit /= 2)
            reversed ^= bit;
        reversed |= bit;
    }
}

void pn_fft_forward(const pn_fft *fft, pn_complex *data) {
    transform_part(fft->twiddle, data, fft->size);
    reverse_bits(data, fft->size);
}

/* The inverse is the forward transform with time running backwards. */
void pn_fft_inverse(const pn_fft *fft, pn_complex *data) {
    pn_fft_forward(fft, data);
    for (int k = 1; k < fft->size - k; ++k)
        swap(data, k, fft->size - k);
    double scale = 1.0 / fft->size;
    for (int k = 0; k < fft->size; ++k)
        data[k] = (pn_complex){data[k].re * scale, data[k].im * scale};
}
