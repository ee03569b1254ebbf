// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_ENGINE_H
#define PN_CONVOLVE_ENGINE_H

#include "convolve/history.h"
#include "convolve/plan.h"

/* One set of responses on one back end, run over an input history that it does not own. A convolver has one for all
 * outputs, or several, each for some: an engine writes the outputs that it has responses for, and no others. */
typedef struct pn_engine pn_engine;

enum { PN_ENGINE_CHANNELS = PN_PLAN_CHANNELS }; /* most inputs, and outputs */

typedef struct {
    int inputs, outputs;
    int block; /* live: of the convolver; offline: 0, or the convolver's once it is known */
    pn_plan_mode mode;
    const pinna_ir *irs; /* checked before */
    size_t ir_count;
    pn_backend *backend;
} pn_engine_desc;

/* What an engine will need, before it is made. */
typedef struct {
    pn_plan plan;
    double bytes;      /* spectra and buffers, on the host or the device, and the kept responses */
    double host_bytes; /* of these: not on a device with memory of its own, which counts that itself */
} pn_engine_need;

pinna_status pn_engine_measure(const pn_engine_desc *desc, pn_engine_need *need, pinna_error *err);
/* Raises span[input] to what an engine with this plan and these responses looks at: each input as far back as its own
 * responses reach. */
void pn_engine_raise_spans(const pn_plan *plan, const pinna_ir *irs, size_t count, pn_history_span *span);

/* On a back end other than the CPU the responses are kept, so that a CPU engine can be made from them. */
pinna_status pn_engine_create(const pn_engine_desc *desc, pn_engine **engine, pinna_error *err);
void pn_engine_free(pn_engine *engine); /* accepts NULL */
const pn_engine_need *pn_engine_get_need(const pn_engine *engine);
/* The kept responses, valid until the engine is freed; NULL on the CPU. */
const pinna_ir *pn_engine_kept_irs(const pn_engine *engine, size_t *count);
pn_backend *pn_engine_backend(const pn_engine *engine);

/* Whether it computes this output: it has responses that lead there, and they are not muted. */
bool pn_engine_has(const pn_engine *engine, int output);
/* Frames that the longest job takes which reads the history all the while: 0 where jobs copy what they need. */
int64_t pn_engine_period(const pn_engine *engine);

/* Brings a new engine to where it would be had it run over the history up to time `time`. Not block path. */
pinna_status pn_engine_prime(pn_engine *engine, const pn_history *history, int64_t time, pinna_error *err);

/* Jobs under way go on over `history`, which holds the same at time `time`, that of the last run or prime. Only as long
 * as no thread of a pool has one of them. */
PN_BLOCK_PATH void pn_engine_move(pn_engine *engine, const pn_history *history, int64_t time);
/* Before the run of the block that `in` is, which need not be in the history yet: a device begins with it. in[i] NULL =
 * silence. What fails is told by that run. On the CPU nothing. */
PN_BLOCK_PATH void pn_engine_start(pn_engine *engine, const float *const *in);

/* Whose threads share the copies to and from a device from now on: the pool of the thread that runs it; NULL: none. */
PN_BLOCK_PATH void pn_engine_set_pool(pn_engine *engine, pn_pool *pool);

/* Computes the outputs of the block that ends at `time`, as a rule the one written last; each block in turn. out[o]
 * is overwritten where pn_engine_has says so, and not looked at elsewhere. */
PN_BLOCK_PATH pinna_status pn_engine_run(pn_engine *engine, const pn_history *history, int64_t time,
                                         float *const *out, pinna_error *err);

/* The outputs o with muted[o] are not computed any more, for good. The CPU leaves out what only they need, from each
 * level's next job on; a device their products, but not their transforms, since its schedule is laid out once.
 * Changes no bit of the others. Between two runs. */
PN_BLOCK_PATH void pn_engine_mute(pn_engine *engine, const bool *muted);

/* What the device's kernels take (backend.h); the engine is as newly created then. PINNA_UNSUPPORTED where nothing is
 * measured. */
pinna_status pn_engine_measure_device(pn_engine *engine, pn_matrix_rates *rates, pinna_error *err);

/* To where a history at time 0 has it. */
PN_BLOCK_PATH void pn_engine_reset(pn_engine *engine);

#endif
