// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/bus.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mix/pan.h"
#include "render/hall.h"

static pinna_status create_reverb(pn_bus_run *run, const pn_bus_taps *taps, const pn_bus_setting *setting,
                                  pinna_error *err) {
    pinna_ir ir[4];
    size_t count = 0;
    if (taps->channels == 4) {
        for (int k = 0; k < 4; ++k)
            ir[count++] = (pinna_ir){k / 2, k % 2, taps->channel[k], taps->frames};
    } else {
        for (int side = 0; side < 2; ++side) {
            const float *response = taps->channel[taps->channels == 2 ? side : 0];
            ir[count++] = (pinna_ir){side, side, response, taps->frames};
        }
    }
    run->ir_channels = taps->channels;
    run->ir_frames = taps->frames;
    pn_convolver_desc desc = {
        .inputs = 2,
        .outputs = 2,
        .block = setting->block,
        .mode = PN_PLAN_LIVE,
        .fixed = true,
        .irs = ir,
        .ir_count = count,
        .backend = setting->backend,
        .pool = setting->pool,
        .messages = setting->messages,
    };
    return pn_convolver_create(&desc, &run->reverb, err);
}

static pinna_status load_hall(pn_bus_run *run, const pn_bus_setting *setting, pinna_error *err) {
    float *side[2];
    size_t length;
    pinna_status status = pn_hall_make(setting->rate, &side[0], &side[1], &length, err);
    if (status != PINNA_OK)
        return status;
    pn_bus_taps taps = {(const float *const *)side, 2, length};
    status = create_reverb(run, &taps, setting, err);
    pn_free(side[0]);
    pn_free(side[1]);
    return status;
}

static pinna_status load_file(pn_bus_run *run, const pn_scene *scene, const pn_bus *bus,
                              const pn_bus_setting *setting, pinna_error *err) {
    pn_audio audio;
    pinna_status status =
        pn_audio_load(bus->reverb.ir, setting->rate, PN_AUDIO_RESPONSE, setting->messages, &audio, err);
    if (status != PINNA_OK) {
        char place[PINNA_ERROR_TEXT];
        return pn_fail_within(err, status, "%s",
                              pn_scene_place(scene, bus->reverb.mark, place, sizeof place));
    }
    if (audio.channels != 1 && audio.channels != 2 && audio.channels != 4) {
        status = pn_scene_fail(
            scene, bus->reverb.mark, err, PINNA_BAD_FILE,
            "%s has %d channels; a reverb takes 1 (mono), 2 (stereo) or 4 (true stereo LL, LR, RL, RR)",
            bus->reverb.ir, audio.channels);
    } else {
        pn_bus_taps taps = {(const float *const *)audio.channel, audio.channels, audio.frames};
        status = create_reverb(run, &taps, setting, err);
        if (status != PINNA_OK)
            status = pn_fail_within(err, status, "bus '%s'", bus->name == NULL ? "" : bus->name);
    }
    pn_audio_clear(&audio);
    return status;
}

pinna_status pn_bus_run_open(pn_bus_run *run, const pn_scene *scene, const pn_bus *bus,
                             const pn_bus_taps *taps, const pn_bus_setting *setting, pinna_error *err) {
    double gain_db = bus->gain_db + (bus->has_reverb ? bus->reverb.gain_db : 0);
    run->gain = (float)pn_db_to_gain(gain_db);
    size_t predelay = bus->has_reverb ? (size_t)llround(bus->reverb.predelay * setting->rate) : 0;
    for (int side = 0; side < 2; ++side) {
        run->input[side] = pn_alloc_floats((size_t)setting->block);
        run->wet[side] = pn_alloc_floats((size_t)setting->block);
        if (run->input[side] == NULL || run->wet[side] == NULL ||
            !pn_delay_init(&run->predelay[side], predelay))
            return pn_fail_memory(err, "a bus", 4.0 * (double)(predelay + 2 * (size_t)setting->block));
    }
    if (taps != NULL)
        return create_reverb(run, taps, setting, err);
    if (!bus->has_reverb)
        return PINNA_OK;
    if (bus->reverb.ir == NULL)
        return load_hall(run, setting, err);
    return load_file(run, scene, bus, setting, err);
}

void pn_bus_run_close(pn_bus_run *run) {
    pn_convolver_free(run->reverb);
    for (int side = 0; side < 2; ++side) {
        pn_free(run->input[side]);
        pn_free(run->wet[side]);
        pn_delay_clear(&run->predelay[side]);
    }
    memset(run, 0, sizeof *run);
}

size_t pn_bus_run_tail(const pn_bus_run *run) {
    return run->predelay[0].length + run->ir_frames;
}

void pn_bus_run_clear_input(pn_bus_run *run, size_t frames) {
    memset(run->input[0], 0, frames * sizeof(float));
    memset(run->input[1], 0, frames * sizeof(float));
}

pinna_status pn_bus_run_process(pn_bus_run *run, float *left, float *right, size_t frames, pinna_error *err) {
    float *const *wet = run->input;
    for (int side = 0; side < 2; ++side)
        pn_delay_process(&run->predelay[side], run->input[side], frames);
    if (run->reverb != NULL) {
        pinna_status status =
            pn_convolver_block_process(run->reverb, (const float *const *)run->input, run->wet, err);
        if (status != PINNA_OK)
            return status;
        wet = run->wet;
    }
    for (size_t n = 0; n < frames; ++n) {
        left[n] += run->gain * wet[0][n];
        right[n] += run->gain * wet[1][n];
    }
    return PINNA_OK;
}
