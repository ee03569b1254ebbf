// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/rafft_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#if defined(__x86_64__) || defined(__i386__)
#define NAME_4 "sse2"
static int processor_runs(pn_simd simd) {
    switch (simd) {
    case PN_SIMD_4:
        return __builtin_cpu_supports("sse2");
    case PN_SIMD_8:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case PN_SIMD_16:
        return __builtin_cpu_supports("avx512f");
    default:
        return 1;
    }
}
#else
#define NAME_4 "neon"
static int processor_runs(pn_simd simd) {
    (void)simd; /* what was built is the baseline */
    return 1;
}
#endif

static const pn_rafft_width *width_of(pn_simd simd) {
    switch (simd) {
    case PN_SIMD_PLAIN:
        return pn_rafft_plain;
    case PN_SIMD_4:
        return pn_rafft_v4;
    case PN_SIMD_8:
        return pn_rafft_v8;
    case PN_SIMD_16:
        return pn_rafft_v16;
    }
    return NULL;
}

static int is_available(pn_simd simd) {
    return width_of(simd) != NULL && processor_runs(simd);
}

int pn_simd_available(pn_simd list[4]) {
    int count = 0;
    for (pn_simd simd = PN_SIMD_PLAIN; simd <= PN_SIMD_16; ++simd)
        if (is_available(simd))
            list[count++] = simd;
    return count;
}

const char *pn_simd_name(pn_simd simd) {
    static const char *const names[] = {"plain", NAME_4, "avx2", "avx512"};
    return names[simd];
}

pn_simd pn_simd_best(void) {
    pn_simd list[4];
    int count = pn_simd_available(list);
    const char *wanted = getenv("PINNA_SIMD");
    for (int k = 0; wanted != NULL && k < count; ++k)
        if (strcmp(wanted, pn_simd_name(list[k])) == 0)
            return list[k];
    return list[count - 1];
}

/* The widest kind up to `simd` whose leaf block of V * V points fits into M. */
static const pn_rafft_width *fitting_width(int size, pn_simd simd) {
    for (; simd > PN_SIMD_PLAIN; --simd) {
        const pn_rafft_width *width = width_of(simd);
        if (is_available(simd) && size / 2 >= width->lanes * width->lanes)
            return width;
    }
    return pn_rafft_plain;
}

pinna_status pn_rafft_create(int size, pn_simd simd, pn_rafft **fft, pinna_error *err) {
    *fft = NULL;
    if (simd > PN_SIMD_16 || !is_available(simd))
        return pn_fail(err, PINNA_UNSUPPORTED,
                       "this processor or build does not run %s code; use one that pn_simd_available lists",
                       simd > PN_SIMD_16 ? "unknown" : pn_simd_name(simd));
    return pn_rafft_create_width(size, fitting_width(size, simd), fft, err);
}

pinna_status pn_rafft_create_width(int size, const pn_rafft_width *width, pn_rafft **fft, pinna_error *err) {
    *fft = NULL;
    if (size < PN_RAFFT_MIN_SIZE || size > PN_RAFFT_MAX_SIZE || (size & (size - 1)) != 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "transform size %d: a power of two from %d to %d is needed",
                       size, PN_RAFFT_MIN_SIZE, PN_RAFFT_MAX_SIZE);
    pn_rafft *made = pn_alloc(1, sizeof *made);
    if (made == NULL)
        return pn_fail_memory(err, "a transform", sizeof *made);
    made->width = width;
    made->size = size;
    made->half = size / 2;
    while ((1 << made->bits) < made->half)
        ++made->bits;
    pinna_status status = pn_rafft_make_tables(made, err);
    if (status != PINNA_OK) {
        pn_rafft_free(made);
        return status;
    }
    *fft = made;
    return PINNA_OK;
}

void pn_rafft_free(pn_rafft *fft) {
    if (fft == NULL)
        return;
    pn_free(fft->tables);
    pn_free(fft);
}

int pn_rafft_lanes(const pn_rafft *fft) {
    return fft->width->lanes;
}

size_t pn_rafft_scratch(const pn_rafft *fft) {
    return (size_t)fft->size;
}

void pn_rafft_forward(const pn_rafft *fft, const float *re, const float *im, float *spectrum,
                      float *scratch) {
    if (im == NULL) {
        memset(scratch, 0, (size_t)fft->half * sizeof *scratch);
        im = scratch;
    }
    fft->width->forward(fft, re, im, spectrum);
}

void pn_rafft_inverse(const pn_rafft *fft, const float *spectrum, float *re, float *im, float *scratch) {
    fft->width->inverse(fft, spectrum, re, im, scratch);
}

int pn_rafft_parts(const pn_rafft *fft) {
    return fft->passes == 0 ? 1 : fft->pass[0].radix;
}

size_t pn_rafft_columns(const pn_rafft *fft) {
    return (size_t)(fft->half / fft->width->lanes / pn_rafft_parts(fft));
}

int pn_rafft_part_pieces(const pn_rafft *fft) {
    return fft->width->part_pieces(fft);
}

void pn_rafft_forward_top(const pn_rafft *fft, const float *re, const float *im, float *work, size_t stride,
                          size_t first, size_t count) {
    fft->width->forward_top(fft, re, im, work, stride, first, count);
}

void pn_rafft_forward_part(const pn_rafft *fft, int part, float *data, int first, int end) {
    fft->width->forward_part(fft, part, data, first, end);
}

void pn_rafft_inverse_part(const pn_rafft *fft, int part, float *data, int first, int end) {
    fft->width->inverse_part(fft, part, data, first, end);
}

void pn_rafft_inverse_top(const pn_rafft *fft, const float *work, size_t stride, float *im, size_t first,
                          size_t count) {
    fft->width->inverse_top(fft, work, stride, im, first, count);
}

void pn_rafft_multiply_add(const pn_rafft *fft, float *sum, const float *a, const float *b) {
    fft->width->multiply_add(fft, sum, a, b);
}
