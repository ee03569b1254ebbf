// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A partition level on the CPU: uniformly partitioned overlap-save in the frequency domain.
 *
 * With blocks of B frames the transform takes 2B real samples in right-angle form (rafft.h): re = the previous
 * block, im = the current one. A partition of B taps stands in re, with zeros in im, so that the imaginary part
 * of the inverse of a product is the block's B valid frames. Spectra X of the inputs' last blocks stay in rings;
 *     Y[o] = sum over the entries (i, o) and their partitions p of H[entry][p] X[i][job - p]
 * is summed before the one inverse per output. (Stockham 1966; Kulp 1988; Wefers 2015, chapter 5.)
 *
 * A job is a list of steps: all forward transforms, then per output its products, a few at a time, and its
 * inverse. `advance` runs the steps up to its share of their estimated cost, so that a large level costs the same
 * in every block of its period. Forward steps are independent of each other, and so are outputs: these two are
 * what the pool shares out.
 *
 * A running float sum over hundreds of products loses accuracy (20 dB at 1024), so that products are summed in
 * chunks of 32, and the chunks added.
 *
 * Rings start as zeros, which are the spectra of silence. Factor 1 / B of the inverse is in H. */
#include "device/cpu.h"

#include <string.h>

#include "base/memory.h"
#include "device/ops.h"

enum {
    CHUNK = 32,        /* products in one running sum */
    STEP_PRODUCTS = 4, /* products in one step, about as dear as a transform */
    TRANSFORM_COST = 4,
    PADDING = 32 /* floats between spectra, against power-of-two spacing */
};

typedef struct {
    const float *filter; /* H */
    int input;
    int partition;
} product;

typedef enum { FORWARD, MULTIPLY, INVERSE } step_kind;

typedef struct {
    step_kind kind;
    int index;    /* input of FORWARD, else output */
    size_t first; /* of MULTIPLY: products first .. first + count - 1 */
    int count;
    bool opens, closes; /* of MULTIPLY: begins and ends a chunk */
    double cost_end;    /* cost of all steps up to this one's end */
} step;

typedef struct {
    float *spectra; /* ring of `slots`: job k is in slot k % slots */
    size_t slots;
    const float *history;
} level_input;

typedef struct {
    float *sum;   /* Y */
    float *chunk; /* or NULL when there is one chunk only */
    float *out;   /* B frames */
    size_t first_step, end_step;
} level_output;

struct pn_level {
    const pn_backend_ops *ops;
    const pn_cpu *cpu;
    pn_rafft *fft;
    int block, inputs, outputs;
    size_t stride; /* floats from one spectrum to the next */
    level_input *input;
    level_output *output;
    float *filters;
    product *product;
    step *step;
    size_t products, steps;
    float *scratch; /* PN_CPU_TASKS of scratch_stride */
    size_t scratch_stride;
    size_t job;                /* the job begun last; the first is 1 */
    size_t next;               /* step to run */
    size_t run_first, run_end; /* steps of the run in progress, for the pool's tasks */
    int run_output, run_outputs;
};

/* ------------------------------------------------------------------ create */

static size_t spectrum_bytes(const pn_level *level, size_t spectra) {
    return spectra * level->stride * sizeof(float);
}

/* Sorts the entries' partitions by output (counting sort, entries in order) and transforms them. */
static void make_products(pn_level *level, const pn_level_desc *desc, size_t *end_of_output, float *padded) {
    size_t block = (size_t)level->block;
    float scale = 1.0f / (float)block;
    for (int o = 0; o + 1 < desc->outputs; ++o)
        end_of_output[o + 1] += end_of_output[o];
    for (int e = desc->entries - 1; e >= 0; --e) {
        const pn_level_entry *entry = &desc->entry[e];
        for (size_t p = pn_level_partitions(entry, level->block); p-- > 0;) {
            size_t at = --end_of_output[entry->output];
            float *filter = level->filters + at * level->stride;
            size_t taps = entry->length - p * block < block ? entry->length - p * block : block;
            for (size_t n = 0; n < block; ++n)
                padded[n] = n < taps ? entry->taps[p * block + n] * scale : 0;
            pn_rafft_forward(level->fft, padded, NULL, filter, level->scratch);
            level->product[at] = (product){filter, entry->input, (int)p};
        }
    }
}

static void add_step(pn_level *level, step s, double cost) {
    s.cost_end = cost + (level->steps == 0 ? 0 : level->step[level->steps - 1].cost_end);
    level->step[level->steps++] = s;
}

/* start_of_output has outputs + 1 values. */
static void make_steps(pn_level *level, const size_t *start_of_output) {
    for (int i = 0; i < level->inputs; ++i)
        add_step(level, (step){.kind = FORWARD, .index = i}, TRANSFORM_COST);
    for (int o = 0; o < level->outputs; ++o) {
        size_t first = start_of_output[o], end = start_of_output[o + 1];
        level->output[o].first_step = level->steps;
        for (size_t p = first; p < end; p += STEP_PRODUCTS) {
            size_t left = end - p;
            int count = left < STEP_PRODUCTS ? (int)left : STEP_PRODUCTS;
            bool last = left <= STEP_PRODUCTS;
            add_step(level,
                     (step){MULTIPLY, o, p, count, (p - first) % CHUNK == 0,
                            last || (p - first + STEP_PRODUCTS) % CHUNK == 0, 0},
                     count);
        }
        add_step(level, (step){.kind = INVERSE, .index = o}, TRANSFORM_COST);
        level->output[o].end_step = level->steps;
    }
}

static pinna_status allocate(pn_level *level, const pn_level_desc *desc, const size_t *products_of_output) {
    level->filters = pn_alloc(level->products, level->stride * sizeof(float));
    level->product = pn_alloc(level->products, sizeof *level->product);
    level->input = pn_alloc((size_t)desc->inputs, sizeof *level->input);
    level->output = pn_alloc((size_t)desc->outputs, sizeof *level->output);
    size_t steps = (size_t)desc->inputs + 2 * (size_t)desc->outputs + level->products;
    level->step = pn_alloc(steps, sizeof *level->step);
    level->scratch_stride = (pn_rafft_scratch(level->fft) + PADDING + PADDING - 1) / PADDING * PADDING;
    level->scratch = pn_alloc(PN_CPU_TASKS, level->scratch_stride * sizeof(float));
    bool failed = level->filters == NULL || level->product == NULL || level->input == NULL ||
                  level->output == NULL || level->step == NULL || level->scratch == NULL;
    for (int e = 0; e < desc->entries && !failed; ++e) {
        level_input *input = &level->input[desc->entry[e].input];
        size_t partitions = pn_level_partitions(&desc->entry[e], level->block);
        input->slots = partitions > input->slots ? partitions : input->slots;
    }
    for (int i = 0; i < desc->inputs && !failed; ++i) {
        level_input *input = &level->input[i];
        input->slots = input->slots == 0 ? 1 : input->slots;
        input->spectra = pn_alloc(input->slots, level->stride * sizeof(float));
        failed = input->spectra == NULL;
    }
    for (int o = 0; o < desc->outputs && !failed; ++o) {
        level_output *output = &level->output[o];
        output->sum = pn_alloc_floats(level->stride);
        output->out = pn_alloc_floats((size_t)level->block);
        bool chunks = products_of_output[o] > CHUNK;
        output->chunk = chunks ? pn_alloc_floats(level->stride) : NULL;
        failed = output->sum == NULL || output->out == NULL || (chunks && output->chunk == NULL);
    }
    return failed ? PINNA_NO_MEMORY : PINNA_OK;
}

/* counts has outputs + 1 zeroed values. */
static pinna_status build(pn_level *level, const pn_level_desc *desc, size_t *counts, float *padded,
                          pinna_error *err) {
    level->block = desc->block;
    level->inputs = desc->inputs;
    level->outputs = desc->outputs;
    level->stride = 2 * (size_t)desc->block + PADDING;
    for (int e = 0; e < desc->entries; ++e) {
        size_t partitions = pn_level_partitions(&desc->entry[e], desc->block);
        counts[desc->entry[e].output] += partitions;
        level->products += partitions;
    }
    pinna_status status = pn_rafft_create(2 * desc->block, level->cpu->simd, &level->fft, err);
    if (status != PINNA_OK)
        return status;
    if (allocate(level, desc, counts) != PINNA_OK)
        return pn_fail_memory(err, "a partition level", (double)spectrum_bytes(level, level->products));
    make_products(level, desc, counts, padded);
    counts[desc->outputs] = level->products;
    make_steps(level, counts);
    level->next = level->steps;
    return PINNA_OK;
}

pinna_status pn_cpu_level_create(pn_backend *backend, const pn_level_desc *desc, pn_level **out,
                                 pinna_error *err) {
    *out = NULL;
    pinna_status status = pn_level_desc_check(desc, err);
    if (status != PINNA_OK)
        return status;
    pn_level *level = pn_alloc(1, sizeof *level);
    size_t *counts = pn_alloc((size_t)desc->outputs + 1, sizeof *counts);
    float *padded = pn_alloc_floats((size_t)desc->block);
    if (level == NULL || counts == NULL || padded == NULL) {
        status = pn_fail_memory(err, "a partition level", sizeof *level + (double)desc->block * 4);
    } else {
        level->ops = backend->ops;
        level->cpu = (const pn_cpu *)backend;
        status = build(level, desc, counts, padded, err);
    }
    pn_free(padded);
    pn_free(counts);
    if (status != PINNA_OK)
        pn_cpu_level_free(level);
    else
        *out = level;
    return status;
}

void pn_cpu_level_free(pn_level *level) {
    if (level == NULL)
        return;
    for (int i = 0; level->input != NULL && i < level->inputs; ++i)
        pn_free(level->input[i].spectra);
    for (int o = 0; level->output != NULL && o < level->outputs; ++o) {
        pn_free(level->output[o].sum);
        pn_free(level->output[o].chunk);
        pn_free(level->output[o].out);
    }
    pn_free(level->input);
    pn_free(level->output);
    pn_free(level->filters);
    pn_free(level->product);
    pn_free(level->step);
    pn_free(level->scratch);
    pn_rafft_free(level->fft);
    pn_free(level);
}

/* ------------------------------------------------------------------ steps */

static float *input_spectrum(const pn_level *level, int input, size_t job) {
    const level_input *in = &level->input[input];
    return in->spectra + job % in->slots * level->stride;
}

static void run_forward(const pn_level *level, int input, float *scratch) {
    const float *history = level->input[input].history;
    pn_rafft_forward(level->fft, history, history + level->block, input_spectrum(level, input, level->job),
                     scratch);
}

static void run_multiply(const pn_level *level, const step *s) {
    const level_output *output = &level->output[s->index];
    size_t floats = 2 * (size_t)level->block;
    float *sum = output->chunk != NULL ? output->chunk : output->sum;
    if (s->opens)
        memset(sum, 0, floats * sizeof *sum);
    if (output->chunk != NULL && s == &level->step[output->first_step])
        memset(output->sum, 0, floats * sizeof *sum);
    for (size_t p = s->first; p < s->first + (size_t)s->count; ++p) {
        const product *next = &level->product[p];
        /* + slots: the jobs before the first are silence */
        size_t slots = level->input[next->input].slots;
        const float *x = input_spectrum(level, next->input, level->job + slots - (size_t)next->partition);
        pn_rafft_multiply_add(level->fft, sum, next->filter, x);
    }
    if (output->chunk == NULL || !s->closes)
        return;
    for (size_t n = 0; n < floats; ++n)
        output->sum[n] += output->chunk[n];
}

static void forward_task(void *context, int task) {
    const pn_level *level = context;
    float *scratch = level->scratch + (size_t)task * level->scratch_stride;
    for (size_t s = level->run_first + (size_t)task; s < level->run_end; s += PN_CPU_TASKS)
        run_forward(level, level->step[s].index, scratch);
}

static void run_output_steps(const pn_level *level, const level_output *output, float *scratch) {
    size_t first = output->first_step > level->run_first ? output->first_step : level->run_first;
    size_t end = output->end_step < level->run_end ? output->end_step : level->run_end;
    for (size_t s = first; s < end; ++s) {
        if (level->step[s].kind == MULTIPLY)
            run_multiply(level, &level->step[s]);
        else if (s > output->first_step)
            pn_rafft_inverse(level->fft, output->sum, NULL, output->out, scratch);
    }
}

static void output_task(void *context, int task) {
    const pn_level *level = context;
    float *scratch = level->scratch + (size_t)task * level->scratch_stride;
    for (int o = level->run_output + task; o < level->run_output + level->run_outputs; o += PN_CPU_TASKS)
        run_output_steps(level, &level->output[o], scratch);
}

static void share_out(pn_level *level, pn_task_fn run, size_t items) {
    double before = level->run_first == 0 ? 0 : level->step[level->run_first - 1].cost_end;
    double work = (level->step[level->run_end - 1].cost_end - before) * level->block;
    pn_pool *pool = work < PN_CPU_INLINE_WORK ? NULL : level->cpu->pool;
    pn_pool_run(pool, run, level, items < PN_CPU_TASKS ? (int)items : PN_CPU_TASKS);
}

/* Runs the steps up to `end`. */
static void run_steps(pn_level *level, size_t end) {
    size_t forwards = (size_t)level->inputs;
    if (level->next < end && level->next < forwards) {
        level->run_first = level->next;
        level->run_end = end < forwards ? end : forwards;
        share_out(level, forward_task, level->run_end - level->run_first);
        level->next = level->run_end;
    }
    if (level->next >= end)
        return;
    level->run_first = level->next;
    level->run_end = end;
    level->run_output = level->step[level->next].index;
    level->run_outputs = level->step[end - 1].index - level->run_output + 1;
    share_out(level, output_task, (size_t)level->run_outputs);
    level->next = end;
}

/* ------------------------------------------------------------------ jobs */

static void take_history(pn_level *level, const float *const *history) {
    ++level->job;
    for (int i = 0; i < level->inputs; ++i)
        level->input[i].history = history[i];
}

pinna_status pn_cpu_level_begin(pn_level *level, const float *const *history, pinna_error *err) {
    (void)err;
    take_history(level, history);
    level->next = 0;
    return PINNA_OK;
}

void pn_cpu_level_advance(pn_level *level, int done, int of) {
    double share = level->step[level->steps - 1].cost_end * done / of;
    size_t end = level->next;
    while (end < level->steps && level->step[end].cost_end <= share)
        ++end;
    run_steps(level, end);
}

pinna_status pn_cpu_level_finish(pn_level *level, float *const *out, pinna_error *err) {
    (void)err;
    run_steps(level, level->steps);
    for (int o = 0; o < level->outputs; ++o)
        memcpy(out[o], level->output[o].out, (size_t)level->block * sizeof(float));
    return PINNA_OK;
}

pinna_status pn_cpu_level_feed(pn_level *level, const float *const *history, pinna_error *err) {
    (void)err;
    take_history(level, history);
    level->next = 0;
    run_steps(level, (size_t)level->inputs);
    level->next = level->steps;
    return PINNA_OK;
}

void pn_cpu_level_reset(pn_level *level) {
    for (int i = 0; i < level->inputs; ++i)
        memset(level->input[i].spectra, 0, spectrum_bytes(level, level->input[i].slots));
    level->job = 0;
    level->next = level->steps;
}
