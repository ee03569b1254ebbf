// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "convolve/convolver_state.h"

/* Edits of some entries of a running matrix. Each exchanges the outputs it touches: the exact convolution in double
 * precision with the entries before fades into that with the entries after, from the frame on that pn_convolver_begun
 * tells, whatever engines the convolver has by then. */

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
} run;

static run *open_run(int inputs, int outputs, size_t frames, uint64_t seed) {
    run *r = pn_alloc(1, sizeof *r);
    make_stream(&r->s, inputs, outputs, frames, seed);
    r->last = -1;
    dice = seed;
    return r;
}

static void close_run(run *r) {
    pn_convolver_free(r->convolver);
    free_stream(&r->s);
    for (int t = 0; t < r->taps_count; ++t)
        pn_free(r->taps[t]);
    pn_free(r);
}

/* A new response, whose taps stay until the end. */
static pinna_ir new_ir(run *r, int input, int output, size_t length) {
    matrix one = {.count = 0};
    assert_true(r->taps_count < MOST_TAPS);
    add_ir(&one, input, output, length, 1000 + (uint64_t)r->taps_count);
    r->taps[r->taps_count++] = (float *)(uintptr_t)one.ir[0].taps;
    return one.ir[0];
}

static void start(run *r, int block, pn_backend *backend, pn_pool *pool, pn_messages *messages) {
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
}

static size_t find(const matrix *m, int input, int output) {
    size_t e = 0;
    while (e < m->count && (m->ir[e].input != input || m->ir[e].output != output))
        ++e;
    return e;
}

static matrix apply(const matrix *m, const pinna_ir *irs, size_t count) {
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

static void note_edit(run *r, const pinna_ir *irs, size_t count, size_t fade) {
    assert_true(r->count < MOST_EDITS);
    edit *e = &r->edits[r->count++];
    e->fade = fade;
    e->touched = 0;
    for (size_t k = 0; k < count; ++k)
        e->touched |= 1u << irs[k].output;
    e->after = r->now = apply(&r->now, irs, count);
}

static void request(run *r, const pinna_ir *irs, size_t count, size_t fade) {
    pinna_error err = {0};
    assert_ok(pn_convolver_request_edit(r->convolver, irs, count, fade, &err), &err);
    note_edit(r, irs, count, fade);
}

static int pending(run *r) {
    int count = -1;
    pinna_error err = {0};
    assert_ok(pn_convolver_update(r->convolver, &count, &err), &err);
    return count;
}

/* Every output is one engine's, which computes it, and of the others' none does. */
static int check_parts(const pn_convolver *c) {
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

static void go_on(run *r, size_t at, size_t frames) {
    call(r->convolver, &r->s, at, frames);
    int64_t begun = pn_convolver_begun(r->convolver);
    if (begun != r->last) {
        assert_true(r->begun < r->count);
        r->edits[r->begun++].at = begun;
    }
    r->last = begun;
    int parts = check_parts(r->convolver);
    r->most_parts = parts > r->most_parts ? parts : r->most_parts;
}

/* One output of m, exactly. */
static void convolve_output(const stream *s, const matrix *m, int output, double *out) {
    memset(out, 0, s->frames * sizeof *out);
    for (size_t e = 0; e < m->count; ++e) {
        const pinna_ir *ir = &m->ir[e];
        if (ir->output != output)
            continue;
        double *part = pn_alloc(s->frames + ir->length, sizeof *part);
        pinna_error err = {0};
        assert_ok(pn_fft_convolve(s->in[ir->input], s->frames, ir->taps, ir->length, part, &err), &err);
        for (size_t n = 0; n < s->frames; ++n)
            out[n] += part[n];
        pn_free(part);
    }
}

static void compare(run *r) {
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

/* ------------------------------------------------------------------ phases */

/* As for swaps: a period of at most 32 calls, every edit one phase later than the last. */
static void an_edit_at_every_phase_of_every_level_is_exact(void **state) {
    (void)state;
    enum { PERIOD = 32, STEP = PERIOD + 1, EDITS = PERIOD, CALLS = STEP * (EDITS + 1) };
    run *r = open_run(2, 4, (size_t)CALLS * BLOCK, 5);
    for (int o = 0; o < 4; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 20000);
    start(r, BLOCK, cpu, NULL, NULL);
    const pn_plan *plan = pn_convolver_plan(r->convolver);
    assert_true(plan->levels >= 2 && PERIOD * BLOCK % plan->level[plan->levels - 1].block == 0);
    for (int k = 0; k < CALLS; ++k) {
        if (k % STEP == STEP - 1 && r->count < EDITS) {
            int e = r->count;
            assert_int_equal(pending(r), 0);
            pinna_ir ir = new_ir(r, e % 2, (e * 5 / 2) % 4, e % 3 == 0 ? 9000 : 20000);
            request(r, &ir, 1, e % 5 == 4 ? 0 : (size_t)(e * 25));
        }
        go_on(r, (size_t)k * BLOCK, BLOCK);
    }
    assert_int_equal(r->count, EDITS);
    assert_in_range(r->most_parts, 2, 3);
    compare(r);
    close_run(r);
}

/* ------------------------------------------------------------------ runs of edits */

/* Up to three entries: exchanged, added or removed. */
static size_t roll_edit(run *r, pinna_ir irs[3], size_t longest) {
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
static void random_case(uint64_t seed, bool any_size, int growing, pn_pool *pool) {
    enum { CALLS = 900 };
    run *r = open_run(4, 6, (size_t)CALLS * BLOCK, seed);
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
    assert_true(r->count > 20);
    assert_in_range(r->most_parts, 2, 4);
    compare(r);
    close_run(r);
    pn_backend_close(backend);
}

static void any_run_of_edits_is_exact(void **state) {
    (void)state;
    for (uint64_t seed = 11; seed < 14; ++seed)
        random_case(seed, false, 0, NULL);
}

static void any_run_of_edits_is_exact_in_calls_of_any_size(void **state) {
    (void)state;
    random_case(21, true, 0, NULL);
}

static void any_run_of_edits_is_exact_while_the_history_grows(void **state) {
    (void)state;
    random_case(31, false, 3, NULL);
}

static void any_run_of_edits_is_exact_with_a_pool(void **state) {
    (void)state;
    pn_pool *pool = NULL;
    pinna_error err = {0};
    assert_ok(pn_pool_create(2, &pool, &err), &err);
    random_case(41, false, 4, pool);
    pn_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_at_every_phase_of_every_level_is_exact),
        cmocka_unit_test(any_run_of_edits_is_exact),
        cmocka_unit_test(any_run_of_edits_is_exact_in_calls_of_any_size),
        cmocka_unit_test(any_run_of_edits_is_exact_while_the_history_grows),
        cmocka_unit_test(any_run_of_edits_is_exact_with_a_pool),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
