// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_CONVOLUTION_H
#define PN_APP_CONVOLUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/messages.h"
#include "convolve/convolver.h"
#include "io/audio_file.h"

/* The work of `pinna convolve`: one file, streamed, through the responses of another, to a third. Memory depends on
 * the responses, not on the length of the file. */

typedef struct {
    const char *in, *ir, *out;
    const char *swap_ir;  /* NULL = none */
    double swap_s;        /* output time at which the exchange begins */
    double wet_gain;      /* linear, of the responses */
    double dry_gain;      /* linear, of the input itself, at sample 0 of the same output; 0 = none */
    bool normalize;       /* scale so that the peak over all channels is -1 dBFS */
    pn_encoding encoding; /* PN_ENCODING_DEFAULT: f32 when IN is floating point, else pcm24 */
    const char *device;
    int threads;
    int spectra; /* bits, as pn_backend_set_spectra */
    /* Called after each block with the output frames done; false stops with PINNA_CANCELLED. May be NULL. */
    bool (*progress)(void *user, uint64_t done, uint64_t total, double rate);
    void *progress_user;
} pn_convolution;

typedef struct {
    char device[32];
    char plan[128];
    const char *layout; /* for people; static */
    int channels_in, channels_ir, channels;
    double rate;
    uint64_t frames; /* written: in + ir - 1 */
    uint64_t frames_in;
    size_t frames_ir; /* at the rate of IN; of the longer one with an exchange */
    double peak;      /* linear, of what was written, before clipping */
    double gain_db;   /* that --normalize applied; else 0 */
    uint64_t clipped;
    const char *encoding; /* as pn_audio_writer_stats */
    double seconds;       /* spent on the work */
} pn_convolution_result;

/* How responses meet channels:
 *   1 response        every channel through it
 *   as many as inputs channel by channel
 *   1 input           one output for each response
 *   2 inputs, 4       true stereo LL, LR, RL, RR (first letter the input)
 * irs: room for max(inputs, responses) entries, of which *count are filled with input and output, and in `response[e]`
 * the channel of IR. false: nothing fits. */
bool pn_convolution_route(int inputs, int responses, int *outputs, pinna_ir *irs, int *response,
                          size_t *count, const char **layout);

pinna_status pn_convolution_run(const pn_convolution *job, pn_messages *messages,
                                pn_convolution_result *result, pinna_error *err);

#endif
