// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spatial bank's inner loops in vectors of V = PN_LANES floats (1, 4, 8 or 16): a template as rafft_width.h is,
 * included once by a .c file that defines PN_LANES. It leaves `static const pn_blend_width blend_ops`.
 *
 * A filter is made and used in one pass: per vector of bins the weighted nodes are summed, turned by the delay's ramp,
 * multiplied by the blend of tints if there is one, and stored; with the source's spectrum the old filter, which stood
 * there, and the new one go to their sums. Nothing but nodes, spectrum, filter and sums is read or written.
 *
 * The ramp at vector v is lanes * product of turns for the bits of v (pn_rafft_ramp). The three lowest bits are
 * tabled once for a filter, GROUP vectors that stay in the nearest cache; the others make one factor for each group of
 * GROUP vectors. It is found as a binary counter counts: group g has the factor of g without its lowest bit z, which is
 * kept at above[z], times the turn of z.
 *
 * Delay lines: the places and fractions of V frames are computed side by side; then each frame's 16 taps are one, two
 * or four vectors, and V frames' partial sums are transposed and added. A delay that stands still has one set of taps
 * for the whole quantum, and runs over frames instead. */

#include "device/cpu_blend.h"
#include "signal/interpolator.h"
#include "signal/rafft_lanes.h"
#if PN_LANES > 1
#include "signal/rafft_transpose.h"
#endif

enum { TILE = 2 * V, GROUP = 8, GROUP_BITS = 3, TAPS = PN_INTERPOLATOR_TAPS };

INLINE cvec product(cvec a, cvec b) {
    return (cvec){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

INLINE cvec multiply_add(cvec sum, cvec a, cvec b) {
    sum.re = (sum.re + a.re * b.re) - a.im * b.im;
    sum.im = (sum.im + a.re * b.im) + a.im * b.re;
    return sum;
}

INLINE cvec broadcast_both(const float turn[2]) {
    return (cvec){broadcast(turn[0]), broadcast(turn[1])};
}

/* The sum of weighted spectra; count is a constant, or 0. */
INLINE cvec blended(const float *const *from, const vec *weight, int count, size_t at) {
    cvec sum = load(from[0] + at);
    sum.re *= weight[0];
    sum.im *= weight[0];
#pragma GCC unroll 6
    for (int j = 1; j < count; ++j) {
        cvec next = load(from[j] + at);
        sum.re += weight[j] * next.re;
        sum.im += weight[j] * next.im;
    }
    return sum;
}

/* What the loops over the vectors keep of a blend. */
typedef struct {
    cvec low[GROUP];
    vec weight[PN_FILTER_NODES], tint_weight[PN_FILTER_TINTS];
    const float *node[PN_FILTER_NODES], *tint[PN_FILTER_TINTS];
    float above[PN_RAFFT_TURNS][2];
} kept;

INLINE void keep(const pn_blend *blend, int nodes, int tints, kept *k) {
#pragma GCC unroll 6
    for (int j = 0; j < nodes; ++j) {
        k->node[j] = blend->node[j];
        k->weight[j] = broadcast(blend->weight[j]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < tints; ++j) {
        k->tint[j] = blend->tint[j];
        k->tint_weight[j] = broadcast(blend->tint_weight[j]);
    }
    k->low[0] = load(blend->ramp.lane);
#pragma GCC unroll 3
    for (int bit = 0; bit < GROUP_BITS; ++bit) {
        cvec turn = broadcast_both(blend->ramp.turn[bit]);
        for (int j = 0; j < 1 << bit; ++j)
            k->low[(1 << bit) + j] = product(k->low[j], turn);
    }
    for (int bit = 0; bit < PN_RAFFT_TURNS; ++bit) {
        k->above[bit][0] = 1;
        k->above[bit][1] = 0;
    }
}

/* The factor of group g; called for g = 0, 1, 2 .. in turn. */
INLINE cvec group_turn(const pn_blend *blend, size_t g, kept *k) {
    if (g == 0)
        return (cvec){broadcast(1), broadcast(0)};
    int low = __builtin_ctzll(g);
    const float *turn = blend->ramp.turn[GROUP_BITS + low], *above = k->above[low];
    const float now[2] = {above[0] * turn[0] - above[1] * turn[1], above[0] * turn[1] + above[1] * turn[0]};
    for (int bit = 0; bit < low; ++bit) {
        k->above[bit][0] = now[0];
        k->above[bit][1] = now[1];
    }
    return broadcast_both(now);
}

/* All the variants: nodes, tints and moves are constants where it is used. */
INLINE void run(const pn_blend *blend, size_t vectors, int nodes, int tints, int moves, const float *x,
                float *filter, float *old, float *new) {
    kept k;
    keep(blend, nodes, tints, &k);
    size_t at = 0;
    for (size_t g = 0; g < vectors / GROUP; ++g) {
        cvec turn = group_turn(blend, g, &k);
        for (int j = 0; j < GROUP; ++j, at += TILE) {
            cvec made = product(product(blended(k.node, k.weight, nodes, at), turn), k.low[j]);
            if (tints > 0)
                made = product(made, blended(k.tint, k.tint_weight, tints, at));
            if (moves) {
                cvec signal = load(x + at);
                store(old + at, multiply_add(load(old + at), signal, load(filter + at)));
                store(new + at, multiply_add(load(new + at), signal, made));
            }
            store(filter + at, made);
        }
    }
}

#define VARIANT(nodes, tints)                                                                                \
    static void make_##nodes##_##tints(const pn_blend *blend, size_t vectors, float *filter) {               \
        run(blend, vectors, nodes, tints, 0, NULL, filter, NULL, NULL);                                      \
    }                                                                                                        \
    static void move_##nodes##_##tints(const pn_blend *blend, size_t vectors, const float *x, float *filter, \
                                       float *old, float *new) {                                             \
        run(blend, vectors, nodes, tints, 1, x, filter, old, new);                                           \
    }
VARIANT(3, 0)
VARIANT(3, 2)
VARIANT(3, 4)
VARIANT(6, 0)
VARIANT(6, 2)
VARIANT(6, 4)

static const struct {
    void (*make)(const pn_blend *blend, size_t vectors, float *filter);
    void (*move)(const pn_blend *blend, size_t vectors, const float *x, float *filter, float *old,
                 float *new);
} variants[2][3] = {{{make_3_0, move_3_0}, {make_3_2, move_3_2}, {make_3_4, move_3_4}},
                    {{make_6_0, move_6_0}, {make_6_2, move_6_2}, {make_6_4, move_6_4}}};

static void make(const pn_blend *blend, size_t vectors, float *filter) {
    variants[blend->nodes > 3][blend->tints / 2].make(blend, vectors, filter);
}

static void move(const pn_blend *blend, size_t vectors, const float *x, float *filter, float *old,
                 float *new) {
    variants[blend->nodes > 3][blend->tints / 2].move(blend, vectors, x, filter, old, new);
}

static void bend(size_t vectors, const float *x, const float *a, const float *b, const float *c, float *sum) {
    vec half = broadcast(0.5f);
    for (size_t at = 0; at < vectors * TILE; at += TILE) {
        cvec before = load(a + at), between = load(b + at), after = load(c + at);
        between.re -= half * (before.re + after.re);
        between.im -= half * (before.im + after.im);
        store(sum + at, multiply_add(load(sum + at), load(x + at), between));
    }
}

/* ---- delay lines */

/* A place in a line: the taps' first sample, the row before the fraction, and how far it is from there to the next. */
typedef struct {
    int start, row;
    float between;
} place;

INLINE place find_place(const pn_delay_read *read, int n) {
    float u = (float)n / (float)read->quantum;
    float delay = read->c[0] + u * (read->c[1] + u * (read->c[2] + u * read->c[3]));
    delay = delay >= read->low ? delay : read->low;
    delay = delay <= read->high ? delay : read->high;
    int before = (int)-delay;
    before -= (float)before > -delay;
    float phase = (-delay - (float)before) * PN_INTERPOLATOR_PHASES;
    int row = (int)phase < PN_INTERPOLATOR_PHASES - 1 ? (int)phase : PN_INTERPOLATOR_PHASES - 1;
    int start = read->start + n + before;
    return (place){start < 0 ? start + read->length : start, row, phase - (float)row};
}

/* The delay does not change: the same taps for all frames, which stand in one piece. */
static void delay_still(const pn_delay_read *read, float *out) {
    place p = find_place(read, 0);
    const float *row = read->row + (ptrdiff_t)p.row * TAPS, *from = read->ring + p.start;
    vec tap[TAPS];
    for (int k = 0; k < TAPS; ++k)
        tap[k] = broadcast(row[k] + p.between * (row[k + TAPS] - row[k]));
    for (int n = 0; n < read->quantum; n += V, from += V) {
        vec even = broadcast(0), odd = broadcast(0);
#pragma GCC unroll 16
        for (int k = 0; k < TAPS; k += 2) {
            even += tap[k] * *(const vec_anywhere *)(from + k);
            odd += tap[k + 1] * *(const vec_anywhere *)(from + k + 1);
        }
        *(vec_anywhere *)(out + n) = even + odd;
    }
}

#if PN_LANES == 1
static void delay_moving(const pn_delay_read *read, float *out) {
    for (int n = 0; n < read->quantum; ++n) {
        place p = find_place(read, n);
        const float *row = read->row + (ptrdiff_t)p.row * TAPS, *from = read->ring + p.start;
        float sum = 0;
        for (int k = 0; k < TAPS; ++k)
            sum += (row[k] + p.between * (row[k + TAPS] - row[k])) * from[k];
        out[n] = sum;
    }
}
#else
typedef int ivec __attribute__((vector_size(4 * PN_LANES)));

/* Of V frames. */
typedef struct {
    int start[V], row[V];
    float between[V];
} places;

/* mask: -1 or 0 in every lane. */
INLINE vec choose(ivec mask, vec yes, vec no) {
    return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
}

INLINE void find_places(const pn_delay_read *read, ivec n, places *p) {
    vec u = __builtin_convertvector(n, vec) * broadcast(1.0f / (float)read->quantum);
    vec c0 = broadcast(read->c[0]), c1 = broadcast(read->c[1]), c2 = broadcast(read->c[2]),
        c3 = broadcast(read->c[3]), low = broadcast(read->low), high = broadcast(read->high);
    vec delay = c0 + u * (c1 + u * (c2 + u * c3));
    delay = choose(delay >= low, delay, low);
    vec time = -choose(delay <= high, delay, high);
    ivec before = __builtin_convertvector(time, ivec);
    before += __builtin_convertvector(before, vec) > time;
    vec phase = (time - __builtin_convertvector(before, vec)) * broadcast(PN_INTERPOLATOR_PHASES);
    ivec row = __builtin_convertvector(phase, ivec);
    row += row >= PN_INTERPOLATOR_PHASES; /* a fraction that was rounded to 1 */
    ivec start = n + before + read->start;
    *(ivec *)p->start = start + ((start < 0) & read->length);
    *(ivec *)p->row = row;
    *(vec *)p->between = phase - __builtin_convertvector(row, vec);
}

static void delay_moving(const pn_delay_read *read, float *out) {
    ivec n;
    for (int l = 0; l < V; ++l)
        n[l] = l;
    for (int at = 0; at < read->quantum; at += V, n += V) {
        places p __attribute__((aligned(4 * PN_LANES)));
        find_places(read, n, &p);
        vec part[V];
#pragma GCC unroll 16
        for (int l = 0; l < V; ++l) {
            const float *row = read->row + (ptrdiff_t)p.row[l] * TAPS, *from = read->ring + p.start[l];
            vec here = broadcast(0), next = broadcast(0);
#pragma GCC unroll 4
            for (int k = 0; k < TAPS; k += V) {
                vec x = *(const vec_anywhere *)(from + k);
                here += *(const vec *)(row + k) * x;
                next += *(const vec *)(row + TAPS + k) * x;
            }
            part[l] = here + broadcast(p.between[l]) * (next - here);
        }
        transpose_part(part);
#pragma GCC unroll 4
        for (int width = V / 2; width > 0; width /= 2)
#pragma GCC unroll 8
            for (int l = 0; l < width; ++l)
                part[l] += part[l + width];
        *(vec_anywhere *)(out + at) = part[0];
    }
}
#endif

static void delay(const pn_delay_read *read, float *out) {
    if (read->c[1] == 0 && read->c[2] == 0 && read->c[3] == 0)
        delay_still(read, out);
    else
        delay_moving(read, out);
}

static const pn_blend_width blend_ops = {
    .lanes = V, .make = make, .move = move, .bend = bend, .delay = delay};
