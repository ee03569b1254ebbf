// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TOOLS_PEERS_H
#define PN_TOOLS_PEERS_H

#include <stdbool.h>
#include <stddef.h>

/* The engines that build/bench-peers compares with. Both libraries are GPL: they are yardsticks of this one program,
 * which is not installed; the program pinna and its library never see them. */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- zita-convolver: a matrix of responses, block by block. */

typedef struct peer_zita peer_zita;

/* diagonal: channel by channel, else every input into every output, entry e = input * outputs + output (or channel).
 * The response of entry e is taps[16 e .. 16 e + length - 1]. NULL when zita refuses (more than 64 channels). */
peer_zita *peer_zita_open(int inputs, int outputs, bool diagonal, const float *taps, size_t length,
                          int block);
/* in, out: a block of each. Its threads may still work when this returns: peer_zita_settle. */
void peer_zita_run(peer_zita *zita, const float *const *in, float *const *out);
/* Waits until the work of the blocks given so far is done. */
void peer_zita_settle(peer_zita *zita);
void peer_zita_close(peer_zita *zita); /* accepts NULL */

/* ---- FFTW: one real transform and its inverse. */

typedef struct peer_fftw peer_fftw;

peer_fftw *peer_fftw_open(int size); /* measures plans; NULL without memory */
void peer_fftw_pair(peer_fftw *fftw);
void peer_fftw_close(peer_fftw *fftw); /* accepts NULL */

/* ---- FFTW: whole signals by overlap-save with blocks of `block` frames, a channel at a time. */

typedef struct peer_overlap peer_overlap;

peer_overlap *peer_overlap_open(size_t block,
                                size_t length); /* plans; length: of the response; NULL without memory */
/* out: frames + length - 1 of them, rounded up to blocks. in must be readable for `frames`. */
void peer_overlap_run(peer_overlap *overlap, const float *in, size_t frames, const float *response,
                      float *out);
void peer_overlap_close(peer_overlap *overlap); /* accepts NULL */

#ifdef __cplusplus
}
#endif
#endif
