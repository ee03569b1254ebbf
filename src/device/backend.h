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

/* `frames` frames of an input that end at time `end`, a call's block; before time 0 is silence. Of an input none of
 * whose responses reaches as far back, whatever there is. */
typedef const float *(*pn_matrix_window)(const void *user, int input, int64_t end, size_t frames);

/* What the kernels of a matrix take by themselves, in microseconds of wall time, mean of a call; and the rate at
 * which its sums and a plain copy on the device move bytes (read and written), 10^9 a second. copy_rate 0: not known. */
typedef struct {
    double forward_us, sums_us, inverse_us;
    double sums_rate, copy_rate;
} pn_matrix_rates;

/* ---- spatial bank */

enum {
    PN_FILTER_NODES = 6,         /* three of one shell of the grid, or three each of two neighbouring ones */
    PN_FILTER_TINTS = 4,         /* two by two: distance and angle of the near field, or distance in air */
    PN_BANK_INNER = 3,           /* filters between the ends of a quantum */
    PN_PROPAGATION_SHORTEST = 8, /* samples that the interpolator of a delay line reaches ahead */
    PN_PROPAGATION_LONGEST = 1 << 22
};

/* A source's complete filter at one instant. For each ear it is
 *     (sum of weight[j] * response of node[j]) * delay * (sum of tint_weight[j] * tint[j])
 * with * between the brackets for convolution: a blend of nodes of the set's grid (responses aligned in time), delayed
 * as linear phase, and convolved with a blend of tints, short filters that all sources share (near field, air). All
 * tint weights 0 mean no tint: a factor of 1.
 * Unused entries have index 0 and weight 0, and used ones come first. Filters are compared bytewise, hence only
 * members of 32 bits and no gap between them. ops.h has the definition in time. */
typedef struct {
    int node[2][PN_FILTER_NODES];     /* [ear: left, right] */
    float weight[2][PN_FILTER_NODES]; /* of interpolation, times linear gain; a silent filter has weights 0 */
    float delay[2];                   /* samples, 0 .. max_delay */
    int tint[2][PN_FILTER_TINTS];
    float tint_weight[2][PN_FILTER_TINTS];
} pn_filter;

/* Where a source's signal is read. Frame n of the quantum, u = n / q, is the signal at n - delay(u):
 *     delay(u) = whole + c[0] + c[1] u + c[2] u^2 + c[3] u^3 samples,
 * the cubic between the delays and their rates at the ends of the quantum. Held to PN_PROPAGATION_SHORTEST ..
 * desc.propagation whatever the cubic gives (the shortest for what is no number). Keep c small by `whole`: it is
 * evaluated in float. Between samples: signal/interpolator.h. */
typedef struct {
    int whole;
    float c[4];
} pn_propagation;

typedef struct {
    const float *in; /* the quantum's new samples, or NULL for silence; they come before propagation */
    int steps; /* 1 (or 0), 2 or 4: straight pieces of equal length from `from` over the inner ones to `to` */
    pn_filter from;                 /* at the first frame of the quantum */
    pn_filter to;                   /* at the first frame of the next one */
    pn_filter inner[PN_BANK_INNER]; /* steps 2: [1] at q/2; steps 4: at q/4, q/2, 3q/4; others are not read */
    pn_propagation propagation;     /* read where desc.propagation > 0 */
} pn_bank_source;

typedef struct {
    int size;    /* N: transform, power of two; taps + tint_taps - 1 + max_delay + quantum <= N + 1, with
                    tint_taps 1 where there are no tints */
    int quantum; /* q: frames per job, power of two, 32 .. 256, at most N / 2 */
    int sources; /* number of sources, fixed: every job lists all of them, in the same order */
    int nodes;
    int taps;               /* length of a node's response */
    int max_delay;          /* samples */
    const float *responses; /* [node][ear: left, right][taps], aligned in time; read during create only */
    int tints, tint_taps;   /* 0, 0: none */
    const float *tint_responses; /* [tint][tint_taps]; read during create only */
    int propagation;             /* longest delay in samples; 0: sources are heard without delay */
} pn_bank_desc;

/* The result of a job: for each ear, on frame n of 0 .. q-1, the sum over all sources of
 *     y_p[n] + (y_(p+1)[n] - y_p[n]) t,  n steps / q = p + t, p whole,
 * where y_p is the source's signal (delayed by its propagation, with its history of the last N - q samples) convolved
 * with filter p of `from`, the inner ones, `to`. The history is of what was heard: every quantum of it was read with
 * the delay of its own time.
 *
 * What is silent or still costs less: `in` NULL for long enough (the filter's memory, and the propagation before it),
 * filters without weight, filters that do not change. Frames are the same whether a back end notices or not. */

/* ---- a back end */

typedef enum { PN_BACKEND_CPU, PN_BACKEND_OPENCL } pn_backend_kind;

typedef struct {
    pinna_status (*level_create)(pn_backend *backend, const pn_level_desc *desc, pn_level **level,
                                 pinna_error *err);
    void (*level_free)(pn_level *level); /* accepts NULL */
    /* history[i]: 2B frames, oldest first, the last B of them new; must stay as it is until finish, reset or free:
     * another thread may be reading it. */
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
    /* Optional, NULL where a result has to be copied anyway. Results of jobs that begin from now on are made in out[o],
     * which is left alone meanwhile, and finish, given the same, copies nothing; out NULL: no longer. */
    void (*level_aim)(pn_level *level, float *const *out);
    /* Optional, NULL where begin copies. The frames given to the last begin stand at another address from now on; while no
     * thread of a pool has the job. */
    void (*level_move)(pn_level *level, const float *const *history);
    /* Optional, NULL where it would save nothing. The outputs o with muted[o] are not needed any more, for good: from the
     * next begin on what only they need is left out, and what finish gives for them is undefined. Those muted before stay
     * so; all others give the same bits as ever. Not while level_advance or level_finish runs. */
    void (*level_mute)(pn_level *level, const bool *muted);

    /* All matrix slots NULL: the engine runs levels. */
    pinna_status (*matrix_create)(pn_backend *backend, const pn_matrix_desc *desc, pn_matrix **matrix,
                                  pinna_error *err);
    void (*matrix_free)(pn_matrix *matrix); /* accepts NULL */
    /* in[i]: the call's new frames, copied before the return; NULL = silence. */
    pinna_status (*matrix_begin)(pn_matrix *matrix, const float *const *in, pinna_error *err);
    /* out[o]: the call's frames, overwritten; NULL: not wanted. */
    pinna_status (*matrix_finish)(pn_matrix *matrix, float *const *out, pinna_error *err);
    double (*matrix_bytes)(const pn_matrix *matrix); /* on the device; optional */
    /* Optional. The threads of which pool share the copies of begin and finish from now on: that of the thread which makes
     * these calls. NULL, as at first: none. Not while a call is begun. */
    void (*matrix_set_pool)(pn_matrix *matrix, pn_pool *pool);
    /* To where it would be had it run up to `time`, a multiple of the call's block. Not block path. */
    pinna_status (*matrix_prime)(pn_matrix *matrix, int64_t time, pn_matrix_window window, const void *user,
                                 pinna_error *err);
    void (*matrix_reset)(pn_matrix *matrix); /* as newly created */
    /* Optional. As level_mute, from the next begin on; a device leaves out the products, which are most of the work, and
     * keeps its schedule. Between finish and begin. Block path. */
    void (*matrix_mute)(pn_matrix *matrix, const bool *muted);
    /* Optional. Runs each kind of kernel of some calls alone for a while; the matrix is as newly created then. Not block
     * path. */
    pinna_status (*matrix_measure)(pn_matrix *matrix, pn_matrix_rates *rates, pinna_error *err);

    pinna_status (*bank_create)(pn_backend *backend, const pn_bank_desc *desc, pn_bank **bank,
                                pinna_error *err);
    void (*bank_free)(pn_bank *bank); /* accepts NULL */
    /* sources: desc.sources of them. They and their samples must stay as they are until finish. */
    pinna_status (*bank_begin)(pn_bank *bank, const pn_bank_source *sources, pinna_error *err);
    /* left, right: q frames each, overwritten. */
    pinna_status (*bank_finish)(pn_bank *bank, float *left, float *right, pinna_error *err);
    /* As begin, but only takes the samples, by their propagation, into the history: reads `in` and `propagation`. A
     * bank that takes over is fed the last desc.propagation + N + 16 samples of every source, with the delays of
     * the last N at least. Not block path. */
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
    int spectra_bits;      /* see pn_backend_set_spectra; 0: 32 */
    pn_messages *messages; /* may be NULL */
    bool by_auto;          /* chosen by "auto": may be replaced by the CPU before it has done anything */
};

/* Opens "cpu", "opencl" (the first device that passes, GPUs first), "opencl:P.D" (platform and device by number)
 * or "auto" (a GPU or accelerator that passes its self-test, else the CPU, saying which and why; never an OpenCL
 * device of the CPU type). An explicit device that cannot be used is an error with the reason.
 * pool: for the CPU's work, may be NULL, outlives the back end. */
pinna_status pn_backend_open(const char *spec, pn_pool *pool, pn_messages *messages, pn_backend **backend,
                             pinna_error *err);
void pn_backend_close(pn_backend *backend); /* accepts NULL */

/* In how many bits matrices that are created from now on keep their responses' spectra: 32 (0), or 16 with one scale
 * for 32 values, which halves their memory and what is read of it, for an error of about -94 dB. Each matrix then
 * measures its error and tells it in messages (may be NULL, outlives the back end), if it is larger than what was
 * told before: an edit says nothing new. A back end without matrices keeps 32 bits, and says so. PINNA_BAD_ARGUMENT
 * for other numbers. */
pinna_status pn_backend_set_spectra(pn_backend *backend, int bits, pn_messages *messages, pinna_error *err);

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
/* Objects made from now on suit this pool, which is set later: what is made beside the thread that uses it. */
void pn_backend_cpu_expect(pn_backend *backend, const pn_pool *pool);
/* The pool of a CPU back end: it can be exchanged, or taken away, while none of its jobs runs. */
pn_pool *pn_backend_cpu_pool(const pn_backend *backend);
PN_BLOCK_PATH void pn_backend_cpu_set_pool(pn_backend *backend, pn_pool *pool);
pinna_status pn_backend_opencl_open(const char *spec, pn_messages *messages, pn_backend **backend,
                                    pinna_error *err);

#endif
