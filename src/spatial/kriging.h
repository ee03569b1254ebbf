// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_KRIGING_H
#define PN_SPATIAL_KRIGING_H

#include "base/status.h"
#include "base/threads.h"
#include "base/vec.h"

/* Predicts the aligned responses of directions that were not measured from those that were. The method is told in
 * kriging.c. Made once from a set, then asked for many directions at a time; results do not depend on the number of
 * threads. */
typedef struct pn_kriging pn_kriging;

/* Fewer directions than this leave nothing to choose a predictor by. */
enum { PN_KRIGING_FEWEST = 16 };

typedef struct {
    const pn_vec3 *direction; /* [count], unit vectors; count >= PN_KRIGING_FEWEST; outlive the object */
    int count;
    const float *response; /* [count][ear][taps], aligned, around 0 dB; read during create only */
    int taps;
    double rate;   /* Hz */
    double top;    /* Hz: nothing is above */
    pn_pool *pool; /* outlives the object; may be NULL */
} pn_kriging_desc;

pinna_status pn_kriging_create(const pn_kriging_desc *desc, pn_kriging **kriging, pinna_error *err);
void pn_kriging_free(pn_kriging *kriging); /* accepts NULL */

/* response: [count][ear][taps]. */
void pn_kriging_predict(pn_kriging *kriging, const pn_vec3 *direction, int count, float *response);

/* What was chosen: stretch of y and z of one of the two coordinate systems, best first. */
void pn_kriging_stretch(const pn_kriging *kriging, int which, double *y, double *z);
/* Mean leave-one-out error of the magnitude, dB, of the best estimator of every band. */
double pn_kriging_error_db(const pn_kriging *kriging);

#endif
