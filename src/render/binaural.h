// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_BINAURAL_H
#define PN_RENDER_BINAURAL_H

#include "device/backend.h"
#include "spatial/hrtf.h"

/* The binaural part of a mix: the sources' signals and directions in, two ears out, through the spatial bank of a
 * back end. The filter of a source is evaluated at the ends of every quantum and crossfaded linearly within it.
 * A device that fails is replaced by the CPU: the last samples of every source are kept in ordinary memory, and the
 * new bank is fed with them. That block, once, allocates and logs: the one exception of the block path. */
typedef struct pn_binaural pn_binaural;

typedef struct {
    const pn_hrtf *hrtf; /* outlives the object */
    int quantum;         /* frames per step, power of two, 32..256 */
    int sources;
    pn_backend *backend; /* outlives the object */
    pn_pool *pool;
    pn_messages *messages;
} pn_binaural_desc;

pinna_status pn_binaural_create(const pn_binaural_desc *desc, pn_binaural **binaural, pinna_error *err);
void pn_binaural_free(pn_binaural *binaural);           /* accepts NULL */
int pn_binaural_transform(const pn_binaural *binaural); /* size of the transform */
size_t pn_binaural_memory(const pn_binaural *binaural); /* bytes */
const char *pn_binaural_device(const pn_binaural *binaural);

/* Where a source stands in the head's axes (metres): its direction, and its level by 1 / max(r, 0.2).
 * Sets what the next quantum moves to. The first call sets where it begins. */
PN_BLOCK_PATH void pn_binaural_aim(pn_binaural *binaural, int source, pn_vec3 relative);

/* One quantum: in[s] is the source's samples or NULL for silence; adds to left and right. */
PN_BLOCK_PATH pinna_status pn_binaural_process(pn_binaural *binaural, const float *const *in, float *left,
                                               float *right, pinna_error *err);

#endif
