// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_EDIT_SUPPORT_H
#define PN_TESTS_EDIT_SUPPORT_H

#include "convolve_support.h"

#include "convolve/convolver_state.h"

/* A stream through a matrix whose entries are edited while it runs, and what has to come out: in each output that an edit
 * touches the exact convolution in double precision with the entries before fades into that with the entries after, from
 * the frame on that pn_convolver_begun tells, whatever engines the convolver has by then. */

enum { BLOCK = 32, MOST_EDITS = 1200, MOST_TAPS = 2400 };

typedef struct {
    unsigned touched; /* outputs, by bits */
    matrix after;
    size_t fade;
    int64_t at;
} edit;

/* A stream that runs through a convolver whose entries are edited. */
typedef struct {
    stream s;
    pn_convolver *convolver;
    float *taps[MOST_TAPS];
    int taps_count;
    matrix first, now;
    edit edits[MOST_EDITS];
    int count, begun; /* edits requested; begun */
    int64_t last;
    int most_parts;
    bool alone; /* no pool's threads are at work */
} edit_run;

static inline edit_run *open_run(int inputs, int outputs, size_t frames, uint64_t seed) {
    edit_run *r = pn_alloc(1, sizeof *r);
    make_stream(&r->s, inputs, outputs, frames, seed);
    r->last = -1;
    dice = seed;
    return r;
}

static inline void close_run(edit_run *r) {
    pn_convolver_free(r->convolver);
    free_stream(&r->s);
    for (int t = 0; t < r->taps_count; ++t)
        pn_free(r->taps[t]);
    pn_free(r);
}

/* A new response, whose taps stay until the end. */
static inline pinna_ir new_ir(edit_run *r, int input, int output, size_t length) {
    matrix one = {.count = 0};
    assert_true(r->taps_count < MOST_TAPS);
    add_ir(&one, input, output, length, 1000 + (uint64_t)r->taps_count);
    r->taps[r->taps_count++] = (float *)(uintptr_t)one.ir[0].taps;
    return one.ir[0];
}

static inline void start(edit_run *r, int block, pn_backend *backend, pn_pool *pool, pn_messages *messages) {
    pn_convolver_desc desc = {.inputs = r->s.inputs,
                              .outputs = r->s.outputs,
                              .block = block,
                              .irs = r->first.ir,
                              .ir_count = r->first.count,
                              .editable = true,
                              .backend = backend,
                              .pool = pool,
                              .messages = messages};
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &r->convolver, &err), &err);
    r->now = r->first;
    r->alone = pool == NULL;
}

static inline size_t find(const matrix *m, int input, int output) {
    size_t e = 0;
    while (e < m->count && (m->ir[e].input != input || m->ir[e].output != output))
        ++e;
    return e;
}

static inline matrix apply(const matrix *m, const pinna_ir *irs, size_t count) {
    matrix after = *m;
    for (size_t k = 0; k < count; ++k) {
        size_t e = find(&after, irs[k].input, irs[k].output);
        if (irs[k].taps != NULL) {
            after.ir[e] = irs[k];
            after.count += e == after.count;
        } else {
            after.ir[e] = after.ir[--after.count];
        }
    }
    return after;
}

static inline void note_edit(edit_run *r, const pinna_ir *irs, size_t count, size_t fade) {
    assert_true(r->count < MOST_EDITS);
    edit *e = &r->edits[r->count++];
    e->fade = fade;
    e->touched = 0;
    for (size_t k = 0; k < count; ++k)
        e->touched |= 1u << irs[k].output;
    e->after = r->now = apply(&r->now, irs, count);
}

static inline void request(edit_run *r, const pinna_ir *irs, size_t count, size_t fade) {
    pinna_error err = {0};
    assert_ok(pn_convolver_request_edit(r->convolver, irs, count, fade, &err), &err);
    note_edit(r, irs, count, fade);
}

static inline int pending(edit_run *r) {
    int count = -1;
    pinna_error err = {0};
    assert_ok(pn_convolver_update(r->convolver, &count, &err), &err);
    return count;
}

/* Every output is one engine's, which computes it, and of the others' none does. */
static inline int check_parts(const pn_convolver *c) {
    int parts = 0;
    for (const pn_part *part = c->parts; part != NULL; part = part->next, ++parts) {
        int outputs = 0;
        for (int o = 0; o < c->outputs; ++o) {
            assert_int_equal(pn_engine_has(part->engine, o), c->owner[o] == part);
            outputs += c->owner[o] == part;
        }
        assert_true(outputs > 0 && outputs == part->outputs);
    }
    return parts;
}

static inline void spoil(const pn_history *history) {
    for (size_t n = 0; history != NULL && n < history->floats; ++n)
        history->data[n] = NAN;
}

/* Histories that nothing should read any more. */
static inline void spoil_old_histories(const edit_run *r) {
    pn_exchange *now = r->convolver->exchange, *returned = atomic_load(&r->convolver->returned);
    if (now != NULL && !now->takes_history)
        spoil(now->history);
    if (returned != NULL && returned->done)
        spoil(returned->history);
}

static inline void go_on(edit_run *r, size_t at, size_t frames) {
    call(r->convolver, &r->s, at, frames);
    int64_t begun = pn_convolver_begun(r->convolver);
    if (begun != r->last) {
        assert_true(r->begun < r->count);
        r->edits[r->begun++].at = begun;
    }
    r->last = begun;
    if (r->alone)
        spoil_old_histories(r);
    int parts = check_parts(r->convolver);
    r->most_parts = parts > r->most_parts ? parts : r->most_parts;
}

static inline void compare(edit_run *r) {
    stream *s = &r->s;
    double *next = pn_alloc(s->frames, sizeof *next);
    size_t latency = (size_t)pn_convolver_latency(r->convolver);
    assert_int_equal(r->begun, r->count);
    convolve_exactly(s, &r->first, s->expected);
    for (int e = 0; e < r->count; ++e) {
        const edit *now = &r->edits[e];
        size_t at = (size_t)now->at;
        assert_true(e == 0 || now->at >= now[-1].at + (int64_t)now[-1].fade);
        for (int o = 0; o < s->outputs; ++o) {
            if ((now->touched >> o & 1) == 0)
                continue;
            convolve_output(s, &now->after, o, next);
            for (size_t n = at; n < s->frames; ++n) {
                double share = n - at >= now->fade ? 1 : (double)(n - at + 1) / (double)(now->fade + 1);
                s->expected[o][n] += share * (next[n] - s->expected[o][n]);
            }
        }
    }
    for (int o = 0; o < s->outputs; ++o) {
        double power = 0;
        for (size_t n = 0; n < s->frames; ++n)
            power += s->expected[o][n] * s->expected[o][n];
        if (power > 0)
            assert_below(test_error_db_f64(s->out[o] + latency, s->expected[o], s->frames - latency),
                         BOUND_DB);
        for (size_t n = 0; power <= 0 && n < s->frames; ++n)
            assert_true(s->out[o][n] == 0);
    }
    pn_free(next);
}

/* Up to three entries: exchanged, added or removed. */
static inline size_t roll_edit(edit_run *r, pinna_ir irs[3], size_t longest) {
    matrix after = r->now;
    size_t count = 0, wanted = roll(1, 3);
    for (int tries = 0; count < wanted && tries < 20; ++tries) {
        int input = (int)roll(0, (size_t)r->s.inputs - 1), output = (int)roll(0, (size_t)r->s.outputs - 1);
        bool there = find(&r->now, input, output) < r->now.count, again = false;
        for (size_t k = 0; k < count; ++k)
            again = again || (irs[k].input == input && irs[k].output == output);
        bool removes = there && after.count > 1 && roll(0, 2) == 0;
        if (again || (!there && roll(0, 3) > 0))
            continue;
        irs[count] = removes ? (pinna_ir){.input = input, .output = output}
                             : new_ir(r, input, output, roll(0, 2) == 0 ? roll(1, 40) : roll(40, longest));
        after = apply(&after, &irs[count++], 1);
    }
    return count;
}

/* Edits at any time, up to four waiting, in calls of one block or of any size. Every `growing` edits there is a response
 * longer than all before: the history changes. */
static inline void random_case(uint64_t seed, size_t calls, bool any_size, int growing, pn_pool *pool) {
    edit_run *r = open_run(4, 6, calls * BLOCK, seed);
    for (int o = 0; o < 5; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 4, o, roll(100, 5000));
    pn_backend *backend = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
    start(r, BLOCK, backend, pool, NULL);
    for (size_t at = 0; at < r->s.frames;) {
        size_t frames =
            any_size ? at == 0 ? 7 : roll(1, BLOCK) : BLOCK; /* one edit at most begins in a call */
        frames = frames < r->s.frames - at ? frames : r->s.frames - at;
        if (at < r->s.frames * 3 / 4 && roll(0, 9) == 0 && pending(r) < PN_CONVOLVER_QUEUE) {
            pinna_ir irs[3];
            size_t longest = growing > 0 && r->count % growing == growing - 1 ? 40000 : 6000;
            size_t count = roll_edit(r, irs, longest);
            if (count > 0)
                request(r, irs, count, roll(0, 2) == 0 ? 0 : roll(1, 500));
        }
        go_on(r, at, frames);
        at += frames;
        if (roll(0, 3) == 0)
            pending(r);
    }
    for (int k = 0; pending(r) > 0; ++k)
        assert_true(k < 4);
    assert_true(r->count > (int)calls / 45);
    assert_in_range(r->most_parts, 2, 4);
    compare(r);
    close_run(r);
    pn_backend_close(backend);
}

#endif
