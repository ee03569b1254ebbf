// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_AIM_H
#define PN_RENDER_AIM_H

#include "device/backend.h"
#include "scene/scene.h"
#include "spatial/hrtf.h"

/* From where a source stands to its filter. */
typedef struct {
    pn_vec3 relative; /* metres, in the head's axes */
    double gain;      /* linear: everything besides the filter */
    pn_field field;
    bool air; /* absorption over the distance */
} pn_aim;

typedef struct {
    const pn_hrtf *hrtf;
} pn_aimer;

typedef struct {
    pn_hrtf_hint hint;
} pn_aim_hint;

void pn_aim_hint_init(pn_aim_hint *hint);
PN_BLOCK_PATH void pn_aim_filter(const pn_aimer *aimer, const pn_aim *aim, pn_aim_hint *hint,
                                 pn_filter *filter);

#endif
