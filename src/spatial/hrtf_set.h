// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_HRTF_SET_H
#define PN_SPATIAL_HRTF_SET_H

#include "spatial/hrtf.h"
#include "spatial/sphere.h"

/* Inside of pn_hrtf, for hrtf.c (use) and hrtf_load.c (making). */
struct pn_hrtf {
    pn_hrtf_info info;
    pn_sphere *sphere[PN_HRTF_SHELLS]; /* its node n is node first[shell] + n of the set */
    int first[PN_HRTF_SHELLS];
    pn_vec3 *position; /* [directions], metres */
    float *response;   /* [directions][ear][taps] */
    float *delay;      /* [directions][ear], samples, 0 .. max_delay */
    char *name, *licence, *convention;
};

#endif
