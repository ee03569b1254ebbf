// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "app/bench.h"
#include "base/memory.h"
#include "device/ops.h"
#include "spatial/hrtf.h"

/* Sources on circles of different height, each half a second to two round, straight on the bank's job: look-up and
 * filters are measured, distance and mixing are not. The error is that of a bank of the first few sources, since the
 * definition takes milliseconds a filter. */
enum { NOISE = 1 << 16, STEP = 977, CHECKED = 12, FADE = 16, RATE = 48000 };

typedef struct {
    const pn_bench_options *options;
    pn_backend *backend;
    pn_hrtf *hrtf;
    float *responses; /* cut to desc.taps */
    float *noise;     /* NOISE frames, and the first of them again */
    pn_bank_desc desc;
    pn_bank_source *source;
    pn_hrtf_hint *hint;
    pn_bank *bank;
    float *out; /* left, right */
    int quanta; /* in one block */
    pn_bench_times times;
    double error_db;
} bench;

/* ------------------------------------------------------------------ set-up */

/* The complete filter, delay inside, has `taps` taps: the aligned responses are cut to what remains, with a short
 * fade. */
static pinna_status cut_responses(bench *b, pinna_error *err) {
    const pn_hrtf_info *info = pn_hrtf_get_info(b->hrtf);
    int taps = b->options->taps - info->max_delay;
    taps = taps < info->taps ? taps : info->taps;
    if (taps < 2 * FADE)
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "--taps: %d, but the delays of this set take %d of them; give at least %d",
                       b->options->taps, info->max_delay, info->max_delay + 2 * FADE);
    size_t rows = 2 * (size_t)info->directions, length = (size_t)taps;
    b->responses = pn_alloc(rows, length * sizeof(float));
    if (b->responses == NULL)
        return pn_fail_memory(err, "the HRTF set", 4.0 * (double)(rows * length));
    for (size_t r = 0; r < rows; ++r) {
        float *row = b->responses + r * length;
        memcpy(row, pn_hrtf_responses(b->hrtf) + r * (size_t)info->taps, length * sizeof *row);
        for (int n = 0; n < FADE && taps < info->taps; ++n)
            row[length - 1 - (size_t)n] *= (float)(0.5 - 0.5 * cos(PN_PI * (n + 0.5) / FADE));
    }
    int quantum = b->options->block < 256 ? b->options->block : 256, size = 64;
    while (size + 1 < taps + info->max_delay + quantum || size < 2 * quantum)
        size *= 2;
    b->desc = (pn_bank_desc){size, quantum,         b->options->sources, info->directions,
                             taps, info->max_delay, b->responses};
    b->quanta = b->options->block / quantum;
    return PINNA_OK;
}

static pinna_status make_material(bench *b, pinna_error *err) {
    size_t sources = (size_t)b->options->sources;
    b->noise = pn_alloc_floats(NOISE + 16384);
    b->source = pn_alloc(sources, sizeof *b->source);
    b->hint = pn_alloc(sources, sizeof *b->hint);
    b->out = pn_alloc_floats(2 * (size_t)b->desc.quantum);
    if (b->noise == NULL || b->source == NULL || b->hint == NULL || b->out == NULL)
        return pn_fail_memory(err, "the benchmark", 4.0 * NOISE + (double)sources * sizeof *b->source);
    for (size_t n = 0; n < NOISE + 16384; ++n)
        b->noise[n] = 0.1f * pn_bench_noise(n % NOISE);
    for (size_t s = 0; s < sources; ++s)
        b->hint[s] = (pn_hrtf_hint){{-1, -1}};
    return PINNA_OK;
}

/* ------------------------------------------------------------------ run */

static const float *samples_at(const bench *b, int s, int64_t frame) {
    return b->noise + ((frame + (int64_t)s * STEP) % NOISE + NOISE) % NOISE;
}

static void aim(bench *b, int s, int64_t quantum) {
    double t = b->options->still ? 0 : (double)quantum * b->desc.quantum / RATE;
    double turns = t / (0.5 + 1.5 * fmod(0.618 * s, 1)) + 0.37 * s;
    pn_vec3 direction = pn_vec_from_polar(2 * PN_PI * turns, 1.2 * fmod(0.414 * s, 1) - 0.5, 1);
    pn_hrtf_point point;
    pn_hrtf_look_up(b->hrtf, direction, &b->hint[s], &point);
    memcpy(b->source[s].to.node, point.node, sizeof b->source[s].to.node);
    memcpy(b->source[s].to.weight, point.weight, sizeof b->source[s].to.weight);
    memcpy(b->source[s].to.delay, point.delay, sizeof point.delay);
}

static pinna_status run_quantum(bench *b, int64_t quantum, pinna_error *err) {
    for (int s = 0; s < b->desc.sources; ++s) {
        b->source[s].from = b->source[s].to;
        b->source[s].in = samples_at(b, s, quantum * b->desc.quantum);
        if (!b->options->still)
            aim(b, s, quantum + 1);
    }
    pinna_status status = b->backend->ops->bank_begin(b->bank, b->source, err);
    if (status != PINNA_OK)
        return status;
    return b->backend->ops->bank_finish(b->bank, b->out, b->out + b->desc.quantum, err);
}

static pinna_status open_bank(bench *b, int sources, pinna_error *err) {
    b->backend->ops->bank_free(b->bank);
    b->bank = NULL;
    b->desc.sources = sources;
    for (int s = 0; s < sources; ++s)
        aim(b, s, 0);
    return b->backend->ops->bank_create(b->backend, &b->desc, &b->bank, err);
}

static pinna_status compare(bench *b, int64_t quantum, pinna_error *err) {
    size_t frames = (size_t)b->desc.quantum;
    const float *history[CHECKED];
    for (int s = 0; s < b->desc.sources; ++s)
        history[s] = samples_at(b, s, (quantum + 1) * b->desc.quantum - b->desc.size);
    double *expected = pn_alloc(2 * frames, sizeof *expected), error = 0, power = 0;
    if (expected == NULL)
        return pn_fail_memory(err, "the check", 16.0 * (double)frames);
    pinna_status status = pn_ops_bank(&b->desc, b->source, history, expected, expected + frames, err);
    for (size_t n = 0; n < 2 * frames; ++n) {
        double off = (double)b->out[n] - expected[n];
        error += off * off;
        power += expected[n] * expected[n];
    }
    b->error_db = 10 * log10((error + 1e-300) / (power + 1e-300));
    pn_free(expected);
    return status;
}

static pinna_status check(bench *b, pinna_error *err) {
    int sources = b->options->sources < CHECKED ? b->options->sources : CHECKED;
    pinna_status status = open_bank(b, sources, err);
    int64_t last = 2 * b->desc.size / b->desc.quantum;
    for (int64_t q = 0; q <= last && status == PINNA_OK; ++q)
        status = run_quantum(b, q, err);
    return status == PINNA_OK ? compare(b, last, err) : status;
}

static pinna_status measure(bench *b, pinna_error *err) {
    size_t blocks = (size_t)(b->options->seconds * RATE / b->options->block) + 1;
    pinna_status status = pn_bench_times_init(&b->times, blocks, err);
    if (status == PINNA_OK)
        status = open_bank(b, b->options->sources, err);
    for (size_t n = 0; n < blocks && status == PINNA_OK; ++n) {
        pn_bench_start(&b->times);
        for (int q = 0; q < b->quanta && status == PINNA_OK; ++q)
            status = run_quantum(b, (int64_t)n * b->quanta + q, err);
        pn_bench_stop(&b->times);
    }
    return status;
}

static pinna_status report(const bench *b, pinna_error *err) {
    char plan[96];
    int quantum = b->desc.quantum, taps = b->desc.taps + b->desc.max_delay;
    snprintf(plan, sizeof plan, "transform %d, quantum %d", b->desc.size, quantum);
    pn_bench_report report = {.device = b->backend->name,
                              .description = b->backend->description,
                              .plan = plan,
                              .threads = b->options->common.threads,
                              .channels = b->options->sources,
                              .block = b->options->block,
                              .rate = RATE,
                              .error_db = b->error_db};
    pinna_status status = pn_bench_summarise(&b->times, 1, &report, err);
    if (status != PINNA_OK) {
        pn_bench_report_clear(&report);
        return status;
    }
    cJSON *more = cJSON_CreateObject();
    cJSON_AddNumberToObject(more, "sources", b->options->sources);
    cJSON_AddBoolToObject(more, "moving", !b->options->still);
    cJSON_AddNumberToObject(more, "taps", taps);
    cJSON_AddNumberToObject(more, "partitions", (taps + quantum - 1) / quantum);
    pn_bench_print(&report, b->options->common.json, more);
    if (b->options->plot != NULL)
        status = pn_bench_plot(&report, b->options->plot, err);
    pn_bench_report_clear(&report);
    return status;
}

pinna_status pn_bench_binaural(const pn_bench_options *options, pn_backend *backend, pn_messages *messages,
                               pinna_error *err) {
    bench b = {.options = options, .backend = backend};
    pinna_status status = pn_hrtf_load(options->hrtf, RATE, NULL, messages, &b.hrtf, err);
    if (status == PINNA_OK)
        status = cut_responses(&b, err);
    if (status == PINNA_OK)
        status = make_material(&b, err);
    if (status == PINNA_OK)
        status = check(&b, err);
    if (status == PINNA_OK)
        status = measure(&b, err);
    if (status == PINNA_OK)
        status = report(&b, err);
    backend->ops->bank_free(b.bank);
    pn_bench_times_clear(&b.times);
    pn_free(b.responses);
    pn_free(b.noise);
    pn_free(b.source);
    pn_free(b.hint);
    pn_free(b.out);
    pn_hrtf_free(b.hrtf);
    return status;
}
