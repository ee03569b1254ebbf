// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "convolve/plan.h"

enum { SHAPES = 3000, MOST_IRS = 64 };

/* A random matrix: its description, with responses of lengths of their own or all of the same. */
typedef struct {
    pn_plan_desc desc;
    pinna_ir ir[MOST_IRS];
} shape;

static size_t pick(uint64_t *state, size_t below) {
    return (size_t)((test_noise(state) + 1) * 0.4999999 * (double)below);
}

/* Spread over all magnitudes. */
static size_t pick_length(uint64_t *state) {
    return (size_t)exp(0.5 * (test_noise(state) + 1) * log(4e7)) +
           (pick(state, 8) == 0 ? 0 : pick(state, 300)) + 1;
}

static void make_shape(shape *s, uint64_t *state) {
    memset(s, 0, sizeof *s);
    s->desc = (pn_plan_desc){.mode = pick(state, 4) == 0 ? PN_PLAN_OFFLINE : PN_PLAN_LIVE,
                             .kind = pick(state, 2) == 0 ? PN_BACKEND_CPU : PN_BACKEND_OPENCL,
                             .inputs = 1 + (int)pick(state, 1024),
                             .outputs = 1 + (int)pick(state, 1024)};
    s->desc.block = 32 << pick(state, 9);
    if (s->desc.mode == PN_PLAN_OFFLINE && pick(state, 2) == 0)
        s->desc.block = 0;
    if (pick(state, 2) == 0) {
        s->desc.entries = 1 + pick(state, (size_t)s->desc.inputs * (size_t)s->desc.outputs);
        s->desc.longest = pick_length(state);
        return;
    }
    s->desc.irs = s->ir;
    s->desc.ir_count = 1 + pick(state, MOST_IRS);
    size_t longest = pick_length(state);
    for (size_t e = 0; e < s->desc.ir_count; ++e) {
        s->ir[e].input = (int)pick(state, (size_t)s->desc.inputs);
        s->ir[e].output = (int)pick(state, (size_t)s->desc.outputs);
        s->ir[e].length = pick(state, 2) == 0 ? longest : 1 + pick(state, longest);
    }
}

static size_t longest_of(const pn_plan_desc *desc) {
    size_t longest = desc->irs == NULL ? desc->longest : 0;
    for (size_t e = 0; desc->irs != NULL && e < desc->ir_count; ++e)
        longest = desc->irs[e].length > longest ? desc->irs[e].length : longest;
    return longest;
}

static pn_plan make(const pn_plan_desc *desc) {
    pn_plan plan;
    pinna_error err = {0};
    assert_ok(pn_plan_make(desc, &plan, &err), &err);
    return plan;
}

static void plans_are_those_that_were_measured_best(void **state) {
    (void)state;
    static const struct {
        pn_plan_desc desc;
        const char *text;
    } cases[] = {
        {{.block = 256, .longest = 480000}, "256 x 16, 2048 x 14, 16384 x 28"},
        {{.block = 256, .inputs = 8, .outputs = 8, .longest = 480000}, "256 x 16, 2048 x 14, 16384 x 28"},
        {{.block = 256, .inputs = 8, .outputs = 8, .longest = 48000}, "256 x 16, 2048 x 22"},
        {{.block = 1024, .inputs = 8, .outputs = 8, .longest = 480000}, "1024 x 32, 16384 x 28"},
        {{.block = 256, .longest = 1}, "256 x 1"},
        {{.kind = PN_BACKEND_OPENCL, .block = 8192, .longest = 480000}, "8192 x 59"},
        {{.kind = PN_BACKEND_OPENCL, .block = 256, .inputs = 64, .outputs = 64, .longest = 480000},
         "256 x 64, 8192 x 57"},
        {{.mode = PN_PLAN_OFFLINE, .inputs = 2, .outputs = 2, .longest = 480000}, "65536 x 8"},
        {{.mode = PN_PLAN_OFFLINE, .inputs = 2, .outputs = 2, .longest = 48000}, "8192 x 6"},
        {{.mode = PN_PLAN_OFFLINE, .longest = 1}, "1024 x 1"},
        {{.mode = PN_PLAN_OFFLINE, .block = 4096, .longest = 480000}, "4096 x 118"},
        {{.mode = PN_PLAN_OFFLINE, .kind = PN_BACKEND_OPENCL, .longest = 480000}, "131072 x 4"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; ++c) {
        char text[128];
        pn_plan plan = make(&cases[c].desc);
        assert_string_equal(pn_plan_describe(&plan, text, sizeof text), cases[c].text);
    }
}

static void assert_admissible(const pn_plan_desc *desc, const pn_plan *plan) {
    size_t longest = longest_of(desc);
    assert_in_range(plan->levels, 1, desc->mode == PN_PLAN_OFFLINE ? 1 : PN_PLAN_LEVELS);
    assert_int_equal(plan->level[0].block, plan->block);
    assert_int_equal(plan->level[0].first, 0);
    if (desc->block > 0)
        assert_int_equal(plan->block, desc->block);
    for (int l = 0; l < plan->levels; ++l) {
        const pn_plan_level *level = &plan->level[l];
        size_t end = level->first + (size_t)level->block * (size_t)level->partitions;
        assert_true(level->partitions > 0);
        assert_int_equal(level->block & (level->block - 1), 0);
        if (l > 0) {
            int factor = level->block / level[-1].block;
            assert_in_range(level->block, 32, 524288);
            assert_in_range(factor, 2, 64);
            assert_int_equal(level->first, 2 * level->block);
        }
        if (l + 1 < plan->levels)
            assert_int_equal(end, plan->level[l + 1].first);
        else
            assert_in_range(end, longest, longest + (size_t)level->block - 1);
    }
}

/* Every tap in one level; every level whose result has one period to be computed; block sizes allowed. */
static void every_plan_covers_every_tap_once(void **state) {
    (void)state;
    uint64_t random = 1;
    for (int n = 0; n < SHAPES; ++n) {
        shape s;
        make_shape(&s, &random);
        pn_plan plan = make(&s.desc);
        assert_admissible(&s.desc, &plan);
    }
    for (int block = 32; block <= 8192; block *= 2) {
        for (size_t longest = (size_t)block - 1; longest < 2000000; longest = longest * 2 + longest % 3) {
            const pn_plan_desc desc = {.block = block, .longest = longest};
            pn_plan plan = make(&desc);
            assert_admissible(&desc, &plan);
        }
    }
}

static void predictions_are_sane(void **state) {
    (void)state;
    uint64_t random = 2;
    for (int n = 0; n < SHAPES / 4; ++n) {
        shape s;
        make_shape(&s, &random);
        pn_plan plan = make(&s.desc), again = plan;
        double sum = 0;
        for (int l = 0; l < plan.levels; ++l) {
            assert_true(plan.level[l].transform_us > 0 && plan.level[l].product_us > 0);
            sum += plan.level[l].transform_us + plan.level[l].product_us + plan.level[l].other_us;
        }
        assert_true(plan.cost_us > 0 && isfinite(plan.cost_us) && fabs(sum / plan.cost_us - 1) < 1e-9);
        assert_true(plan.worst_us >= plan.cost_us);
        assert_true(plan.cost_us <= plan.uniform_us);
        memset(again.level, 0, sizeof again.level);
        for (int l = 0; l < plan.levels; ++l)
            again.level[l].block = plan.level[l].block;
        assert_int_equal(pn_plan_price(&s.desc, &again, NULL), PINNA_OK);
        assert_true(again.cost_us == plan.cost_us && again.worst_us == plan.worst_us);
        assert_true(again.uniform_us == plan.uniform_us && again.bytes == plan.bytes);
    }
}

/* Lengths are counted in buckets; here one by one. */
static double count_bytes(const pn_plan_desc *desc, const pn_plan_level *level, size_t end) {
    double spectra = 0;
    size_t slots[1024] = {0}, used[1024] = {0};
    for (size_t e = 0; e < desc->ir_count; ++e) {
        size_t length = desc->irs[e].length < end ? desc->irs[e].length : end;
        if (length <= level->first)
            continue;
        size_t partitions = (length - level->first + (size_t)level->block - 1) / (size_t)level->block;
        spectra += (double)partitions;
        if (slots[desc->irs[e].input] < partitions)
            slots[desc->irs[e].input] = partitions;
        used[desc->irs[e].output] = 1;
    }
    double outputs = 0, entries = 0, least = 1e300, held = 0;
    for (size_t e = 0; e < desc->ir_count; ++e)
        entries += (desc->irs[e].length < end ? desc->irs[e].length : end) > level->first;
    for (int i = 0; i < 1024; ++i) {
        spectra += (double)slots[i];
        outputs += (double)used[i];
    }
    for (int jobs = 1; jobs <= 8; jobs *= 2) { /* made in one reading: as many as move least */
        double moved = spectra / jobs + (jobs + 1) * entries + 5 * outputs;
        held = moved < least ? spectra + (3 + jobs) * outputs : held;
        least = moved < least ? moved : least;
    }
    return held * level->block * 2 * sizeof(float);
}

static void memory_is_that_of_the_partitions(void **state) {
    (void)state;
    uint64_t random = 3;
    int seen = 0;
    for (int n = 0; n < SHAPES; ++n) {
        shape s;
        make_shape(&s, &random);
        if (s.desc.irs == NULL || s.desc.kind != PN_BACKEND_OPENCL)
            continue;
        pn_plan plan = make(&s.desc);
        for (int l = 0; l < plan.levels; ++l) {
            size_t end = l + 1 < plan.levels ? plan.level[l + 1].first : (size_t)-1;
            double expected = count_bytes(&s.desc, &plan.level[l], end);
            assert_true(fabs(plan.level[l].bytes - expected) <= 1e-9 * expected);
        }
        ++seen;
    }
    assert_true(seen > SHAPES / 8);
}

static void responses_one_by_one_are_as_many_at_once(void **state) {
    (void)state;
    pinna_ir ir[6];
    for (int e = 0; e < 6; ++e)
        ir[e] = (pinna_ir){.input = e / 2, .output = e % 2, .length = 96000};
    const pn_plan_desc each = {.block = 128, .inputs = 3, .outputs = 2, .irs = ir, .ir_count = 6};
    const pn_plan_desc all = {.block = 128, .inputs = 3, .outputs = 2, .entries = 6, .longest = 96000};
    pn_plan a = make(&each), b = make(&all);
    assert_memory_equal(&a, &b, sizeof a);
    for (int e = 1; e < 6; ++e)
        ir[e].length = 480;
    a = make(&each);
    assert_true(a.cost_us < 0.6 * b.cost_us && a.bytes < 0.4 * b.bytes);
}

/* More taps or more channels never get cheaper (beyond what evenness is bought for). */
static void more_work_costs_more(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; ++kind) {
        for (int mode = 0; mode < 2; ++mode) {
            double last = 0;
            for (size_t longest = 100; longest < 40000000; longest *= 4) {
                const pn_plan_desc one = {(pn_plan_mode)mode, (pn_backend_kind)kind, .block = 512,
                                          .longest = longest};
                pn_plan_desc more = one;
                more.inputs = more.outputs = 8;
                double cost = make(&one).cost_us;
                assert_true(cost > 0.95 * last);
                assert_true(make(&more).cost_us > cost);
                last = cost;
            }
        }
    }
}

static void plans_are_explained(void **state) {
    (void)state;
    const pn_plan_desc desc = {.block = 256, .inputs = 2, .outputs = 2, .longest = 480000};
    pn_plan plan = make(&desc);
    char text[1000], number[64];
    pn_plan_explain(&plan, "  > ", text, sizeof text);
    const char *line = text;
    for (int l = 0; l < plan.levels; ++l) {
        snprintf(number, sizeof number, "%d x %d", plan.level[l].block, plan.level[l].partitions);
        assert_int_equal(strncmp(line, "  > ", 4), 0);
        assert_non_null(strstr(line, number));
        snprintf(number, sizeof number, "tap %zu", plan.level[l].first);
        assert_non_null(strstr(line, number));
        line = strchr(line, '\n') + 1;
    }
    assert_int_equal(*line, '\0');
    pn_plan_describe_cost(&plan, text, sizeof text);
    snprintf(number, sizeof number, "predicted %.1f us a block", plan.cost_us);
    assert_non_null(strstr(text, number));
    assert_non_null(strstr(text, "latency 256 frames"));
    snprintf(number, sizeof number, "%.1f MB", 1e-6 * plan.bytes);
    assert_non_null(strstr(text, number));
}

static void bad_values_are_named(void **state) {
    (void)state;
    const pinna_ir empty = {.length = 0}, outside = {.input = 1, .length = 5};
    const struct {
        pn_plan_desc desc;
        const char *words;
    } cases[] = {
        {{.block = 257, .longest = 10}, "257"},
        {{.block = 16384, .longest = 10}, "16384"},
        {{.block = 0, .longest = 10}, "block: 0"},
        {{.block = 256}, "no taps"},
        {{.mode = PN_PLAN_OFFLINE, .block = 1000, .longest = 10}, "1000"},
        {{.block = 256, .inputs = 65537, .longest = 10}, "65537"},
        {{.block = 256, .inputs = 1, .outputs = 1, .irs = &empty, .ir_count = 1}, "no taps"},
        {{.block = 256, .inputs = 1, .outputs = 1, .irs = &outside, .ir_count = 1}, "1 x 1"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; ++c) {
        pn_plan plan;
        pinna_error err = {0};
        assert_int_equal(pn_plan_make(&cases[c].desc, &plan, &err), PINNA_BAD_ARGUMENT);
        assert_non_null(strstr(err.text, cases[c].words));
    }
}

static void a_short_text_is_cut(void **state) {
    (void)state;
    const pn_plan_desc desc = {.block = 256, .longest = 480000};
    pn_plan plan = make(&desc);
    char text[12];
    assert_string_equal(pn_plan_describe(&plan, text, sizeof text), "256 x 16, 2");
    assert_int_equal(strlen(pn_plan_explain(&plan, "", text, sizeof text)), 11);
    assert_int_equal(strlen(pn_plan_describe_cost(&plan, text, sizeof text)), 11);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_those_that_were_measured_best),
        cmocka_unit_test(every_plan_covers_every_tap_once),
        cmocka_unit_test(predictions_are_sane),
        cmocka_unit_test(memory_is_that_of_the_partitions),
        cmocka_unit_test(responses_one_by_one_are_as_many_at_once),
        cmocka_unit_test(more_work_costs_more),
        cmocka_unit_test(plans_are_explained),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(a_short_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
