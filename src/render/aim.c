// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/aim.h"

#include <math.h>

#include "base/memory.h"
#include "spatial/near_field.h"

struct pn_aimer {
    pn_aimer_desc desc;
    pn_bank_desc bank;
    double rate;
    double reference;     /* metres: nearer than that something changes */
    int near_nodes;       /* of the tints the first; 0: none */
    int air_nodes;        /* then these */
    float *tints;         /* [tint][tint_taps] */
    pn_hrtf_point front;  /* what is heard in the centre of the head */
    double front_arrival; /* samples by which it is later than at the reference, with parallax */
};

/* ------------------------------------------------------------------ set-up */

pn_aimer_desc pn_aimer_desc_of(const pn_scene *scene, const pn_hrtf *hrtf) {
    pn_aimer_desc desc = {
        .hrtf = hrtf,
        .distance = scene->distance.law,
        .air = scene->air.on != 0,
        .air_state = scene->air.state,
    };
    for (size_t i = 0; i < scene->source_count; ++i) {
        const pn_source *source = &scene->sources[i];
        if (source->render != PN_RENDER_BINAURAL)
            continue;
        desc.parallax |= source->field != PN_FIELD_FAR;
        desc.near |= source->field == PN_FIELD_NEAR || source->field == PN_FIELD_AUTO;
    }
    return desc;
}

static pinna_status make_tints(pn_aimer *aimer, pinna_error *err) {
    double farthest = aimer->desc.distance.max;
    int near_taps = 0, air_taps = 0;
    if (aimer->desc.near) {
        aimer->near_nodes = pn_near_nodes(aimer->reference);
        near_taps = pn_near_taps(aimer->rate);
    }
    if (aimer->desc.air) {
        aimer->air_nodes = pn_air_nodes(farthest);
        air_taps = pn_air_taps(farthest, aimer->rate);
    }
    int tints = aimer->near_nodes + aimer->air_nodes, taps = near_taps > air_taps ? near_taps : air_taps;
    if (tints == 0)
        return PINNA_OK;
    aimer->tints = pn_alloc_floats((size_t)tints * (size_t)taps);
    if (aimer->tints == NULL)
        return pn_fail_memory(err, "the near field and the air", 4.0 * tints * taps);
    aimer->bank.tints = tints;
    aimer->bank.tint_taps = taps;
    aimer->bank.tint_responses = aimer->tints;
    pinna_status status = PINNA_OK;
    if (aimer->desc.near)
        status = pn_near_responses(aimer->reference, aimer->rate, taps, aimer->tints, err);
    if (status == PINNA_OK && aimer->desc.air)
        status = pn_air_responses(&aimer->desc.air_state, farthest, aimer->rate, taps,
                                  aimer->tints + (size_t)aimer->near_nodes * (size_t)taps, err);
    return status;
}

/* Samples by which a source at a distance arrives later than one at the reference. */
static double later(const pn_aimer *aimer, double distance, double angle) {
    double held = fmax(distance, PN_NEAREST_METRES);
    return aimer->rate * (pn_near_arrival(held, angle) - pn_near_arrival(aimer->reference, angle));
}

pinna_status pn_aimer_create(const pn_aimer_desc *desc, pn_aimer **out, pinna_error *err) {
    *out = NULL;
    pn_aimer *aimer = pn_alloc(1, sizeof *aimer);
    if (aimer == NULL)
        return pn_fail_memory(err, "aiming", sizeof *aimer);
    const pn_hrtf_info *info = pn_hrtf_get_info(desc->hrtf);
    aimer->desc = *desc;
    aimer->rate = info->rate;
    aimer->reference = info->radius[0] > 0 ? fmin(info->radius[0], 1) : 1;
    if (aimer->reference < 1.01 * PN_NEAREST_METRES) /* measured as near as it gets */
        aimer->desc.parallax = aimer->desc.near = false;
    aimer->bank = (pn_bank_desc){.nodes = info->directions,
                                 .taps = info->taps,
                                 .max_delay = info->max_delay,
                                 .responses = pn_hrtf_responses(desc->hrtf)};
    if (aimer->desc.parallax) {
        aimer->bank.max_delay += (int)ceil(later(aimer, 0, PN_PI));
        aimer->front_arrival = later(aimer, 0, PN_PI / 2);
    }
    pn_hrtf_look_up(desc->hrtf, (pn_vec3){aimer->reference, 0, 0}, NULL, &aimer->front);
    pinna_status status = make_tints(aimer, err);
    if (status != PINNA_OK) {
        pn_aimer_free(aimer);
        return status;
    }
    *out = aimer;
    return PINNA_OK;
}

void pn_aimer_free(pn_aimer *aimer) {
    if (aimer == NULL)
        return;
    pn_free(aimer->tints);
    pn_free(aimer);
}

const pn_bank_desc *pn_aimer_get_bank(const pn_aimer *aimer) {
    return &aimer->bank;
}

int pn_aimer_reach(const pn_aimer *aimer, double nearest) {
    const pn_hrtf_info *info = pn_hrtf_get_info(aimer->desc.hrtf);
    bool near = aimer->desc.parallax && nearest < aimer->reference;
    int tint = aimer->air_nodes > 0 || (near && aimer->near_nodes > 0) ? aimer->bank.tint_taps - 1 : 0;
    return info->taps + tint + (near ? aimer->bank.max_delay : info->max_delay);
}

/* ------------------------------------------------------------------ level */

pn_radiator pn_aimer_radiator(const pn_directivity *directivity) {
    return (pn_radiator){
        .pattern = directivity->pattern,
        .facing = pn_vec_from_polar(pn_radians(directivity->facing_azimuth_deg),
                                    pn_radians(directivity->facing_elevation_deg), 1),
        .inner = pn_radians(directivity->inner_deg) / 2,
        .outer = pn_radians(directivity->outer_deg) / 2,
        .outer_gain = pow(10, directivity->outer_gain_db / 20),
    };
}

double pn_aimer_gain(const pn_aimer *aimer, const pn_radiator *radiator, pn_vec3 to_listener) {
    return pn_distance_gain(&aimer->desc.distance, pn_vec_length(to_listener)) *
           pn_radiator_gain(radiator, to_listener);
}

/* ------------------------------------------------------------------ filter */

void pn_aim_hint_init(pn_aim_hint *hint) {
    static const pn_hrtf_hint anywhere = {{-1, -1}};
    *hint = (pn_aim_hint){anywhere, {anywhere, anywhere}};
}

/* Adds to the entries used so far. */
static void add_nodes(pn_filter *filter, int ear, const pn_hrtf_point *point, double gain) {
    int used = 0;
    while (used < PN_FILTER_NODES && filter->weight[ear][used] != 0)
        ++used;
    for (int k = 0; k < PN_HRTF_NODES && used < PN_FILTER_NODES; ++k) {
        double weight = gain * (double)point->weight[k];
        if (weight == 0)
            continue;
        filter->node[ear][used] = point->node[k];
        filter->weight[ear][used++] = (float)weight;
    }
}

static void add_tints(pn_filter *filter, int ear, const int *node, const double *weight, int count,
                      double share) {
    int used = 0;
    while (used < PN_FILTER_TINTS && filter->tint_weight[ear][used] != 0)
        ++used;
    for (int k = 0; k < count && used < PN_FILTER_TINTS; ++k) {
        if (weight[k] * share == 0)
            continue;
        filter->tint[ear][used] = node[k];
        filter->tint_weight[ear][used++] = (float)(weight[k] * share);
    }
}

static void tint_near(const pn_aimer *aimer, double distance, double angle, double share, int ear,
                      pn_filter *filter) {
    int node[PN_NEAR_BLEND];
    double weight[PN_NEAR_BLEND];
    int used = pn_near_look_up(aimer->reference, distance, angle, node, weight);
    add_tints(filter, ear, node, weight, used, share);
}

static void tint_air(const pn_aimer *aimer, double distance, pn_filter *filter) {
    int node[2];
    double weight[2];
    pn_air_look_up(aimer->air_nodes, fmin(distance, aimer->desc.distance.max), node, weight);
    for (int k = 0; k < 2; ++k)
        node[k] += aimer->near_nodes;
    for (int ear = 0; ear < 2; ++ear)
        add_tints(filter, ear, node, weight, 2, 1);
}

/* The share of the filter of the front: 0 outside of the head, 1 in its centre. */
static double inwardness(double distance) {
    double u = distance / PN_HEAD_RADIUS;
    return u < 1e-4 ? 1 : u < 1 ? 1 - u * u * (3 - 2 * u) : 0;
}

/* As far as the set knows nothing nearer: at the reference. A little within, so that one shell does for it. */
static pn_vec3 lifted(const pn_aimer *aimer, const pn_aim *aim, double distance) {
    return pn_vec_scale(aim->relative, aimer->reference * (1 - 1e-9) / distance);
}

static void aim_near(const pn_aimer *aimer, const pn_aim *aim, double distance, pn_aim_hint *hint,
                     pn_filter *filter) {
    bool bent = aimer->desc.parallax && aim->field != PN_FIELD_FAR;
    bool tinted = aimer->desc.near && bent && aim->field != PN_FIELD_MID;
    double front = inwardness(distance), share = 1 - front;
    pn_hrtf_point place, seen;
    pn_hrtf_look_up(aimer->desc.hrtf, lifted(aimer, aim, distance), &hint->place, &place);
    for (int ear = 0; ear < 2; ++ear) {
        double angle = pn_near_angle(ear, aim->relative);
        double delay = (double)place.delay[ear], centre = (double)aimer->front.delay[ear];
        seen = place;
        if (bent) {
            pn_vec3 there = pn_near_seen_from(ear, aim->relative, aimer->reference * (1 - 1e-9));
            pn_hrtf_look_up(aimer->desc.hrtf, there, &hint->seen[ear], &seen);
            delay += later(aimer, distance, angle);
            centre += aimer->front_arrival;
        }
        filter->delay[ear] = (float)fmin(share * delay + front * centre, aimer->bank.max_delay);
        add_nodes(filter, ear, &seen, share * aim->gain);
        add_nodes(filter, ear, &aimer->front, front * aim->gain);
        if (!tinted)
            continue;
        tint_near(aimer, distance, angle, share, ear, filter);
        tint_near(aimer, distance, PN_PI / 2, front, ear, filter);
    }
}

static void aim_far(const pn_aimer *aimer, const pn_aim *aim, double distance, pn_aim_hint *hint,
                    pn_filter *filter) {
    pn_hrtf_point place;
    pn_hrtf_look_up(aimer->desc.hrtf, aim->relative, &hint->place, &place);
    for (int ear = 0; ear < 2; ++ear) {
        add_nodes(filter, ear, &place, aim->gain);
        filter->delay[ear] = place.delay[ear];
    }
    if (aimer->air_nodes > 0 && aim->air && distance > PN_AIR_REFERENCE_METRES)
        tint_air(aimer, distance, filter);
}

void pn_aim_filter(const pn_aimer *aimer, const pn_aim *aim, pn_aim_hint *hint, pn_filter *filter) {
    double distance = pn_vec_length(aim->relative);
    *filter = (pn_filter){0};
    if (!(distance > 1e-9)) {
        pn_aim centre = *aim;
        centre.relative = (pn_vec3){1e-9, 0, 0};
        aim_near(aimer, &centre, 1e-9, hint, filter);
    } else if (distance < aimer->reference * (1 - 1e-6)) { /* not by rounding */
        aim_near(aimer, aim, distance, hint, filter);
    } else {
        aim_far(aimer, aim, distance, hint, filter);
    }
}
