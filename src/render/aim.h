// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_AIM_H
#define PN_RENDER_AIM_H

#include "device/backend.h"
#include "scene/scene.h"
#include "spatial/hrtf.h"

/* From where a source stands to its filter: the set's responses in its direction, and what distance does to them.
 *
 *   1 m and beyond  the set's response, exactly; with air on, convolved with what the air absorbs (spatial/air.h), up to the
 *                   law's max
 *   nearer          by `field`: far the same; mid each ear takes the response from the direction it sees, with the
 *                   times of arrival of a near source; near and auto the level by frequency of a near source as well
 *                   (spatial/near_field.h)
 *   inside the head the filter passes over to that of the front as the source goes to the centre, where it has no
 *                   direction: a way through the head has no step
 *
 * Instead of 1 m it is the distance of the set's innermost directions where they were measured nearer than that. */
typedef struct pn_aimer pn_aimer;

typedef struct {
    const pn_hrtf *hrtf; /* outlives the object */
    pn_distance_law distance;
    bool parallax; /* some source has another field than far */
    bool near;     /* some source has the field near or auto */
    bool air;      /* the air absorbs */
    pn_air_state air_state;
} pn_aimer_desc;

/* What a scene asks for. */
pn_aimer_desc pn_aimer_desc_of(const pn_scene *scene, const pn_hrtf *hrtf);

pinna_status pn_aimer_create(const pn_aimer_desc *desc, pn_aimer **aimer, pinna_error *err);
void pn_aimer_free(pn_aimer *aimer); /* accepts NULL */

/* What a spatial bank has to be made for: the set's responses, the tints, and the longest delay of a filter, which may be
 * more than the set's. Size, quantum, sources and propagation are left to the caller (0). Pointers stay the aimer's and
 * the set's. */
const pn_bank_desc *pn_aimer_get_bank(const pn_aimer *aimer);
/* Frames of the longest filter of a source that never comes nearer than `nearest` metres. */
int pn_aimer_reach(const pn_aimer *aimer, double nearest);

/* A source's directivity, ready to be evaluated. */
pn_radiator pn_aimer_radiator(const pn_directivity *directivity);
/* Linear gain of the distance and the directivity; to_listener in metres, in the world's axes. */
PN_BLOCK_PATH double pn_aimer_gain(const pn_aimer *aimer, const pn_radiator *radiator, pn_vec3 to_listener);

/* One instant of a source. */
typedef struct {
    pn_vec3 relative; /* metres, in the head's axes */
    double gain;      /* linear: everything besides the filter */
    pn_field field;
    bool air; /* absorption over the distance, where the aimer has air */
} pn_aim;

/* Where the look-ups of one source were last: of the place, and of what each ear sees. */
typedef struct {
    pn_hrtf_hint place, seen[2];
} pn_aim_hint;

void pn_aim_hint_init(pn_aim_hint *hint);
PN_BLOCK_PATH void pn_aim_filter(const pn_aimer *aimer, const pn_aim *aim, pn_aim_hint *hint,
                                 pn_filter *filter);

#endif
