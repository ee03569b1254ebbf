// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Vectors of V = PN_LANES floats (1, 4, 8 or 16) and complex vectors as spectra have them, [V re][V im]: what the
 * templates of the transform and of the sums of products share. Included once by a .c file that defines PN_LANES,
 * hence without a guard of its own. */

enum { V = PN_LANES };

#define INLINE static inline __attribute__((always_inline))

#if PN_LANES == 1
typedef float vec;
typedef float vec_anywhere;
#else
typedef float vec __attribute__((vector_size(4 * PN_LANES), may_alias));
typedef float vec_anywhere __attribute__((vector_size(4 * PN_LANES), aligned(4), may_alias));
#endif

typedef struct {
    vec re, im;
} cvec;

INLINE vec broadcast(float x) {
    return x - (vec){0};
}

INLINE cvec load(const float *from) {
    return (cvec){*(const vec *)from, *(const vec *)(from + V)};
}

INLINE void store(float *to, cvec x) {
    *(vec *)to = x.re;
    *(vec *)(to + V) = x.im;
}
