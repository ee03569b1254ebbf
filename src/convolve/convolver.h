// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_CONVOLVER_H
#define PN_CONVOLVE_CONVOLVER_H

#include <stdbool.h>

#include "convolve/plan.h"

/* A matrix of long impulse responses, inputs x outputs, run block by block through the jobs of a back end.
 *
 * The state is the input history and nothing else (overlap-save), kept here in ordinary memory: an exchange of
 * the responses runs an old and a new engine over the same history, and when a device is lost a CPU engine
 * resumes from it. An engine computes all outputs as a rule; where entries were edited, several share them out. */
typedef struct pn_convolver pn_convolver;

enum { PN_CONVOLVER_QUEUE = 4 }; /* exchanges requested and not yet at their end */

typedef struct {
    int inputs, outputs; /* 1 .. 65536 */
    int block;           /* live: frames per call, power of two 32..8192; offline: 0 = the plan's choice */
    pn_plan_mode mode;
    const pinna_ir *irs; /* read during create */
    size_t ir_count;
    bool fixed;          /* never exchanged: on the CPU the inputs are kept only as far as jobs look back */
    bool editable;       /* keeps copies of the responses, for pn_convolver_request_edit */
    pn_backend *backend; /* outlives the convolver */
    pn_pool *pool; /* of the thread that processes: for the copies of thousands of channels, and for the CPU
                              engine that takes over from a lost device; may be NULL */
    pn_messages *messages; /* for a device lost while running; may be NULL, outlives the convolver */
} pn_convolver_desc;

/* Checks the responses (length, finite taps, indices, one per pair) and says what is wrong; computes the memory
 * before allocating it. */
pinna_status pn_convolver_create(const pn_convolver_desc *desc, pn_convolver **convolver, pinna_error *err);
void pn_convolver_free(pn_convolver *convolver); /* accepts NULL */

int pn_convolver_block(const pn_convolver *convolver);
/* Of the engine that was made for all outputs; the engines that edits brought have plans of their own. */
const pn_plan *pn_convolver_plan(const pn_convolver *convolver);
/* Bytes of spectra, histories and buffers, on host and device together. While no other thread processes. */
size_t pn_convolver_memory(const pn_convolver *convolver);
/* "cpu" or "opencl:P.D": what computes now. */
const char *pn_convolver_device(const pn_convolver *convolver);

/* One block: in[i] and out[o] have pn_convolver_block frames; out is overwritten; no latency. in[i] NULL =
 * silence. A failing device is replaced by the CPU inside this call (said in messages), the same block is
 * computed again, nothing is lost; only if that fails too the call does. */
PN_BLOCK_PATH pinna_status pn_convolver_block_process(pn_convolver *convolver, const float *const *in,
                                                      float *const *out, pinna_error *err);

/* Any number of frames. As long as every call has a multiple of the block there is no latency; from the first other
 * size on the output is one block late (pn_convolver_latency says so). */
PN_BLOCK_PATH pinna_status pn_convolver_process(pn_convolver *convolver, const float *const *in,
                                                float *const *out, size_t frames, pinna_error *err);
int pn_convolver_latency(const pn_convolver *convolver);

/* Of a `fixed` one that is called with whole blocks: where block `number` of an input, counted since the start or
 * reset, may be written before it is its turn; given as in[i] then, it is not copied. That of the next call, and as
 * many after it as PN_CONVOLVER_AHEAD says, also in another thread while a call runs. */
enum { PN_CONVOLVER_AHEAD = 2 };
float *pn_convolver_place(const pn_convolver *convolver, int input, uint64_t number);

/* ---- exchange between two calls */

/* Exchanges all responses with a linear crossfade over fade_frames of output from the next frame on: sample n of the
 * fade has (n + 1) / (fade_frames + 1) of the new. 0 = at once. Allocates: between blocks, not on the block path.
 * PINNA_BAD_ARGUMENT while a fade runs (pn_convolver_fading) or a request is pending, or when fixed. After a failure
 * the convolver is as before. Both run over the full history. For a response that is longer than any before of its
 * input, what it needs of the past is kept as far back as the longest of those reached, and at least for 2^22 / inputs
 * frames (2^19 at most); before is silence. The old responses are freed at the next exchange or update. */
pinna_status pn_convolver_swap(pn_convolver *convolver, const pinna_ir *irs, size_t ir_count,
                               size_t fade_frames, pinna_error *err);
bool pn_convolver_fading(const pn_convolver *convolver);

/* ---- exchange while another thread processes
 *
 * One control thread at a time may make the calls below while one other thread makes the block path's (and reset).
 * Neither waits for the other. swap counts as both. */

/* As swap, but prepared here: the new engine is made, brought to the present, and handed over; the crossfade begins
 * with the next block that is processed (in the output of calls of other sizes: where that block is heard). An
 * exchange never cuts another one short: it waits for the end of the one before, up to PN_CONVOLVER_QUEUE pending
 * ones, beyond which it is PINNA_BAD_ARGUMENT. The block path runs both engines during a crossfade, and for at most
 * 8 blocks before it up to two blocks more of the new one, should blocks have come in during the hand-over. */
pinna_status pn_convolver_request_swap(pn_convolver *convolver, const pinna_ir *irs, size_t ir_count,
                                       size_t fade_frames, pinna_error *err);

/* The same for some entries: those listed replace the one of their pair or join; with taps NULL and length 0 they
 * remove it. All others stay as the latest request left them, one must. Needs `editable`.
 *
 * What is made anew, crossfaded and run twice meanwhile is the outputs that the entries lead to, with all the entries
 * that lead there: time and memory of a request go by those and the past of their inputs, not by the matrix. All
 * other outputs go on untouched, to the bit. Each edit leaves an engine for its outputs, and takes the engines of
 * earlier ones in that are not much larger than itself (convolver_sides.h): there are about log2(outputs), and a run
 * of single edits makes each output anew about log2(outputs) times at most. An edit after which more than half of the
 * outputs would have left the engine of all makes everything anew, like a swap. An engine that lost outputs keeps
 * their memory until then; on the CPU it does no work for them any more, on a device their transforms but no
 * products. Where a response reaches further back than the history, a longer one is made, of all inputs. */
pinna_status pn_convolver_request_edit(pn_convolver *convolver, const pinna_ir *irs, size_t ir_count,
                                       size_t fade_frames, pinna_error *err);

/* Frees what was replaced and hands over the next exchange that waits. Call it now and then until *pending (may be
 * NULL; those waiting, handed over and being crossfaded, or crossfaded while jobs of others still read the history that
 * was replaced with it) is 0. After a failure all is as before, for another try. */
pinna_status pn_convolver_update(pn_convolver *convolver, int *pending, pinna_error *err);

/* The frame, counted in what was fed since the start or reset, at which the latest crossfade began; -1 = none yet.
 * Any thread. */
int64_t pn_convolver_begun(const pn_convolver *convolver);

/* What the device's kernels take by themselves (backend.h), for benchmarks; all is as newly created then.
 * PINNA_UNSUPPORTED on the CPU. */
pinna_status pn_convolver_measure_device(pn_convolver *convolver, pn_matrix_rates *rates, pinna_error *err);

/* As newly created; a crossfade under way ends with the new responses. */
void pn_convolver_reset(pn_convolver *convolver);

#endif
