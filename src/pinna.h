// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PINNA_H
#define PINNA_H

/* pinna: spatial audio for headphones. The whole public interface of libpinna.
 *
 * Three objects: a convolver (a matrix of long impulse responses), an HRTF set (measured ears), and a
 * renderer (a scene of sources, listener and reverbs that becomes stereo, block by block).
 *
 * Conventions
 *   Units      metres, seconds, dB, Hz; angles in degrees. x forward, y left, z up. Azimuth counter-clockwise
 *              (+90 = left), elevation up. Yaw + left, pitch + up, roll + right ear down.
 *   Audio      float, full scale +-1, planar: an array of one pointer per channel, each to `frames` samples.
 *   Errors     calls that can fail return a pinna_status and fill the caller's pinna_error (may be NULL) with
 *              one message that says what was wrong and what to do. Nothing is printed.
 *   Ownership  create and open calls give an object that its own free call ends; free accepts NULL. Memory
 *              handed in is copied unless a comment says otherwise.
 *   Threads    different objects may be used in different threads at once; one object by one thread at a time
 *              unless a comment says otherwise. "Real time" marks calls that never allocate, lock, log or
 *              open files, fit for an audio thread.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define PINNA_API
#else
#define PINNA_API __attribute__((visibility("default")))
#endif

#define PINNA_VERSION_MAJOR 0
#define PINNA_VERSION_MINOR 1
#define PINNA_VERSION_PATCH 0
#define PINNA_VERSION "0.1.0"

/* The version of the library that runs, as PINNA_VERSION. Static text. */
PINNA_API const char *pinna_version(void);

/* ------------------------------------------------------------------ errors and messages */

typedef enum pinna_status {
    PINNA_OK = 0,
    PINNA_NO_MEMORY,    /* memory could not be had, or a shape does not fit */
    PINNA_BAD_ARGUMENT, /* a value out of its range */
    PINNA_NOT_FOUND,    /* a file, device or name that does not exist */
    PINNA_IO,           /* reading or writing failed */
    PINNA_BAD_FILE,     /* a file whose content cannot be used */
    PINNA_BAD_SCENE,    /* an error in a scene, with its file, line and column */
    PINNA_UNSUPPORTED,  /* not available in this build or version */
    PINNA_DEVICE,       /* a compute or audio device failed */
    PINNA_CANCELLED     /* stopped on request */
} pinna_status;

enum { PINNA_ERROR_TEXT = 1024 };

typedef struct pinna_error {
    pinna_status status;
    char text[PINNA_ERROR_TEXT]; /* one message, UTF-8, no newline at its end */
} pinna_error;

/* A few words for a status. Static text. */
PINNA_API const char *pinna_status_name(pinna_status status);

typedef enum pinna_message_level { PINNA_INFO, PINNA_WARNING } pinna_message_level;

/* Told what was done: a file resampled, a response trimmed, a device chosen. Called in the thread of the call
 * that did it. text is valid during the call. */
typedef void (*pinna_message_fn)(void *user, pinna_message_level level, const char *text);

/* ------------------------------------------------------------------ convolver */

/* A sparse matrix of impulse responses: output[o] = sum over entries (i, o) of input[i] * ir. Inputs are
 * transformed once however many outputs use them. */
typedef struct pinna_convolver pinna_convolver;

typedef struct pinna_ir {
    int input, output; /* 0-based */
    const float *taps; /* `length` samples at the rate of the audio; copied */
    size_t length;     /* 1 .. 10 minutes; all taps finite */
} pinna_ir;

typedef struct pinna_convolver_config {
    int inputs, outputs; /* 1 .. 65536 */
    int block;           /* frames, power of two, 32..8192; 0 = 256 */
    const pinna_ir *irs; /* at most one for a pair (input, output); pairs without one are silent */
    size_t ir_count;
    const char *device; /* "auto", "cpu", "opencl", "opencl:P.D"; NULL = "cpu" */
    int threads;        /* CPU threads, the caller counted; 0 = one per processor */
    pinna_message_fn message;
    void *message_user;
    int editable; /* not 0: keeps copies of the responses, for pinna_convolver_request_edit */
    /* Of the responses' spectra on an OpenCL device: 32 (or 0), or 16, which takes half the memory for an error
     * around -90 dB, measured and told in a message. The CPU keeps 32, and says so. */
    int spectra_bits;
} pinna_convolver_config;

PINNA_API pinna_status pinna_convolver_create(const pinna_convolver_config *config,
                                              pinna_convolver **convolver, pinna_error *error);
PINNA_API void pinna_convolver_free(pinna_convolver *convolver);

/* Delay of the output in frames: 0 when every call has a multiple of `block` frames from the first on, else
 * the block. Known after the first call; pinna_convolver_create gives 0. */
PINNA_API int pinna_convolver_latency(const pinna_convolver *convolver);

/* Convolves `frames` (any number) of every input into every output: inputs[i][0..frames-1] to
 * outputs[o][0..frames-1], overwritten. in and out may not overlap. As long as every call has a multiple of
 * `block` frames the output is not delayed; from the first other size on it is delayed by `block` frames.
 * Real time on the CPU, except that a lost device is replaced by the CPU inside the call. */
PINNA_API pinna_status pinna_convolver_process(pinna_convolver *convolver, const float *const *inputs,
                                               float *const *outputs, size_t frames, pinna_error *error);

/* Exchanges all responses (same meaning as in the config, any lengths) with a linear crossfade over
 * fade_frames (0 = at once, at the next sample), old and new both running, each with its full history: of every input
 * what its longest response so far reaches back, and some seconds more where inputs are few. Not
 * real time: it allocates; call it between two process calls. PINNA_BAD_ARGUMENT while an earlier crossfade
 * runs. */
PINNA_API pinna_status pinna_convolver_swap(pinna_convolver *convolver, const pinna_ir *irs, size_t ir_count,
                                            size_t fade_frames, pinna_error *error);

/* Exchanging while playing. The three calls below are for a control thread: one thread at a time may make them
 * while one other thread calls pinna_convolver_process (or reset), which stays real time: neither waits for the
 * other. Don't mix them with pinna_convolver_swap in another thread.
 *
 * request_swap exchanges all responses: it transforms them, brings them to the present over the input's history and
 * hands them over; the crossfade begins with the next block that is processed, and is as exact as that of
 * pinna_convolver_swap. An exchange never cuts another one short, it waits for its end: up to 4 may be pending,
 * one more is PINNA_BAD_ARGUMENT.
 *
 * request_edit does so for some entries of the matrix: those listed replace the response of their pair (input, output)
 * or join; taps NULL with length 0 removes it. All others stay. Needs `editable` in the config. Only the outputs that
 * these entries lead to are made anew, crossfaded and run twice meanwhile: with a thousand channels one costs about a
 * thousandth of request_swap. What earlier edits made is taken in now and then, and once more than half of the outputs
 * were edited, all is made anew.
 *
 * update frees what was replaced, and hands over the next exchange that waits. Call it now and then, say every
 * 10 ms, until *pending (may be NULL) is 0: nothing is under way any more. After a failure all is as before, and the
 * next update tries again. */
PINNA_API pinna_status pinna_convolver_request_swap(pinna_convolver *convolver, const pinna_ir *irs,
                                                    size_t ir_count, size_t fade_frames, pinna_error *error);
PINNA_API pinna_status pinna_convolver_request_edit(pinna_convolver *convolver, const pinna_ir *irs,
                                                    size_t ir_count, size_t fade_frames, pinna_error *error);
PINNA_API pinna_status pinna_convolver_update(pinna_convolver *convolver, int *pending, pinna_error *error);

/* Forgets the history: as newly created. Real time. */
PINNA_API void pinna_convolver_reset(pinna_convolver *convolver);

/* ------------------------------------------------------------------ HRTF sets */

typedef struct pinna_hrtf pinna_hrtf;

typedef struct pinna_hrtf_info {
    double rate;      /* of the responses as held now, Hz */
    double file_rate; /* of the file */
    int directions;   /* measured directions after repairs */
    int taps;         /* length of a looked-up response, with the interaural delay inside */
    int latency; /* samples by which all responses come later than in the file: room before the first onset */
    double scale;        /* factor applied to the set so that front is 0 dB */
    const char *name;    /* database or file name; valid until the set is freed */
    const char *licence; /* as written in the file, may be "" */
} pinna_hrtf_info;

/* Opens a SOFA file (SimpleFreeFieldHRIR, SimpleFreeFieldHRTF, or directions in GeneralFIR and GeneralTF), or the built-in MIT KEMAR set when file is NULL or "builtin".
 * rate: what the responses are resampled to; 0 = the file's own. Repairs are told to `message`. */
PINNA_API pinna_status pinna_hrtf_open(const char *file, double rate, pinna_message_fn message, void *user,
                                       pinna_hrtf **hrtf, pinna_error *error);
PINNA_API void pinna_hrtf_free(pinna_hrtf *hrtf);
PINNA_API void pinna_hrtf_describe(const pinna_hrtf *hrtf, pinna_hrtf_info *info);

/* The response pair the renderer would use for a direction (degrees): left and right, each `taps` samples of
 * pinna_hrtf_info. Any thread. */
PINNA_API pinna_status pinna_hrtf_lookup(const pinna_hrtf *hrtf, double azimuth, double elevation,
                                         float *left, float *right, pinna_error *error);

/* ------------------------------------------------------------------ renderer */

typedef struct pinna_renderer pinna_renderer;

typedef struct pinna_renderer_config {
    double rate;        /* Hz, 8000..384000; 0 = the scene's, else 48000 */
    int block;          /* power of two, 32..8192; 0 = the scene's, else 256 */
    const char *hrtf;   /* a SOFA file or "builtin"; NULL = the scene's, else builtin */
    const char *device; /* as for the convolver; NULL = "cpu" */
    int threads;        /* CPU threads, the caller counted; 0 = one per processor */
    pinna_message_fn message;
    void *message_user;
    double
        doppler; /* shift of frequency by motion, 1 = as in nature, up to 100; 0 = the scene's, else none */
    double
        doppler_reach; /* metres, up to 1e6: sources that are fed, and with `doppler` go farther away than this, are
                             delayed as if there; 0 = 343 (a second). Delay lines take memory: 140 samples a metre */
    int spectra_bits; /* of reverbs, as for the convolver */
} pinna_renderer_config;

/* Loads a scene file (YAML) with everything it names. config may be NULL. */
PINNA_API pinna_status pinna_renderer_load(const char *scene_file, const pinna_renderer_config *config,
                                           pinna_renderer **renderer, pinna_error *error);

/* A scene built by calls: create an empty one, add reverbs and sources, and render. Sources take their
 * samples from the caller, block by block, through pinna_renderer_feed. */
PINNA_API pinna_status pinna_renderer_create(const pinna_renderer_config *config, pinna_renderer **renderer,
                                             pinna_error *error);
PINNA_API void pinna_renderer_free(pinna_renderer *renderer);

/* Adds a binaural source fed by the caller at (x, y, z) metres with gain in dB; *source is its number. Not
 * after the first pinna_renderer_render. */
PINNA_API pinna_status pinna_renderer_add_source(pinna_renderer *renderer, const char *name, double x,
                                                 double y, double z, double gain_db, int *source,
                                                 pinna_error *error);

/* A source's own factor of Doppler shift in place of the config's; 0 = none. Its sound then takes its time from where it
 * is (331.3 m/s at 0 degrees, 343 at 20). Not after the first pinna_renderer_render. */
PINNA_API pinna_status pinna_renderer_set_doppler(pinna_renderer *renderer, int source, double factor,
                                                  pinna_error *error);

/* How wide a source is: width in degrees, 0..360, across; diffuse 0..1, the part of its power that comes from all
 * around. The level stays. Takes 8, 9 or 16 times the work of a point. Not after the first pinna_renderer_render. */
PINNA_API pinna_status pinna_renderer_set_spread(pinna_renderer *renderer, int source, double width,
                                                 double diffuse, pinna_error *error);

/* Adds a reverb bus from 1 (mono), 2 (stereo) or 4 (true stereo LL, LR, RL, RR) responses of `length` taps at
 * the renderer's rate. Not after the first pinna_renderer_render. */
PINNA_API pinna_status pinna_renderer_add_reverb(pinna_renderer *renderer, const char *name,
                                                 const float *const *irs, int ir_count, size_t length,
                                                 double gain_db, int *bus, pinna_error *error);

/* Sets the send of a source added by call to a reverb bus, dB. Not after the first pinna_renderer_render. */
PINNA_API pinna_status pinna_renderer_set_send(pinna_renderer *renderer, int source, int bus, double gain_db,
                                               pinna_error *error);

/* How loud a source is by its distance, as OpenAL defines it: `reference` metres (0.001..1e6) is where the gain is 1; the
 * distance counts up to `max` (0.2..1e9, at least the reference; LINEAR: more) and not below 0.2 m; rolloff 0..100 is how
 * steep it falls. Nearer than the reference no gain is above reference / distance. Without this call INVERSE, 1, 1000, 1,
 * which is 1 / max(distance, 0.2). For all sources; not after the first pinna_renderer_render. */
typedef enum pinna_distance_model {
    PINNA_DISTANCE_INVERSE,     /* reference / (reference + rolloff (distance - reference)) */
    PINNA_DISTANCE_LINEAR,      /* 1 - rolloff (distance - reference) / (max - reference) */
    PINNA_DISTANCE_EXPONENTIAL, /* (distance / reference) ^ -rolloff */
    PINNA_DISTANCE_NONE         /* 1 */
} pinna_distance_model;
PINNA_API pinna_status pinna_renderer_set_distance(pinna_renderer *renderer, pinna_distance_model model,
                                                   double reference, double max, double rolloff,
                                                   pinna_error *error);

/* Lets the air absorb high frequencies beyond 1 m (ISO 9613-1), up to the distance law's max: temperature in degrees
 * Celsius, -50..60, humidity in per cent, 0..100. Without this call it absorbs nothing. For all sources; not after the
 * first pinna_renderer_render. */
PINNA_API pinna_status pinna_renderer_set_air(pinna_renderer *renderer, double temperature, double humidity,
                                              pinna_error *error);

/* How loud a source is by the direction in which the listener is, seen from it. */
typedef enum pinna_pattern {
    PINNA_OMNI,
    PINNA_SUBCARDIOID,   /* 0.7 + 0.3 cos of the angle off the axis */
    PINNA_CARDIOID,      /* 0.5 + 0.5 cos */
    PINNA_SUPERCARDIOID, /* 0.366 + 0.634 cos; of this and the next two the rear lobe is inverted in polarity */
    PINNA_HYPERCARDIOID, /* 0.25 + 0.75 cos */
    PINNA_FIGURE8,       /* cos */
    PINNA_CONE /* 1 within `inner`, `outer_gain` outside of `outer`, linear in the angle between them */
} pinna_pattern;

typedef struct pinna_directivity {
    pinna_pattern pattern;
    double azimuth, elevation; /* degrees: where the source faces, in the world's axes */
    double inner, outer;       /* cone: degrees across, 0..360, inner <= outer */
    double outer_gain;         /* cone: dB, -200..100 */
} pinna_directivity;

/* Not after the first pinna_renderer_render; from then on pinna_renderer_turn_source. */
PINNA_API pinna_status pinna_renderer_set_directivity(pinna_renderer *renderer, int source,
                                                      const pinna_directivity *directivity,
                                                      pinna_error *error);

/* What changes at the ears, besides the level, when a source is nearer than 1 m (the HRTF set stands for 1 m, or for the
 * distance at which it was measured if that is less). AUTO and NEAR: the level of each ear by frequency (a rigid sphere
 * of 8.75 cm), arrival times, and the direction that each ear sees; MID: the last two; FAR: nothing. AUTO without this
 * call. Not after the first pinna_renderer_render. */
typedef enum pinna_field { PINNA_FIELD_AUTO, PINNA_FIELD_NEAR, PINNA_FIELD_MID, PINNA_FIELD_FAR } pinna_field;
PINNA_API pinna_status pinna_renderer_set_field(pinna_renderer *renderer, int source, pinna_field field,
                                                pinna_error *error);

/* Ends the building of a scene made by calls: opens the HRTF set and the device. Without it the first feed, move,
 * gain or render does so, and is not real time. Does nothing for a loaded scene. */
PINNA_API pinna_status pinna_renderer_start(pinna_renderer *renderer, pinna_error *error);

/* Frames by which the output lags what is fed: the HRTF set's latency (pinna_hrtf_info), many sets need some, and 8 more
 * where any source has Doppler; 0 for loaded scenes, which are read ahead. Known once started. */
PINNA_API int pinna_renderer_latency(const pinna_renderer *renderer);

/* Frames per block, frames per second; frames in all (0 when open-ended, as in a scene built by calls). */
PINNA_API int pinna_renderer_block(const pinna_renderer *renderer);
PINNA_API double pinna_renderer_rate(const pinna_renderer *renderer);
PINNA_API uint64_t pinna_renderer_frames(const pinna_renderer *renderer);

/* The number of a source by name, or -1. */
PINNA_API int pinna_renderer_find_source(const pinna_renderer *renderer, const char *name);

/* The samples of a caller-fed source for the next block: `block` frames, copied; NULL = silence. A source not
 * fed before a render is silent in that block. Real time. */
PINNA_API pinna_status pinna_renderer_feed(pinna_renderer *renderer, int source, const float *samples,
                                           pinna_error *error);

/* Moves a source, or the listener, between two blocks: it is carried there in the course of the next block, so that
 * movement is smooth, and at an even speed when it is called for every block. What would pass the head faster than some
 * 15 degrees in 256 frames (in its distance: a quarter of it) is a jump: there at once, crossfaded and not swept; with
 * Doppler, where the delay changes with it, faded down and up in some 70 ms. A source or listener moved by call no longer
 * follows its path in the scene. Real time; same thread as pinna_renderer_render. */
PINNA_API pinna_status pinna_renderer_move_source(pinna_renderer *renderer, int source, double x, double y,
                                                  double z, pinna_error *error);
PINNA_API pinna_status pinna_renderer_move_listener(pinna_renderer *renderer, double x, double y, double z,
                                                    double yaw, double pitch, double roll,
                                                    pinna_error *error);
/* Turns a source with a directivity to where it faces, in the world's axes; crossfaded within the next quantum (up to
 * 256 frames). Real time; same thread as pinna_renderer_render. */
PINNA_API pinna_status pinna_renderer_turn_source(pinna_renderer *renderer, int source, double azimuth,
                                                  double elevation, pinna_error *error);
/* Gain of a source in dB, ramped within the next block; replaces the scene's gain automation. */
PINNA_API pinna_status pinna_renderer_set_gain(pinna_renderer *renderer, int source, double gain_db,
                                               pinna_error *error);

/* Renders the next block: `block` frames of left and right. Output frame n is scene time n / rate. Reads
 * clips from disk as it goes (the only reason why it is not real time for scenes with clips; for scenes built
 * by calls it is, on the CPU). */
PINNA_API pinna_status pinna_renderer_render(pinna_renderer *renderer, float *left, float *right,
                                             pinna_error *error);

#ifdef __cplusplus
}
#endif

#endif
