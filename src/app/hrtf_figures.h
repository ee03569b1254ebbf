// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_HRTF_FIGURES_H
#define PN_APP_HRTF_FIGURES_H

#include "spatial/hrtf.h"

/* What a set does over the sphere, as it would be rendered, and how well directions that were not measured are met. */
enum {
    PN_FIGURES_AZIMUTHS = 73,   /* 180, 175 .. -180 degrees: left behind, front in the middle, right behind */
    PN_FIGURES_ELEVATIONS = 37, /* -90, -85 .. 90 */
    PN_FIGURES_CIRCLE = 145,    /* azimuths of the horizontal plane: 180, 177.5 .. -180 */
    PN_FIGURES_ROWS = 160       /* frequencies, a logarithmic scale from low_hz to high_hz */
};

/* One measured direction: where, and how it is met by a set that was made without it; NAN where that is not known. */
typedef struct {
    double azimuth, elevation, distance; /* degrees, metres; NAN for a position that is no number */
    double lsd_db;                       /* mean of both ears */
    double itd_error_us;
} pn_figures_direction;

typedef struct {
    double itd_us[PN_FIGURES_ELEVATIONS][PN_FIGURES_AZIMUTHS]; /* below 1.5 kHz; +: left first */
    double ild_db[PN_FIGURES_ELEVATIONS][PN_FIGURES_AZIMUTHS]; /* of the whole energy; +: left louder */
    double level_db[2][PN_FIGURES_CIRCLE]
                   [PN_FIGURES_ROWS]; /* [ear], over a sixth of an octave; 0: front, mean */
    double low_hz, high_hz;
    pn_figures_direction *direction;
    int directions;
    int predicted; /* directions of which lsd_db and itd_error_us are known */
    double lsd_mean, lsd_p95, itd_mean, itd_p95;
} pn_hrtf_figures;

/* hrtf: the set of the file, loaded. The measurements are split into two halves, every other one, and each half is
 * predicted by a set made of the other: twice the gap of the set itself, so that the error is an upper bound of what is
 * heard. Error of spectra: RMS over a third of an ERB from 200 Hz to 16 kHz, as in the project's figures. Reads the file
 * again; takes seconds for large sets. Free with pn_hrtf_figures_free. */
pinna_status pn_hrtf_figures_make(const char *file, const pn_hrtf *hrtf, pn_hrtf_figures **figures,
                                  pinna_error *err);
void pn_hrtf_figures_free(pn_hrtf_figures *figures); /* accepts NULL */

#endif
