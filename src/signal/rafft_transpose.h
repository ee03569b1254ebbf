// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Transpose of V vectors of V = PN_LANES floats (4, 8 or 16): 4 x 4 within quads of lanes, then quads between vectors.
 * For templates, after rafft_lanes.h. */

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int lane_index __attribute__((vector_size(4 * PN_LANES)));
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (lane_index){__VA_ARGS__})
#endif

#define LOW_SINGLES(q) q, V + q, q + 1, V + q + 1
#define HIGH_SINGLES(q) q + 2, V + q + 2, q + 3, V + q + 3
#define LOW_PAIRS(q) q, q + 1, V + q, V + q + 1
#define HIGH_PAIRS(q) q + 2, q + 3, V + q + 2, V + q + 3
#define QUAD(q) q, q + 1, q + 2, q + 3

#if PN_LANES == 4
#define EACH_QUAD(lanes) lanes(0)
#elif PN_LANES == 8
#define EACH_QUAD(lanes) lanes(0), lanes(4)
#define EVEN_QUADS(a, b) SHUFFLE(a, b, QUAD(0), QUAD(8))
#define ODD_QUADS(a, b) SHUFFLE(a, b, QUAD(4), QUAD(12))
#else
#define EACH_QUAD(lanes) lanes(0), lanes(4), lanes(8), lanes(12)
#define EVEN_QUADS(a, b) SHUFFLE(a, b, QUAD(0), QUAD(8), QUAD(16), QUAD(24))
#define ODD_QUADS(a, b) SHUFFLE(a, b, QUAD(4), QUAD(12), QUAD(20), QUAD(28))
#endif

INLINE void transpose_in_quads(vec *r) {
    vec a = SHUFFLE(r[0], r[1], EACH_QUAD(LOW_SINGLES)), b = SHUFFLE(r[0], r[1], EACH_QUAD(HIGH_SINGLES));
    vec c = SHUFFLE(r[2], r[3], EACH_QUAD(LOW_SINGLES)), d = SHUFFLE(r[2], r[3], EACH_QUAD(HIGH_SINGLES));
    r[0] = SHUFFLE(a, c, EACH_QUAD(LOW_PAIRS));
    r[1] = SHUFFLE(a, c, EACH_QUAD(HIGH_PAIRS));
    r[2] = SHUFFLE(b, d, EACH_QUAD(LOW_PAIRS));
    r[3] = SHUFFLE(b, d, EACH_QUAD(HIGH_PAIRS));
}

/* Of the vectors r[0], r[4], .. r[V - 4], quad q of vector k becomes quad k of vector q. */
INLINE void transpose_quads(vec *r) {
#if PN_LANES == 8
    vec a = r[0], b = r[4];
    r[0] = EVEN_QUADS(a, b);
    r[4] = ODD_QUADS(a, b);
#elif PN_LANES == 16
    vec a = EVEN_QUADS(r[0], r[4]), b = ODD_QUADS(r[0], r[4]);
    vec c = EVEN_QUADS(r[8], r[12]), d = ODD_QUADS(r[8], r[12]);
    r[0] = EVEN_QUADS(a, c);
    r[4] = EVEN_QUADS(b, d);
    r[8] = ODD_QUADS(a, c);
    r[12] = ODD_QUADS(b, d);
#else
    (void)r;
#endif
}

INLINE void transpose_part(vec *r) {
#pragma GCC unroll 4
    for (int q = 0; q < V; q += 4)
        transpose_in_quads(r + q);
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q)
        transpose_quads(r + q);
}
