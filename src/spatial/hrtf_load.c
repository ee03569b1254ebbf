// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* From measurements to a set that can be rendered with: repair, delays, ears, level, rate, aligned responses
 * (hrtf_align.c), and for every shell the nodes in between (hrtf_grid.c): their responses are predicted (kriging.c), their
 * delays are those of the smooth model. On so dense a grid the plain blend of three nodes is nearly as good as the
 * prediction itself. Gaps of a set that is left as it was measured are closed by means of their rim. */
#include "spatial/hrtf_making.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "spatial/hrtf_cache.h"
#include "spatial/kriging.h"
#include "spatial/sofa.h"

enum { BUILTIN_NODES = 4000, LONG_WORK = 200, BATCH = 256 };

void pn_maker_clear(pn_maker *m) {
    for (int t = 0; t < PN_MAKER_TASKS; ++t)
        pn_free(m->work[t]);
    for (int s = 0; s < PN_HRTF_SHELLS; ++s)
        pn_sphere_free(m->measured[s]);
    pn_fft_free(m->fft);
    pn_free(m->aligned);
    pn_free(m->inner);
    pn_free(m->tau);
}

pn_measured pn_maker_shell(const pn_maker *m, int shell) {
    pn_measured part = *m->set;
    size_t first = (size_t)part.shell_first[shell];
    part.directions = part.shell_first[shell + 1] - part.shell_first[shell];
    part.direction += first;
    part.distance += first;
    part.delay += 2 * first;
    part.ir += 2 * first * (size_t)part.taps;
    return part;
}

/* ---- delays */

static void set_radii(pn_maker *m) {
    pn_hrtf_info *info = &m->hrtf->info;
    info->shells = m->set->shells;
    for (int s = 0; s < info->shells; ++s) {
        pn_measured part = pn_maker_shell(m, s);
        double sum = 0;
        for (int i = 0; i < part.directions; ++i)
            sum += part.distance[i];
        info->distance = info->radius[s] = sum / part.directions;
        info->first[s] = 0;
        info->of_shell[s] = part.directions;
    }
    info->measured = m->set->directions;
}

/* What a shell is later than the outermost because it is farther away, or was cut differently, is no matter of the
 * ears: the mean over the sphere is made the same. */
static void even_out_shells(pn_maker *m) {
    int last = m->set->shells - 1;
    double mean[PN_HRTF_SHELLS] = {0};
    for (int s = 0; s <= last; ++s) {
        int from = 2 * m->set->shell_first[s], to = 2 * m->set->shell_first[s + 1];
        for (int i = from; i < to; ++i)
            mean[s] += m->tau[i] / (to - from);
        if (m->model[s].order >= 0) /* the harmonic of order 0 is the mean over the whole sphere */
            mean[s] = (m->model[s].coefficient[0][0] + m->model[s].coefficient[1][0]) / 2 / sqrt(4 * PN_PI);
    }
    for (int s = 0; s < last; ++s) {
        double shift = mean[last] - mean[s];
        for (int i = 2 * m->set->shell_first[s]; i < 2 * m->set->shell_first[s + 1]; ++i) {
            m->tau[i] += shift;
            m->set->delay[i] += shift;
        }
        for (int ear = 0; ear < 2; ++ear)
            m->model[s].coefficient[ear][0] += shift * sqrt(4 * PN_PI);
    }
}

static pinna_status find_delays(pn_maker *m, pinna_error *err) {
    m->tau = pn_alloc(2 * (size_t)m->set->directions, sizeof *m->tau);
    if (m->tau == NULL)
        return pn_fail_memory(err, "the delays of the HRTF set", m->set->directions * 16.0);
    pinna_status status = PINNA_OK;
    for (int s = 0; s < m->set->shells && status == PINNA_OK; ++s) {
        pn_measured part = pn_maker_shell(m, s);
        status = pn_delays_estimate(&part, m->pool, m->tau + 2 * (size_t)m->set->shell_first[s], &m->model[s],
                                    err);
    }
    if (status != PINNA_OK)
        return status;
    pn_maker_settle_ears(m);
    even_out_shells(m);
    return PINNA_OK;
}

static pinna_status change_rate(pn_maker *m, pinna_error *err) {
    const pn_hrtf_info *info = &m->hrtf->info;
    int before = m->set->taps;
    if (info->rate == info->file_rate)
        return PINNA_OK;
    pinna_status status = pn_measured_resample(m->set, info->rate, err);
    if (status != PINNA_OK)
        return pn_fail_within(err, status, "%s", m->label);
    double ratio = info->rate / info->file_rate;
    for (int i = 0; i < 2 * m->set->directions; ++i)
        m->tau[i] *= ratio;
    for (int s = 0; s < m->set->shells; ++s) {
        for (int i = 0; i < PN_HARMONICS; ++i) {
            m->model[s].coefficient[0][i] *= ratio;
            m->model[s].coefficient[1][i] *= ratio;
        }
    }
    pn_info(m->messages, "%s: responses resampled from %g to %g Hz (%d to %d samples)", m->label,
            info->file_rate, info->rate, before, m->set->taps - PN_MEASURED_LEAD);
    return PINNA_OK;
}

/* ---- the nodes */

static pinna_status make_measured_spheres(pn_maker *m, pinna_error *err) {
    pn_hrtf_info *info = &m->hrtf->info;
    for (int s = 0; s < m->set->shells; ++s) {
        pn_measured part = pn_maker_shell(m, s);
        pinna_status status = pn_sphere_create(part.direction, part.directions, &m->measured[s], err);
        if (status != PINNA_OK)
            return pn_fail_within(err, status, "%s", m->label);
        info->widest_gap_deg = fmax(info->widest_gap_deg, pn_degrees(pn_sphere_widest_gap(m->measured[s])));
        info->horizontal_only = pn_sphere_is_flat(m->measured[s]);
    }
    return PINNA_OK;
}

static char *copy_text(const char *text, const char *otherwise) {
    return pn_strdup(text == NULL ? otherwise : text);
}

static pinna_status make_nodes(pn_maker *m, pinna_error *err) {
    pn_hrtf *h = m->hrtf;
    size_t n = (size_t)h->info.directions;
    h->position = pn_alloc(n, sizeof *h->position);
    h->delay = pn_alloc_floats(2 * n);
    h->response = pn_alloc_floats(2 * n * (size_t)h->info.taps);
    h->name = copy_text(m->set->name, m->label);
    h->licence = copy_text(m->set->licence, "");
    h->convention = copy_text(m->set->convention, "");
    if (!h->position || !h->delay || !h->response || !h->name || !h->licence || !h->convention)
        return pn_fail_memory(err, "the HRTF set", (double)n * h->info.taps * 8);
    pn_hrtf_place_nodes(h);
    return PINNA_OK;
}

static float *response_of(pn_hrtf *h, int node) {
    return h->response + (size_t)node * 2 * (size_t)h->info.taps;
}

static void take_measured(pn_maker *m, int shell) {
    pn_hrtf *h = m->hrtf;
    int first = m->set->shell_first[shell];
    for (int i = 0; i < h->info.of_shell[shell]; ++i) {
        int node = h->info.first[shell] + i;
        memcpy(response_of(h, node), m->aligned + (size_t)(first + i) * 2 * (size_t)m->row,
               2 * (size_t)m->row * sizeof *m->aligned);
        for (int ear = 0; ear < 2; ++ear)
            h->delay[2 * node + ear] =
                (float)fmax(0, m->tau[2 * (first + i) + ear] - m->room + h->info.latency);
    }
}

/* Content of the nodes that close the gaps of a set that is too small for a grid: the mean of those around. */
static void fill_gaps(pn_hrtf *h, int shell) {
    const pn_sphere *sphere = h->sphere[shell];
    size_t pair = 2 * (size_t)h->info.taps;
    int measured = pn_sphere_nodes(sphere) - pn_sphere_fills(sphere), first = h->info.first[shell];
    for (int f = measured; f < pn_sphere_nodes(sphere); ++f) {
        double sum = 0, delay[2] = {0, 0};
        float *to = response_of(h, first + f);
        for (int i = 0; i < measured; ++i)
            sum += pn_sphere_fill_weight(sphere, f, i);
        for (int i = 0; i < measured; ++i) {
            float weight = (float)(pn_sphere_fill_weight(sphere, f, i) / sum);
            const float *from = response_of(h, first + i);
            delay[0] += (double)(weight * h->delay[2 * (first + i)]);
            delay[1] += (double)(weight * h->delay[2 * (first + i) + 1]);
            for (size_t n = 0; n < pair && weight > 1e-6f; ++n)
                to[n] += weight * from[n];
        }
        h->delay[2 * (first + f)] = (float)delay[0];
        h->delay[2 * (first + f) + 1] = (float)delay[1];
    }
}

static void predict_nodes(pn_maker *m, pn_kriging *kriging, int shell) {
    pn_hrtf *h = m->hrtf;
    const pn_sphere *sphere = h->sphere[shell];
    int nodes = pn_sphere_nodes(sphere), all = h->info.directions;
    for (int from = h->info.of_shell[shell]; from < nodes; from += BATCH) {
        pn_vec3 direction[BATCH];
        int count = nodes - from < BATCH ? nodes - from : BATCH;
        for (int i = 0; i < count; ++i)
            direction[i] = pn_sphere_node(sphere, from + i);
        int node = h->info.first[shell] + from;
        pn_kriging_predict(kriging, direction, count, response_of(h, node));
        for (int i = 0; i < count; ++i) {
            for (int ear = 0; ear < 2; ++ear) {
                double tau = pn_delay_model_at(&m->model[shell], direction[i], ear);
                h->delay[2 * (node + i) + ear] = (float)fmax(0, tau - m->room + h->info.latency);
                pn_maker_finish(m, response_of(h, node + i) + (size_t)ear * (size_t)h->info.taps);
            }
        }
        if (m->options->progress != NULL)
            m->options->progress(m->options->user, 0.3 + 0.7 * (node + count) / all);
    }
}

static pinna_status predict(pn_maker *m, int shell, pinna_error *err) {
    pn_kriging_desc desc = {
        .direction = m->set->direction + m->set->shell_first[shell],
        .count = m->hrtf->info.of_shell[shell],
        .response = m->aligned + (size_t)m->set->shell_first[shell] * 2 * (size_t)m->row,
        .taps = m->row,
        .rate = m->hrtf->info.rate,
        .top = fmin(m->hrtf->info.rate, m->hrtf->info.file_rate) / 2,
        .pool = m->pool,
    };
    pn_kriging *kriging = NULL;
    pinna_status status = pn_kriging_create(&desc, &kriging, err);
    if (status != PINNA_OK)
        return pn_fail_within(err, status, "%s", m->label);
    predict_nodes(m, kriging, shell);
    double y, z;
    pn_kriging_stretch(kriging, 0, &y, &z);
    pn_info(m->messages,
            "%s: %d directions between the %d measured ones predicted (stretch %g, %g; %.2f dB at those left "
            "out)",
            m->label, pn_sphere_nodes(m->hrtf->sphere[shell]) - desc.count, desc.count, y, z,
            pn_kriging_error_db(kriging));
    pn_kriging_free(kriging);
    return PINNA_OK;
}

static pinna_status fill_nodes(pn_maker *m, pinna_error *err) {
    pn_hrtf *h = m->hrtf;
    for (int s = 0; s < h->info.shells; ++s) {
        take_measured(m, s);
        if (pn_maker_grid(m, s) == 0) {
            fill_gaps(h, s);
        } else if (pn_sphere_nodes(h->sphere[s]) > h->info.of_shell[s]) {
            pinna_status status = predict(m, s, err);
            if (status != PINNA_OK)
                return status;
        }
    }
    double most = 0;
    for (int i = 0; i < 2 * h->info.directions; ++i)
        most = fmax(most, (double)h->delay[i]);
    h->info.max_delay = (int)ceil(most);
    return PINNA_OK;
}

static void tell_coverage(const pn_maker *m) {
    const pn_hrtf_info *info = &m->hrtf->info;
    if (info->measured == 1)
        pn_warn(m->messages, "%s: one direction only; every source sounds from there", m->label);
    else if (info->horizontal_only)
        pn_warn(m->messages, "%s: its %d directions lie in one plane; elevation is ignored", m->label,
                info->measured);
    else if (info->widest_gap_deg > 78)
        pn_warn(m->messages,
                "%s: its directions leave a gap %.0f degrees to each side; in there the edge of the gap is "
                "blended",
                m->label, info->widest_gap_deg);
    if (info->latency > 0)
        pn_info(m->messages,
                "%s: room of %d samples (%.2f ms) before the first onset; files have it taken out again",
                m->label, info->latency, 1e3 * info->latency / info->rate);
}

/* ---- in order */

static void show(const pn_maker *m, double part) {
    if (m->options->progress != NULL)
        m->options->progress(m->options->user, part);
}

static pinna_status build(pn_maker *m, double rate, pinna_error *err) {
    pn_measured *set = m->set;
    pn_hrtf *h = m->hrtf;
    pinna_status status = pn_measured_repair(set, m->label, m->messages, err);
    if (status != PINNA_OK)
        return status;
    h->info.file_rate = set->rate;
    h->info.rate = rate > 0 ? rate : set->rate;
    set_radii(m);
    show(m, 0);
    status = make_measured_spheres(m, err);
    if (status == PINNA_OK)
        status = find_delays(m, err);
    if (status == PINNA_OK && m->options->equalise_low)
        pn_maker_equalise_low(m);
    show(m, 0.1);
    if (status == PINNA_OK)
        status = pn_maker_set_level(m, err);
    if (status == PINNA_OK)
        status = change_rate(m, err);
    if (status == PINNA_OK)
        status = pn_maker_prepare(m, err);
    if (status == PINNA_OK)
        status = pn_maker_align(m, err);
    show(m, 0.2);
    if (status == PINNA_OK)
        status = pn_maker_make_spheres(m, err);
    if (status == PINNA_OK)
        status = make_nodes(m, err);
    if (status == PINNA_OK)
        status = fill_nodes(m, err);
    if (status == PINNA_OK && m->options->equalise_diffuse)
        status = pn_maker_equalise_diffuse(m, err);
    if (status != PINNA_OK)
        return status;
    h->info.name = h->name;
    h->info.licence = h->licence;
    h->info.convention = h->convention;
    h->info.length = h->info.taps + h->info.max_delay + h->info.ringing;
    h->info.bytes = (double)h->info.directions * (8.0 * h->info.taps + 8 + sizeof(pn_vec3));
    tell_coverage(m);
    return PINNA_OK;
}

pinna_status pn_hrtf_from_measured(pn_measured *measured, const char *label, double rate,
                                   const pn_hrtf_options *options, pn_messages *messages, pn_hrtf **hrtf,
                                   pinna_error *err) {
    static const pn_hrtf_options plain = {0};
    *hrtf = NULL;
    pn_pool *own = NULL;
    pn_maker m = {.set = measured, .label = label, .messages = messages};
    m.options = options == NULL ? &plain : options;
    m.hrtf = pn_alloc(1, sizeof *m.hrtf);
    pinna_status status = m.hrtf == NULL ? pn_fail_memory(err, "the HRTF set", sizeof *m.hrtf) : PINNA_OK;
    if (status == PINNA_OK && m.options->pool == NULL)
        status = pn_pool_create(0, &own, err);
    m.pool = own != NULL ? own : m.options->pool;
    if (status == PINNA_OK)
        status = build(&m, rate, err);
    pn_maker_clear(&m);
    pn_pool_free(own);
    pn_measured_clear(measured);
    if (status != PINNA_OK) {
        pn_hrtf_free(m.hrtf);
        return status;
    }
    *hrtf = m.hrtf;
    return PINNA_OK;
}

static pinna_status make(const char *file, const char *label, double rate, const pn_hrtf_options *options,
                         pn_messages *messages, pn_messages *at_once, pn_hrtf **hrtf, pinna_error *err) {
    pn_measured set;
    pinna_status status = pn_sofa_read(file, &set, messages, err);
    if (status == PINNA_OK && set.directions >= LONG_WORK)
        pn_info(at_once, "%s: %d directions are made ready for rendering, once: what is made is kept", label,
                set.directions);
    return status != PINNA_OK ? status
                              : pn_hrtf_from_measured(&set, label, rate, options, messages, hrtf, err);
}

static void pass_on(const pn_messages *from, pn_messages *to) {
    for (size_t i = 0; i < pn_messages_count(from); ++i) {
        pinna_message_level level;
        const char *text = pn_messages_get(from, i, &level);
        if (level == PINNA_WARNING)
            pn_warn(to, "%s", text);
        else
            pn_info(to, "%s", text);
    }
}

/* What is told while making a set is kept with it, so that it is told again when the set comes from the cache. */
static pinna_status make_and_keep(const char *file, const char *label, const char *key, double rate,
                                  const pn_hrtf_options *options, pn_messages *messages, pn_hrtf **hrtf,
                                  pinna_error *err) {
    pn_messages *told = pn_messages_create(NULL, NULL);
    if (told == NULL)
        return pn_fail_memory(err, "the messages of the HRTF set", 0);
    pinna_status status = make(file, label, rate, options, told, messages, hrtf, err);
    pass_on(told, messages);
    if (status == PINNA_OK)
        pn_hrtf_cache_write(key, label, told, *hrtf);
    pn_messages_free(told);
    return status;
}

/* What the built-in set is given when nothing is asked. */
static pn_hrtf_options complete(const char *file, const pn_hrtf_options *options) {
    pn_hrtf_options o = {0};
    if (options != NULL)
        o = *options;
    if (!o.equalise_given) {
        o.equalise_given = true;
        o.equalise_low = pn_sofa_is_builtin(file);
        o.equalise_diffuse = false;
    }
    if (o.grid == 0 && pn_sofa_is_builtin(file))
        o.grid = BUILTIN_NODES;
    return o;
}

static pinna_status load(const char *file, double rate, const pn_hrtf_options *options, pn_messages *messages,
                         pn_hrtf **hrtf, pinna_error *err) {
    const char *label = pn_sofa_is_builtin(file) ? "builtin" : file;
    char key[PN_HRTF_KEY];
    if (options->no_cache || !pn_hrtf_cache_key(file, rate, options, key))
        return make(file, label, rate, options, messages, NULL, hrtf, err);
    pn_cache_answer answer = pn_hrtf_cache_read(key, label, messages, hrtf);
    if (answer == PN_CACHE_FOUND) {
        (*hrtf)->info.cached = true;
        return PINNA_OK;
    }
    if (answer == PN_CACHE_DAMAGED)
        pn_warn(messages, "%s: what the cache holds of this set is damaged; it is made anew", label);
    return make_and_keep(file, label, key, rate, options, messages, hrtf, err);
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

pinna_status pn_hrtf_load(const char *file, double rate, const pn_hrtf_options *options,
                          pn_messages *messages, pn_hrtf **hrtf, pinna_error *err) {
    *hrtf = NULL;
    if (rate != 0 && !(rate >= 4000 && rate <= 768000))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "a rate of %g Hz for the HRTF set; expected 4000 to 768000",
                       rate);
    pn_hrtf_options all = complete(file, options);
    double start = seconds_now();
    pinna_status status = load(file, rate, &all, messages, hrtf, err);
    if (status == PINNA_OK)
        (*hrtf)->info.seconds = seconds_now() - start;
    return status;
}
