// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Which channel is the left ear, and how loud a set is. Both are found at the file's rate, so that they are the same
 * whatever rate is rendered at. */
#include "spatial/hrtf_making.h"

#include <string.h>

#include "base/memory.h"

/* ---- which ear is which */

typedef struct {
    double lag,
        level; /* seconds and dB that the far ear is behind, over lateral directions; < 0: ears swapped */
    int lateral;
} sides;

static double level_db(const pn_measured *set, int direction, int ear) {
    const float *ir = pn_measured_ir(set, direction, ear);
    double sum = 1e-30;
    for (int n = 0; n < set->taps; ++n)
        sum += (double)ir[n] * (double)ir[n];
    return 10 * log10(sum);
}

static sides compare_sides(const pn_measured *set, const double *tau) {
    sides s = {0};
    for (int i = 0; i < set->directions; ++i) {
        double y = set->direction[i].y;
        if (fabs(y) < 0.5)
            continue;
        double sign = y > 0 ? 1 : -1;
        s.lag += sign * (tau[2 * i + 1] - tau[2 * i]) / set->rate;
        s.level += sign * (level_db(set, i, 0) - level_db(set, i, 1));
        ++s.lateral;
    }
    if (s.lateral > 0) {
        s.lag /= s.lateral;
        s.level /= s.lateral;
    }
    return s;
}

/* Responses decide: many published files give the receivers in the wrong order. */
void pn_maker_settle_ears(pn_maker *m) {
    sides s = compare_sides(m->set, m->tau);
    bool clear = fabs(s.lag) > 50e-6 || fabs(s.level) > 1;
    bool swapped = fabs(s.lag) > 50e-6 ? s.lag < 0 : s.level < 0;
    bool receivers_swapped = m->set->receiver_y < 0;
    if (clear && swapped) {
        pn_measured_swap_ears(m->set);
        for (int i = 0; i < m->set->directions; ++i) {
            double swap = m->tau[2 * i];
            m->tau[2 * i] = m->tau[2 * i + 1];
            m->tau[2 * i + 1] = swap;
        }
        for (int k = 0; k < m->set->shells; ++k) {
            double first[PN_HARMONICS];
            memcpy(first, m->model[k].coefficient[0], sizeof first);
            memcpy(m->model[k].coefficient[0], m->model[k].coefficient[1], sizeof first);
            memcpy(m->model[k].coefficient[1], first, sizeof first);
        }
        pn_warn(m->messages,
                "%s: by its responses the first receiver is the right ear (sources on the left reach it %.0f "
                "us later, "
                "%.1f dB weaker); the ears are exchanged",
                m->label, -1e6 * s.lag, -s.level);
    } else if (receivers_swapped && clear) {
        pn_info(m->messages,
                "%s: ReceiverPosition calls the first receiver the right ear, its responses show the left "
                "one; the "
                "responses are believed",
                m->label);
    } else if (receivers_swapped) {
        pn_warn(m->messages,
                "%s: ReceiverPosition calls the first receiver the right ear and the responses do not tell; "
                "it is "
                "taken as the left ear, as in nearly all files",
                m->label);
    }
}

/* ---- level */

/* Adds to sum the aligned blend in front, of the measured directions of a shell and those that gaps are filled from. */
static void blend_front(pn_maker *m, int shell, pn_complex *sum) {
    const pn_sphere *sphere = m->measured[shell];
    pn_sphere_point front;
    pn_sphere_look_up(sphere, (pn_vec3){1, 0, 0}, NULL, &front);
    int first = m->set->shell_first[shell], measured = m->set->shell_first[shell + 1] - first;
    double fill[3] = {0, 0, 0};
    for (int k = 0; k < 3; ++k) {
        for (int i = 0; i < measured && front.node[k] >= measured; ++i)
            fill[k] += pn_sphere_fill_weight(sphere, front.node[k], i);
    }
    for (int i = 0; i < measured; ++i) {
        double share = 0;
        for (int k = 0; k < 3; ++k) {
            if (front.node[k] >= measured)
                share += front.weight[k] * pn_sphere_fill_weight(sphere, front.node[k], i) / fill[k];
            else if (front.node[k] == i)
                share += front.weight[k];
        }
        if (share < 1e-6)
            continue;
        pn_maker_advance(m, 0, first + i);
        for (int n = 0; n < m->size; ++n) {
            sum[n].re += share * m->work[0][n].re;
            sum[n].im += share * m->work[0][n].im;
        }
    }
}

/* Mean power of both ears over 250 Hz .. 8 kHz of the aligned blend in front, as it stands in the file: the same for
 * every rate that is rendered at. */
static pinna_status measure_front(pn_maker *m, int shell, double *power, pinna_error *err) {
    int size = m->size;
    pn_complex *z = pn_alloc((size_t)size, sizeof *z);
    if (z == NULL)
        return pn_fail_memory(err, "the level of the HRTF set", size * 16.0);
    blend_front(m, shell, z);
    pn_fft_forward(m->fft, z);
    double rate = m->set->rate, top = fmin(8000, 0.45 * rate), sum = 0;
    int bins = 0;
    for (int k = (int)ceil(250.0 * size / rate); k <= top * size / rate; ++k, ++bins) {
        pn_complex p = z[k], q = z[size - k];
        sum += (p.re * p.re + p.im * p.im + q.re * q.re + q.im * q.im) / 4; /* (|L|^2 + |R|^2) / 2 */
    }
    *power = bins > 0 ? sum / bins : 0;
    pn_free(z);
    return PINNA_OK;
}

pinna_status pn_maker_set_level(pn_maker *m, pinna_error *err) {
    pinna_status status = pn_maker_prepare(m, err);
    for (int s = 0; s < m->set->shells && status == PINNA_OK; ++s) {
        double power = 0;
        status = measure_front(m, s, &power, err);
        if (status != PINNA_OK)
            return status;
        if (!(power > 1e-30) || !isfinite(power))
            return pn_fail(err, PINNA_BAD_FILE,
                           "%s: nothing between 250 Hz and 8 kHz in front; not an HRTF set", m->label);
        m->scale[s] = m->hrtf->info.scale = 1 / sqrt(power);
        if (m->set->shells == 1)
            pn_info(m->messages, "%s: level %+.2f dB, so that the front is 0 dB at 1 m", m->label,
                    20 * log10(m->scale[s]));
        else
            pn_info(m->messages,
                    "%s: level %+.2f dB at %.3g m, so that the front is 0 dB but for the distance", m->label,
                    20 * log10(m->scale[s]), m->hrtf->info.radius[s]);
    }
    return status;
}
