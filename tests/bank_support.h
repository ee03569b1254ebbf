// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_BANK_SUPPORT_H
#define PN_TESTS_BANK_SUPPORT_H

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "device/ops.h"
#include "support.h"

/* A made-up scene for a spatial bank, with everything that its sources can do, and what the definition makes of it. */

enum {
    TEST_BANK_EARS = 1, /* other nodes for the other ear */
    TEST_BANK_SIX = 2,  /* up to six nodes */
    TEST_BANK_TINTS = 4,
    TEST_BANK_STEPS = 8, /* 2 and 4 of them */
    TEST_BANK_PROPAGATION = 16
};

typedef struct {
    int size, quantum, sources, taps, max_delay, quanta;
    unsigned features;
} test_bank_shape;

typedef struct {
    test_bank_shape shape;
    pn_bank_desc desc;
    float *memory, *tints;
    float *signal; /* [source][row], silence first */
    float *heard;  /* the same, by propagation: signal without */
    size_t lead, row;
    pn_bank_source *sources; /* of the quantum `at` */
    int at;
    uint64_t dice;
} test_bank;

static inline double test_bank_dice(test_bank *b) { /* 0 .. 1 */
    return 0.5 + 0.5 * test_noise(&b->dice);
}

static inline int test_bank_pick(test_bank *b, int count) {
    return (int)(test_bank_dice(b) * 0.9999 * count);
}

static inline void test_bank_open(test_bank *b, test_bank_shape shape) {
    enum { NODES = 7, TINTS = 5, TINT_TAPS = 6 };
    memset(b, 0, sizeof *b);
    b->shape = shape;
    b->dice = 99 + shape.features;
    b->desc = (pn_bank_desc){.size = shape.size,
                             .quantum = shape.quantum,
                             .sources = shape.sources,
                             .nodes = NODES,
                             .taps = shape.taps,
                             .max_delay = shape.max_delay};
    size_t taps = 2 * (size_t)NODES * (size_t)shape.taps;
    b->memory = pn_alloc_floats(taps);
    b->tints = pn_alloc_floats(TINTS * TINT_TAPS);
    test_fill_noise(b->memory, taps, 1, 1);
    test_fill_noise(b->tints, TINTS * TINT_TAPS, 2, 1);
    b->desc.responses = b->memory;
    if (shape.features & TEST_BANK_TINTS) {
        b->desc.tints = TINTS;
        b->desc.tint_taps = TINT_TAPS;
        b->desc.tint_responses = b->tints;
    }
    if (shape.features & TEST_BANK_PROPAGATION)
        b->desc.propagation = 3 * shape.quantum + 13;
    b->lead = (size_t)(shape.size + b->desc.propagation + 16);
    b->row = b->lead + (size_t)shape.quantum * (size_t)shape.quanta;
    b->signal = pn_alloc_floats((size_t)shape.sources * b->row);
    b->heard = pn_alloc_floats((size_t)shape.sources * b->row);
    b->sources = pn_alloc((size_t)shape.sources, sizeof *b->sources);
    for (int s = 0; s < shape.sources; ++s)
        test_fill_noise(b->signal + (size_t)s * b->row + b->lead, b->row - b->lead, 7 + (uint64_t)s, 0.1);
    b->at = -1;
}

static inline void test_bank_close(test_bank *b) {
    pn_free(b->memory);
    pn_free(b->tints);
    pn_free(b->signal);
    pn_free(b->heard);
    pn_free(b->sources);
}

static inline pn_filter test_bank_filter(test_bank *b) {
    pn_filter filter;
    memset(&filter, 0, sizeof filter);
    unsigned features = b->shape.features;
    int nodes = features & TEST_BANK_SIX ? 1 + test_bank_pick(b, PN_FILTER_NODES) : 3;
    int tints = features & TEST_BANK_TINTS ? test_bank_pick(b, PN_FILTER_TINTS + 1) : 0;
    for (int ear = 0; ear < 2; ++ear) {
        for (int j = 0; j < nodes; ++j) {
            bool same = ear == 1 && !(features & TEST_BANK_EARS);
            filter.node[ear][j] = same ? filter.node[0][j] : test_bank_pick(b, b->desc.nodes);
            filter.weight[ear][j] = same ? filter.weight[0][j] : (float)(2 * test_bank_dice(b) - 1);
        }
        for (int j = 0; j < tints; ++j) {
            filter.tint[ear][j] = test_bank_pick(b, b->desc.tints);
            filter.tint_weight[ear][j] = (float)(2 * test_bank_dice(b) - 1);
        }
        filter.delay[ear] = (float)(test_bank_dice(b) * b->desc.max_delay);
        if (features & TEST_BANK_EARS)
            nodes = 1 + test_bank_pick(b, nodes);
    }
    return filter;
}

/* Still, moving, at both ends, whole, and beyond what is allowed. */
static inline pn_propagation test_bank_propagation(test_bank *b, int s) {
    int longest = b->desc.propagation;
    switch (s % 8) {
    case 0:
        return (pn_propagation){PN_PROPAGATION_SHORTEST, {0}};
    case 1:
        return (pn_propagation){longest, {0}};
    case 2:
        return (pn_propagation){b->shape.quantum, {0.3f, 0, 0, 0}};
    case 3:
        return (pn_propagation){b->at == 4 ? -7000 : 11, {0.5f, b->at == 5 ? NAN : 3, 0, 0}};
    case 4:
        return (pn_propagation){b->at % 4 == 3 ? longest + 100000 : longest, {-0.25f, -20, 0, 0}};
    case 5: /* faster than sound, there and back */
        return (pn_propagation){20, {0, (float)longest - 40, 0, 40 - (float)longest}};
    default:
        return (pn_propagation){9 + test_bank_pick(b, longest - 60),
                                {(float)test_bank_dice(b), (float)(40 * test_bank_dice(b)),
                                 (float)(10 * test_bank_dice(b)), (float)(-8 * test_bank_dice(b))}};
    }
}

/* The next quantum's sources: they move, stand still, jump, fade out and come back; every third falls silent for longer
 * than it is remembered, every seventh never sounds. history[s]: what the definition reads of each. */
static inline void test_bank_next(test_bank *b, const float **history) {
    size_t quantum = (size_t)b->shape.quantum;
    ++b->at;
    for (int s = 0; s < b->shape.sources; ++s) {
        pn_bank_source *source = &b->sources[s];
        size_t place = (size_t)s * b->row + b->lead + (size_t)b->at * quantum;
        float *in = b->signal + place, *heard = b->heard + place;
        bool silent =
            s % 7 == 6 || (s % 3 == 0 && b->at >= b->shape.quanta / 8 && b->at < b->shape.quanta * 7 / 8);
        if (silent)
            memset(in, 0, quantum * sizeof *in);
        source->in = silent ? NULL : in;
        if (b->at == 0)
            source->to = test_bank_filter(b);
        source->from = test_bank_dice(b) > 0.9 ? test_bank_filter(b) : source->to;
        bool stays = test_bank_dice(b) < 0.4 || b->at % 5 == 4;
        source->to = stays ? source->from : test_bank_filter(b);
        source->steps =
            b->shape.features & TEST_BANK_STEPS ? 1 << test_bank_pick(b, 3) : test_bank_pick(b, 2);
        for (int k = 0; k < PN_BANK_INNER; ++k)
            source->inner[k] = stays && test_bank_dice(b) < 0.7 ? source->from : test_bank_filter(b);
        if (b->at % 5 == 3 && s % 2 == 0)
            memset(source->to.weight, 0, sizeof source->to.weight);
        if (b->desc.propagation > 0) {
            double delayed[256];
            source->propagation = test_bank_propagation(b, s);
            pn_ops_propagate(&b->desc, &source->propagation, in, delayed);
            for (size_t n = 0; n < quantum; ++n)
                heard[n] = (float)delayed[n];
        } else {
            memcpy(heard, in, quantum * sizeof *heard);
        }
        if (history != NULL)
            history[s] = heard + quantum - b->shape.size;
    }
}

/* Runs all of it through a back end, the first `fed` quanta by bank_feed. Returns the error of every third quantum
 * (the definition is slow); out, if not NULL, gets [ear][quanta][quantum]. */
static inline double test_bank_run(test_bank_shape shape, pn_backend *on, int fed, bool compare, float *out) {
    enum { MOST = 64, LONGEST = 256 };
    test_bank b;
    pinna_error err = {0};
    pn_bank *bank = NULL;
    test_bank_open(&b, shape);
    assert_ok(on->ops->bank_create(on, &b.desc, &bank, &err), &err);
    double error = 0, power = 0;
    for (int q = 0; q < shape.quanta; ++q) {
        const float *history[MOST];
        float got[2][LONGEST];
        double expected[2][LONGEST];
        test_bank_next(&b, history);
        if (q < fed) {
            assert_ok(on->ops->bank_feed(bank, b.sources, &err), &err);
            continue;
        }
        long allocations = pn_memory_count();
        assert_ok(on->ops->bank_begin(bank, b.sources, &err), &err);
        assert_ok(on->ops->bank_finish(bank, got[0], got[1], &err), &err);
        assert_int_equal(pn_memory_count(), allocations);
        for (int ear = 0; ear < 2 && out != NULL; ++ear)
            memcpy(out + (ear * shape.quanta + q) * shape.quantum, got[ear],
                   (size_t)shape.quantum * sizeof *out);
        if (!compare || q % 3 == 1)
            continue;
        assert_ok(pn_ops_bank(&b.desc, b.sources, history, expected[0], expected[1], &err), &err);
        for (int n = 0; n < 2 * shape.quantum; ++n) {
            int ear = n / shape.quantum, k = n % shape.quantum;
            double off = (double)got[ear][k] - expected[ear][k];
            error += off * off;
            power += expected[ear][k] * expected[ear][k];
        }
    }
    on->ops->bank_free(bank);
    test_bank_close(&b);
    return 10 * log10((error + 1e-30) / (power + 1e-30));
}

#endif
