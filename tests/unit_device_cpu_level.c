// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Levels on the CPU against their definition in double precision: every kind of SIMD, counts of partitions around
 * the multiples of four that one sweep takes, matrices that fall into components, shares of any size; and what
 * must give the same bits: threads, reset, feeding, borrowing. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu_level.h"
#include "device/ops.h"
#include "signal/fft.h"

enum { MOST_ENTRIES = 8, MOST_CHANNELS = 5, DEFINED_BLOCK = 1024 };

typedef struct {
    pn_level_desc desc;
    pn_level_entry entry[MOST_ENTRIES];
    size_t frames;
    float *taps[MOST_ENTRIES];
    float *in[MOST_CHANNELS]; /* a block of silence, then frames */
    float *out[MOST_CHANNELS];
    pn_pool *pool;
    pn_backend *backend;
    pn_level *level;
} bench;

static void add_entry(bench *b, int input, int output, size_t length) {
    int e = b->desc.entries++;
    b->taps[e] = pn_alloc_floats(length);
    test_fill_noise(b->taps[e], length, 50 + (uint64_t)e, 1);
    b->entry[e] = (pn_level_entry){input, output, b->taps[e], length};
}

static void bench_open(bench *b, int block, int inputs, int outputs, size_t blocks) {
    memset(b, 0, sizeof *b);
    b->desc = (pn_level_desc){block, inputs, outputs, NULL, 0};
    b->frames = blocks * (size_t)block;
    for (int i = 0; i < inputs; ++i) {
        b->in[i] = pn_alloc_floats(b->frames + (size_t)block);
        test_fill_noise(b->in[i] + block, b->frames, 1 + (uint64_t)i, 1);
    }
    for (int o = 0; o < outputs; ++o)
        b->out[o] = pn_alloc_floats(b->frames);
}

static void open_level(bench *b, int threads) {
    pinna_error err = {0};
    b->desc.entry = b->entry;
    assert_ok(pn_pool_create(threads, &b->pool, &err), &err);
    assert_ok(pn_backend_cpu_open(b->pool, &b->backend, &err), &err);
    assert_ok(b->backend->ops->level_create(b->backend, &b->desc, &b->level, &err), &err);
}

static void close_level(bench *b) {
    b->backend->ops->level_free(b->level);
    pn_backend_close(b->backend);
    pn_pool_free(b->pool);
}

static void bench_close(bench *b) {
    for (int c = 0; c < MOST_CHANNELS; ++c) {
        pn_free(b->in[c]);
        pn_free(b->out[c]);
    }
    for (int e = 0; e < MOST_ENTRIES; ++e)
        pn_free(b->taps[e]);
}

static const float *const *window(const bench *b, size_t at, const float *history[MOST_CHANNELS]) {
    for (int i = 0; i < b->desc.inputs; ++i)
        history[i] = b->in[i] + at;
    return history;
}

/* One job, advanced `calls` times by shares that differ. */
static void run_job(bench *b, size_t at, int calls, uint64_t *dice) {
    const pn_backend_ops *ops = b->backend->ops;
    const float *history[MOST_CHANNELS];
    float *out[MOST_CHANNELS];
    pinna_error err = {0};
    for (int o = 0; o < b->desc.outputs; ++o)
        out[o] = b->out[o] + at;
    assert_ok(ops->level_begin(b->level, window(b, at, history), &err), &err);
    for (int a = 1; a < calls; ++a) {
        int of = calls + (int)((test_noise(dice) + 1) * 20);
        ops->level_advance(b->level, a, of);
    }
    assert_ok(ops->level_finish(b->level, out, &err), &err);
}

static void run_all(bench *b, int calls) {
    uint64_t dice = 5;
    for (int o = 0; o < b->desc.outputs; ++o)
        for (size_t n = 0; n < b->frames; ++n)
            b->out[o][n] = 7;
    for (size_t at = 0; at < b->frames; at += (size_t)b->desc.block)
        run_job(b, at, calls, &dice);
}

/* The same sums by a transform in double precision: the definition takes too long for large blocks. */
static void convolve_exactly(const bench *b, const float *const *in, double *const *expected) {
    for (int o = 0; o < b->desc.outputs; ++o)
        memset(expected[o], 0, b->frames * sizeof **expected);
    for (int e = 0; e < b->desc.entries; ++e) {
        const pn_level_entry *entry = &b->entry[e];
        double *part = pn_alloc(b->frames + entry->length, sizeof *part);
        pinna_error err = {0};
        assert_ok(pn_fft_convolve(in[entry->input], b->frames, entry->taps, entry->length, part, &err), &err);
        for (size_t n = 0; n < b->frames; ++n)
            expected[entry->output][n] += part[n];
        pn_free(part);
    }
}

static void assert_exact(const bench *b) {
    const float *in[MOST_CHANNELS];
    double *expected[MOST_CHANNELS];
    for (int i = 0; i < b->desc.inputs; ++i)
        in[i] = b->in[i] + b->desc.block;
    for (int o = 0; o < b->desc.outputs; ++o)
        expected[o] = pn_alloc(b->frames, sizeof **expected);
    if (b->desc.block <= DEFINED_BLOCK)
        pn_ops_level(&b->desc, in, b->frames, expected);
    else
        convolve_exactly(b, in, expected);
    for (int o = 0; o < b->desc.outputs; ++o) {
        double power = 0;
        for (size_t n = 0; n < b->frames; ++n)
            power += expected[o][n] * expected[o][n];
        if (power > 0)
            assert_below(test_error_db_f64(b->out[o], expected[o], b->frames), -127);
        for (size_t n = 0; power <= 0 && n < b->frames; ++n)
            assert_true(b->out[o][n] == 0);
        pn_free(expected[o]);
    }
}

/* ------------------------------------------------------------------ against the definition */

static void one_entry(int block, size_t partitions, size_t blocks, int calls) {
    bench b;
    bench_open(&b, block, 1, 1, blocks);
    add_entry(&b, 0, 0, (size_t)block * partitions - 5);
    open_level(&b, 1);
    run_all(&b, calls);
    assert_exact(&b);
    close_level(&b);
    bench_close(&b);
}

static void any_number_of_partitions(void **state) {
    (void)state;
    pn_simd list[4];
    int count = pn_simd_available(list);
    for (int k = 0; k < count; ++k) {
        setenv("PINNA_SIMD", pn_simd_name(list[k]), 1);
        for (size_t partitions = 1; partitions <= 9; ++partitions) {
            one_entry(32, partitions, 2 * partitions + 9, (int)partitions);
            one_entry(128, partitions, partitions + 6, 3);
        }
        for (size_t partitions = 31; partitions <= 33; ++partitions)
            one_entry(32, partitions, 75, 2);
        one_entry(1024, 3, 5, 11);  /* in parts, one result per read */
        one_entry(1024, 7, 10, 64); /* in parts, sweeps */
        one_entry(4096, 6, 7, 33);
    }
    unsetenv("PINNA_SIMD");
}

/* Components {0, 1 -> 0, 3} and {3 -> 4}, input 2 and outputs 1 and 2 without any; two entries of one pair. */
static void make_matrix(bench *b, int block, size_t longest, size_t blocks) {
    bench_open(b, block, 4, 5, blocks);
    size_t frames = (size_t)block;
    add_entry(b, 3, 4, frames * longest);
    add_entry(b, 1, 0, frames * 2 + 1);
    add_entry(b, 0, 0, frames * longest - 7);
    add_entry(b, 0, 3, 3);
    add_entry(b, 1, 3, frames * 5);
    add_entry(b, 1, 3, frames * 4);
}

static void matrices_of_components(void **state) {
    (void)state;
    for (size_t longest = 5; longest <= 9; longest += 4)
        for (int block = 64; block <= 1024; block *= 16) {
            bench b;
            make_matrix(&b, block, longest, 16);
            open_level(&b, 1);
            run_all(&b, 9);
            assert_exact(&b);
            close_level(&b);
            bench_close(&b);
        }
}

/* ------------------------------------------------------------------ the same bits */

static float *copy_out(const bench *b) {
    float *copy = pn_alloc_floats((size_t)b->desc.outputs * b->frames);
    for (int o = 0; o < b->desc.outputs; ++o)
        memcpy(copy + (size_t)o * b->frames, b->out[o], b->frames * sizeof *copy);
    return copy;
}

static void assert_same(const bench *b, const float *copy) {
    for (int o = 0; o < b->desc.outputs; ++o)
        assert_memory_equal(b->out[o], copy + (size_t)o * b->frames, b->frames * sizeof *copy);
}

/* Large enough for the pool: whole jobs at once, and shares within one part. */
static void threads_change_no_bit(void **state) {
    (void)state;
    static const int calls[] = {1, 3, 40};
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; ++c) {
        bench b;
        make_matrix(&b, 8192, 8, 10);
        open_level(&b, 1);
        run_all(&b, 1);
        float *alone = copy_out(&b);
        close_level(&b);
        for (int threads = 2; threads <= 3; ++threads) {
            open_level(&b, threads);
            run_all(&b, calls[c]);
            assert_same(&b, alone);
            close_level(&b);
        }
        pn_free(alone);
        bench_close(&b);
    }
}

/* Channels that share nothing, whole channels a thread where there are as many as threads, and one component: jobs that
 * are with the pool, fed, left unfinished and reset. */
static void jobs_with_a_pool_change_no_bit(void **state) {
    (void)state;
    enum { BLOCK = 8192 };
    for (int diagonal = 0; diagonal < 2; ++diagonal) {
        bench b;
        bench_open(&b, BLOCK, 4, 4, 7);
        for (int c = 0; c < 4; ++c)
            add_entry(&b, c, diagonal ? c : 0, (size_t)(2 * c + 2) * BLOCK - 100);
        open_level(&b, 1);
        run_all(&b, 1);
        assert_exact(&b);
        float *alone = copy_out(&b);
        close_level(&b);
        for (int threads = 2; threads <= 3; ++threads) {
            const float *history[MOST_CHANNELS];
            uint64_t dice = 3;
            open_level(&b, threads);
            for (size_t k = 0; k < 3; ++k)
                assert_int_equal(b.backend->ops->level_feed(b.level, window(&b, k * BLOCK, history), NULL),
                                 PINNA_OK);
            for (size_t k = 3; k < 5; ++k)
                run_job(&b, k * BLOCK, 5, &dice);
            for (int o = 0; o < 4; ++o)
                assert_memory_equal(b.out[o] + (size_t)3 * BLOCK,
                                    alone + (size_t)o * b.frames + (size_t)3 * BLOCK,
                                    (size_t)2 * BLOCK * sizeof *alone);
            assert_int_equal(b.backend->ops->level_begin(b.level, window(&b, 0, history), NULL), PINNA_OK);
            b.backend->ops->level_advance(b.level, 1, 3);
            b.backend->ops->level_reset(b.level);
            run_all(&b, 4);
            assert_same(&b, alone);
            assert_int_equal(b.backend->ops->level_begin(b.level, window(&b, 0, history), NULL), PINNA_OK);
            close_level(&b);
        }
        pn_free(alone);
        bench_close(&b);
    }
}

/* Into rows that begin anywhere, and back into the level's own; what lies around a row stays. */
static void aimed_results_are_the_same(void **state) {
    (void)state;
    static const int blocks[] = {64, 8192};
    for (int c = 0; c < 2; ++c) {
        size_t block = (size_t)blocks[c], jobs = c == 0 ? 9 : 5;
        bench b;
        bench_open(&b, blocks[c], 3, 3, jobs);
        for (int e = 0; e < 3; ++e)
            add_entry(&b, e, e == 0 ? 2 : 0, (size_t)(2 * e + 3) * block - 10); /* none leads to output 1 */
        open_level(&b, 1);
        run_all(&b, 1);
        float *own = copy_out(&b), *into = pn_alloc_floats(3 * (block + 2));
        close_level(&b);
        for (int threads = 1; threads <= 2; ++threads) {
            open_level(&b, threads);
            for (size_t k = 0; k < jobs; ++k) {
                const float *history[MOST_CHANNELS];
                float *rows[3];
                for (size_t o = 0; o < 3; ++o)
                    rows[o] = into + o * (block + 2) + 1;
                for (size_t n = 0; n < 3 * (block + 2); ++n)
                    into[n] = 7;
                b.backend->ops->level_aim(b.level, k == 3 ? NULL : rows);
                assert_int_equal(b.backend->ops->level_begin(b.level, window(&b, k * block, history), NULL),
                                 PINNA_OK);
                b.backend->ops->level_advance(b.level, 1, 3);
                assert_int_equal(b.backend->ops->level_finish(b.level, rows, NULL), PINNA_OK);
                for (size_t o = 0; o < 3; ++o) {
                    assert_memory_equal(rows[o], own + o * b.frames + k * block, block * sizeof *own);
                    assert_true(rows[o][-1] == 7 && rows[o][block] == 7);
                }
            }
            close_level(&b);
        }
        pn_free(own);
        pn_free(into);
        bench_close(&b);
    }
}

/* After any number of jobs, one of them unfinished. */
static void reset_forgets_all(void **state) {
    (void)state;
    for (size_t longest = 3; longest <= 7; longest += 4)
        for (size_t before = 1; before <= 5; ++before) {
            bench b;
            make_matrix(&b, 64, longest, 12);
            open_level(&b, 1);
            run_all(&b, 2);
            float *fresh = copy_out(&b);
            close_level(&b);
            open_level(&b, 1);
            uint64_t dice = 1;
            const float *history[MOST_CHANNELS];
            for (size_t k = 0; k < before; ++k)
                run_job(&b, k * 64, 1, &dice);
            assert_int_equal(b.backend->ops->level_begin(b.level, window(&b, 0, history), NULL), PINNA_OK);
            b.backend->ops->level_advance(b.level, 1, 2);
            b.backend->ops->level_reset(b.level);
            run_all(&b, 2);
            assert_same(&b, fresh);
            pn_free(fresh);
            close_level(&b);
            bench_close(&b);
        }
}

static void feeding_replaces_running(void **state) {
    (void)state;
    enum { BLOCK = 64 };
    for (size_t longest = 3; longest <= 9; longest += 3)
        for (size_t fed = 1; fed <= 11; ++fed) {
            bench b;
            make_matrix(&b, BLOCK, longest, 16);
            open_level(&b, 1);
            run_all(&b, 3);
            float *ran = copy_out(&b);
            close_level(&b);
            open_level(&b, 1);
            const float *history[MOST_CHANNELS];
            pinna_error err = {0};
            uint64_t dice = 2;
            for (size_t k = 0; k < fed; ++k)
                assert_ok(b.backend->ops->level_feed(b.level, window(&b, k * BLOCK, history), &err), &err);
            for (size_t at = fed * BLOCK; at < b.frames; at += BLOCK)
                run_job(&b, at, 3, &dice);
            assert_same(&b, ran); /* the first `fed` blocks are those of the run before */
            pn_free(ran);
            close_level(&b);
            bench_close(&b);
        }
}

/* A lent result outlives the next job. */
static void lent_results_stay(void **state) {
    (void)state;
    enum { BLOCK = 64, BLOCKS = 12 };
    bench b;
    make_matrix(&b, BLOCK, 7, BLOCKS);
    open_level(&b, 1);
    run_all(&b, 1);
    b.backend->ops->level_reset(b.level);
    pinna_error err = {0};
    const float *history[MOST_CHANNELS], *before[MOST_CHANNELS];
    for (size_t k = 0; k <= BLOCKS; ++k) {
        if (k < BLOCKS) {
            assert_ok(b.backend->ops->level_begin(b.level, window(&b, k * BLOCK, history), &err), &err);
            b.backend->ops->level_advance(b.level, 1, 1);
        }
        for (int o = 0; k > 0 && o < b.desc.outputs; ++o)
            assert_memory_equal(before[o], b.out[o] + (k - 1) * BLOCK, BLOCK * sizeof(float));
        const float *const *lent = NULL;
        assert_ok(b.backend->ops->level_lend(b.level, &lent, &err), &err);
        for (int o = 0; o < b.desc.outputs; ++o)
            before[o] = lent[o];
    }
    close_level(&b);
    bench_close(&b);
}

/* ------------------------------------------------------------------ mute outputs */

static double cost_of_all(const bench *b) {
    const pn_level *level = b->level;
    return level->step[level->steps - 1].cost_end[0];
}

/* Block by block; output `mute` is mute from the job after block `from` on, asked for while that one is under way. */
static void run_muted(bench *b, int mute, size_t from) {
    const pn_backend_ops *ops = b->backend->ops;
    size_t block = (size_t)b->desc.block;
    bool muted[MOST_CHANNELS] = {false};
    muted[mute] = true;
    for (size_t k = 0; k * block < b->frames; ++k) {
        const float *history[MOST_CHANNELS];
        float *out[MOST_CHANNELS];
        pinna_error err = {0};
        for (int o = 0; o < b->desc.outputs; ++o) {
            out[o] = b->out[o] + k * block;
            for (size_t n = 0; n < block; ++n)
                out[o][n] = 7;
        }
        assert_ok(ops->level_begin(b->level, window(b, k * block, history), &err), &err);
        ops->level_advance(b->level, 1, 3);
        if (k == from)
            ops->level_mute(b->level, muted);
        ops->level_advance(b->level, 2, 3);
        assert_ok(ops->level_finish(b->level, out, &err), &err);
    }
}

/* The others give the same bits, the job under way is whole, and what is left out is not paid for. Outputs 0 and 3 share
 * their inputs, 4 is a component of its own, 3 the one whose sums stand where an input's spectrum was. */
static void mute_outputs_change_no_bit_of_others(void **state) {
    (void)state;
    const int outputs[] = {0, 3, 4};
    for (size_t longest = 5; longest <= 9; longest += 4)
        for (int block = 64; block <= 8192; block *= 128)
            for (int threads = 1; threads <= 3; ++threads) {
                bench b;
                make_matrix(&b, block, longest, 13);
                open_level(&b, 1);
                run_all(&b, 3);
                float *whole = copy_out(&b);
                close_level(&b);
                for (size_t m = 0; m < 3; ++m) {
                    size_t from = 2 + 2 * m, heard = (from + 1) * (size_t)block;
                    open_level(&b, threads);
                    double before = cost_of_all(&b);
                    run_muted(&b, outputs[m], from);
                    for (int o = 0; o < b.desc.outputs; ++o) {
                        size_t frames = o == outputs[m] ? heard : b.frames;
                        assert_memory_equal(b.out[o], whole + (size_t)o * b.frames, frames * sizeof(float));
                    }
                    assert_true(b.out[outputs[m]][heard] == 7);
                    assert_true(cost_of_all(&b) < (outputs[m] == 4 ? 0.8 : 0.9) * before);
                    assert_true(cost_of_all(&b) > 0.2 * before);
                    b.backend->ops->level_reset(b.level);
                    run_muted(&b, outputs[m], 0);
                    for (int o = 0; o < b.desc.outputs; ++o)
                        if (o != outputs[m])
                            assert_memory_equal(b.out[o], whole + (size_t)o * b.frames,
                                                b.frames * sizeof(float));
                    close_level(&b);
                }
                pn_free(whole);
                bench_close(&b);
            }
}

/* With every output mute a job does nothing. */
static void all_mute_costs_nothing(void **state) {
    (void)state;
    bench b;
    make_matrix(&b, 64, 7, 12);
    open_level(&b, 1);
    const bool muted[MOST_CHANNELS] = {true, true, true, true, true};
    b.backend->ops->level_mute(b.level, muted);
    run_muted(&b, 0, 3);
    assert_true(cost_of_all(&b) == 0);
    assert_true(b.out[0][0] == 7 && b.out[1][0] == 0 && b.out[4][0] == 7);
    close_level(&b);
    bench_close(&b);
}

/* A job goes on over samples that were moved. */
static void a_job_under_way_follows_its_samples(void **state) {
    (void)state;
    bench b;
    make_matrix(&b, 1024, 7, 6);
    open_level(&b, 1);
    run_all(&b, 9);
    float *stayed = copy_out(&b);
    close_level(&b);
    open_level(&b, 1);
    for (size_t at = 0; at < b.frames; at += 1024) {
        float *copy[MOST_CHANNELS], *out[MOST_CHANNELS];
        const float *history[MOST_CHANNELS];
        for (int i = 0; i < b.desc.inputs; ++i) {
            copy[i] = pn_alloc_floats(2048);
            memcpy(copy[i], b.in[i] + at, 2048 * sizeof(float));
            history[i] = copy[i];
        }
        for (int o = 0; o < b.desc.outputs; ++o)
            out[o] = b.out[o] + at;
        pinna_error err = {0};
        assert_ok(b.backend->ops->level_begin(b.level, history, &err), &err);
        b.backend->ops->level_advance(b.level, 1, 50);
        b.backend->ops->level_move(b.level, window(&b, at, history));
        for (int i = 0; i < b.desc.inputs; ++i) {
            for (int n = 0; n < 2048; ++n)
                copy[i][n] = NAN;
            pn_free(copy[i]);
        }
        assert_ok(b.backend->ops->level_finish(b.level, out, &err), &err);
    }
    assert_same(&b, stayed);
    pn_free(stayed);
    close_level(&b);
    bench_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mute_outputs_change_no_bit_of_others),
        cmocka_unit_test(all_mute_costs_nothing),
        cmocka_unit_test(a_job_under_way_follows_its_samples),
        cmocka_unit_test(any_number_of_partitions),
        cmocka_unit_test(matrices_of_components),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(jobs_with_a_pool_change_no_bit),
        cmocka_unit_test(aimed_results_are_the_same),
        cmocka_unit_test(reset_forgets_all),
        cmocka_unit_test(feeding_replaces_running),
        cmocka_unit_test(lent_results_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
