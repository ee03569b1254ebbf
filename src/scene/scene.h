// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SCENE_SCENE_H
#define PN_SCENE_SCENE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/vec.h"
#include "io/audio_file.h"
#include "spatial/air.h"
#include "spatial/directivity.h"
#include "spatial/distance.h"

/* A scene as pure data: what the file says (or the calls that build one), checked and with every default
 * filled in, but nothing opened. Metres, seconds, dB, Hz; angles in degrees where a name ends in _deg; world
 * axes x forward, y left, z up.
 *
 * Ownership: everything a pointer of the scene leads to is the scene's, from pn_alloc / pn_strdup, and goes
 * with pn_scene_free. Threads: a scene that nobody changes may be read by any number of them. */

/* Where something stands in the scene file, both from 1, the column in characters; {0, 0} in scenes built by
 * calls. For keys it is the place of the value, for lists' entries their beginning. */
typedef struct {
    int line, column;
} pn_mark;

/* ------------------------------------------------------------------ things that change in time */

/* Keys of all kinds are in strictly increasing scene time; their value is held before the first and after the
 * last (motion.h evaluates them). */
typedef struct {
    double time, value;
} pn_key;

typedef struct {
    pn_key *keys;
    size_t count;
} pn_keys;

typedef enum { PN_CURVE_LINEAR, PN_CURVE_SMOOTH } pn_curve;

/* How a path is run through: evenly in the curve's own parameter from key to key; or by the length of the way, at a
 * constant speed, or starting and stopping gently. */
typedef enum { PN_SPEED_KEYS, PN_SPEED_CONSTANT, PN_SPEED_EASED } pn_speed;

/* The stretch of a path between two keys that have a time: what is between them are points on the way. */
typedef struct {
    pn_speed speed;
    double start, end; /* seconds */
    double length;     /* metres, of the whole stretch */
} pn_stretch;

typedef struct {
    double time;
    pn_vec3 position;
    pn_curve curve;     /* of the segment that leads to this key */
    pn_stretch stretch; /* likewise; made by pn_path_measure (motion.h), as are the next two */
    double before;      /* metres of the stretch before this segment */
    const double
        *arc; /* metres of this segment up to each of its PN_ARC_STEPS parts; NULL: a straight line */
} pn_position_key;

typedef struct {
    double time;
    pn_quat orientation;
    pn_stretch stretch; /* of which the turn from the key before is a part; length is not used */
} pn_orientation_key;

/* A `path` of the file, split into its two tracks: a key that gives only one of both stands in one only,
 * which is how it leaves the other to its neighbours. */
typedef struct {
    pn_position_key *positions;
    size_t position_count;
    pn_orientation_key *orientations; /* listener only */
    size_t orientation_count;
    double *arcs; /* what the positions' `arc` lead into */
} pn_path;

typedef struct {
    double period;    /* seconds a turn, not 0; positive: counter-clockwise seen from above */
    double radius;    /* >= 0 */
    double height;    /* added to the centre's z */
    double phase_deg; /* at time 0, from the front, counter-clockwise */
} pn_orbit;

/* ------------------------------------------------------------------ parts */

typedef struct {
    char *name;
    double value;
} pn_strip_param;

/* One stage of a strip, kept as written: a name the reader knows (highpass, compressor, ...) and its numbers.
 */
typedef struct {
    char *name;
    pn_strip_param *params;
    size_t param_count;
    pn_mark mark;
} pn_strip_entry;

typedef struct {
    pn_strip_entry *entries;
    size_t count;
} pn_strip;

typedef enum {
    PN_GENERATOR_SINE,    /* frequency */
    PN_GENERATOR_NOISE,   /* white, uniform, from seed */
    PN_GENERATOR_PINK,    /* 1/f, from seed */
    PN_GENERATOR_IMPULSE, /* one sample at the start; with a frequency, repeated at that rate */
    PN_GENERATOR_SWEEP,   /* exponential, from frequency to frequency_end in `duration` */
    PN_GENERATOR_PLUCK    /* a plucked string of that frequency, once, excited from seed */
} pn_generator_kind;

typedef struct {
    pn_generator_kind kind;
    double frequency; /* Hz, > 0 and below rate / 2 (impulse: 0 = once); defaults 440, sweep 20, impulse 0 */
    double frequency_end; /* sweep only; default 20000 or 0.45 rate, the lower (pn_scene_set_rate) */
    int frequency_end_given;
    double duration; /* sweep only, seconds; < 0 = as long as the source sounds */
    double level_db; /* re full scale: peak, of noise and pink RMS; default -12 */
    uint64_t seed;   /* default: the number of the source from 1, so that no two are alike */
    pn_mark mark;
} pn_generator;

typedef enum { PN_RENDER_BINAURAL, PN_RENDER_STEREO, PN_RENDER_DIRECT } pn_render_kind;
/* What changes at the ears, besides the level, nearer than the set's reference distance (spatial/near_field.h): auto and
 * near: everything; mid: directions and arrival times; far: nothing. */
typedef enum { PN_FIELD_AUTO, PN_FIELD_NEAR, PN_FIELD_MID, PN_FIELD_FAR } pn_field;

typedef struct {
    pn_pattern pattern;
    double facing_azimuth_deg, facing_elevation_deg; /* world axes */
    double inner_deg, outer_deg, outer_gain_db;      /* cone only: full angles; defaults 360, 360, 0 */
    pn_mark mark;
} pn_directivity;

typedef struct {
    int bus;        /* index into pn_scene.buses */
    double gain_db; /* post fader */
    pn_mark mark;
} pn_send;

/* The value of another key than gain in time; nothing plays it yet. */
typedef struct {
    char *key; /* as written: a numeric key of the source, or sends.NAME, or strip.N.PARAMETER */
    pn_keys keys;
    pn_mark mark;
} pn_automation;

typedef struct {
    char *name; /* unique over sources and buses */
    pn_mark mark;

    /* What sounds: a clip, or (clip NULL) the generator when has_generator, or (neither) what the caller
     * feeds. */
    char *clip; /* path, already resolved relative to the scene file */
    pn_mark clip_mark;
    int has_generator;
    pn_generator generator;
    int channel;  /* of the clip, from 1; 0 = not given: all of them as the kind of rendering says */
    double start; /* scene time at which it begins, >= 0 */
    double from;  /* offset into the clip, >= 0 */
    double
        length; /* seconds it sounds; < 0 = to the clip's end, to the scene's end for generators and loops */
    int loop;   /* `from` .. clip's end again and again; length or the scene's duration is then given */

    double gain_db;    /* unless gain_keys.count */
    pn_keys gain_keys; /* `automate: {gain: ...}`, dB: replaces gain_db */
    int mute, solo;

    pn_render_kind render;
    pn_field field;
    pn_mark field_mark;

    int has_position;
    pn_vec3
        position; /* world; without has_position (1, 0, 0), or the origin when it is the centre of an orbit */
    pn_path path; /* wins over position when it has position keys; with an orbit it moves the centre */
    int has_orbit;
    pn_orbit orbit;

    pn_directivity directivity;
    double width_deg; /* 0..360 */
    double diffuse;   /* 0..1 */
    double doppler;   /* as the scene's, which it replaces; < 0 = not given */

    pn_automation *automations; /* of other keys than gain */
    size_t automation_count;
    pn_strip strip;
    pn_send *sends; /* at most one to a bus */
    size_t send_count;
} pn_source;

typedef struct {
    char *ir;        /* path, resolved; NULL = the built-in synthetic hall (`ir: builtin`) */
    double predelay; /* seconds, 0..10 */
    double gain_db;
    pn_mark mark; /* of ir */
} pn_reverb;

/* A stereo bus. Without a reverb what is sent to it reaches the mix as it is. */
typedef struct {
    char *name;
    pn_mark mark;
    int has_reverb;
    pn_reverb reverb;
    pn_strip strip;
    double gain_db;
} pn_bus;

typedef struct {
    pn_vec3 position;
    pn_quat orientation;
    pn_path path; /* a track with keys wins over the field above of the same kind */
} pn_listener;

typedef struct {
    char *file; /* path, resolved; NULL = the built-in set */
    int equalise_given;
    int equalise_low, equalise_diffuse;
    pn_mark mark, equalise_mark; /* mark: of the file */
} pn_scene_hrtf;

typedef struct {
    pn_distance_law law; /* defaults inverse, 1 m, 1000 m, 1 */
    pn_mark mark;
} pn_distance;

typedef struct {
    int on;             /* absorption; the temperature counts for the speed of sound in any case */
    pn_air_state state; /* defaults 20 degrees, 50 per cent */
    pn_mark mark;
} pn_air;

typedef struct {
    pn_strip strip;
    double gain_db;
    int has_loudness;
    double loudness_lufs;
    pn_mark loudness_mark;
} pn_master;

typedef struct {
    pn_encoding encoding; /* PN_ENCODING_DEFAULT = not given */
    pn_dither dither;
    pn_mark mark;
} pn_scene_output;

typedef struct pn_scene {
    char *file;      /* as given, for messages; NULL when built by calls */
    double rate;     /* whole Hz, 8000..384000, default 48000 */
    int block;       /* power of two, 32..8192, default 256 */
    double duration; /* seconds; < 0 = automatic */
    double tempo;    /* beats a minute, default 120; times in beats are already converted */
    pn_scene_hrtf hrtf;
    double doppler; /* 0 off, 1 on, else the factor on the physical shift */
    pn_distance distance;
    pn_air air;
    pn_listener listener;
    pn_source *sources;
    size_t source_count;
    pn_bus *buses;
    size_t bus_count;
    pn_master master;
    pn_scene_output output;
} pn_scene;

/* ------------------------------------------------------------------ calls */

/* An empty scene with all defaults; NULL when out of memory. */
pn_scene *pn_scene_create(void);
/* Accepts NULL and half-built scenes. */
void pn_scene_free(pn_scene *scene);

/* Append a source or bus with all defaults; name is copied and may be NULL. NULL when out of memory. The
 * pointer holds until the next one of its kind is added. Names are not checked here. */
pn_source *pn_scene_add_source(pn_scene *scene, const char *name);
pn_bus *pn_scene_add_bus(pn_scene *scene, const char *name);
/* Appends a send, or changes the one to that bus. 0 when out of memory, else 1. */
int pn_source_add_send(pn_source *source, int bus, double gain_db);

/* Index of a source or bus by name, or -1. */
int pn_scene_find_source(const pn_scene *scene, const char *name);
int pn_scene_find_bus(const pn_scene *scene, const char *name);

/* What is to be heard: not muted, and soloed when any source is. */
int pn_source_audible(const pn_scene *scene, const pn_source *source);

/* pn_fail with "file:line:column: " of the scene before the text (left out as far as not known). */
pinna_status pn_scene_fail(const pn_scene *scene, pn_mark mark, pinna_error *err, pinna_status status,
                           const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same place as text "file:line:column", for warnings; returns buffer. */
const char *pn_scene_place(const pn_scene *scene, pn_mark mark, char *buffer, size_t size);

/* Renders at another rate than the scene's own: sets it, and what follows from it. PINNA_BAD_SCENE when a
 * generator's frequency does not fit below half of it. */
pinna_status pn_scene_set_rate(pn_scene *scene, double rate, pinna_error *err);

/* PINNA_UNSUPPORTED with the place of the first thing in the scene that parses and is checked, but that this
 * version cannot render yet: strips, automation of other than gain, loudness. Else PINNA_OK. */
pinna_status pn_scene_require_supported(const pn_scene *scene, pinna_error *err);

#endif
