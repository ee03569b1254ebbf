// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "app/bench.h"
#include "base/memory.h"
#include "device/ops.h"
#include "spatial/hrtf.h"

/* Sources on great circles from anywhere on the sphere, each half a second to two round, straight on the bank's job:
 * look-up and filters are measured, and with --doppler the delay lines; paths, distance laws and mixing are not. Each
 * source has a stretch of the noise of its own. The error is that of a bank of the first few sources, since the
 * definition takes milliseconds a filter. */
enum { NOISE = 1 << 16, STEP = 977, CHECKED = 12, FADE = 16, RATE = 48000, PROPAGATION = 4096 };

/* A place on a circle, cos across[0] + sin across[1], turned by the angle of a step at a time. */
typedef struct {
    pn_vec3 across[2];
    double cosine, sine, turn_cosine, turn_sine;
    double rate; /* radians in a step */
    pn_hrtf_hint hint;
} orbit;

typedef struct {
    const pn_bench_options *options;
    pn_backend *backend;
    pn_hrtf *hrtf;
    float *responses; /* cut to desc.taps */
    float *noise;     /* NOISE frames, and the first of them again */
    pn_bank_desc desc;
    pn_bank_source *source;
    orbit *orbit;
    pn_bank *bank;
    float *out;   /* left, right */
    float *heard; /* the last N samples of the sources that are checked, or NULL */
    int quanta;   /* in one block */
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
    b->desc = (pn_bank_desc){.size = size,
                             .quantum = quantum,
                             .sources = b->options->sources,
                             .nodes = info->directions,
                             .taps = taps,
                             .max_delay = info->max_delay,
                             .responses = b->responses,
                             .propagation = b->options->doppler ? PROPAGATION : 0};
    b->quanta = b->options->block / quantum;
    return PINNA_OK;
}

static pinna_status make_material(bench *b, pinna_error *err) {
    size_t sources = (size_t)b->options->sources;
    b->noise = pn_alloc_floats(NOISE + 16384);
    b->source = pn_alloc(sources, sizeof *b->source);
    b->orbit = pn_alloc(sources, sizeof *b->orbit);
    b->out = pn_alloc_floats(2 * (size_t)b->desc.quantum);
    if (b->noise == NULL || b->source == NULL || b->orbit == NULL || b->out == NULL)
        return pn_fail_memory(err, "the benchmark", 4.0 * NOISE + (double)sources * sizeof *b->source);
    for (size_t n = 0; n < NOISE + 16384; ++n)
        b->noise[n] = 0.1f * pn_bench_noise(n % NOISE);
    return PINNA_OK;
}

/* A point on the sphere, all parts of it alike. */
static pn_vec3 random_point(uint64_t number) {
    double z = (double)pn_bench_noise(number), azimuth = PN_PI * (double)pn_bench_noise(number + 1);
    return pn_vec_from_polar(azimuth, asin(z), 1);
}

static void start_orbit(const bench *b, int s) {
    orbit *o = &b->orbit[s];
    pn_vec3 from = random_point(4 * (uint64_t)s), pole = random_point(4 * (uint64_t)s + 2);
    pn_vec3 side = pn_vec_cross(pole, from);
    double period = 0.5 + 1.5 * fmod(0.618 * s, 1), frames = (double)b->desc.quantum / b->options->steps;
    *o = (orbit){.cosine = 1, .rate = 2 * PN_PI * frames / RATE / period, .hint = {{-1, -1}}};
    o->across[0] = from;
    o->across[1] = pn_vec_scale(side, 1 / fmax(pn_vec_length(side), 1e-9));
    o->turn_cosine = cos(o->rate);
    o->turn_sine = sin(o->rate);
}

/* ------------------------------------------------------------------ run */

static const float *samples_at(const bench *b, int s, int64_t frame) {
    return b->noise + ((frame + (int64_t)s * STEP) % NOISE + NOISE) % NOISE;
}

static void look_up(const bench *b, orbit *o, pn_filter *filter) {
    enum { NODES = sizeof((pn_hrtf_point *)0)->node / sizeof(int) };
    pn_vec3 direction =
        pn_vec_add(pn_vec_scale(o->across[0], o->cosine), pn_vec_scale(o->across[1], o->sine));
    pn_hrtf_point point;
    pn_hrtf_look_up(b->hrtf, direction, &o->hint, &point);
    for (int ear = 0; ear < 2; ++ear) {
        for (int k = 0; k < NODES; ++k) {
            filter->node[ear][k] = point.node[k];
            filter->weight[ear][k] = (float)point.weight[k];
        }
        filter->delay[ear] = (float)point.delay[ear];
    }
}

static void step(orbit *o) {
    double cosine = o->cosine * o->turn_cosine - o->sine * o->turn_sine;
    o->sine = o->cosine * o->turn_sine + o->sine * o->turn_cosine;
    o->cosine = cosine;
}

/* Up to 2.9 m nearer and farther than 14 m, as fast as the source goes round. */
static double delay_at(const orbit *o) {
    return 2000 + 400 * o->sine;
}

static void move(const bench *b, int s) {
    orbit *o = &b->orbit[s];
    pn_bank_source *source = &b->source[s];
    int steps = b->options->steps;
    double before = delay_at(o), before_rate = 400 * o->cosine * o->rate * steps;
    source->from = source->to;
    source->steps = steps;
    for (int k = 1; k < steps; ++k) {
        step(o);
        look_up(b, o, &source->inner[steps == 2 ? 1 : k - 1]);
    }
    step(o);
    look_up(b, o, &source->to);
    double after = delay_at(o), after_rate = 400 * o->cosine * o->rate * steps, way = after - before;
    source->propagation = (pn_propagation){(int)before,
                                           {(float)(before - (int)before), (float)before_rate,
                                            (float)(3 * way - 2 * before_rate - after_rate),
                                            (float)(before_rate + after_rate - 2 * way)}};
}

static void remember(const bench *b, int s) {
    size_t quantum = (size_t)b->desc.quantum, size = (size_t)b->desc.size;
    float *heard = b->heard + (size_t)s * size;
    double delayed[256];
    memmove(heard, heard + quantum, (size - quantum) * sizeof *heard);
    if (b->options->doppler)
        pn_ops_propagate(&b->desc, &b->source[s].propagation, b->source[s].in, delayed);
    for (size_t n = 0; n < quantum; ++n)
        heard[size - quantum + n] = b->options->doppler ? (float)delayed[n] : b->source[s].in[n];
}

static pinna_status run_quantum(bench *b, int64_t quantum, pinna_error *err) {
    for (int s = 0; s < b->desc.sources; ++s) {
        b->source[s].in = samples_at(b, s, quantum * b->desc.quantum);
        if (!b->options->still)
            move(b, s);
        if (b->heard != NULL)
            remember(b, s);
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
    for (int s = 0; s < sources; ++s) {
        start_orbit(b, s);
        look_up(b, &b->orbit[s], &b->source[s].to);
        b->source[s].from = b->source[s].to;
        b->source[s].propagation = (pn_propagation){.whole = 2000};
    }
    return b->backend->ops->bank_create(b->backend, &b->desc, &b->bank, err);
}

static pinna_status compare(bench *b, pinna_error *err) {
    size_t frames = (size_t)b->desc.quantum;
    const float *history[CHECKED];
    for (int s = 0; s < b->desc.sources; ++s)
        history[s] = b->heard + (size_t)s * (size_t)b->desc.size;
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
    b->heard = pn_alloc_floats((size_t)sources * (size_t)b->desc.size);
    if (b->heard == NULL)
        return pn_fail_memory(err, "the check", 4.0 * sources * b->desc.size);
    pinna_status status = open_bank(b, sources, err);
    int64_t last = (2 * b->desc.size + b->desc.propagation) / b->desc.quantum + 1;
    for (int64_t q = 0; q <= last && status == PINNA_OK; ++q)
        status = run_quantum(b, q, err);
    if (status == PINNA_OK)
        status = compare(b, err);
    pn_free(b->heard);
    b->heard = NULL;
    return status;
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
    snprintf(plan, sizeof plan, "transform %d, quantum %d, %d directions", b->desc.size, quantum,
             b->desc.nodes);
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
    cJSON_AddNumberToObject(more, "steps", b->options->steps);
    cJSON_AddBoolToObject(more, "doppler", b->options->doppler);
    cJSON_AddNumberToObject(more, "directions", b->desc.nodes);
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
    pn_free(b.orbit);
    pn_free(b.heard);
    pn_free(b.out);
    pn_hrtf_free(b.hrtf);
    return status;
}
