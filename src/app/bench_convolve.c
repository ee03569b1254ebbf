// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>
#include <time.h>

#include "app/bench.h"
#include "base/memory.h"
#include "convolve/convolver.h"

/* Every input plays the same noise, each from another place; every response is a decaying noise. Both can be looked
 * up by frame, so that a few frames of the output are computed in double precision, straight from the definition. */
enum { NOISE = 1 << 17, STEP = 7919, CHECKED_OUTPUTS = 2, MOST_CHECKED = 1024, RATE = 48000 };
enum { EDIT_FADE = 2400, AFTER_EDITS = 1000 }; /* frames; blocks */
static const double CHECK_WORK = 3e8;          /* products that the check may take */

/* Entries that were edited one after another. */
typedef struct {
    int edits;
    double request_ms, worst_request_ms; /* wall time, mean and most of an edit */
    double during_us,
        after_us; /* CPU time of a block: while an edit is under way, and after the last; means */
    double worst_during_us;
    size_t memory_before, memory;
} edit_figures;

typedef struct {
    int inputs, outputs, block;
    size_t taps, blocks;
    bool diagonal;
    float *noise; /* NOISE frames, and the first of them again */
    float *response;
    pinna_ir *ir;
    size_t ir_count;
    const float **in;
    float **out;
    float *out_data;
    pn_convolver *convolver;
    pn_bench_times times;
    size_t played; /* blocks in all */
    edit_figures edited;
    double error, power;
    long launches;         /* of kernels, in all blocks; -1: not on a device */
    pn_matrix_rates rates; /* then */
} bench;

static size_t noise_at(int input, size_t frame) {
    return (frame + (size_t)input * STEP) % NOISE;
}

/* Responses share their taps' memory: of another beginning each, so that no two are the same. */
static const float *response_of(const bench *b, size_t entry) {
    return b->response + entry * 16;
}

static pinna_status read_shape(const pn_bench_options *options, bench *b, pinna_error *err) {
    char end = 0;
    b->diagonal = options->matrix == NULL;
    b->inputs = b->outputs = options->channels;
    if (!b->diagonal && sscanf(options->matrix, "%dx%d%c", &b->inputs, &b->outputs, &end) != 2)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "--matrix: '%s', expected INPUTSxOUTPUTS, as in 32x2",
                       options->matrix);
    if (b->inputs < 1 || b->inputs > PN_PLAN_CHANNELS || b->outputs < 1 || b->outputs > PN_PLAN_CHANNELS)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%d x %d channels, expected 1..%d of each", b->inputs,
                       b->outputs, (int)PN_PLAN_CHANNELS);
    if (!(options->ir > 0 && options->ir <= 600))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "--ir: %g s, expected more than 0, up to 600", options->ir);
    b->taps = (size_t)ceil(options->ir * RATE);
    b->ir_count = b->diagonal ? (size_t)b->inputs : (size_t)b->inputs * (size_t)b->outputs;
    return PINNA_OK;
}

static pinna_status make_material(bench *b, pinna_error *err) {
    size_t response = b->taps + b->ir_count * 16;
    b->noise = pn_alloc_floats(NOISE + 524288);
    b->response = pn_alloc_floats(response);
    b->ir = pn_alloc(b->ir_count, sizeof *b->ir);
    b->in = pn_alloc((size_t)b->inputs, sizeof *b->in);
    b->out = pn_alloc((size_t)b->outputs, sizeof *b->out);
    if (b->noise == NULL || b->response == NULL || b->ir == NULL || b->in == NULL || b->out == NULL)
        return pn_fail_memory(err, "the benchmark", 4.0 * (double)(NOISE + response));
    for (size_t n = 0; n < NOISE + 524288; ++n)
        b->noise[n] = 0.5f * pn_bench_noise(n % NOISE);
    for (size_t n = 0; n < response; ++n)
        b->response[n] =
            pn_bench_noise(n + ((uint64_t)1 << 40)) * (float)exp(-7.0 * (double)n / (double)response);
    for (size_t e = 0; e < b->ir_count; ++e) {
        int input = b->diagonal ? (int)e : (int)(e / (size_t)b->outputs);
        int output = b->diagonal ? (int)e : (int)(e % (size_t)b->outputs);
        b->ir[e] = (pinna_ir){input, output, response_of(b, e), b->taps};
    }
    return PINNA_OK;
}

static double exact(const bench *b, int output, size_t frame) {
    double sum = 0;
    for (size_t e = 0; e < b->ir_count; ++e) {
        if (b->ir[e].output != output)
            continue;
        size_t taps = b->taps < frame + 1 ? b->taps : frame + 1;
        for (size_t k = 0; k < taps; ++k)
            sum += (double)b->ir[e].taps[k] * (double)b->noise[noise_at(b->ir[e].input, frame - k)];
    }
    return sum;
}

/* Compares frames of the last block, spread over it, of the first and the last output. */
static void check(bench *b) {
    size_t entries = b->diagonal ? 1 : (size_t)b->inputs, block = (size_t)b->block;
    double frames = CHECK_WORK / ((double)b->taps * (double)entries * CHECKED_OUTPUTS);
    size_t count = frames > MOST_CHECKED ? MOST_CHECKED : frames < 16 ? 16 : (size_t)frames;
    count = count < block ? count : block;
    for (int c = 0; c < CHECKED_OUTPUTS; ++c) {
        int output = c == 0 ? 0 : b->outputs - 1;
        for (size_t n = 0; n < count; ++n) {
            size_t at = n * block / count;
            double expected = exact(b, output, (b->played - 1) * block + at);
            double off = (double)b->out[output][at] - expected;
            b->error += off * off;
            b->power += expected * expected;
        }
    }
}

static pinna_status play(bench *b, pn_bench_times *times, pinna_error *err) {
    for (int i = 0; i < b->inputs; ++i)
        b->in[i] = b->noise + noise_at(i, b->played * (size_t)b->block);
    pn_bench_start(times);
    pinna_status status = pn_convolver_block_process(b->convolver, b->in, b->out, err);
    pn_bench_stop(times);
    ++b->played;
    return status;
}

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

/* Another response for entry `e`; blocks until it has taken over. */
static pinna_status edit_entry(bench *b, size_t e, pn_bench_times *times, pinna_error *err) {
    edit_figures *f = &b->edited;
    b->ir[e].taps = response_of(b, e) + (b->ir[e].taps == response_of(b, e) ? 8 : 0);
    double started = now_ms();
    int pending = 1;
    pinna_status status = pn_convolver_request_edit(b->convolver, &b->ir[e], 1, EDIT_FADE, err);
    double took = now_ms() - started;
    f->request_ms += took / f->edits;
    f->worst_request_ms = took > f->worst_request_ms ? took : f->worst_request_ms;
    for (times->count = 0; status == PINNA_OK && pending > 0 && times->count < times->room;) {
        status = play(b, times, err);
        if (status == PINNA_OK)
            status = pn_convolver_update(b->convolver, &pending, err);
    }
    for (size_t n = 0; n < times->count; ++n) {
        double us = 1e6 * times->cpu[n];
        f->during_us += us / (double)times->count / f->edits;
        f->worst_during_us = us > f->worst_during_us ? us : f->worst_during_us;
    }
    return status;
}

static pinna_status measure_edits(bench *b, int edits, pinna_error *err) {
    pn_bench_times times = {0};
    b->edited.edits = edits;
    b->edited.memory_before = pn_convolver_memory(b->convolver);
    pinna_status status = pn_bench_times_init(&times, b->blocks + AFTER_EDITS, err);
    for (int k = 0; k < edits && status == PINNA_OK; ++k)
        status = edit_entry(b, (size_t)k % b->ir_count, &times, err);
    times.count = 0;
    while (status == PINNA_OK && times.count < AFTER_EDITS)
        status = play(b, &times, err);
    for (size_t n = 0; n < times.count; ++n)
        b->edited.after_us += 1e6 * times.cpu[n] / (double)times.count;
    b->edited.memory = pn_convolver_memory(b->convolver);
    pn_bench_times_clear(&times);
    return status;
}

static pinna_status measure(bench *b, double seconds, int edits, long (*launches)(void), pinna_error *err) {
    b->block = pn_convolver_block(b->convolver);
    size_t block = (size_t)b->block;
    b->blocks = (size_t)(seconds * RATE / b->block) + 1;
    b->out_data = pn_alloc((size_t)b->outputs, block * sizeof(float));
    if (b->out_data == NULL)
        return pn_fail_memory(err, "the benchmark", 4.0 * b->outputs * b->block);
    for (int o = 0; o < b->outputs; ++o)
        b->out[o] = b->out_data + (size_t)o * block;
    pinna_status status = pn_bench_times_init(&b->times, b->blocks, err);
    long before = launches == NULL ? 0 : launches();
    while (b->played < b->blocks && status == PINNA_OK)
        status = play(b, &b->times, err);
    b->launches = launches == NULL ? -1 : launches() - before;
    if (status == PINNA_OK && edits > 0)
        status = measure_edits(b, edits, err);
    if (status == PINNA_OK)
        check(b);
    if (status == PINNA_OK && b->launches >= 0 && strcmp(pn_convolver_device(b->convolver), "cpu") != 0)
        status = pn_convolver_measure_device(b->convolver, &b->rates, err);
    return status;
}

static cJSON *json_plan(const bench *b) {
    const pn_plan *plan = pn_convolver_plan(b->convolver);
    cJSON *more = cJSON_CreateObject();
    cJSON_AddNumberToObject(more, "inputs", b->inputs);
    cJSON_AddNumberToObject(more, "outputs", b->outputs);
    cJSON_AddNumberToObject(more, "ir_taps", (double)b->taps);
    cJSON_AddNumberToObject(more, "memory_bytes", (double)pn_convolver_memory(b->convolver));
    cJSON_AddNumberToObject(more, "latency_frames", b->block);
    if (b->launches >= 0) {
        cJSON_AddNumberToObject(more, "launches_per_block", (double)b->launches / (double)b->blocks);
        cJSON_AddNumberToObject(more, "forward_us", b->rates.forward_us);
        cJSON_AddNumberToObject(more, "sums_us", b->rates.sums_us);
        cJSON_AddNumberToObject(more, "inverse_us", b->rates.inverse_us);
        cJSON_AddNumberToObject(more, "sums_gb_per_s", b->rates.sums_rate);
        cJSON_AddNumberToObject(more, "copy_gb_per_s", b->rates.copy_rate);
    }
    if (b->edited.edits > 0) {
        cJSON *edits = cJSON_AddObjectToObject(more, "edits");
        cJSON_AddNumberToObject(edits, "count", b->edited.edits);
        cJSON_AddNumberToObject(edits, "request_ms", b->edited.request_ms);
        cJSON_AddNumberToObject(edits, "request_worst_ms", b->edited.worst_request_ms);
        cJSON_AddNumberToObject(edits, "during_us", b->edited.during_us);
        cJSON_AddNumberToObject(edits, "during_max_us", b->edited.worst_during_us);
        cJSON_AddNumberToObject(edits, "after_us", b->edited.after_us);
        cJSON_AddNumberToObject(edits, "memory_before_bytes", (double)b->edited.memory_before);
        cJSON_AddNumberToObject(edits, "memory_bytes", (double)b->edited.memory);
    }
    cJSON_AddNumberToObject(more, "predicted_us", plan->cost_us);
    cJSON_AddNumberToObject(more, "predicted_worst_us", plan->worst_us);
    cJSON_AddNumberToObject(more, "predicted_uniform_us", plan->uniform_us);
    cJSON *levels = cJSON_AddArrayToObject(more, "levels");
    for (int l = 0; l < plan->levels; ++l) {
        const pn_plan_level *level = &plan->level[l];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "block", level->block);
        cJSON_AddNumberToObject(one, "partitions", level->partitions);
        cJSON_AddNumberToObject(one, "first_tap", (double)level->first);
        cJSON_AddNumberToObject(one, "transform_us", level->transform_us);
        cJSON_AddNumberToObject(one, "product_us", level->product_us);
        cJSON_AddNumberToObject(one, "other_us", level->other_us);
        cJSON_AddNumberToObject(one, "bytes", level->bytes);
        cJSON_AddItemToArray(levels, one);
    }
    return more;
}

static void print_kernels(const bench *b) {
    const pn_matrix_rates *r = &b->rates;
    printf("launches  %.2f a block\n", (double)b->launches / (double)b->blocks);
    printf("kernels   by themselves, wall time of a block: forward %.1f us, sums %.1f, inverse %.1f\n",
           r->forward_us, r->sums_us, r->inverse_us);
    printf("memory    the sums move %.1f GB/s", r->sums_rate);
    if (r->copy_rate > 0)
        printf(", %.0f %% of the %.1f GB/s of a copy on the device", 100 * r->sums_rate / r->copy_rate,
               r->copy_rate);
    printf("\n");
}

static void print_edits(const bench *b) {
    const edit_figures *f = &b->edited;
    printf(
        "edits     %d of an entry each, one after another: request %.2f ms (worst %.2f), crossfade %.0f ms\n"
        "          CPU time of a block: mean %.1f us (max %.1f) while one is under way, %.1f after all; then "
        "%.1f MB\n",
        f->edits, f->request_ms, f->worst_request_ms, 1e3 * EDIT_FADE / RATE, f->during_us,
        f->worst_during_us, f->after_us, 1e-6 * (double)f->memory);
}

static pinna_status report(const bench *b, const pn_bench_options *options, const pn_backend *backend,
                           int threads, pinna_error *err) {
    char text[160], cost[160], levels[1000], notes[1300];
    const pn_plan *plan = pn_convolver_plan(b->convolver);
    snprintf(notes, sizeof notes, "          %s, %.1f MB with histories and buffers\n%s",
             pn_plan_describe_cost(plan, cost, sizeof cost), 1e-6 * (double)pn_convolver_memory(b->convolver),
             pn_plan_explain(plan, "          ", levels, sizeof levels));
    pn_bench_report report = {.device = pn_convolver_device(b->convolver),
                              .description = backend->description,
                              .plan = pn_plan_describe(plan, text, sizeof text),
                              .notes = notes,
                              .threads = threads,
                              .channels = b->inputs > b->outputs ? b->inputs : b->outputs,
                              .block = b->block,
                              .rate = RATE,
                              .error_db = 10 * log10((b->error + 1e-300) / (b->power + 1e-300))};
    size_t period = (size_t)(plan->level[plan->levels - 1].block / plan->block);
    pinna_status status = pn_bench_summarise(&b->times, period, &report, err);
    if (status == PINNA_OK)
        pn_bench_print(&report, options->common.json, json_plan(b));
    if (status == PINNA_OK && b->launches >= 0 && !options->common.json)
        print_kernels(b);
    if (status == PINNA_OK && b->edited.edits > 0 && !options->common.json)
        print_edits(b);
    if (status == PINNA_OK && options->plot != NULL)
        status = pn_bench_plot(&report, options->plot, err);
    pn_bench_report_clear(&report);
    return status;
}

pinna_status pn_bench_convolve(const pn_bench_options *options, pn_pool *pool, pn_backend *backend,
                               pn_messages *messages, pinna_error *err) {
    bench b = {0};
    pinna_status status = read_shape(options, &b, err);
    if (status == PINNA_OK)
        status = make_material(&b, err);
    pn_convolver_desc desc = {.inputs = b.inputs,
                              .outputs = b.outputs,
                              .block = options->offline ? 0 : options->block,
                              .mode = options->offline ? PN_PLAN_OFFLINE : PN_PLAN_LIVE,
                              .irs = b.ir,
                              .ir_count = b.ir_count,
                              .editable = options->edit > 0,
                              .backend = backend,
                              .pool = pool,
                              .messages = messages};
    if (status == PINNA_OK)
        status = pn_convolver_create(&desc, &b.convolver, err);
    if (status == PINNA_OK)
        status = measure(&b, options->seconds, options->edit, backend->ops->launches, err);
    if (status == PINNA_OK)
        status = report(&b, options, backend, pn_pool_threads(pool), err);
    pn_convolver_free(b.convolver);
    pn_bench_times_clear(&b.times);
    pn_free(b.noise);
    pn_free(b.response);
    pn_free(b.ir);
    pn_free((void *)b.in);
    pn_free(b.out);
    pn_free(b.out_data);
    return status;
}
