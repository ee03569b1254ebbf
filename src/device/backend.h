// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_BACKEND_H
#define PN_DEVICE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/messages.h"
#include "base/realtime.h"
#include "base/status.h"
#include "base/threads.h"

/* The seam between the engine and what computes it: the job. There are two kinds, and one that not all have.
 *
 *   level   one partition level of a convolver matrix: input history -> output.
 *           With transform blocks of B frames, output block k of output o is the sum, over the entries (i, o) and
 *           their partitions p, of partition p convolved with input blocks k - p - 1 and k - p of i (overlap-save).
 *   bank    one quantum of the spatial bank: the new samples and the filters of many sources -> two ears.
 *   matrix  (optional) one call of a whole convolver matrix, all its levels: for a device that keeps input, schedule
 *           and output on its side, so that only new frames and finished ones cross over.
 *
 * A back end fuses and slices inside a job as it likes, and keeps spectra in its own order on its own side. What
 * goes in and out is time-domain samples in ordinary memory, so that any back end can take over from another.
 *
 * Every job runs in three steps, so that a device can work while the host goes on and a CPU can spread the work:
 *   begin    hands over the inputs; a device starts; must not wait
 *   advance  (levels only) the CPU does its share of the work, up to `done` of `of` equal steps, as far as the threads
 *            of its pool have not done it; a device nothing
 *   finish   does what is left or waits for the device, and gives the result
 * begin, advance and finish are block path: no allocation, no lock, no log, no file. Waiting for a device happens
 * in finish only, which a render thread may call but never the audio callback. */

typedef struct pn_backend pn_backend;
typedef struct pn_level pn_level;
typedef struct pn_bank pn_bank;

/* ---- levels */

typedef struct {
    int input, output; /* within the level's inputs and outputs */
    const float
        *taps;     /* the part of the response that this level covers: partition p is taps[p * block ...] */
    size_t length; /* > 0 */
} pn_level_entry;

typedef struct {
    int block; /* B: power of two, 32 .. 524288 */
    int inputs, outputs;
    const pn_level_entry *entry; /* read during create only */
    int entries;
} pn_level_desc;

/* ---- matrix */

enum { PN_MATRIX_LEVELS = 6 };

typedef struct pn_matrix pn_matrix;

typedef struct {
    int block; /* of level 0: the call's; of the others a multiple */
    int partitions;
    size_t
        first; /* tap: 0 in level 0, 2 * block in the others, which so have their block's time to be computed */
} pn_matrix_level;

typedef struct {
    int inputs, outputs;
    const pn_matrix_level *level; /* blocks rising; together they cover the longest response */
    int levels;
    const pn_level_entry *entry; /* whole responses; read during create only */
    int entries;
} pn_matrix_desc;

/* `frames` frames of an input that end at time `end`; before time 0 is silence. Multiples of the call's block. */
typedef const float *(*pn_matrix_window)(const void *user, int input, int64_t end, size_t frames);

/* ---- spatial bank */

/* A source's filter at one instant: three nodes of the set's grid, blended, delayed per ear. */
typedef struct {
    int node[3];
    float weight[3]; /* barycentric weight times linear gain; a silent filter has weights 0 */
    float delay
        [2]; /* left, right, in samples, 0 .. max_delay; applied to the complete filter as linear phase */
} pn_filter;

typedef struct {
    const float *in; /* the quantum's new samples, or NULL for silence */
    pn_filter from;  /* at the first frame of the quantum */
    pn_filter to;    /* at the first frame of the next one */
} pn_bank_source;

typedef struct {
    int size;    /* N: transform, power of two; taps + max_delay + quantum <= N + 1 */
    int quantum; /* q: frames per job, power of two, 32 .. 256, at most N / 2 */
    int sources; /* number of sources, fixed: every job lists all of them, in the same order */
    int nodes;
    int taps;               /* length of a node's response */
    int max_delay;          /* samples */
    const float *responses; /* [node][ear: left, right][taps], aligned in time; read during create only */
} pn_bank_desc;

/* The result of a job on frame n of 0 .. q-1, for each ear: old[n] + (new[n] - old[n]) * n / q, where old and new
 * are the sums over all sources of their signal (with its history of the last N - q samples) convolved with the
 * filter `from` and the filter `to`. */

/* ---- a back end */

typedef enum { PN_BACKEND_CPU, PN_BACKEND_OPENCL } pn_backend_kind;

typedef struct {
    pinna_status (*level_create)(pn_backend *backend, const pn_level_desc *desc, pn_level **level,
                                 pinna_error *err);
    void (*level_free)(pn_level *level); /* accepts NULL */
    /* history[i]: 2B frames, oldest first, the last B of them new; must stay as it is until finish. */
    pinna_status (*level_begin)(pn_level *level, const float *const *history, pinna_error *err);
    void (*level_advance)(pn_level *level, int done, int of);
    /* out[o]: B frames, overwritten. */
    pinna_status (*level_finish)(pn_level *level, float *const *out, pinna_error *err);
    /* Optional, NULL where a result has to be copied anyway. As finish, but lends the result: (*out)[o] has B frames,
     * which stay as they are until the job after the next begins. */
    pinna_status (*level_lend)(pn_level *level, const float *const **out, pinna_error *err);
    /* As begin, but only takes the input into the level's history: for a level that takes over mid-stream, fed with
     * its past before its first begin. Not block path. */
    pinna_status (*level_feed)(pn_level *level, const float *const *history, pinna_error *err);
    void (*level_reset)(pn_level *level); /* forgets the history and a job begun */

    /* All matrix slots NULL: the engine runs levels. */
    pinna_status (*matrix_create)(pn_backend *backend, const pn_matrix_desc *desc, pn_matrix **matrix,
                                  pinna_error *err);
    void (*matrix_free)(pn_matrix *matrix); /* accepts NULL */
    /* in[i]: the call's new frames, copied before the return. */
    pinna_status (*matrix_begin)(pn_matrix *matrix, const float *const *in, pinna_error *err);
    /* out[o]: the call's frames, overwritten. */
    pinna_status (*matrix_finish)(pn_matrix *matrix, float *const *out, pinna_error *err);
    /* To where it would be had it run up to `time`, a multiple of the call's block. Windows asked for are at most two
     * largest blocks long. Not block path. */
    pinna_status (*matrix_prime)(pn_matrix *matrix, int64_t time, pn_matrix_window window, const void *user,
                                 pinna_error *err);
    void (*matrix_reset)(pn_matrix *matrix); /* as newly created */

    pinna_status (*bank_create)(pn_backend *backend, const pn_bank_desc *desc, pn_bank **bank,
                                pinna_error *err);
    void (*bank_free)(pn_bank *bank); /* accepts NULL */
    pinna_status (*bank_begin)(pn_bank *bank, const pn_bank_source *sources, pinna_error *err);
    /* left, right: q frames each, overwritten. */
    pinna_status (*bank_finish)(pn_bank *bank, float *left, float *right, pinna_error *err);
    /* As begin, but only takes the samples into the history. Not block path. */
    pinna_status (*bank_feed)(pn_bank *bank, const pn_bank_source *sources, pinna_error *err);

    /* Kernels launched by this process on devices of this kind so far; NULL: launches nothing. */
    long (*launches)(void);

    void (*close)(pn_backend *backend); /* after all its levels and banks are freed */
} pn_backend_ops;

/* The head of every back end's own struct, of pn_level and of pn_bank: each begins with a pointer to its
 * operations. */
struct pn_backend {
    const pn_backend_ops *ops;
    pn_backend_kind kind;
    char name[16];         /* "cpu" or "opencl:P.D" */
    char description[256]; /* for people: processor and width, or platform and device */
};

/* Opens "cpu", "opencl" (the first device that passes, GPUs first), "opencl:P.D" (platform and device by number)
 * or "auto" (a GPU or accelerator that passes its self-test, else the CPU, saying which and why; never an OpenCL
 * device of the CPU type). An explicit device that cannot be used is an error with the reason.
 * pool: for the CPU's work, may be NULL, outlives the back end. */
pinna_status pn_backend_open(const char *spec, pn_pool *pool, pn_messages *messages, pn_backend **backend,
                             pinna_error *err);
void pn_backend_close(pn_backend *backend); /* accepts NULL */

/* Runs each job on a small case and compares it with the plain definitions in ops.h. report (may be NULL) gets one
 * line per job: "level ok -134.2 dB". PINNA_DEVICE when one fails. pn_backend_open has done this for OpenCL. */
pinna_status pn_backend_selftest(pn_backend *backend, void (*report)(void *user, const char *line),
                                 void *user, pinna_error *err);

/* Implementations, for pn_backend_open and tests. OpenCL takes besides "auto": as "opencl", but GPUs and
 * accelerators only; without one it fails with the reason. */
pinna_status pn_backend_cpu_open(pn_pool *pool, pn_backend **backend, pinna_error *err);
/* Makes what levels of this block need of a CPU back end (others: nothing), so that they are made quicker: in another
 * thread, before. */
pinna_status pn_backend_cpu_prepare(pn_backend *backend, int block, pinna_error *err);
/* The pool of a CPU back end: it can be exchanged, or taken away, while none of its jobs runs. */
pn_pool *pn_backend_cpu_pool(const pn_backend *backend);
PN_BLOCK_PATH void pn_backend_cpu_set_pool(pn_backend *backend, pn_pool *pool);
pinna_status pn_backend_opencl_open(const char *spec, pn_messages *messages, pn_backend **backend,
                                    pinna_error *err);

#endif
