// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/audio_device.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/ring.h"
#include "io/sdl_api.h"

enum { DEFAULT_BUFFER = 512, STEREO = 2, PORTION = 256 };

struct pn_audio_device {
    SDL_AudioDeviceID id; /* 0: not open */
    bool initialised;     /* holds SDL's audio subsystem */
    pn_audio_device_info info;
    pn_ring ring; /* interleaved stereo */
    _Atomic uint64_t played, underruns, missing;
    atomic_bool finished;
};

static pinna_status start_sdl(pinna_error *err) {
    pinna_status status = pn_sdl_load(err);
    if (status != PINNA_OK)
        return status;
    pn_sdl.SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    if (pn_sdl.InitSubSystem(SDL_INIT_AUDIO) == 0)
        return PINNA_OK;
    const char *driver = getenv("SDL_AUDIODRIVER");
    return pn_fail(err, PINNA_DEVICE,
                   "no audio system can be used: SDL says '%s'%s%s%s; the environment variable "
                   "SDL_AUDIODRIVER chooses one",
                   pn_sdl.GetError(),
                   driver == NULL ? "" : " (SDL_AUDIODRIVER=", driver == NULL ? "" : driver,
                   driver == NULL ? "" : ")");
}

/* The driver's name must outlive SDL's subsystem. */
static const char *driver_name(void) {
    static char name[32];
    const char *driver = pn_sdl.GetCurrentAudioDriver();
    snprintf(name, sizeof name, "%s", driver == NULL ? "none" : driver);
    return name;
}

pinna_status pn_audio_device_list(void (*found)(void *user, const char *name), void *user,
                                  const char **driver, pinna_error *err) {
    pinna_status status = start_sdl(err);
    if (status != PINNA_OK)
        return status;
    if (driver != NULL)
        *driver = driver_name();
    int count = pn_sdl.GetNumAudioDevices(0);
    for (int i = 0; i < count; ++i) {
        const char *name = pn_sdl.GetAudioDeviceName(i, 0);
        if (name != NULL)
            found(user, name);
    }
    pn_sdl.QuitSubSystem(SDL_INIT_AUDIO);
    return PINNA_OK;
}

/* One frame for each pair of samples in the device's channels. */
PN_BLOCK_PATH static void spread(float *out, const float *pairs, size_t frames, int channels) {
    const float half_power = 0.70710678f;
    for (size_t n = 0; n < frames; ++n) {
        float left = pairs[STEREO * n], right = pairs[STEREO * n + 1];
        float *frame = out + n * (size_t)channels;
        frame[0] = channels == 1 ? half_power * (left + right) : left;
        for (int c = 1; c < channels; ++c)
            frame[c] = c == 1 ? right : 0;
    }
}

PN_BLOCK_PATH static size_t copy_frames(pn_audio_device *device, float *out, size_t frames) {
    int channels = device->info.channels;
    if (channels == STEREO)
        return pn_ring_read(&device->ring, out, frames * STEREO) / STEREO;
    float pairs[PORTION * STEREO];
    size_t done = 0, got = 1;
    while (done < frames && got > 0) {
        size_t want = frames - done < PORTION ? frames - done : PORTION;
        got = pn_ring_read(&device->ring, pairs, want * STEREO) / STEREO;
        spread(out + done * (size_t)channels, pairs, got, channels);
        done += got;
    }
    return done;
}

static void SDLCALL callback(void *user, Uint8 *stream, int bytes) {
    pn_audio_device *device = user;
    float *out = (float *)(void *)stream;
    size_t frame_bytes = sizeof(float) * (size_t)device->info.channels, frames = (size_t)bytes / frame_bytes;
    /* Read before the ring: what was written before the end was declared is then seen as well. */
    bool finished = atomic_load_explicit(&device->finished, memory_order_acquire);
    size_t got = copy_frames(device, out, frames);
    atomic_fetch_add_explicit(&device->played, frames, memory_order_relaxed);
    if (got == frames)
        return;
    memset(out + got * (size_t)device->info.channels, 0, (frames - got) * frame_bytes);
    if (finished)
        return;
    atomic_fetch_add_explicit(&device->underruns, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&device->missing, frames - got, memory_order_relaxed);
}

/* "'A', 'B'": the outputs there are, for an error message. */
static void list_outputs(char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    int count = pn_sdl.GetNumAudioDevices(0);
    for (int i = 0; i < count && used < size; ++i) {
        const char *name = pn_sdl.GetAudioDeviceName(i, 0);
        if (name != NULL)
            used += (size_t)snprintf(text + used, size - used, "%s'%s'", used == 0 ? "" : ", ", name);
    }
    if (used == 0)
        snprintf(text, size, "none");
}

static pinna_status fail_open(const char *name, pinna_error *err) {
    char outputs[512], reason[256];
    snprintf(reason, sizeof reason, "%s", pn_sdl.GetError());
    list_outputs(outputs, sizeof outputs);
    return pn_fail(err, PINNA_DEVICE,
                   "the %saudio output%s%s%s cannot be opened: SDL (driver %s) says '%s'; outputs: %s",
                   name == NULL ? "default " : "", name == NULL ? "" : " '", name == NULL ? "" : name,
                   name == NULL ? "" : "'", driver_name(), reason, outputs);
}

static void name_output(pn_audio_device_info *info, const char *wanted) {
    char *found = NULL;
    SDL_AudioSpec spec;
    if (wanted == NULL && pn_sdl.GetDefaultAudioInfo(&found, &spec, 0) != 0)
        found = NULL;
    const char *name = wanted != NULL ? wanted : found != NULL ? found : "default output";
    snprintf(info->name, sizeof info->name, "%s", name);
    pn_sdl.free(found);
}

static pinna_status open_device(pn_audio_device *device, const pn_audio_device_desc *desc, pinna_error *err) {
    pinna_status status = start_sdl(err);
    if (status != PINNA_OK)
        return status;
    device->initialised = true;
    int buffer = desc->buffer > 0 ? desc->buffer : DEFAULT_BUFFER;
    SDL_AudioSpec got, want = {.freq = (int)(desc->rate + 0.5),
                               .format = AUDIO_F32SYS,
                               .channels = STEREO,
                               .samples = (Uint16)(buffer < 32768 ? buffer : 32768),
                               .callback = callback,
                               .userdata = device};
    int allowed =
        SDL_AUDIO_ALLOW_FREQUENCY_CHANGE | SDL_AUDIO_ALLOW_SAMPLES_CHANGE | SDL_AUDIO_ALLOW_CHANNELS_CHANGE;
    device->id = pn_sdl.OpenAudioDevice(desc->name, 0, &want, &got, allowed);
    if (device->id == 0)
        return fail_open(desc->name, err);
    pn_audio_device_info *info = &device->info;
    info->rate = got.freq;
    info->buffer = got.samples;
    info->channels = got.channels;
    name_output(info, desc->name);
    snprintf(info->driver, sizeof info->driver, "%s", driver_name());
    size_t frames =
        desc->ahead_s > 0 ? (size_t)ceil(desc->ahead_s * got.freq - 1e-6) : 4 * (size_t)got.samples;
    if (frames < 2 * (size_t)got.samples)
        frames = 2 * (size_t)got.samples;
    if (!pn_ring_init(&device->ring, frames * STEREO))
        return pn_fail_memory(err, "the audio output", (double)frames * STEREO * sizeof(float));
    info->ring_frames = device->ring.capacity / STEREO;
    return PINNA_OK;
}

static void tell(const pn_audio_device *device, const pn_audio_device_desc *desc, pn_messages *messages) {
    const pn_audio_device_info *info = &device->info;
    pn_info(messages, "audio output: %s (%s), %g Hz, %d frames a buffer%s", info->name, info->driver,
            info->rate, info->buffer,
            info->channels == STEREO ? ""
            : info->channels == 1    ? ", mono"
                                     : "");
    if (desc->buffer > 0 && info->buffer != desc->buffer)
        pn_info(messages, "audio output: %d frames a buffer were asked for", desc->buffer);
}

pinna_status pn_audio_device_open(const pn_audio_device_desc *desc, pn_messages *messages,
                                  pn_audio_device **device, pinna_error *err) {
    *device = NULL;
    if (!(desc->rate >= 1000 && desc->rate <= 768000))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "an audio output at %g Hz: 1000 to 768000 are accepted",
                       desc->rate);
    pn_audio_device *d = pn_alloc(1, sizeof *d);
    if (d == NULL)
        return pn_fail_memory(err, "the audio output", sizeof *d);
    pinna_status status = open_device(d, desc, err);
    if (status != PINNA_OK) {
        pn_audio_device_close(d);
        return status;
    }
    tell(d, desc, messages);
    *device = d;
    return PINNA_OK;
}

void pn_audio_device_close(pn_audio_device *d) {
    if (d == NULL)
        return;
    if (d->id != 0)
        pn_sdl.CloseAudioDevice(d->id);
    if (d->initialised)
        pn_sdl.QuitSubSystem(SDL_INIT_AUDIO);
    pn_ring_clear(&d->ring);
    pn_free(d);
}

const pn_audio_device_info *pn_audio_device_get_info(const pn_audio_device *d) {
    return &d->info;
}

void pn_audio_device_start(pn_audio_device *d) {
    pn_sdl.PauseAudioDevice(d->id, 0);
}

size_t pn_audio_device_writable(const pn_audio_device *d) {
    return pn_ring_writable(&d->ring) / STEREO;
}

size_t pn_audio_device_write(pn_audio_device *d, const float *interleaved, size_t frames) {
    size_t room = pn_audio_device_writable(d);
    return pn_ring_write(&d->ring, interleaved, (frames < room ? frames : room) * STEREO) / STEREO;
}

void pn_audio_device_finish(pn_audio_device *d) {
    atomic_store_explicit(&d->finished, true, memory_order_release);
}

void pn_audio_device_wait(pn_audio_device *d, size_t frames, int timeout_ms) {
    for (int waited = 0; waited < timeout_ms && pn_audio_device_writable(d) < frames; ++waited)
        pn_sdl.Delay(1);
}

void pn_audio_device_get_stats(const pn_audio_device *d, pn_audio_device_stats *stats) {
    stats->frames_played = atomic_load_explicit(&d->played, memory_order_relaxed);
    stats->underruns = atomic_load_explicit(&d->underruns, memory_order_relaxed);
    stats->frames_missing = atomic_load_explicit(&d->missing, memory_order_relaxed);
}
