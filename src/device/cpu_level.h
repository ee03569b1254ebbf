// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_CPU_LEVEL_H
#define PN_DEVICE_CPU_LEVEL_H

#include <stdint.h>

#include "device/cpu.h"
#include "device/cpu_sums.h"

/* The inside of a partition level: cpu_level.c makes it and runs its jobs, cpu_level_layout.c finds its components
 * and places its memory, cpu_level_steps.c makes the list of steps and runs a stretch of it, cpu_level_deal.c deals
 * the list out to the threads of a pool. */

/* What a job is made of, in the order of a component's list. */
typedef enum {
    PN_STEP_FORWARD_TOP,  /* columns of the root's pass of an input */
    PN_STEP_FORWARD_PART, /* pieces of a part of an input's spectrum */
    PN_STEP_SUMS,         /* products of tiles, of all inputs and outputs of the component */
    PN_STEP_INVERSE_PART, /* pieces of a part of an output's spectrum */
    PN_STEP_INVERSE_TOP,  /* columns of the root's pass of an output */
    PN_STEP_KINDS
} pn_step_kind;

typedef struct {
    double
        cost_end[PN_SUMS_FUTURE]; /* estimated nanoseconds of all steps up to this one's end, in job k % 4 */
    uint32_t strand; /* steps of one strand run in order; those of two do not meet (see cpu_level_steps.c) */
    uint32_t first, end;  /* columns, pieces or tiles of the part */
    int component, index; /* index: the input or output within the component */
    int16_t part, parts;  /* several parts: all the pieces of each */
    int16_t kind;
} pn_step;

/* A connected component of the matrix of inputs and outputs. */
typedef struct {
    pn_sums sums;                  /* once the level is made, its outputs are those that sound */
    int first_input, first_output; /* of the level's */
    double kept;                   /* share of the outputs that the latest mute left */
} pn_component;

/* The steps as stages, lanes and pieces of a job (threads.h). */
typedef struct {
    const pn_level *level;
    pn_job *job; /* NULL: there is none */
    struct {
        pn_step_kind kind, last_kind;
        uint32_t *border[PN_JOB_LANES]; /* of each lane: the first step of each piece, and the end */
    } stage[PN_JOB_STAGES];
    uint32_t *borders; /* all of them */
} pn_level_deal;

struct pn_level {
    const pn_backend_ops *ops;
    const pn_cpu *cpu;
    const pn_sums_width *width;
    const pn_rafft *fft;
    int block, inputs, outputs; /* of the description */

    size_t tile, tiles; /* floats of a tile, tiles of a spectrum */
    size_t columns;     /* tiles of a part */
    size_t stride;      /* floats from one part to the next in a work buffer */
    int parts;
    bool joined; /* small: no gaps between the parts, which one step does together */
    bool sweeps; /* four results per read; else one */
    int sets; /* of work buffers: component c has set c % sets; one each, or the job is not dealt to threads */
    size_t swath; /* tiles next to each other that are swept in the same job */

    /* Those that have entries only, a component's next to each other. */
    pn_component *component;
    pn_sums_input *input;
    pn_sums_output *output;
    pn_sums_entry *entry;
    int components, used_inputs, used_outputs, entries;
    int *input_number, *output_number; /* in the description, of each */
    float **out[2];                    /* of each used output, B frames: job k writes out[k % 2] .. */
    float **aim;                       /* .. or there, while `aimed` */
    bool aimed;
    const float **lent; /* [output]: what level_lend gives */
    float *silence;     /* B frames, for outputs without entries, or NULL */
    float *memory;      /* all the spectra and buffers */

    /* Of each used output: asked to be mute, which the next begin sees to; mute; and, a component's from its first
     * output on, the outputs that sound. */
    bool *to_mute, *mute;
    pn_sums_output *sounding;
    bool mutes; /* some are asked to be */

    pn_step *step;
    size_t steps;
    const float **history; /* of the job begun last, by the description's inputs */
    size_t job;            /* begun last; the first is 1 */
    size_t next;           /* step to run */

    pn_level_deal by_component, by_strand;
    pn_job *dealt;          /* the job begun last is with the pool; NULL: with the caller, from `next` on */
    pn_step_kind last_kind; /* of a job that is dealt */
};

/* Where the job begun last writes, by used output. */
static inline float *const *pn_cpu_level_results(const pn_level *level) {
    return level->aimed ? level->aim : level->out[level->job % 2];
}

/* Components, and memory for all; the filters are zero. */
pinna_status pn_cpu_level_lay_out(pn_level *level, const pn_level_desc *desc, pinna_error *err);

/* The list of steps. */
pinna_status pn_cpu_level_make_steps(pn_level *level, pinna_error *err);
static inline bool pn_step_is_of(const pn_step *s, pn_step_kind kind, pn_step_kind last_kind) {
    return s->kind >= (int)kind && s->kind <= (int)last_kind;
}
/* Takes what was asked to be mute out of the sums and the costs; while nobody runs steps. */
PN_BLOCK_PATH void pn_cpu_level_take_out(pn_level *level);
/* Runs those of first .. end - 1 that are of these kinds, in order; as far as their strands allow, any thread. */
PN_BLOCK_PATH void pn_cpu_level_run_in_order(const pn_level *level, size_t first, size_t end,
                                             pn_step_kind kind, pn_step_kind last_kind);

/* Both deals, unless the job is too cheap for any. */
pinna_status pn_cpu_level_make_deals(pn_level *level, pinna_error *err);
void pn_cpu_level_free_deals(pn_level *level);
/* Hands the job begun to the pool, up to kind last_kind, when there is one and it is worth it. */
PN_BLOCK_PATH void pn_cpu_level_deal(pn_level *level, pn_step_kind last_kind);

#endif
