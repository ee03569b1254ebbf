// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/convolution.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "app/cli.h"
#include "base/memory.h"
#include "base/peak.h"
#include "io/planar.h"
#include "io/spill.h"
#include "mix/pan.h"

/* wet and dry are folded into the responses: out = in * (wet ir + dry delta), one convolution and nothing to align.
 *
 * Without an exchange the convolver runs in whole blocks and has no latency. With one it must be told between two
 * frames, so it runs in its buffered mode, one block late: its first block of output is dropped, and the exchange is
 * made when swap + block frames have gone in, which is when output frame `swap` comes next. */

/* Blocks go through a ring of slots: they are read, convolved and written. Reading ahead and writing after are jobs of
 * one lane each, which the pool's threads do portion by portion whenever the convolution, which is more urgent, leaves
 * one free. With one thread there is one slot, and all goes in order. */

static const double fade_s = 0.02;
static const double normalized_peak = 0.8912509381337456; /* -1 dBFS */

enum { PORTION_SAMPLES = 32768, SMALLEST_PORTION = 64 };
enum { WRITING, READING, WAYS };
enum { SLOTS = 1 + PN_CONVOLVER_AHEAD };

typedef struct {
    pn_audio audio;
    pinna_ir *irs;
    size_t count;
} response_set;

/* A block on its way. The output of one may still be written while the input of a later one is read. */
typedef struct {
    float **in_rows, **out_rows;
    size_t frames;     /* of the input */
    size_t drop, keep; /* of the output, frames drop .. keep - 1 are written */
} block_slot;

typedef struct run_state run_state;

/* Reading, or writing: blocks `done` .. `begun` - 1 are with its job, those before `passed` are through. */
typedef struct {
    run_state *state;
    pn_job *job;
    float **rows;
    uint64_t done, begun;
    _Atomic uint64_t passed;
    pinna_status status;
    pinna_error error;
} transfer;

struct run_state {
    const pn_convolution *job;
    pn_messages *messages;
    pn_convolution_result *result;
    pn_audio_reader *reader;
    response_set first, second;
    pn_pool *pool;
    pn_backend *backend;
    pn_convolver *convolver;
    pn_audio_writer *writer;
    pn_spill *spill; /* only to normalise */
    int inputs, outputs;
    size_t block;
    uint64_t swap_at; /* output frame; UINT64_MAX = never */
    block_slot slot[SLOTS];
    int slots;             /* in use */
    float *samples;        /* of all slots */
    bool in_place;         /* inputs are read to where the convolver keeps them */
    uint64_t blocks;       /* convolved */
    uint64_t fed, planned; /* frames of input: convolved, and given to blocks */
    uint64_t total;        /* to be convolved */
    size_t latency;
    transfer way[WAYS];
    size_t portion; /* frames of a piece */
    int portions;   /* of a block */
    bool input_ended;
    float *interleaved; /* [portion][inputs] */
};

bool pn_convolution_route(int inputs, int responses, int *outputs, pinna_ir *irs, int *response,
                          size_t *count, const char **layout) {
    bool true_stereo = inputs == 2 && responses == 4;
    if (responses != 1 && responses != inputs && inputs != 1 && !true_stereo)
        return false;
    *count = (size_t)(responses > inputs ? responses : inputs);
    *outputs = true_stereo ? 2 : (int)*count;
    for (int e = 0; e < (int)*count; ++e) {
        irs[e].input = true_stereo ? e / 2 : inputs == 1 ? 0 : e;
        irs[e].output = true_stereo ? e % 2 : e;
        response[e] = responses == 1 ? 0 : e;
    }
    *layout = true_stereo           ? "true stereo (LL, LR, RL, RR)"
              : responses == 1      ? "every channel through one response"
              : responses == inputs ? "channel by channel"
                                    : "one input to every response";
    return true;
}

static void free_responses(response_set *r) {
    pn_audio_clear(&r->audio);
    pn_free(r->irs);
}

static pinna_status fail_layout(const run_state *s, const char *path, int channels, pinna_error *err) {
    char own[96] = "";
    if (s->inputs > 1)
        snprintf(own, sizeof own, ", or %d (channel by channel)%s", s->inputs,
                 s->inputs == 2 ? ", or 4 (true stereo LL, LR, RL, RR)" : "");
    return pn_fail(
        err, PINNA_BAD_ARGUMENT,
        "%s has %d channels, which do not fit the %d of %s; what fits: a response of 1 channel (for all)%s, "
        "or a mono input (one output for each response)",
        path, channels, s->inputs, s->job->in, own);
}

static pinna_status fail_stopped(const run_state *s, pinna_error *err) {
    if (pn_is_standard_output(s->job->out))
        return pn_fail(err, PINNA_CANCELLED, "stopped; what went to standard output is incomplete");
    return pn_fail(err, PINNA_CANCELLED, "stopped; nothing is left of %s", s->job->out);
}

static void apply_gains(const pn_convolution *job, int inputs, response_set *r, const int *response) {
    for (int c = 0; job->wet_gain != 1 && c < r->audio.channels; ++c) {
        for (size_t n = 0; n < r->audio.frames; ++n)
            r->audio.channel[c][n] = (float)(r->audio.channel[c][n] * job->wet_gain);
    }
    for (size_t e = 0; e < r->count && job->dry_gain != 0; ++e) {
        /* A response that several entries share gets it once; one from left to right, or back, does not. */
        bool again = e > 0 && response[e] == response[0];
        bool crosses = inputs > 1 && r->irs[e].input != r->irs[e].output;
        if (!again && !crosses)
            r->audio.channel[response[e]][0] += (float)job->dry_gain;
    }
}

static pinna_status load_responses(run_state *s, const char *path, response_set *r, pinna_error *err) {
    double rate = pn_audio_reader_info(s->reader)->rate;
    pinna_status status = pn_audio_load(path, rate, PN_AUDIO_RESPONSE, s->messages, &r->audio, err);
    if (status != PINNA_OK)
        return status;
    size_t room = (size_t)(s->inputs > r->audio.channels ? s->inputs : r->audio.channels);
    int *response = pn_alloc(room, sizeof *response);
    r->irs = pn_alloc(room, sizeof *r->irs);
    if (response == NULL || r->irs == NULL) {
        pn_free(response);
        return pn_fail_memory(err, path, (double)(room * sizeof *r->irs));
    }
    if (pn_convolution_route(s->inputs, r->audio.channels, &s->outputs, r->irs, response, &r->count,
                             &s->result->layout)) {
        for (size_t e = 0; e < r->count; ++e) {
            r->irs[e].taps = r->audio.channel[response[e]];
            r->irs[e].length = r->audio.frames;
        }
        apply_gains(s->job, s->inputs, r, response);
    } else {
        status = fail_layout(s, path, r->audio.channels, err);
    }
    pn_free(response);
    return status;
}

static pinna_status load_exchange(run_state *s, pinna_error *err) {
    const pn_convolution *job = s->job;
    int outputs = s->outputs;
    const char *layout = s->result->layout;
    s->swap_at = UINT64_MAX;
    if (job->swap_ir == NULL)
        return PINNA_OK;
    pinna_status status = load_responses(s, job->swap_ir, &s->second, err);
    if (status != PINNA_OK)
        return status;
    if (s->outputs != outputs)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s and %s make %d and %d channels of %s; both must agree",
                       job->ir, job->swap_ir, outputs, s->outputs, job->in);
    s->result->layout = layout;
    s->swap_at = (uint64_t)(job->swap_s * pn_audio_reader_info(s->reader)->rate + 0.5);
    return PINNA_OK;
}

static pinna_status set_lengths(run_state *s, pinna_error *err) {
    pn_convolution_result *r = s->result;
    const pn_audio_info *info = pn_audio_reader_info(s->reader);
    size_t first = s->first.audio.frames, second = s->second.audio.frames;
    r->channels_in = s->inputs;
    r->channels_ir = s->first.audio.channels;
    r->channels = s->outputs;
    r->rate = info->rate;
    r->frames_in = info->frames;
    r->frames_ir = first > second ? first : second;
    r->frames = info->frames + r->frames_ir - 1;
    if (s->job->swap_ir == NULL)
        return PINNA_OK;
    if (s->swap_at >= r->frames)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "the exchange at %g s lies past the end of the output, %g s",
                       s->job->swap_s, (double)r->frames / r->rate);
    pn_info(s->messages, "%s takes over from %s at %g s, crossfaded over %g ms", s->job->swap_ir, s->job->ir,
            s->job->swap_s, 1000 * fade_s);
    return PINNA_OK;
}

static pinna_status open_writer(run_state *s, pinna_error *err) {
    const pn_convolution *job = s->job;
    const pn_audio_info *info = pn_audio_reader_info(s->reader);
    const char *inputs[] = {job->in, job->ir, job->swap_ir};
    pn_audio_writer_spec spec = {
        .channels = s->outputs,
        .rate = info->rate,
        .encoding = job->encoding != PN_ENCODING_DEFAULT ? job->encoding
                    : info->is_float                     ? PN_ENCODING_F32
                                                         : PN_ENCODING_PCM24,
        .frames = s->result->frames,
        .inputs = inputs,
        .input_count = sizeof inputs / sizeof inputs[0],
    };
    pinna_status status = pn_audio_writer_open(job->out, &spec, s->messages, &s->writer, err);
    if (status == PINNA_OK && job->normalize)
        status = pn_spill_open(job->out, s->outputs, &s->spill, err);
    return status;
}

/* The largest of both exchanges' blocks, so that neither plan has too many partitions. */
static pinna_status make_plan(const run_state *s, int outputs, size_t entries, size_t longest, pn_plan *plan,
                              pinna_error *err) {
    return pn_plan_make(&(pn_plan_desc){.mode = PN_PLAN_OFFLINE,
                                        .kind = s->backend->kind,
                                        .inputs = s->inputs,
                                        .outputs = outputs,
                                        .entries = entries,
                                        .longest = longest},
                        plan, err);
}

static pinna_status open_convolver(run_state *s, pinna_error *err) {
    pn_plan plan;
    pinna_status status = make_plan(s, s->outputs, s->first.count, s->result->frames_ir, &plan, err);
    if (status != PINNA_OK)
        return status;
    pn_convolver_desc desc = {
        .inputs = s->inputs,
        .outputs = s->outputs,
        .block = plan.block,
        .mode = PN_PLAN_OFFLINE,
        .irs = s->first.irs,
        .ir_count = s->first.count,
        .fixed = s->job->swap_ir == NULL,
        .backend = s->backend,
        .pool = s->pool,
        .messages = s->messages,
    };
    status = pn_convolver_create(&desc, &s->convolver, err);
    if (status != PINNA_OK)
        return status;
    s->block = (size_t)pn_convolver_block(s->convolver);
    pn_plan_describe(pn_convolver_plan(s->convolver), s->result->plan, sizeof s->result->plan);
    return PINNA_OK;
}

/* at: the next free samples. */
static bool make_slot(const run_state *s, block_slot *slot, float **at) {
    size_t inputs = (size_t)s->inputs, outputs = (size_t)s->outputs;
    slot->in_rows = pn_alloc(inputs, sizeof(float *));
    slot->out_rows = pn_alloc(outputs, sizeof(float *));
    if (slot->in_rows == NULL || slot->out_rows == NULL)
        return false;
    for (size_t i = 0; i < inputs && !s->in_place; ++i, *at += s->block)
        slot->in_rows[i] = *at;
    for (size_t o = 0; o < outputs; ++o, *at += s->block)
        slot->out_rows[o] = *at;
    return true;
}

static void transfer_portion(void *context, int stage, int lane, int piece);

static size_t choose_portion(const run_state *s) {
    int channels = s->inputs > s->outputs ? s->inputs : s->outputs;
    size_t portion = PORTION_SAMPLES / (size_t)channels;
    portion = portion < SMALLEST_PORTION ? SMALLEST_PORTION : portion;
    return portion < s->block ? portion : s->block;
}

static pinna_status make_transfer(run_state *s, transfer *way, int channels, pinna_error *err) {
    way->state = s;
    way->rows = pn_alloc((size_t)channels, sizeof *way->rows);
    if (way->rows == NULL)
        return pn_fail_memory(err, "the convolution's blocks", 0);
    return pn_job_create(&(pn_job_shape){.run = transfer_portion,
                                         .context = way,
                                         .stages = 1,
                                         .lanes = {1},
                                         .pieces = {{s->slots * s->portions}}},
                         &way->job, err);
}

static pinna_status allocate(run_state *s, pinna_error *err) {
    size_t inputs = (size_t)s->inputs, outputs = (size_t)s->outputs;
    s->slots = pn_pool_threads(s->pool) > 1 ? SLOTS : 1;
    s->portion = choose_portion(s);
    s->portions = (int)((s->block + s->portion - 1) / s->portion);
    s->in_place = s->job->swap_ir == NULL;
    size_t rows = (size_t)s->slots * (outputs + (s->in_place ? 0 : inputs));
    s->interleaved = pn_alloc(inputs, s->portion * sizeof(float));
    s->samples = pn_alloc_untouched(rows, s->block * sizeof(float));
    bool allocated = s->interleaved != NULL && s->samples != NULL;
    float *at = s->samples;
    for (int i = 0; i < s->slots; ++i)
        allocated = allocated && make_slot(s, &s->slot[i], &at);
    if (!allocated)
        return pn_fail_memory(err, "the convolution's blocks",
                              (double)rows * (double)s->block * sizeof(float));
    pinna_status status = make_transfer(s, &s->way[READING], s->inputs, err);
    return status == PINNA_OK ? make_transfer(s, &s->way[WRITING], s->outputs, err) : status;
}

/* Frames from .. end-1 of the slot's input; silence after its end. */
static pinna_status read_input(run_state *s, block_slot *slot, size_t from, size_t end, pinna_error *err) {
    size_t got = 0, inputs = (size_t)s->inputs, frames = end - from;
    if (!s->input_ended) {
        pinna_status status = pn_audio_reader_read(s->reader, s->interleaved, frames, &got, err);
        if (status != PINNA_OK)
            return status;
        s->input_ended = got < frames;
    }
    pn_deinterleave(slot->in_rows, inputs, from, s->interleaved, got);
    for (size_t i = 0; i < inputs; ++i)
        memset(slot->in_rows[i] + from + got, 0, (frames - got) * sizeof(float));
    return PINNA_OK;
}

/* Frames from .. end-1 of the slot's output. */
static pinna_status emit(run_state *s, const block_slot *slot, size_t from, size_t end, pinna_error *err) {
    pn_convolution_result *r = s->result;
    float **at = s->way[WRITING].rows;
    for (int o = 0; o < s->outputs; ++o) {
        at[o] = slot->out_rows[o] + from;
        double peak = s->spill == NULL ? 0 : (double)pn_largest(at[o], end - from);
        r->peak = peak > r->peak ? peak : r->peak;
    }
    const float *const *rows = (const float *const *)at;
    return s->spill != NULL ? pn_spill_write(s->spill, rows, end - from, err)
                            : pn_audio_writer_write(s->writer, rows, end - from, err);
}

static pinna_status exchange(run_state *s, pinna_error *err) {
    size_t fade = (size_t)(fade_s * s->result->rate + 0.5);
    s->swap_at = UINT64_MAX;
    return pn_convolver_swap(s->convolver, s->second.irs, s->second.count, fade, err);
}

/* The frames of the call at input frame `fed`: a block, but up to the exchange when that comes first, and 1 to begin
 * with so that the convolver is in its buffered mode. */
static size_t next_frames(const run_state *s, uint64_t fed) {
    if (s->latency == 0)
        return s->block;
    if (fed == 0)
        return 1;
    uint64_t exchange_at = s->swap_at == UINT64_MAX ? UINT64_MAX : s->swap_at + s->latency;
    if (exchange_at <= fed || exchange_at - fed > s->block)
        return s->block;
    return (size_t)(exchange_at - fed);
}

/* Of the output of the block at frame `fed`: what is written. */
static void plan_output(const run_state *s, block_slot *slot) {
    size_t frames = slot->frames;
    uint64_t fed = s->fed;
    slot->drop = fed >= s->latency ? 0 : s->latency - fed < frames ? (size_t)(s->latency - fed) : frames;
    slot->keep = s->total - fed < frames ? (size_t)(s->total - fed) : frames;
    slot->keep = slot->keep < slot->drop ? slot->drop : slot->keep;
}

static bool goes_on(const run_state *s, uint64_t done) {
    const pn_convolution *job = s->job;
    return job->progress == NULL ||
           job->progress(job->progress_user, done, s->result->frames, s->result->rate);
}

static void transfer_portion(void *context, int stage, int lane, int piece) {
    transfer *way = context;
    run_state *s = way->state;
    uint64_t number = way->done + (uint64_t)(piece / s->portions);
    (void)stage;
    (void)lane;
    if (way->status != PINNA_OK || number >= way->begun)
        return;
    bool writes = way == &s->way[WRITING];
    block_slot *slot = &s->slot[number % (uint64_t)s->slots];
    size_t from = (writes ? slot->drop : 0) + (size_t)(piece % s->portions) * s->portion;
    size_t end = writes ? slot->keep : slot->frames;
    end = from + s->portion < end ? from + s->portion : end;
    if (from < end)
        way->status =
            writes ? emit(s, slot, from, end, &way->error) : read_input(s, slot, from, end, &way->error);
    if (way->status == PINNA_OK && piece % s->portions == s->portions - 1)
        atomic_store(&way->passed, number + 1);
}

/* Has the job done its part, and well? Then its blocks have passed. */
static bool has_passed(transfer *way) {
    if (!pn_job_is_done(way->job) || way->status != PINNA_OK)
        return false;
    way->done = way->begun;
    return true;
}

static void begin_transfer(run_state *s, transfer *way) {
    if (way->begun > way->done)
        pn_job_begin(way->job, s->pool, PN_JOB_LATER);
}

/* Who has done its part gets the next: slots that are free are read into, those convolved are written. */
static void transfer_more(run_state *s) {
    transfer *writing = &s->way[WRITING], *reading = &s->way[READING];
    if (has_passed(writing)) {
        writing->begun = s->blocks;
        begin_transfer(s, writing);
    }
    if (!has_passed(reading))
        return;
    /* The first by itself, for a quick start. */
    uint64_t end = reading->done == 0 ? 1 : s->blocks + (uint64_t)s->slots;
    for (; reading->begun < end && s->planned < s->total; ++reading->begun) {
        block_slot *slot = &s->slot[reading->begun % (uint64_t)s->slots];
        slot->frames = next_frames(s, s->planned);
        s->planned += slot->frames;
        for (int i = 0; i < s->inputs && s->in_place; ++i)
            slot->in_rows[i] = pn_convolver_place(s->convolver, i, reading->begun);
    }
    begin_transfer(s, reading);
}

/* Until the way's first `count` blocks have passed. */
static pinna_status await(run_state *s, transfer *way, uint64_t count, pinna_error *err) {
    transfer_more(s);
    while (atomic_load(&way->passed) < count) {
        pn_job_help(way->job);
        if (pn_job_is_done(way->job) && way->status != PINNA_OK)
            return pn_fail(err, way->status, "%s", way->error.text);
        transfer_more(s);
    }
    return PINNA_OK;
}

static pinna_status run_block(run_state *s, pinna_error *err) {
    uint64_t slots = (uint64_t)s->slots;
    block_slot *slot = &s->slot[s->blocks % slots];
    pinna_status status = await(s, &s->way[READING], s->blocks + 1, err);
    if (status == PINNA_OK && s->blocks >= slots)
        status = await(s, &s->way[WRITING], s->blocks + 1 - slots, err);
    if (status != PINNA_OK)
        return status;
    plan_output(s, slot);
    status = pn_convolver_process(s->convolver, (const float *const *)slot->in_rows, slot->out_rows,
                                  slot->frames, err);
    s->fed += slot->frames;
    ++s->blocks;
    return status;
}

static pinna_status convolve(run_state *s, pinna_error *err) {
    pinna_status status = PINNA_OK;
    s->latency = s->swap_at == UINT64_MAX ? 0 : s->block;
    s->total = s->result->frames + s->latency;
    while (s->fed < s->total && status == PINNA_OK) {
        if (s->swap_at != UINT64_MAX && s->fed == s->swap_at + s->latency)
            status = exchange(s, err);
        if (status == PINNA_OK)
            status = run_block(s, err);
        uint64_t done = s->fed < s->total ? s->fed : s->total;
        if (status == PINNA_OK && !goes_on(s, done > s->latency ? done - s->latency : 0))
            status = fail_stopped(s, err);
    }
    return status == PINNA_OK ? await(s, &s->way[WRITING], s->blocks, err) : status;
}

static pinna_status normalize(run_state *s, pinna_error *err) {
    pn_convolution_result *r = s->result;
    double gain = r->peak > 0 ? normalized_peak / r->peak : 1;
    size_t got = s->block;
    float **rows = s->slot[0].out_rows;
    if (r->peak == 0)
        pn_warn(s->messages, "%s: the result is silence and cannot be normalised", s->job->out);
    r->gain_db = pn_gain_to_db(gain);
    while (got == s->block) {
        pinna_status status = pn_spill_read(s->spill, rows, s->block, &got, err);
        for (int o = 0; o < s->outputs; ++o) {
            for (size_t n = 0; n < got; ++n)
                rows[o][n] = (float)(rows[o][n] * gain);
        }
        if (status == PINNA_OK)
            status = pn_audio_writer_write(s->writer, (const float *const *)rows, got, err);
        if (status != PINNA_OK)
            return status;
        if (s->job->progress != NULL && !goes_on(s, r->frames))
            return fail_stopped(s, err);
    }
    if (r->peak > 0)
        pn_info(s->messages, "normalised to -1 dBFS by %+.2f dB", r->gain_db);
    return PINNA_OK;
}

/* What takes its time and need not be done one after another. */
enum { PREPARE_RESPONSES, PREPARE_BACKEND, PREPARATIONS };

typedef struct {
    run_state *state;
    size_t frames_ir; /* as the header of IR says; 0 = unknown */
    int channels_ir;
    pinna_status status[PREPARATIONS];
    pinna_error error[PREPARATIONS];
} preparation;

static pinna_status open_backend(preparation *p, pinna_error *err) {
    run_state *s = p->state;
    pinna_status status = pn_backend_open(s->job->device, s->pool, s->messages, &s->backend, err);
    if (status == PINNA_OK)
        status = pn_backend_set_spectra(s->backend, s->job->spectra, s->messages, err);
    if (status != PINNA_OK || p->frames_ir == 0)
        return status;
    /* Ahead, by a guess: should it be wrong, the right ones are made when they are needed. */
    pn_plan plan;
    int channels = p->channels_ir > s->inputs ? p->channels_ir : s->inputs;
    if (make_plan(s, channels, (size_t)channels, p->frames_ir, &plan, NULL) == PINNA_OK)
        pn_backend_cpu_prepare(s->backend, plan.block, NULL);
    return PINNA_OK;
}

static void prepare_one(void *context, int number) {
    preparation *p = context;
    pinna_error *err = &p->error[number];
    p->status[number] = number == PREPARE_RESPONSES
                            ? load_responses(p->state, p->state->job->ir, &p->state->first, err)
                            : open_backend(p, err);
}

static pinna_status prepare(run_state *s, pinna_error *err) {
    preparation p = {.state = s};
    pn_audio_reader *ir = NULL;
    if (pn_audio_reader_open(s->job->ir, NULL, &ir, NULL) == PINNA_OK) {
        double ratio = pn_audio_reader_info(s->reader)->rate / pn_audio_reader_info(ir)->rate;
        p.frames_ir = (size_t)((double)pn_audio_reader_info(ir)->frames * ratio);
        p.channels_ir = pn_audio_reader_info(ir)->channels;
        pn_audio_reader_free(ir);
    }
    pn_pool_run(s->pool, prepare_one, &p, PREPARATIONS);
    for (int i = 0; i < PREPARATIONS; ++i)
        if (p.status[i] != PINNA_OK)
            return pn_fail(err, p.status[i], "%s", p.error[i].text);
    return PINNA_OK;
}

static pinna_status work(run_state *s, pinna_error *err) {
    pinna_status status = pn_audio_reader_open(s->job->in, s->messages, &s->reader, err);
    if (status != PINNA_OK)
        return status;
    s->inputs = pn_audio_reader_info(s->reader)->channels;
    status = pn_pool_create(s->job->threads, &s->pool, err);
    if (status == PINNA_OK)
        status = prepare(s, err);
    if (status == PINNA_OK)
        status = load_exchange(s, err);
    if (status == PINNA_OK)
        status = set_lengths(s, err);
    if (status == PINNA_OK)
        status = open_writer(s, err);
    if (status == PINNA_OK)
        status = open_convolver(s, err);
    if (status == PINNA_OK)
        status = allocate(s, err);
    double started = pn_monotonic_seconds();
    if (status == PINNA_OK)
        status = convolve(s, err);
    if (status == PINNA_OK && s->spill != NULL)
        status = normalize(s, err);
    pn_audio_reader_report(s->reader);
    if (status == PINNA_OK)
        status = pn_audio_writer_commit(s->writer, err);
    s->result->seconds = pn_monotonic_seconds() - started;
    return status;
}

static void conclude(run_state *s) {
    pn_audio_writer_stats stats;
    pn_audio_writer_get_stats(s->writer, &stats);
    s->result->peak = stats.peak;
    s->result->clipped = stats.clipped;
    s->result->encoding = stats.encoding;
    snprintf(s->result->device, sizeof s->result->device, "%s", pn_convolver_device(s->convolver));
}

static void free_state(run_state *s) {
    for (int w = 0; w < WAYS; ++w) {
        pn_job_free(s->way[w].job);
        pn_free(s->way[w].rows);
    }
    pn_convolver_free(s->convolver);
    pn_backend_close(s->backend);
    pn_pool_free(s->pool);
    pn_audio_writer_free(s->writer);
    pn_spill_free(s->spill);
    pn_audio_reader_free(s->reader);
    free_responses(&s->first);
    free_responses(&s->second);
    pn_free(s->interleaved);
    pn_free(s->samples);
    for (int i = 0; i < SLOTS; ++i) {
        pn_free(s->slot[i].in_rows);
        pn_free(s->slot[i].out_rows);
    }
}

pinna_status pn_convolution_run(const pn_convolution *job, pn_messages *messages,
                                pn_convolution_result *result, pinna_error *err) {
    memset(result, 0, sizeof *result);
    run_state s = {.job = job, .messages = messages, .result = result};
    pinna_status status = work(&s, err);
    if (status == PINNA_OK)
        conclude(&s);
    free_state(&s);
    return status;
}
