// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_AUDIO_DEVICE_H
#define PN_IO_AUDIO_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/messages.h"
#include "base/realtime.h"
#include "base/status.h"

/* Live output through SDL2, which is loaded when it is first asked for. The callback copies stereo frames out of a ring and does nothing else; what the
 * ring has not got is silence, counted as an underrun. Signals stay the program's (SDL installs no handlers).
 * Open, start, close: the thread that opened. write: one thread, any. */
typedef struct pn_audio_device pn_audio_device;

/* Calls found(user, name) for each output, and gives SDL's driver in use (static text, may be NULL). No
 * outputs is not an error; no driver, or no SDL2 on this machine, is PINNA_DEVICE. */
pinna_status pn_audio_device_list(void (*found)(void *user, const char *name), void *user,
                                  const char **driver, pinna_error *err);

typedef struct {
    const char *name; /* as listed; NULL = the default output */
    double rate;      /* wanted; what comes may differ */
    int buffer;       /* frames wanted per callback, power of two; 0 = 512 */
    double
        ahead_s; /* what the ring holds, at least, at the rate that comes; 0 = four buffers, never below two */
} pn_audio_device_desc;

typedef struct {
    char name[128];  /* of the output */
    char driver[32]; /* of SDL: "pulseaudio", "alsa", "disk" ... */
    double rate;     /* what the device runs at */
    int buffer;      /* frames per callback */
    int channels;    /* of the device: 1 hears the sum at -3 dB, from the third on silence */
    size_t ring_frames;
} pn_audio_device_info;

/* Errors name SDL's reason and driver, and the outputs there are when the name is none of them. Opens paused.
 */
pinna_status pn_audio_device_open(const pn_audio_device_desc *desc, pn_messages *messages,
                                  pn_audio_device **device, pinna_error *err);
void pn_audio_device_close(pn_audio_device *device); /* accepts NULL; stops first */
const pn_audio_device_info *pn_audio_device_get_info(const pn_audio_device *device);

/* Start with a full ring to have no underrun at once. */
void pn_audio_device_start(pn_audio_device *device);

/* Interleaved stereo frames: how many the ring takes now; hands over up to `frames`, returns how many. */
PN_BLOCK_PATH size_t pn_audio_device_writable(const pn_audio_device *device);
PN_BLOCK_PATH size_t pn_audio_device_write(pn_audio_device *device, const float *interleaved, size_t frames);
/* No more is coming: what is left is played, and silence after it is no underrun. */
PN_BLOCK_PATH void pn_audio_device_finish(pn_audio_device *device);
/* Waits until the ring may have room for `frames`, or about timeout_ms passed. Not block path. */
void pn_audio_device_wait(pn_audio_device *device, size_t frames, int timeout_ms);

/* Frames handed to the device so far, silence included; the count of callbacks that found too little; frames
 * of silence given for lack of samples. Any thread. */
typedef struct {
    uint64_t frames_played;
    uint64_t underruns;
    uint64_t frames_missing;
} pn_audio_device_stats;
void pn_audio_device_get_stats(const pn_audio_device *device, pn_audio_device_stats *stats);

#endif
