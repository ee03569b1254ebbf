// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_BINAURAL_H
#define PN_RENDER_BINAURAL_H

#include "device/backend.h"
#include "render/aim.h"
#include "spatial/hrtf.h"

/* The binaural part of a mix: signals with their places in, two ears out, through the spatial bank of a back end. It
 * has slots; a source takes one, or several when it is wide (spread.h). The filter of a slot is evaluated at the ends of
 * every quantum, and in between where it changes fast, and crossfaded linearly from one to the next.
 * A device that fails is replaced by the CPU: the last samples of every slot are kept in ordinary memory, as far as its
 * delay lines and filters reach back, and the new bank is fed with them. That block, once, allocates and logs: the one
 * exception of the block path. */
typedef struct pn_binaural pn_binaural;

typedef struct {
    const pn_hrtf *hrtf;   /* outlives the object */
    const pn_aimer *aimer; /* likewise */
    int quantum;           /* frames per step, power of two, 32..256 */
    int slots;
    bool copies;         /* some source takes several slots: pn_binaural_share will be called */
    int propagation;     /* samples of the longest delay line; 0: none */
    pn_backend *backend; /* outlives the object */
    pn_pool *pool;
    pn_messages *messages;
} pn_binaural_desc;

pinna_status pn_binaural_create(const pn_binaural_desc *desc, pn_binaural **binaural, pinna_error *err);
void pn_binaural_free(pn_binaural *binaural);           /* accepts NULL */
int pn_binaural_transform(const pn_binaural *binaural); /* size of the transform */
/* Frames of a slot's signal that its filters remember, the delay lines apart. */
int pn_binaural_reach(const pn_binaural *binaural);
size_t pn_binaural_memory(const pn_binaural *binaural); /* bytes */
const char *pn_binaural_device(const pn_binaural *binaural);

/* Where a slot moves in the next quantum: steps (1, 2 or 4) places at equal distances in time, the last at the first
 * frame of the quantum after it. The first call sets where it begins: there. */
PN_BLOCK_PATH void pn_binaural_aim(pn_binaural *binaural, int slot, const pn_aim *aim, int steps);
/* After the same for `count` slots from `first` on, which are copies of one source: scales them so that together they
 * have the power, in both ears, that a point at the places `whole` would have. Returns by how much the lows of all their
 * signals are to be amplified besides, at the end of this quantum (balance.h). */
PN_BLOCK_PATH double pn_binaural_share(pn_binaural *binaural, int first, int count, const pn_aim *whole,
                                       int steps);
/* How a slot's signal travels in the next quantum. */
PN_BLOCK_PATH void pn_binaural_travel(pn_binaural *binaural, int slot, const pn_propagation *propagation);

/* One quantum: in[s] is the slot's samples or NULL for silence; adds to left and right. */
PN_BLOCK_PATH pinna_status pn_binaural_process(pn_binaural *binaural, const float *const *in, float *left,
                                               float *right, pinna_error *err);

#endif
