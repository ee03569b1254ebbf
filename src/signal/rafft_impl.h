// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SIGNAL_RAFFT_IMPL_H
#define PN_SIGNAL_RAFFT_IMPL_H

#include "signal/rafft.h"

/* The inside of the right-angle transform: what rafft.c plans and the widths compute. Only they, and the
 * tests of a width, include this.
 *
 * e(x) = exp(2 pi i x). The transform is a walk down a tree. A node of depth d and index b holds the residue
 * of z(t) modulo t^m - e(theta), m = M / 2^d. With w = e(theta / 2), t^m - w^2 = (t^(m/2) - w)(t^(m/2) + w):
 * the two halves (a, c) of the residue become (a + w c) in the child 2b and (a - w c) in the child 2b + 1,
 * whose angles are theta / 2 and theta / 2 + 1/2. The root has theta = 1/4; a leaf of one point, b, is the
 * value of z at t = e(theta_b), theta_b = (1/4 + reverse(b)) / M with the log2 M bits of b reversed. Nothing
 * is ever reordered. The inverse is the transpose of every butterfly with conjugate twiddles, leaves first.
 *
 * A pass of radix R takes R = 2^k levels of the tree at once. The last levels are the leaf blocks: V * V
 * points in registers (V lanes), radix V across the vectors, a V x V transpose of the re and of the im parts,
 * and radix V again with twiddles that differ by lane. Point b = V*V*g + V*l + j of the spectrum then stands
 * in vector V*g + j, lane l. With V = 1 there is no leaf block and b is the plain order. */

enum { PN_RAFFT_MIN_SIZE = 64, PN_RAFFT_MAX_SIZE = 1048576, PN_RAFFT_MAX_PASSES = 20 };

/* Twiddles of one node of radix R, complex: the first so many serve the forward butterflies, all the inverse.
 *   R = 2   e(theta/2)
 *   R = 4   e(theta/2) e(theta/4) | their product
 *   R = 8   e(theta/2) e(theta/4) e(theta/8) e(theta/8 + 1/8) | [1][2] [1][3]
 *   R = 16  e(theta/2) e(theta/4) e(theta/8) e(theta/8 + 1/8) e(theta/16 + {0, 1/8, 1/16, 3/16})
 *           | [0][1] [2][4] [2][5] [3][6] [3][7] */
enum { PN_TWIDDLES_2 = 1, PN_TWIDDLES_4 = 3, PN_TWIDDLES_8 = 6, PN_TWIDDLES_16 = 13 };

/* One pass: twiddle[node][PN_TWIDDLES_radix][re, im]. */
typedef struct {
    int radix;
    float *twiddle;
} pn_rafft_pass;

typedef struct pn_rafft_width pn_rafft_width;

struct pn_rafft {
    const pn_rafft_width *width;
    int size; /* N */
    int half; /* M */
    int bits; /* log2 M */
    int passes;
    pn_rafft_pass pass[PN_RAFFT_MAX_PASSES]; /* above the leaf blocks, root first */
    float *leaf_first;                       /* [g][PN_TWIDDLES_V][re, im] */
    float *leaf_second;                      /* [g][PN_TWIDDLES_V][V re, V im], a lane a node */
    float *tables;                           /* the memory of all of the above */
};

/* One width of the arithmetic. Arguments as in rafft.h, except that im of forward and re of inverse are as
 * said here. */
struct pn_rafft_width {
    int lanes; /* V: 1, 4, 8 or 16; takes M >= V * V */
    void (*forward)(const pn_rafft *fft, const float *re, const float *im, float *spectrum); /* im not NULL */
    void (*inverse)(const pn_rafft *fft, const float *spectrum, float *re, float *im, float *scratch);
    /* In pieces, all optional arguments given; pieces first .. end - 1 of a part. */
    int (*part_pieces)(const pn_rafft *fft);
    void (*forward_top)(const pn_rafft *fft, const float *re, const float *im, float *work, size_t stride,
                        size_t first, size_t count);
    void (*forward_part)(const pn_rafft *fft, int part, float *data, int first, int end);
    void (*inverse_part)(const pn_rafft *fft, int part, float *data, int first, int end);
    void (*inverse_top)(const pn_rafft *fft, const float *work, size_t stride, float *im, size_t first,
                        size_t count);
    void (*multiply_add)(const pn_rafft *fft, float *sum, const float *a, const float *b);
};

/* The widths; NULL where this build has none for its processor. */
extern const pn_rafft_width *const pn_rafft_plain;
extern const pn_rafft_width *const pn_rafft_v4;
extern const pn_rafft_width *const pn_rafft_v8;
extern const pn_rafft_width *const pn_rafft_v16;

/* As pn_rafft_create, for one width; size / 2 >= lanes * lanes. */
pinna_status pn_rafft_create_width(int size, const pn_rafft_width *width, pn_rafft **fft, pinna_error *err);

/* Twiddles and passes of a transform whose width, size, half and bits are set (rafft_tables.c). */
pinna_status pn_rafft_make_tables(pn_rafft *fft, pinna_error *err);

#endif
