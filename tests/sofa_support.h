// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_SOFA_SUPPORT_H
#define PN_TESTS_SOFA_SUPPORT_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "support.h"

/* Writes small SOFA files (HDF5, superblock 0, object headers of version 1, which have no checksums, so that a changed
 * byte is met by what it belongs to), and a head of known answers to put into them. Its files were read by h5py. */

typedef enum { SOFA_F64, SOFA_F32, SOFA_I16, SOFA_F64_BIG } sofa_type;

typedef struct {
    unsigned char *bytes;
    size_t size, room;
    int messages;  /* in the header being written */
    size_t header; /* where it begins */
    struct {
        char name[32];
        uint64_t address;
    } link[40];
    int links;
    sofa_type type;             /* of the variables that follow */
    uint64_t chunk[4];          /* not 0: cut into chunks, deflated and shuffled */
    char attribute[20][2][100]; /* of the file */
    int attributes;
} sofa_file;

static inline void sofa_put(sofa_file *f, uint64_t value, int bytes) {
    if (f->size + 64 > f->room) {
        f->room = 2 * f->room + 65536;
        f->bytes = realloc(f->bytes, f->room);
        assert_non_null(f->bytes);
    }
    for (int i = 0; i < bytes; ++i)
        f->bytes[f->size++] = (unsigned char)(i < 8 ? value >> (8 * i) : 0);
}

static inline void sofa_patch(sofa_file *f, size_t at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
        f->bytes[at + (size_t)i] = (unsigned char)(value >> (8 * i));
}

static inline void sofa_align(sofa_file *f, size_t from) {
    while ((f->size - from) % 8 != 0)
        sofa_put(f, 0, 1);
}

static inline size_t sofa_message(sofa_file *f, int kind) {
    sofa_put(f, (uint64_t)kind, 2);
    sofa_put(f, 0, 6); /* size, flags, reserved */
    ++f->messages;
    return f->size;
}

static inline void sofa_end_message(sofa_file *f, size_t start) {
    sofa_align(f, start);
    sofa_patch(f, start - 6, f->size - start, 2);
}

static inline void sofa_begin_header(sofa_file *f) {
    sofa_align(f, 0);
    f->header = f->size;
    f->messages = 0;
    sofa_put(f, 1, 4); /* version; messages */
    sofa_put(f, 1, 4);
    sofa_put(f, 0, 8); /* size */
}

static inline void sofa_end_header(sofa_file *f) {
    sofa_patch(f, f->header + 2, (uint64_t)f->messages, 2);
    sofa_patch(f, f->header + 8, f->size - f->header - 16, 4);
}

static inline void sofa_put_text(sofa_file *f, const char *text, size_t size) {
    for (size_t i = 0; i < size; ++i)
        sofa_put(f, i < strlen(text) ? (unsigned char)text[i] : 0, 1);
}

static inline void sofa_put_attribute(sofa_file *f, const char *name, const char *text) {
    size_t m = sofa_message(f, 0x0c), from, length = strlen(text) + 1;
    sofa_put(f, 1, 2);
    sofa_put(f, strlen(name) + 1, 2);
    sofa_put(f, 8, 2);
    sofa_put(f, 8, 2);
    from = f->size;
    sofa_put_text(f, name, strlen(name) + 1);
    sofa_align(f, from);
    sofa_put(f, 0x13, 4); /* a string, ends with 0 */
    sofa_put(f, length, 4);
    sofa_put(f, 1, 8); /* one value */
    sofa_put_text(f, text, length);
    sofa_end_message(f, m);
}

static inline void sofa_text(sofa_file *f, const char *name, const char *text) {
    int i = 0;
    while (i < f->attributes && strcmp(f->attribute[i][0], name) != 0)
        ++i;
    f->attributes += i == f->attributes;
    snprintf(f->attribute[i][0], 100, "%s", name);
    snprintf(f->attribute[i][1], 100, "%s", text);
}

static inline int sofa_type_size(sofa_type type) {
    return type == SOFA_F32 ? 4 : type == SOFA_I16 ? 2 : 8;
}

static inline void sofa_put_value(sofa_file *f, double value) {
    uint64_t bits = 0;
    float narrow = (float)value;
    if (f->type == SOFA_I16)
        bits = (uint64_t)(int64_t)lrint(value);
    else if (f->type == SOFA_F32)
        memcpy(&bits, &narrow, 4);
    else
        memcpy(&bits, &value, 8);
    size_t at = f->size;
    sofa_put(f, bits, sofa_type_size(f->type));
    for (size_t i = 0; f->type == SOFA_F64_BIG && i < 4; ++i) {
        unsigned char swap = f->bytes[at + i];
        f->bytes[at + i] = f->bytes[at + 7 - i];
        f->bytes[at + 7 - i] = swap;
    }
}

static inline void sofa_put_type(sofa_file *f) {
    size_t m = sofa_message(f, 0x03);
    int size = sofa_type_size(f->type);
    sofa_put(f, f->type == SOFA_I16 ? 0x10 : 0x11, 1);
    sofa_put(f, f->type == SOFA_I16 ? 0x08 : f->type == SOFA_F64_BIG ? 0x21 : 0x20, 1);
    sofa_put(f, f->type == SOFA_I16 ? 0 : size == 8 ? 63 : 31, 1);
    sofa_put(f, 0, 1);
    sofa_put(f, (uint64_t)size, 4);
    sofa_put(f, 0, 2);
    sofa_put(f, (uint64_t)size * 8, 2);
    if (f->type != SOFA_I16) {
        sofa_put(f, size == 8 ? 52 : 23, 1);
        sofa_put(f, size == 8 ? 11 : 8, 1);
        sofa_put(f, 0, 1);
        sofa_put(f, size == 8 ? 52 : 23, 1);
        sofa_put(f, size == 8 ? 1023 : 127, 4);
    }
    sofa_end_message(f, m);
}

/* One chunk: shuffled and deflated; returns its stored size. */
static inline uint64_t sofa_put_chunk(sofa_file *f, int rank, const uint64_t *shape, const uint64_t *offset,
                                      const double *values) {
    sofa_file raw = {.type = f->type};
    uint64_t count = 1;
    for (int d = 0; d < rank; ++d)
        count *= f->chunk[d];
    for (uint64_t i = 0; i < count; ++i) {
        uint64_t rest = i, at = 0, stride = 1;
        bool inside = true;
        for (int d = rank - 1; d >= 0; --d) {
            uint64_t p = offset[d] + rest % f->chunk[d];
            rest /= f->chunk[d];
            inside = inside && p < shape[d];
            at += p * stride;
            stride *= shape[d];
        }
        sofa_put_value(&raw, inside ? values[at] : 0);
    }
    size_t element = (size_t)sofa_type_size(f->type), stored = compressBound(raw.size);
    unsigned char *shuffled = malloc(raw.size), *packed = malloc(stored);
    for (size_t i = 0; i < raw.size; ++i)
        shuffled[i % element * (size_t)count + i / element] = raw.bytes[i];
    assert_int_equal(compress(packed, &stored, shuffled, raw.size), Z_OK);
    for (size_t i = 0; i < stored; ++i)
        sofa_put(f, packed[i], 1);
    free(shuffled);
    free(packed);
    free(raw.bytes);
    return stored;
}

static inline uint64_t sofa_put_chunks(sofa_file *f, int rank, const uint64_t *shape, const double *values) {
    enum { MOST = 64 };
    uint64_t offset[MOST][4], address[MOST], size[MOST];
    int chunks = 0;
    uint64_t at[4] = {0};
    while (at[0] < shape[0]) {
        assert_true(chunks < MOST);
        memcpy(offset[chunks], at, sizeof at);
        address[chunks] = f->size;
        size[chunks] = sofa_put_chunk(f, rank, shape, at, values);
        ++chunks;
        for (int d = rank - 1; d >= 0; --d) {
            at[d] += f->chunk[d];
            if (at[d] < shape[d] || d == 0)
                break;
            at[d] = 0;
        }
    }
    sofa_align(f, 0);
    uint64_t tree = f->size;
    sofa_put_text(f, "TREE", 4);
    sofa_put(f, 1, 2);
    sofa_put(f, (uint64_t)chunks, 2);
    sofa_put(f, UINT64_MAX, 8);
    sofa_put(f, UINT64_MAX, 8);
    for (int c = 0; c <= chunks; ++c) {
        sofa_put(f, c < chunks ? size[c] : 0, 4);
        sofa_put(f, 0, 4);
        for (int d = 0; d <= rank; ++d)
            sofa_put(f, d == rank ? 0 : c < chunks ? offset[c][d] : d == 0 ? shape[0] : 0, 8);
        if (c < chunks)
            sofa_put(f, address[c], 8);
    }
    sofa_put(f, 0, 64 * 48); /* room that the format asks for */
    return tree;
}

/* attributes: pairs of name and text, NULL at the end; or NULL. values NULL: zeros. */
static inline void sofa_variable(sofa_file *f, const char *name, int rank, const uint64_t *shape,
                                 const double *values, const char *const *attributes) {
    uint64_t count = 1;
    bool chunked = f->chunk[0] != 0 && rank == 3;
    for (int d = 0; d < rank; ++d)
        count *= shape[d];
    sofa_align(f, 0);
    if (f->size == 0)
        sofa_put(f, 0, 96); /* the superblock comes here */
    uint64_t address = f->size;
    if (chunked)
        address = sofa_put_chunks(f, rank, shape, values);
    for (uint64_t i = 0; i < count && !chunked; ++i)
        sofa_put_value(f, values == NULL ? 0 : values[i]);
    uint64_t length = f->size - address;
    sofa_begin_header(f);
    f->link[f->links].address = f->header;
    snprintf(f->link[f->links++].name, 32, "%s", name);
    size_t m = sofa_message(f, 0x01);
    sofa_put(f, 1 | (uint64_t)rank << 8, 8);
    for (int d = 0; d < rank; ++d)
        sofa_put(f, shape[d], 8);
    sofa_end_message(f, m);
    sofa_put_type(f);
    if (chunked) {
        m = sofa_message(f, 0x0b);
        sofa_put(f, 1 | 2 << 8, 8);
        for (int id = 2; id >= 1; --id) { /* shuffle, deflate: one parameter each */
            sofa_put(f, (uint64_t)id, 6);
            sofa_put(f, 1, 2);
            sofa_put(f, id == 2 ? (uint64_t)sofa_type_size(f->type) : 6, 4);
            sofa_put(f, 0, 4);
        }
        sofa_end_message(f, m);
    }
    m = sofa_message(f, 0x08);
    sofa_put(f, 3 | (chunked ? 2u : 1u) << 8, 2);
    if (chunked)
        sofa_put(f, (uint64_t)rank + 1, 1);
    sofa_put(f, address, 8);
    for (int d = 0; d < rank && chunked; ++d)
        sofa_put(f, f->chunk[d], 4);
    sofa_put(f, chunked ? (uint64_t)sofa_type_size(f->type) : length, chunked ? 4 : 8);
    sofa_end_message(f, m);
    for (; attributes != NULL && *attributes != NULL; attributes += 2)
        sofa_put_attribute(f, attributes[0], attributes[1]);
    sofa_end_header(f);
}

/* Writes the root group and the superblock; f->bytes and f->size are the file. free(f->bytes). */
static inline void sofa_finish(sofa_file *f) {
    if (f->size == 0)
        sofa_put(f, 0, 96);
    sofa_begin_header(f);
    uint64_t root = f->header;
    size_t m = sofa_message(f, 0x02); /* link info: no heap */
    sofa_put(f, 0, 2);
    sofa_put(f, UINT64_MAX, 8);
    sofa_put(f, UINT64_MAX, 8);
    sofa_end_message(f, m);
    m = sofa_message(f, 0x0a); /* group info */
    sofa_put(f, 0, 2);
    sofa_end_message(f, m);
    for (int i = 0; i < f->links; ++i) {
        m = sofa_message(f, 0x06);
        sofa_put(f, 1, 2);
        sofa_put(f, strlen(f->link[i].name), 1);
        sofa_put_text(f, f->link[i].name, strlen(f->link[i].name));
        sofa_put(f, f->link[i].address, 8);
        sofa_end_message(f, m);
    }
    for (int i = 0; i < f->attributes; ++i)
        sofa_put_attribute(f, f->attribute[i][0], f->attribute[i][1]);
    sofa_end_header(f);
    size_t size = f->size;
    f->size = 0;
    sofa_put_text(f, "\x89HDF\r\n\x1a\n", 8);
    sofa_put(f, 0, 5);
    sofa_put(f, 8, 1);
    sofa_put(f, 8, 2);
    sofa_put(f, 4 | 16 << 16, 4);
    sofa_put(f, 0, 4);
    sofa_put(f, 0, 8);
    sofa_put(f, UINT64_MAX, 8);
    sofa_put(f, size, 8);
    sofa_put(f, UINT64_MAX, 8);
    sofa_put(f, 0, 8);
    sofa_put(f, root, 8);
    f->size = size;
}

/* ---- a head: each ear one smooth pulse, earlier and louder on the side of the source */

enum { HEAD_M = 26, HEAD_N = 64 };
#define HEAD_RATE 48000.0

typedef struct {
    const char *convention; /* NULL: not stated */
    int m, n, receivers;
    double rate;
    const char *rate_unit, *type, *unit; /* NULL: not stated */
    double position[HEAD_M][3];
    double ir[HEAD_M][2][HEAD_N];
    double delay[HEAD_M * 2];
    int delays; /* values of Data.Delay */
    double receiver[2][3], view[HEAD_M][3];
    int views;
    const char *leave_out; /* a variable */
} sofa_head;

static inline double head_value(const double *position, int ear, double n) {
    double y = sin(position[0] * acos(-1) / 180) * cos(position[1] * acos(-1) / 180);
    double t = n - 20 - (ear ? 10 : -10) * y;
    return (1 + (ear ? -0.5 : 0.5) * y) * (exp(-t * t / 3) - 0.4 * exp(-pow(t - 6, 2) / 5));
}

static inline void make_head(sofa_head *h) {
    static const sofa_head plain = {.convention = "SimpleFreeFieldHRIR",
                                    .m = HEAD_M,
                                    .n = HEAD_N,
                                    .receivers = 2,
                                    .rate = HEAD_RATE,
                                    .rate_unit = "hertz",
                                    .type = "spherical",
                                    .unit = "degree, degree, metre",
                                    .delays = 2,
                                    .views = 1};
    *h = plain;
    h->receiver[0][1] = 0.09;
    h->receiver[1][1] = -0.09;
    for (int i = 0; i < HEAD_M; ++i) {
        h->position[i][0] = i < 24 ? i % 8 * 45.0 : 0;
        h->position[i][1] = i < 24 ? (i / 8 - 1) * 45.0 : i == 24 ? 90 : -90;
        h->position[i][2] = 1.5;
        h->view[i][0] = 1;
        for (int ear = 0; ear < 2; ++ear)
            for (int n = 0; n < HEAD_N; ++n)
                h->ir[i][ear][n] = head_value(h->position[i], ear, n);
    }
}

static inline void put_unless(sofa_file *f, const sofa_head *h, const char *name, int rank,
                              const uint64_t *shape, const double *values, const char *const *attributes) {
    if (h->leave_out == NULL || strcmp(h->leave_out, name) != 0)
        sofa_variable(f, name, rank, shape, values, attributes);
}

/* All but the data, which the caller adds. */
static inline void write_frame(sofa_file *f, const sofa_head *h) {
    sofa_type type = f->type;
    f->type = SOFA_F64;
    sofa_text(f, "Conventions", "SOFA");
    if (h->convention != NULL)
        sofa_text(f, "SOFAConventions", h->convention);
    sofa_text(f, "SOFAConventionsVersion", "1.0");
    sofa_text(f, "DatabaseName", "test");
    sofa_text(f, "ListenerShortName", "head");
    const char *place[] = {"Type", h->type, h->unit ? "Units" : NULL, h->unit, NULL};
    const char *no_type[] = {h->unit ? "Units" : NULL, h->unit, NULL},
               *unit[] = {"Units", h->rate_unit, NULL};
    const char *cartesian[] = {"Type", "cartesian", "Units", "metre", NULL};
    uint64_t m = (uint64_t)h->m;
    put_unless(f, h, "Data.SamplingRate", 1, (uint64_t[]){1}, &h->rate, h->rate_unit ? unit : NULL);
    put_unless(f, h, "SourcePosition", 2, (uint64_t[]){m, 3}, h->position[0], h->type ? place : no_type);
    put_unless(f, h, "ReceiverPosition", 3, (uint64_t[]){2, 3, 1}, h->receiver[0], cartesian);
    put_unless(f, h, "ListenerView", 2, (uint64_t[]){(uint64_t)h->views, 3}, h->view[0], cartesian);
    put_unless(f, h, "Data.Delay", 2, (uint64_t[]){(uint64_t)h->delays / 2, 2}, h->delay, NULL);
    f->type = type;
}

/* The whole file; free(f->bytes). */
static inline void write_head(sofa_file *f, const sofa_head *h) {
    write_frame(f, h);
    size_t count = (size_t)h->m * (size_t)h->receivers * (size_t)h->n;
    double *ir = calloc(count + 1, sizeof *ir);
    for (int i = 0; i < h->m; ++i)
        for (int r = 0; r < h->receivers; ++r)
            for (int n = 0; n < h->n; ++n)
                ir[((size_t)i * (size_t)h->receivers + (size_t)r) * (size_t)h->n + (size_t)n] =
                    h->ir[i][r % 2][n];
    put_unless(f, h, "Data.IR", 3, (uint64_t[]){(uint64_t)h->m, (uint64_t)h->receivers, (uint64_t)h->n}, ir,
               NULL);
    free(ir);
    sofa_finish(f);
}

/* ---- the head as spectra */

typedef struct {
    double frequency[200], re[HEAD_M][2][200], im[HEAD_M][2][200];
    int bins;
} spectra;

/* The transform of the head by its definition, at the frequencies that are set, `shift` samples earlier; sign -1: exp(-jwt)
 * is later. */
static inline void transform_head(const sofa_head *h, spectra *s, double sign, double shift) {
    for (int i = 0; i < HEAD_M; ++i)
        for (int ear = 0; ear < 2; ++ear)
            for (int k = 0; k < s->bins; ++k) {
                double re = 0, im = 0, w = 2 * acos(-1) * s->frequency[k] / HEAD_RATE;
                for (int n = 0; n < HEAD_N; ++n) {
                    re += h->ir[i][ear][n] * cos(w * (n - shift));
                    im += sign * h->ir[i][ear][n] * sin(w * (n - shift));
                }
                s->re[i][ear][k] = re;
                s->im[i][ear][k] = im;
            }
}

static inline void write_spectra(sofa_file *f, const sofa_head *h, const spectra *s) {
    const char *unit[] = {"Units", "hertz", NULL};
    uint64_t shape[] = {HEAD_M, 2, (uint64_t)s->bins};
    double *re = calloc(HEAD_M * 2 * 200, sizeof *re), *im = calloc(HEAD_M * 2 * 200, sizeof *im);
    for (int r = 0; r < HEAD_M * 2; ++r) {
        memcpy(re + r * s->bins, s->re[r / 2][r % 2], (size_t)s->bins * sizeof *re);
        memcpy(im + r * s->bins, s->im[r / 2][r % 2], (size_t)s->bins * sizeof *im);
    }
    write_frame(f, h);
    sofa_variable(f, "N", 1, shape + 2, s->frequency, unit);
    sofa_variable(f, "Data.Real", 3, shape, re, NULL);
    sofa_variable(f, "Data.Imag", 3, shape, im, NULL);
    sofa_finish(f);
    free(re);
    free(im);
}

static inline void fill_even(spectra *s, int first, int last, double step) {
    s->bins = last - first + 1;
    for (int k = first; k <= last; ++k)
        s->frequency[k - first] = k * step;
}

#endif
