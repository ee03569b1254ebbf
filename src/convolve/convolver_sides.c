// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve/convolver_sides.h"

#include <string.h>

#include "base/memory.h"

enum { NOBODY = -1, FIRST = 0 };

typedef struct {
    int outputs; /* left; 0: the place is free */
    double bytes;
} side;

struct pn_sides {
    int outputs;
    int *of;  /* [output]: its side, or NOBODY */
    int made; /* outputs that the first was made with */
    side side[PN_SIDES];
};

pinna_status pn_sides_create(int outputs, pn_sides **out, pinna_error *err) {
    *out = NULL;
    pn_sides *sides = pn_alloc(1, sizeof *sides);
    int *of = pn_alloc((size_t)outputs, sizeof *of);
    if (sides == NULL || of == NULL) {
        pn_free(sides);
        pn_free(of);
        return pn_fail_memory(err, "the convolver's outputs", (double)outputs * sizeof *of);
    }
    memset(of, NOBODY, (size_t)outputs * sizeof *of);
    sides->outputs = outputs;
    sides->of = of;
    *out = sides;
    return PINNA_OK;
}

void pn_sides_free(pn_sides *sides) {
    if (sides != NULL)
        pn_free(sides->of);
    pn_free(sides);
}

/* What each has beyond the chosen; returns how many are chosen. */
static int count_left(const pn_sides *s, const bool *chosen, int left[PN_SIDES]) {
    int count = 0;
    memset(left, 0, PN_SIDES * sizeof *left);
    for (int o = 0; o < s->outputs; ++o) {
        if (chosen[o])
            ++count;
        else if (s->of[o] != NOBODY)
            ++left[s->of[o]];
    }
    return count;
}

bool pn_sides_choose(const pn_sides *s, bool *chosen) {
    int left[PN_SIDES], count = count_left(s, chosen, left), others = 0, taken = 0;
    bool takes[PN_SIDES] = {false};
    for (int k = FIRST + 1; k < PN_SIDES; ++k) {
        if (left[k] == 0 || left[k] >= 2 * count)
            continue;
        takes[k] = true;
        count += left[k];
        left[k] = 0;
        k = FIRST; /* what is larger now may take in what stood before */
    }
    for (int k = FIRST + 1; k < PN_SIDES; ++k) {
        others += left[k];
        taken += left[k] > 0;
    }
    bool all = count + others > left[FIRST] || 2 * left[FIRST] < s->made || taken == PN_SIDES - 1;
    for (int o = 0; o < s->outputs; ++o)
        chosen[o] = all || chosen[o] || (s->of[o] != NOBODY && takes[s->of[o]]);
    return all;
}

void pn_sides_commit(pn_sides *s, const bool *chosen, const bool *has, double bytes) {
    if (chosen == NULL)
        memset(s->side, 0, sizeof s->side);
    int place = FIRST;
    for (int o = 0; chosen != NULL && o < s->outputs; ++o)
        if (chosen[o] && s->of[o] != NOBODY)
            --s->side[s->of[o]].outputs;
    while (chosen != NULL && s->side[place].outputs > 0)
        ++place;
    s->side[place] = (side){0, bytes};
    for (int o = 0; o < s->outputs; ++o) {
        if (chosen != NULL && !chosen[o])
            continue;
        s->of[o] = has[o] ? place : NOBODY;
        s->side[place].outputs += has[o];
    }
    if (chosen == NULL)
        s->made = s->side[FIRST].outputs;
}

int pn_sides_count(const pn_sides *s) {
    int count = 0;
    for (int k = 0; k < PN_SIDES; ++k)
        count += s->side[k].outputs > 0;
    return count;
}

double pn_sides_bytes(const pn_sides *s) {
    double bytes = 0;
    for (int k = 0; k < PN_SIDES; ++k)
        bytes += s->side[k].outputs > 0 ? s->side[k].bytes : 0;
    return bytes;
}
