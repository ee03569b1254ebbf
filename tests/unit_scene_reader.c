// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Good scenes: every value arrives where it belongs; then the same scenes damaged at random and read with
 * failing allocations. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "scene/reader.h"
#include "support.h"

static const char full[] =
    "# everything\n"
    "pinna: 1\n"
    "rate: 44100\n"
    "block: 512\n"
    "duration: 20\n"
    "tempo: 90\n"
    "hrtf: {file: ears.sofa, equalise: [low, diffuse]}\n"
    "doppler: 0.5\n"
    "distance: {model: linear, reference: 2, max: 50, rolloff: 0.5}\n"
    "air: {temperature: 10, humidity: 80}\n"
    "listener:\n"
    "  position: [1, 2, 3]\n"
    "  orientation: [90, 0, 0]\n"
    "  path: [ {time: 0, position: [0,0,0], orientation: [0,0,0]}, {time: 4, orientation: [90,0,0]} ]\n"
    "sources:\n"
    "  - name: guitar\n"
    "    clip: stems/guitar.wav\n"
    "    channel: 2\n"
    "    start: 3b\n"
    "    from: 0.25\n"
    "    length: 4.5 beats\n"
    "    loop: true\n"
    "    gain: -6\n"
    "    solo: true\n"
    "    render: stereo\n"
    "    field: near\n"
    "    position: [2, 1, 0]\n"
    "    path: [ {time: 0, position: [2,1,0]}, {time: 3, polar: {azimuth: -90, distance: 2}, curve: smooth}, "
    "{time: 4} ]\n"
    "    directivity: {pattern: cone, facing: [10, 20], inner: 30, outer: 90, outer_gain: -20}\n"
    "    width: 15\n"
    "    diffuse: 0.25\n"
    "    automate: { gain: [[0, -60], [3b, -6]], width: [[1, 2]], sends.hall: [[0, 0]] }\n"
    "    strip: [ {highpass: {frequency: 80}}, {bell: {frequency: 300, gain: -4, q: 1.4}} ]\n"
    "    sends: {hall: -12, \"plain bus\": 0}\n"
    "  - name: \"Ärger \\u00fc\"\n"
    "    generator: {kind: sweep, frequency: 50, level: -3, duration: 2, seed: 9}\n"
    "    mute: true\n"
    "    orbit: {period: -8, radius: 2, height: 0.5, phase: 45}\n"
    "    render: direct\n"
    "  - {name: third, clip: /abs/x.flac, polar: {azimuth: 90, elevation: 30, distance: 4}}\n"
    "buses:\n"
    "  - name: hall\n"
    "    reverb: {ir: hall.wav, predelay: 0.02, gain: -1}\n"
    "    strip: []\n"
    "    gain: -2\n"
    "  - {name: plain bus, strip: [{delay: {}}]}\n"
    "  - {name: room, reverb: {ir: builtin}}\n"
    "master:\n"
    "  strip: [ {limiter: {ceiling: -1}} ]\n"
    "  gain: 1.5\n"
    "  loudness: -16\n"
    "output: {encoding: pcm16, dither: tpdf}\n";

static pn_scene *read_ok(const char *text, const char *base) {
    pn_scene *scene = NULL;
    pinna_error err = {0};
    assert_ok(pn_scene_read_text(text, strlen(text), "x.yaml", base, NULL, &scene, &err), &err);
    return scene;
}

static void near(double value, double expected) {
    if (!(fabs(value - expected) <= 1e-12 * (1 + fabs(expected))))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static void near_vec(pn_vec3 v, double x, double y, double z) {
    near(v.x, x);
    near(v.y, y);
    near(v.z, z);
}

static void check_globals(const pn_scene *scene) {
    near(scene->rate, 44100);
    assert_int_equal(scene->block, 512);
    near(scene->duration, 20);
    near(scene->tempo, 90);
    assert_string_equal(scene->hrtf.file, "base/ears.sofa");
    assert_true(scene->hrtf.equalise_low && scene->hrtf.equalise_diffuse);
    near(scene->doppler, 0.5);
    assert_int_equal(scene->distance.law.model, PN_DISTANCE_LINEAR);
    near(scene->distance.law.reference + scene->distance.law.max + scene->distance.law.rolloff, 52.5);
    assert_true(scene->air.on);
    near(scene->air.state.temperature, 10);
    near(scene->air.state.humidity, 80);
    near_vec(scene->listener.position, 1, 2, 3);
    near(scene->listener.orientation.z, sqrt(0.5)); /* a quarter turn to the left */
    assert_int_equal(scene->listener.path.position_count, 1);
    assert_int_equal(scene->listener.path.orientation_count, 2);
    near(scene->listener.path.orientations[1].time, 4);
    near(scene->master.gain_db, 1.5);
    assert_true(scene->master.has_loudness);
    near(scene->master.loudness_lufs, -16);
    assert_string_equal(scene->master.strip.entries[0].name, "limiter");
    assert_int_equal(scene->output.encoding, PN_ENCODING_PCM16);
    assert_int_equal(scene->output.dither, PN_DITHER_TPDF);
}

static void check_guitar(const pn_source *s) {
    assert_string_equal(s->name, "guitar");
    assert_string_equal(s->clip, "base/stems/guitar.wav");
    assert_int_equal(s->clip_mark.line, 17);
    assert_int_equal(s->clip_mark.column, 11);
    assert_int_equal(s->channel, 2);
    near(s->start, 2); /* three beats at 90 a minute */
    near(s->from, 0.25);
    near(s->length, 3);
    assert_true(s->loop && s->solo && !s->mute);
    near(s->gain_db, -6);
    assert_int_equal(s->render, PN_RENDER_STEREO);
    assert_int_equal(s->field, PN_FIELD_NEAR);
    near_vec(s->position, 2, 1, 0);
    assert_int_equal(s->path.position_count, 2);
    near_vec(s->path.positions[1].position, 0, -2, 0);
    assert_int_equal(s->path.positions[1].curve, PN_CURVE_SMOOTH);
    assert_int_equal(s->directivity.pattern, PN_PATTERN_CONE);
    near(s->directivity.facing_elevation_deg + s->directivity.inner_deg + s->directivity.outer_gain_db, 30);
    near(s->width_deg, 15);
    near(s->diffuse, 0.25);
    assert_int_equal(s->gain_keys.count, 2);
    near(s->gain_keys.keys[1].time, 2);
    near(s->gain_keys.keys[1].value, -6);
    assert_int_equal(s->automation_count, 2);
    assert_string_equal(s->automations[1].key, "sends.hall");
    assert_int_equal(s->strip.count, 2);
    assert_int_equal(s->strip.entries[1].param_count, 3);
    assert_string_equal(s->strip.entries[1].params[2].name, "q");
    near(s->strip.entries[1].params[2].value, 1.4);
    assert_int_equal(s->send_count, 2);
    assert_int_equal(s->sends[0].bus, 0);
    near(s->sends[0].gain_db, -12);
    assert_int_equal(s->sends[1].bus, 1);
}

static void everything(void **state) {
    (void)state;
    pn_scene *scene = read_ok(full, "base");
    check_globals(scene);
    assert_int_equal(scene->source_count, 3);
    check_guitar(&scene->sources[0]);
    const pn_source *sweep = &scene->sources[1];
    assert_string_equal(sweep->name, "\xc3\x84rger \xc3\xbc");
    assert_true(sweep->has_generator && sweep->has_orbit && sweep->mute && sweep->clip == NULL);
    assert_int_equal(sweep->generator.kind, PN_GENERATOR_SWEEP);
    near(sweep->generator.frequency, 50);
    near(sweep->generator.frequency_end, 0.45 * 44100);
    near(sweep->generator.duration, 2);
    assert_int_equal(sweep->generator.seed, 9);
    near(sweep->orbit.period, -8);
    near_vec(sweep->position, 0, 0, 0);
    assert_string_equal(scene->sources[2].clip, "/abs/x.flac");
    near_vec(scene->sources[2].position, 0, 4 * sqrt(0.75), 2);
    assert_int_equal(scene->bus_count, 3);
    assert_string_equal(scene->buses[0].reverb.ir, "base/hall.wav");
    near(scene->buses[0].reverb.predelay, 0.02);
    near(scene->buses[0].gain_db + scene->buses[0].reverb.gain_db, -3);
    assert_false(scene->buses[1].has_reverb);
    assert_true(scene->buses[2].has_reverb && scene->buses[2].reverb.ir == NULL);
    assert_false(pn_source_audible(scene, &scene->sources[2])); /* another one is soloed */
    assert_true(pn_source_audible(scene, &scene->sources[0]));
    pn_scene_free(scene);
}

static void defaults(void **state) {
    (void)state;
    pn_scene *scene =
        read_ok("pinna: 1\nsources: [{name: a, clip: a.wav}, {name: b, clip: b.wav, orbit: {period: 1}},"
                " {name: c, length: 1, generator: {kind: impulse}}]\n",
                NULL);
    near(scene->rate, 48000);
    assert_int_equal(scene->block, 256);
    assert_true(scene->duration < 0);
    assert_null(scene->hrtf.file);
    assert_int_equal(scene->output.encoding, PN_ENCODING_DEFAULT);
    const pn_source *a = &scene->sources[0];
    assert_string_equal(a->clip, "a.wav");
    near_vec(a->position, 1, 0, 0);
    near_vec(scene->sources[1].position, 0, 0, 0);
    assert_true(a->length < 0 && a->channel == 0 && a->gain_db == 0 && a->start == 0);
    assert_int_equal(a->render, PN_RENDER_BINAURAL);
    near(scene->sources[2].generator.frequency, 0);
    near(scene->sources[2].generator.level_db, -12);
    assert_int_equal(scene->sources[2].generator.seed, 3);
    assert_true(pn_source_audible(scene, a));
    assert_int_equal(pn_scene_require_supported(scene, NULL), PINNA_OK);
    pn_scene_free(scene);
}

/* Values that are written out but change nothing may be rendered. */
static void supported(void **state) {
    (void)state;
    pn_scene *scene = read_ok("pinna: 1\ndoppler: off\nair: off\nhrtf: {file: builtin, equalise: []}\n"
                              "distance: {model: inverse, reference: 1, max: 1000, rolloff: 1}\n"
                              "sources: [{name: a, clip: a, strip: [], width: 0, diffuse: 0, field: auto,\n"
                              "  directivity: {pattern: omni, facing: [0, 0]}, automate: {gain: [[0, 1]]}}]\n"
                              "buses: [{name: b, strip: []}]\nmaster: {strip: [], gain: 0}\n",
                              "");
    pinna_error err = {0};
    assert_ok(pn_scene_require_supported(scene, &err), &err);
    pn_scene_free(scene);
}

static void json(void **state) {
    (void)state;
    pn_scene *scene =
        read_ok("{\"pinna\": 1, \"rate\": 16e3,\n \"sources\": [\n  {\"name\": \"a\", \"clip\": "
                "\"a b.wav\", \"loop\": false, \"gain\": -1.5e0,\n   \"position\": [1, -2, 0.5]}]}\n",
                "/x/");
    near(scene->rate, 16000);
    assert_string_equal(scene->sources[0].clip, "/x/a b.wav");
    near_vec(scene->sources[0].position, 1, -2, 0.5);
    pn_scene_free(scene);
}

/* A program that set a locale with decimal commas reads the same numbers. */
static void locales(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", NULL};
    for (int i = 0; names[i] != NULL && setlocale(LC_ALL, names[i]) == NULL; ++i)
        ;
    pn_scene *scene = read_ok("pinna: 1\nduration: 2.5\nsources: [{name: a, clip: a}]\n", "");
    near(scene->duration, 2.5);
    pn_scene_free(scene);
    setlocale(LC_ALL, "C");
}

static void file_and_folder(void **state) {
    (void)state;
    const char *file = test_write_text("scene.yaml", "pinna: 1\nsources: [{name: a, clip: ../a.wav}]\n");
    pn_scene *scene = NULL;
    pinna_error err = {0};
    assert_ok(pn_scene_read(file, NULL, &scene, &err), &err);
    char expected[4096];
    snprintf(expected, sizeof expected, "%s/../a.wav", test_folder());
    assert_string_equal(scene->sources[0].clip, expected);
    assert_string_equal(scene->file, file);
    pn_scene_free(scene);
    const char *link = test_path("link.yaml");
    assert_int_equal(symlink(file, link), 0);
    assert_ok(pn_scene_read(link, NULL, &scene, &err), &err);
    pn_scene_free(scene);
}

static void warnings(void **state) {
    (void)state;
    pn_messages *messages = pn_messages_create(NULL, NULL);
    static const char text[] =
        "pinna: 1\nduration: 2\n"
        "sources: [{name: a, clip: a, mute: true, start: 3, render: direct, position: [1,0,0]},\n"
        "  {name: b, clip: b, mute: true, sends: {used: 0}, render: stereo, directivity: {pattern: figure8}, "
        "field: far, width: 20, diffuse: 0.5, doppler: on}]\n"
        "buses:\n  - {name: hall, reverb: {ir: builtin}}\n  - {name: used}\n";
    static const char *const expected[] = {
        "x.yaml:3:11: 'a' starts at 3 s",
        "x.yaml:3:11: 'a' is rendered 'direct'",
        "x.yaml:4:3: 'b' is not rendered 'binaural': its directivity is not used",
        "x.yaml:4:3: 'b' is not rendered 'binaural': its field is not used",
        "x.yaml:4:3: 'b' is not rendered 'binaural': its width is not used",
        "x.yaml:4:3: 'b' is not rendered 'binaural': its diffuseness is not used",
        "x.yaml:4:3: 'b' is not rendered 'binaural': its Doppler is not used",
        "x.yaml:6:5: no source sends to the bus 'hall'",
        "every source is muted"};
    pn_scene *scene = NULL;
    pinna_error err = {0};
    assert_ok(pn_scene_read_text(text, strlen(text), "x.yaml", "", messages, &scene, &err), &err);
    assert_int_equal(pn_messages_count(messages), 9);
    for (size_t i = 0; i < 9; ++i) {
        pinna_message_level level;
        assert_non_null(strstr(pn_messages_get(messages, i, &level), expected[i]));
        assert_int_equal(level, PINNA_WARNING);
    }
    pn_scene_free(scene);
    pn_messages_free(messages);
}

static void built_by_calls(void **state) {
    (void)state;
    pn_scene *scene = pn_scene_create();
    assert_non_null(scene);
    for (int i = 0; i < 40; ++i) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        assert_non_null(pn_scene_add_source(scene, name));
        snprintf(name, sizeof name, "b%d", i);
        assert_non_null(pn_scene_add_bus(scene, name));
    }
    for (int i = 0; i < 40; ++i)
        assert_true(pn_source_add_send(&scene->sources[3], i, -i));
    assert_true(pn_source_add_send(&scene->sources[3], 7, 5));
    assert_int_equal(scene->sources[3].send_count, 40);
    near(scene->sources[3].sends[7].gain_db, 5);
    near(scene->sources[3].sends[39].gain_db, -39);
    assert_int_equal(pn_scene_find_source(scene, "s17"), 17);
    assert_int_equal(pn_scene_find_bus(scene, "b39"), 39);
    assert_int_equal(pn_scene_find_bus(scene, "s17"), -1);
    near_vec(scene->sources[5].position, 1, 0, 0);
    pinna_error err;
    assert_int_equal(pn_scene_fail(scene, (pn_mark){0, 0}, &err, PINNA_BAD_SCENE, "no %s", "place"),
                     PINNA_BAD_SCENE);
    assert_string_equal(err.text, "scene: no place");
    pn_scene_free(scene);
    pn_scene_free(NULL);
}

static void other_rate(void **state) {
    (void)state;
    pn_scene *scene = read_ok("pinna: 1\nsources:\n"
                              "  - {name: a, length: 1, generator: {kind: sweep}}\n"
                              "  - {name: b, length: 1, generator: {kind: sine, frequency: 9000}}\n",
                              "");
    pinna_error err = {0};
    near(scene->sources[0].generator.frequency_end, 20000);
    assert_ok(pn_scene_set_rate(scene, 32000, &err), &err);
    near(scene->sources[0].generator.frequency_end, 14400);
    assert_int_equal(pn_scene_set_rate(scene, 16000, &err), PINNA_BAD_SCENE);
    assert_non_null(strstr(err.text, "x.yaml:4:37: "));
    pn_scene_free(scene);
}

/* Twenty thousand keys are read, in their order. */
/* Points on the way get their time from the length of the way; speeds and Doppler factors as written. */
static void ways(void **state) {
    (void)state;
    const char *text = "pinna: 1\ndoppler: on\nlistener:\n  path:\n    - {time: 0, position: [0, 0, 0], "
                       "orientation: [0, 0, 0]}\n"
                       "    - {position: [1, 0, 0], orientation: [90, 0, 0]}\n    - {time: 4, position: [4, "
                       "0, 0], speed: eased}\n"
                       "    - {time: 6, orientation: [0, 0, 0], speed: eased}\n"
                       "sources:\n  - name: a\n    clip: a\n    doppler: off\n    path:\n      - {time: 1, "
                       "position: [0, 0, 0]}\n"
                       "      - {position: [1, 0, 0]}\n      - {position: [3, 0, 0]}\n      - {time: 5, "
                       "position: [4, 0, 0]}\n"
                       "      - {time: 6, position: [4, 1, 0], curve: smooth, speed: constant}\n"
                       "      - {time: 7, position: [4, 2, 0]}\n  - {name: b, clip: b, doppler: 0.5}\n  - "
                       "{name: c, clip: c}\n";
    pn_scene *scene = NULL;
    pinna_error err = {0};
    assert_ok(pn_scene_read_text(text, strlen(text), "x.yaml", "", NULL, &scene, &err), &err);
    near(scene->doppler, 1);
    near(scene->sources[0].doppler, 0);
    near(scene->sources[1].doppler, 0.5);
    assert_true(scene->sources[2].doppler < 0);
    const pn_path *path = &scene->sources[0].path;
    static const double times[] = {1, 2, 4, 5, 6, 7};
    static const pn_speed speeds[] = {PN_SPEED_KEYS,     PN_SPEED_CONSTANT, PN_SPEED_CONSTANT,
                                      PN_SPEED_CONSTANT, PN_SPEED_CONSTANT, PN_SPEED_KEYS};
    assert_int_equal(path->position_count, 6);
    for (int i = 0; i < 6; ++i) {
        near(path->positions[i].time, times[i]);
        assert_int_equal(path->positions[i].stretch.speed, speeds[i]);
    }
    path = &scene->listener.path;
    assert_int_equal(path->position_count, 3);
    assert_int_equal(path->orientation_count, 3);
    double u = path->positions[1].time / 4; /* a quarter of the way is behind */
    near(u * u * (3 - 2 * u), 0.25);
    near(path->orientations[1].time, 4 * u);
    assert_int_equal(path->orientations[2].stretch.speed, PN_SPEED_EASED);
    near(path->orientations[2].stretch.start, 4 * u);
    pn_scene_free(scene);
}

static void long_path(void **state) {
    (void)state;
    size_t room = 2 << 20, used = 0, keys = 20000;
    char *text = malloc(room);
    used += (size_t)snprintf(text, room, "pinna: 1\nsources:\n - name: a\n   clip: a\n   path:\n");
    for (size_t i = 0; i < keys; ++i)
        used +=
            (size_t)snprintf(text + used, room - used, "    - {time: %zu, position: [%zu, 0, 0]}\n", i, i);
    pn_scene *scene = read_ok(text, "");
    assert_int_equal(scene->sources[0].path.position_count, keys);
    near(scene->sources[0].path.positions[keys - 1].position.x, (double)(keys - 1));
    pn_scene_free(scene);
    free(text);
}

/* Flips, removes, doubles and inserts bytes; whatever comes out is read or refused with a message. */
static size_t mutate(char *text, size_t size, uint64_t *noise) {
    static const char *const inserts[] = {"[",   "{",    "}", "]",    ":",   "- ", "&a ",  "*a",
                                          "\n",  "\t",   "'", "\"",   "|\n", "? ", "\xc3", "1e400",
                                          "nan", "!!x ", "#", "<<: ", ", ",  "-",  "\\"};
    int count = test_noise(noise) > 0 ? 3 : 1;
    for (int i = 0; i < count; ++i) {
        double kind = test_noise(noise);
        size_t at = (size_t)((test_noise(noise) + 1) / 2 * (double)(size - 1));
        if (kind < -0.2) {
            text[at] =
                (char)(kind < -0.9 ? (int)(test_noise(noise) * 127) : 80 + (int)(test_noise(noise) * 46));
        } else if (kind < 0.2) {
            size_t gone = 1 + (size_t)((test_noise(noise) + 1) * (test_noise(noise) > 0 ? 1 : 8));
            gone = gone < size - at ? gone : size - at - 1;
            memmove(text + at, text + at + gone, size - at - gone);
            size -= gone;
        } else if (kind < 0.4) {
            size_t from = (size_t)((test_noise(noise) + 1) / 2 * (double)(size - 1));
            size_t length = size - (from > at ? from : at) - 1;
            memmove(text + at, text + from, length < 40 ? length : 40);
        } else {
            const char *insert = inserts[(size_t)((test_noise(noise) + 1) / 2 * 22.99)];
            size_t length = strlen(insert);
            memmove(text + at + length, text + at, size - at);
            memcpy(text + at, insert, length);
            size += length;
        }
    }
    return size;
}

static void mutations(void **state) {
    (void)state;
    char *text = malloc(sizeof full + 256);
    uint64_t noise = 12345;
    int good = 0, bad = 0;
    for (int i = 0; i < 4000; ++i) {
        memcpy(text, full, sizeof full);
        size_t size = mutate(text, sizeof full - 1, &noise);
        pn_scene *scene = NULL;
        pinna_error err = {0};
        pinna_status status = pn_scene_read_text(text, size, "x.yaml", "", NULL, &scene, &err);
        assert_true(status == PINNA_OK || status == PINNA_BAD_SCENE);
        assert_true((status == PINNA_OK) == (scene != NULL));
        if (status != PINNA_OK && strncmp(err.text, "x.yaml:", 7) != 0)
            fail_msg("no place in: %s", err.text);
        good += status == PINNA_OK;
        bad += status != PINNA_OK;
        pn_scene_free(scene);
    }
    free(text);
    if (good < 100 || bad < 100)
        fail_msg("the test shows little: %d read, %d refused", good, bad);
}

/* Every allocation that can fail does so once. */
static void allocations(void **state) {
    (void)state;
    pn_scene *scene = read_ok(full, "base");
    long before = pn_memory_count();
    pn_scene *again = read_ok(full, "base");
    long count = pn_memory_count() - before;
    assert_true(count > 30);
    for (long k = 1; k <= count; ++k) {
        pn_scene *none = NULL;
        pinna_error err = {0};
        pn_memory_fail_at(k);
        pinna_status status = pn_scene_read_text(full, sizeof full - 1, "x.yaml", "base", NULL, &none, &err);
        pn_memory_fail_at(0);
        assert_int_equal(status, PINNA_NO_MEMORY);
        assert_int_equal(err.status, PINNA_NO_MEMORY);
        assert_null(none);
    }
    for (long k = 1; k <= 8; ++k) {
        pn_memory_fail_at(k);
        pn_source *source = pn_scene_add_source(scene, "one more");
        pn_bus *bus = pn_scene_add_bus(scene, "one more");
        pn_memory_fail_at(0);
        assert_true(source != NULL || bus != NULL);
    }
    pn_scene_free(scene);
    pn_scene_free(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),  cmocka_unit_test(defaults),       cmocka_unit_test(supported),
        cmocka_unit_test(json),        cmocka_unit_test(locales),        cmocka_unit_test(file_and_folder),
        cmocka_unit_test(warnings),    cmocka_unit_test(built_by_calls), cmocka_unit_test(other_rate),
        cmocka_unit_test(ways),        cmocka_unit_test(long_path),      cmocka_unit_test(mutations),
        cmocka_unit_test(allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
