// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mix/pan.h"
#include "render/renderer_state.h"

static pinna_status check_shape(const pn_renderer *r, const pn_renderer_config *config, pinna_error *err) {
    if (!(r->rate >= 8000 && r->rate <= 384000) || r->rate != floor(r->rate))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "rate: %g, expected whole Hz, 8000 to 384000", r->rate);
    if (r->block < 32 || r->block > 8192 || (r->block & (r->block - 1)) != 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "block: %d, expected a power of two, 32 to 8192", r->block);
    if (!(config->doppler >= 0 && config->doppler <= 100))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "doppler: %g, expected a factor of 0 to 100",
                       config->doppler);
    if (!(config->doppler_reach >= 0 && config->doppler_reach <= 1e6))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "doppler_reach: %g m, expected 0 to 1e6",
                       config->doppler_reach);
    return PINNA_OK;
}

static pinna_status open_voices(pn_renderer *r, pinna_error *err) {
    size_t count = r->scene->source_count;
    r->voice = pn_alloc(count, sizeof *r->voice);
    r->place = pn_alloc(count, sizeof *r->place);
    r->emitter = pn_alloc(count, sizeof *r->emitter);
    if (r->voice == NULL || r->place == NULL || r->emitter == NULL)
        return pn_fail_memory(err, "the sources", (double)(count * sizeof *r->voice));
    pn_voice_setting setting = {
        .rate = r->rate,
        .block = r->block,
        .scene_frames = r->scene->duration < 0 ? UINT64_MAX : (uint64_t)llround(r->scene->duration * r->rate),
        .messages = r->messages,
    };
    for (size_t i = 0; i < count; ++i) {
        const pn_source *source = &r->scene->sources[i];
        pinna_status status = pn_voice_open(&r->voice[i], r->scene, source, &setting, err);
        if (status != PINNA_OK)
            return status;
        r->place[i].send_gain = pn_alloc_floats(source->send_count);
        if (r->place[i].send_gain == NULL)
            return pn_fail_memory(err, "the sends", 4.0 * (double)source->send_count);
        for (size_t s = 0; s < source->send_count; ++s)
            r->place[i].send_gain[s] = (float)pn_db_to_gain(source->sends[s].gain_db);
        if (source->render == PN_RENDER_BINAURAL && r->voice[i].audible)
            r->emitter[r->emitter_count++] = (pn_emitter){.source = (int)i,
                                                          .slots = 1,
                                                          .radiator = pn_aimer_radiator(&source->directivity),
                                                          .field = source->field};
    }
    return PINNA_OK;
}

static bool has_binaural(const pn_scene *scene) {
    for (size_t i = 0; i < scene->source_count; ++i) {
        if (scene->sources[i].render == PN_RENDER_BINAURAL)
            return true;
    }
    return false;
}

/* The set is loaded also when the binaural sources are muted or left out by a solo, since its tail counts in the length
 * of the mix, and when it is only named, so that one that cannot be read is told. */
static pinna_status open_binaural(pn_renderer *r, const char *hrtf_file, double reach, pinna_error *err) {
    const char *file = hrtf_file != NULL ? hrtf_file : r->scene->hrtf.file;
    if (!has_binaural(r->scene) && file == NULL)
        return PINNA_OK;
    const pn_scene_hrtf *wanted = &r->scene->hrtf;
    pn_hrtf_options options = {
        .equalise_given = wanted->equalise_given != 0,
        .equalise_low = wanted->equalise_low != 0,
        .equalise_diffuse = wanted->equalise_diffuse != 0,
        .pool = r->pool,
    };
    pinna_status status = pn_hrtf_load(file, r->rate, &options, r->messages, &r->hrtf, err);
    if (status != PINNA_OK) {
        char place[PINNA_ERROR_TEXT];
        if (hrtf_file == NULL && r->scene->hrtf.file != NULL)
            return pn_fail_within(err, status, "%s",
                                  pn_scene_place(r->scene, r->scene->hrtf.mark, place, sizeof place));
        return status;
    }
    if (!has_binaural(r->scene))
        return PINNA_OK;
    pn_aimer_desc aims = pn_aimer_desc_of(r->scene, r->hrtf);
    status = pn_aimer_create(&aims, &r->aimer, err);
    if (status != PINNA_OK || r->emitter_count == 0)
        return status;
    int slots = 0;
    status = pn_renderer_open_emitters(r, reach, &slots, err);
    if (status != PINNA_OK)
        return status;
    pn_binaural_desc desc = {
        .hrtf = r->hrtf,
        .aimer = r->aimer,
        .quantum = r->quantum,
        .slots = slots,
        .copies = slots > r->emitter_count,
        .propagation = r->propagation,
        .backend = r->backend,
        .pool = r->pool,
        .messages = r->messages,
    };
    r->latency = pn_hrtf_get_info(r->hrtf)->latency + (r->propagation > 0 ? PN_PROPAGATION_SHORTEST : 0);
    status = pn_binaural_create(&desc, &r->binaural, err);
    if (status == PINNA_OK)
        r->filter_reach = pn_binaural_reach(r->binaural);
    return status;
}

static pinna_status open_buses(pn_renderer *r, const pn_bus_taps *taps, pinna_error *err) {
    r->bus = pn_alloc(r->scene->bus_count, sizeof *r->bus);
    if (r->bus == NULL)
        return pn_fail_memory(err, "the buses", (double)(r->scene->bus_count * sizeof *r->bus));
    pn_bus_setting setting = {r->block, r->rate, r->backend, r->pool, r->messages};
    for (size_t b = 0; b < r->scene->bus_count; ++b) {
        const pn_bus_taps *own = taps != NULL && taps[b].frames > 0 ? &taps[b] : NULL;
        pinna_status status = pn_bus_run_open(&r->bus[b], r->scene, &r->scene->buses[b], own, &setting, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status open_mix(pn_renderer *r, bool live_fed, pinna_error *err) {
    r->skip = live_fed ? 0 : r->latency;
    r->master_gain = (float)pn_db_to_gain(r->scene->master.gain_db);
    for (int side = 0; side < 2; ++side) {
        r->mix[side] = pn_alloc_floats((size_t)r->block);
        r->carry[side] = pn_alloc_floats((size_t)r->block);
        if (r->mix[side] == NULL || r->carry[side] == NULL ||
            !pn_delay_init(&r->align[side], (size_t)r->latency))
            return pn_fail_memory(err, "the mix", 16.0 * r->block);
    }
    return PINNA_OK;
}

/* When the last clip has been heard, plus the longest tail: of the buses (predelay and response), or of the HRTF. Muted
 * sources count, so that soloing one does not change the length. */
static void measure(pn_renderer *r, bool live_fed) {
    uint64_t end = 0, last = 0, tail = 0;
    for (size_t i = 0; i < r->scene->source_count; ++i) {
        const pn_voice *voice = &r->voice[i];
        if (voice->frames == UINT64_MAX)
            continue;
        uint64_t until = voice->start + voice->frames,
                 heard = until + pn_renderer_last_passage(r, (int)i, until);
        end = until > end ? until : end;
        last = heard > last ? heard : last;
    }
    if (r->aimer != NULL) {
        int reach = pn_aimer_reach(r->aimer, pn_renderer_nearest_way(r)),
            length = pn_hrtf_get_info(r->hrtf)->length;
        tail = (uint64_t)(reach > length ? reach : length);
    }
    for (size_t b = 0; b < r->scene->bus_count; ++b)
        tail = pn_bus_run_tail(&r->bus[b]) > tail ? pn_bus_run_tail(&r->bus[b]) : tail;
    r->tail = last - end + tail;
    r->frames = last + tail;
    if (r->scene->duration >= 0)
        r->frames = (uint64_t)llround(r->scene->duration * r->rate);
    if (live_fed)
        r->frames = 0;
}

static bool fed_by_caller(const pn_scene *scene) {
    for (size_t i = 0; i < scene->source_count; ++i) {
        if (scene->sources[i].clip == NULL && !scene->sources[i].has_generator)
            return true;
    }
    return scene->source_count == 0;
}

static pinna_status open_all(pn_renderer *r, const pn_renderer_config *config, const pn_bus_taps *taps,
                             pinna_error *err) {
    pinna_status status = check_shape(r, config, err);
    if (status == PINNA_OK && r->rate != r->scene->rate)
        status = pn_scene_set_rate(r->scene, r->rate, err);
    if (config->doppler > 0)
        r->scene->doppler = config->doppler;
    if (status == PINNA_OK)
        status = pn_scene_require_supported(r->scene, err);
    if (status == PINNA_OK)
        status = pn_pool_create(config->threads, &r->pool, err);
    if (status == PINNA_OK)
        status = open_voices(r, err);
    if (status == PINNA_OK)
        status = pn_backend_open(config->device == NULL ? "cpu" : config->device, r->pool, r->messages,
                                 &r->backend, err);
    if (status == PINNA_OK)
        status = pn_backend_set_spectra(r->backend, config->spectra, r->messages, err);
    if (status == PINNA_OK)
        status = open_binaural(r, config->hrtf, config->doppler_reach, err);
    if (status == PINNA_OK)
        status = open_buses(r, taps, err);
    bool live_fed = fed_by_caller(r->scene);
    if (status == PINNA_OK)
        status = open_mix(r, live_fed, err);
    if (status == PINNA_OK)
        measure(r, live_fed);
    return status;
}

pinna_status pn_renderer_create_with(pn_scene *scene, const pn_renderer_config *config,
                                     const pn_bus_taps *taps, pn_messages *messages, pn_renderer **renderer,
                                     pinna_error *err) {
    static const pn_renderer_config defaults = {0};
    *renderer = NULL;
    if (config == NULL)
        config = &defaults;
    pn_renderer *r = pn_alloc(1, sizeof *r);
    if (r == NULL) {
        pn_scene_free(scene);
        return pn_fail_memory(err, "the renderer", sizeof *r);
    }
    r->scene = scene;
    r->messages = messages;
    r->rate = config->rate != 0 ? config->rate : scene->rate;
    r->block = config->block != 0 ? config->block : scene->block;
    r->quantum = r->block < 256 ? r->block : 256;
    pinna_status status = open_all(r, config, taps, err);
    if (status != PINNA_OK) {
        pn_renderer_free(r);
        return status;
    }
    *renderer = r;
    return PINNA_OK;
}

pinna_status pn_renderer_create(pn_scene *scene, const pn_renderer_config *config, pn_messages *messages,
                                pn_renderer **renderer, pinna_error *err) {
    return pn_renderer_create_with(scene, config, NULL, messages, renderer, err);
}

void pn_renderer_free(pn_renderer *r) {
    if (r == NULL)
        return;
    for (size_t b = 0; r->bus != NULL && b < r->scene->bus_count; ++b)
        pn_bus_run_close(&r->bus[b]);
    for (size_t i = 0; r->voice != NULL && i < r->scene->source_count; ++i)
        pn_voice_close(&r->voice[i]);
    for (size_t i = 0; r->place != NULL && i < r->scene->source_count; ++i)
        pn_free(r->place[i].send_gain);
    for (int i = 0; r->emitter != NULL && i < r->emitter_count; ++i)
        pn_spread_free(r->emitter[i].spread);
    pn_binaural_free(r->binaural);
    pn_aimer_free(r->aimer);
    pn_hrtf_free(r->hrtf);
    pn_backend_close(r->backend);
    pn_pool_free(r->pool);
    for (int side = 0; side < 2; ++side) {
        pn_delay_clear(&r->align[side]);
        pn_free(r->mix[side]);
        pn_free(r->carry[side]);
    }
    pn_free(r->bus);
    pn_free(r->voice);
    pn_free(r->place);
    pn_free(r->emitter);
    pn_free(r->binaural_in);
    pn_scene_free(r->scene);
    pn_free(r);
}

/* How far the next pn_renderer_process reads: one block, or the blocks that run ahead at the start too. */
pinna_status pn_renderer_prepare(pn_renderer *r, pinna_error *err) {
    size_t frames = (size_t)r->block;
    if (r->now == 0)
        frames += ((size_t)r->skip + frames - 1) / frames * frames;
    for (size_t i = 0; i < r->scene->source_count; ++i) {
        pinna_status status = pn_voice_prepare(&r->voice[i], r->now, frames, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

void pn_renderer_report_clips(pn_renderer *r) {
    for (size_t i = 0; i < r->scene->source_count; ++i) {
        if (r->voice[i].clip != NULL)
            pn_clip_report(r->voice[i].clip);
    }
}

void pn_renderer_describe(const pn_renderer *r, pn_renderer_report *report) {
    memset(report, 0, sizeof *report);
    report->frames = r->frames;
    report->tail = r->tail;
    report->quantum = r->quantum;
    if (r->binaural != NULL) {
        report->hrtf = pn_hrtf_get_info(r->hrtf);
        report->transform = pn_binaural_transform(r->binaural);
        report->memory += pn_binaural_memory(r->binaural);
    }
    for (size_t b = 0; b < r->scene->bus_count; ++b) {
        if (r->bus[b].reverb != NULL)
            report->memory += pn_convolver_memory(r->bus[b].reverb);
    }
}

void pn_renderer_describe_source(const pn_renderer *r, int source, pn_source_report *report) {
    const pn_voice *voice = &r->voice[source];
    *report = (pn_source_report){
        .name = voice->source->name,
        .start = voice->start,
        .frames = voice->frames,
        .file_rate = voice->clip == NULL ? 0 : pn_clip_file_rate(voice->clip),
        .file_channels = voice->clip_channels,
        .active = voice->audible,
    };
}

void pn_renderer_describe_bus(const pn_renderer *r, int bus, pn_bus_report *report) {
    const pn_bus_run *run = &r->bus[bus];
    *report = (pn_bus_report){
        .name = r->scene->buses[bus].name,
        .seconds = (double)run->ir_frames / r->rate,
        .ir_channels = run->ir_channels,
        .predelay = run->predelay[0].length,
        .plan = run->reverb == NULL ? NULL : pn_convolver_plan(run->reverb),
    };
}
