// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Broken scenes: each must fail with its place and with the words that help. The places are counted by hand from
 * the texts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene/reader.h"
#include "support.h"

typedef struct {
    const char *text;
    const char *place;    /* "line:column" */
    const char *words[3]; /* all of them in the message */
} broken;

#define HEAD "pinna: 1\n"
#define TAIL "sources: [{name: a, clip: a.wav}]\n"
#define SOURCE HEAD "sources:\n  - name: a\n    clip: a.wav\n"

static void expect(const char *text, size_t size, const broken *b) {
    pn_scene *scene = NULL;
    pinna_error err = {0};
    pinna_status status = pn_scene_read_text(text, size, "x.yaml", "", NULL, &scene, &err);
    if (status != PINNA_BAD_SCENE || scene != NULL || err.status != status)
        fail_msg("expected a bad scene, got %s: %s\n%s", pinna_status_name(status), err.text, text);
    char place[64];
    snprintf(place, sizeof place, "x.yaml:%s: ", b->place);
    if (strncmp(err.text, place, strlen(place)) != 0)
        fail_msg("expected the place %s, got: %s\n%s", b->place, err.text, text);
    for (int i = 0; i < 3 && b->words[i] != NULL; ++i)
        if (strstr(err.text, b->words[i]) == NULL)
            fail_msg("expected '%s' in: %s", b->words[i], err.text);
    assert_null(strchr(err.text, '\n'));
}

static void expect_all(const broken *list, size_t count) {
    for (size_t i = 0; i < count; ++i)
        expect(list[i].text, strlen(list[i].text), &list[i]);
}
#define EXPECT_ALL(list) expect_all(list, sizeof list / sizeof *list)

static void syntax(void **state) {
    (void)state;
    static const broken list[] = {
        {"", "1:1", {"nothing", "pinna: 1"}},
        {"# only a comment\n", "1:1", {"nothing"}},
        {"just words\n", "1:1", {"not a map"}},
        {"[1, 2]\n", "1:1", {"not a map"}},
        {HEAD "sources: [1, 2\n", "3:1", {"YAML", "bracket"}},
        {HEAD "rate: 'open\n", "2:8", {"YAML", "quote"}},
        {HEAD "a: b: c\n", "2:5", {"YAML"}},
        {HEAD "\trate: 1\n", "1:8", {"YAML"}},
        {HEAD "rate: 48000\nrate: 44100\n" TAIL, "3:1", {"duplicate key 'rate'", "line 2"}},
        {HEAD "sources:\n  - {name: a, clip: b, name: c}\n", "3:24", {"duplicate key 'name'"}},
        {HEAD "rate: &r 48000\n" TAIL, "2:10", {"anchors"}},
        {HEAD "rate: *r\n" TAIL, "2:8", {"aliases"}},
        {HEAD "<<: {rate: 8000}\n" TAIL, "2:1", {"merge"}},
        {HEAD "rate: !!int 48000\n" TAIL, "2:13", {"tags"}},
        {HEAD "sources: !x [1]\n", "2:13", {"tags"}},
        {HEAD "[1]: 2\n", "2:1", {"key must be a word"}},
        {HEAD TAIL "---\n" HEAD, "3:1", {"second document"}},
        {HEAD "sources: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", "2:25", {"nested too deeply"}},
        {"%YAML 1.2\n---\n" HEAD TAIL, "1:1", {"directives"}},
        {HEAD "rate: \xff\n", "2:7", {"UTF-8"}},
        {HEAD "name\xc3\xa9: \xc3(\n", "2:8", {"UTF-8"}},
        {HEAD "rate: \xed\xa0\x80\n", "2:7", {"UTF-8"}},
        {HEAD "rate: \xc3", "2:7", {"UTF-8"}},
        {HEAD "rate: \x01\n", "2:7", {"UTF-8"}},
        {HEAD "sources: [{name: \"a\\0b\"}]\n", "2:18", {"NUL"}},
    };
    EXPECT_ALL(list);
    static const broken nul = {NULL, "1:10", {"UTF-8"}};
    expect("pinna: 1 \0rate", 14, &nul);
}

static void keys_and_types(void **state) {
    (void)state;
    static const broken list[] = {
        {"rate: 48000\n" TAIL, "1:1", {"'pinna: 1' is missing"}},
        {"pinna: 2\n" TAIL, "1:8", {"scene format 2", "pinna: 1"}},
        {"pinna: one\n" TAIL, "1:8", {"'pinna'", "number", "'one'"}},
        {HEAD "rat: 48000\n" TAIL, "2:1", {"unknown key 'rat'", "did you mean 'rate'"}},
        {HEAD "zzzzzz: 48000\n" TAIL, "2:1", {"unknown key 'zzzzzz'", "listener", "output"}},
        {SOURCE "    positon: [1, 0, 0]\n", "5:5", {"'positon'", "did you mean 'position'"}},
        {SOURCE "    Gain: 1\n", "5:5", {"'Gain'", "'gain'"}},
        {HEAD "rate: fast\n" TAIL, "2:7", {"'rate'", "number", "'fast'"}},
        {HEAD "rate: '48000'\n" TAIL, "2:7", {"'rate'", "number", "the text '48000'"}},
        {HEAD "rate: 48000.5\n" TAIL, "2:7", {"whole number"}},
        {HEAD "rate: 7999\n" TAIL, "2:7", {"8000 .. 384000 Hz", "7999"}},
        {HEAD "rate: 384001\n" TAIL, "2:7", {"384001"}},
        {HEAD "rate:\n" TAIL, "2:1", {"got nothing"}},
        {HEAD "rate: null\n" TAIL, "2:7", {"got nothing"}},
        {HEAD "rate: [48000]\n" TAIL, "2:7", {"got a list"}},
        {HEAD "rate: {a: 1}\n" TAIL, "2:7", {"got a map"}},
        {HEAD "block: 300\n" TAIL, "2:8", {"power of two", "300"}},
        {HEAD "block: 16\n" TAIL, "2:8", {"32 .. 8192"}},
        {HEAD "duration: 0\n" TAIL, "2:11", {"'duration'"}},
        {HEAD "duration: -4\n" TAIL, "2:11", {"'duration'", "-4"}},
        {HEAD "duration: .inf\n" TAIL, "2:11", {"'duration'", "'.inf'"}},
        {HEAD "duration: inf\n" TAIL, "2:11", {"'inf'"}},
        {HEAD "duration: nan\n" TAIL, "2:11", {"'nan'"}},
        {HEAD "duration: 1e999\n" TAIL, "2:11", {"'1e999'"}},
        {HEAD "duration: 0x10\n" TAIL, "2:11", {"'0x10'"}},
        {HEAD "duration: 4s\n" TAIL, "2:11", {"seconds", "beats", "'4s'"}},
        {HEAD "tempo: 0\n" TAIL, "2:8", {"'tempo'"}},
        {HEAD "hrtf: 5\n" TAIL, "2:7", {"'hrtf' must be text", "quotes"}},
        {HEAD "hrtf: {file: a.sofa, equalise: [lo]}\n" TAIL, "2:33", {"'equalise'", "did you mean 'low'"}},
        {HEAD "hrtf: {fiel: a.sofa}\n" TAIL, "2:8", {"did you mean 'file'"}},
        {HEAD "doppler: maybe\n" TAIL, "2:10", {"off, on or a factor", "'maybe'"}},
        {HEAD "doppler: -1\n" TAIL, "2:10", {"'doppler'"}},
        {HEAD "distance: {model: inverze}\n" TAIL, "2:19", {"did you mean 'inverse'"}},
        {HEAD "distance: {reference: 0}\n" TAIL, "2:23", {"'reference'"}},
        {HEAD "distance: {reference: 5, max: 2}\n" TAIL, "2:11", {"'max'", "'reference'"}},
        {HEAD "distance: inverse\n" TAIL, "2:11", {"'distance'", "map"}},
        {HEAD "distance: {reference: 0.1, max: 0.1}\n" TAIL, "2:33", {"'max' must be 0.2"}},
        {HEAD "distance: {model: linear, reference: 3, max: 3}\n" TAIL, "2:11", {"'linear'", "both are 3 m"}},
        {HEAD "distance: {rolloff: -1}\n" TAIL, "2:21", {"'rolloff' must be 0 .. 100"}},
        {HEAD "air: {temperature: -60}\n" TAIL, "2:20", {"-50 .. 60 degrees Celsius"}},
        {HEAD "air: on\n" TAIL, "2:6", {"'air'", "temperature"}},
        {HEAD "air: {humidity: 120}\n" TAIL, "2:17", {"0 .. 100 per cent"}},
        {HEAD "listener: {position: [0, 0]}\n" TAIL, "2:22", {"list of 3 numbers", "got 2"}},
        {HEAD "listener: {position: [0, 0, x]}\n" TAIL, "2:29", {"'x'"}},
        {HEAD "listener: {orientation: 90}\n" TAIL, "2:25", {"'orientation'", "list of 3"}},
        {HEAD "output: {encoding: pcm20}\n" TAIL, "2:20", {"pcm16", "f64", "'pcm20'"}},
        {HEAD "output: {dither: yes}\n" TAIL, "2:18", {"none, tpdf"}},
        {HEAD "master: {loudness: 3}\n" TAIL, "2:20", {"-70 .. 0 LUFS"}},
        {HEAD "master: {strip: {limiter: {}}}\n" TAIL, "2:17", {"list of stages"}},
        {HEAD "master: {gain: 1000}\n" TAIL, "2:16", {"-200 .. 100 dB"}},
    };
    EXPECT_ALL(list);
}

static void sources(void **state) {
    (void)state;
    static const broken list[] = {
        {HEAD, "1:1", {"'sources'"}},
        {HEAD "sources: []\n", "2:10", {"'sources'", "got 0"}},
        {HEAD "sources: {}\n", "2:10", {"must be a list"}},
        {HEAD "sources:\n", "2:1", {"must be a list", "nothing"}},
        {HEAD "sources:\n  - 5\n", "3:5", {"a source", "the number 5"}},
        {HEAD "sources:\n  - clip: a.wav\n", "3:5", {"needs 'name'"}},
        {HEAD "sources:\n  - name: a\n", "3:5", {"'clip' or 'generator'"}},
        {HEAD "sources:\n  - name: 5\n    clip: a\n", "3:11", {"'name' must be text", "quotes"}},
        {HEAD "sources:\n  - name: [a]\n    clip: a\n", "3:11", {"'name' must be text", "a list"}},
        {HEAD "sources:\n  - name: ''\n    clip: a\n", "3:11", {"empty"}},
        {HEAD "sources:\n  - name: \"a\\tb\"\n    clip: a\n", "3:11", {"control"}},
        {SOURCE "    generator: {kind: sine}\n", "5:16", {"'clip' and 'generator' exclude"}},
        {SOURCE "    position: [1, 0, 0]\n    polar: {azimuth: 3}\n",
         "6:12",
         {"'position' and 'polar' exclude"}},
        {SOURCE "    channel: 0\n", "5:14", {"'channel'", "1 .. 1024"}},
        {SOURCE "    channel: 1.5\n", "5:14", {"whole"}},
        {SOURCE "    start: -1\n", "5:12", {"'start'"}},
        {SOURCE "    start: 2 bananas\n", "5:12", {"'2 bananas'"}},
        {SOURCE "    length: 0\n", "5:13", {"'length'"}},
        {SOURCE "    loop: yes\n", "5:11", {"true or false", "'yes'"}},
        {SOURCE "    loop: 'true'\n", "5:11", {"true or false"}},
        {SOURCE "    loop: true\n", "5:11", {"never ends", "'length'", "'duration'"}},
        {SOURCE "    mute: 1\n", "5:11", {"true or false", "the number 1"}},
        {SOURCE "    render: binural\n", "5:13", {"did you mean 'binaural'"}},
        {SOURCE "    field: everywhere\n", "5:12", {"auto, near, mid, far"}},
        {SOURCE "    gain: -1000\n", "5:11", {"-200 .. 100 dB"}},
        {SOURCE "    position: [1, 0, 1e7]\n", "5:22", {"'position'", " m"}},
        {SOURCE "    polar: {azimut: 3}\n", "5:13", {"did you mean 'azimuth'"}},
        {SOURCE "    polar: {elevation: 91}\n", "5:24", {"-90 .. 90 degrees"}},
        {SOURCE "    polar: {distance: -1}\n", "5:23", {"'distance'"}},
        {SOURCE "    path: {time: 0}\n", "5:11", {"list of keys"}},
        {SOURCE "    path: [{position: [1, 0, 0]}]\n", "5:12", {"first and the last", "need 'time'"}},
        {SOURCE "    path: [{time: 0}, {curve: smooth}, {time: 1}]\n", "5:23", {"on the way", "'position'"}},
        {SOURCE "    path: [{time: 0}, {position: [1, 0, 0]}, {time: 1}]\n",
         "5:23",
         {"'position' before it"}},
        {SOURCE "    path: [{time: 0, position: [1, 0, 0]}, {position: [2, 0, 0]}, {time: 1}]\n",
         "5:44",
         {"'position' after it"}},
        {SOURCE
         "    path: [{time: 0, position: [1, 0, 0]}, {position: [2, 0, 0], speed: eased}, {time: 1}]\n",
         "5:73",
         {"'speed'", "of the next"}},
        {SOURCE "    path: [{time: 0, position: [1, 0, 0]}, {position: [2, 0, 0]}, {time: 1, speed: keys, "
                "position: [3, 0, 0]}]\n",
         "5:84",
         {"'time' of every key", "line 5", "constant or eased"}},
        {SOURCE
         "    path: [{time: 0, position: [1, 0, 0]}, {position: [1, 0, 0]}, {time: 1, position: [3, 0, "
         "0]}]\n",
         "5:44",
         {"leave one of them out"}},
        {SOURCE
         "    path: [{time: 0, position: [1, 0, 0]}, {position: [3, 0, 0]}, {time: 1, position: [3, 0, "
         "0]}]\n",
         "5:44",
         {"leave one of them out"}},
        {SOURCE "    path: [{time: 0, position: [1, 0, 0], speed: constnt}]\n",
         "5:50",
         {"did you mean 'constant'"}},
        {SOURCE "    doppler: loud\n", "5:14", {"off, on or a factor"}},
        {SOURCE "    doppler: -1\n", "5:14", {"0 .. 100"}},
        {HEAD
         "listener: {path: [{time: 0, position: [0, 0, 0], orientation: [0, 0, 0]}, {position: [1, 0, 0], "
         "orientation: [9, 0, 0]}, {time: 3, orientation: [8, 0, 0]}, {position: [2, 0, 0], orientation: [7, "
         "0, "
         "0]}, {time: 4, position: [3, 0, 0]}]}\n" TAIL,
         "2:157",
         {"reached at", "orientation before it"}},
        {SOURCE "    path: [{time: 1, orientation: [0, 0, 0]}]\n", "5:22", {"unknown key 'orientation'"}},
        {SOURCE "    path: [{time: 1, curve: round}]\n", "5:29", {"linear, smooth"}},
        {SOURCE "    path: [{time: 2}, {time: 2}]\n", "5:30", {"must rise", "2 s comes after 2 s"}},
        {SOURCE "    path: [{time: 2}, {time: 1}]\n", "5:30", {"must rise"}},
        {SOURCE "    path: [{time: 0, position: [1,0,0], polar: {}}]\n", "5:48", {"exclude"}},
        {SOURCE "    orbit: {radius: 2}\n", "5:12", {"needs 'period'"}},
        {SOURCE "    orbit: {period: 0}\n", "5:21", {"'period' must not be 0"}},
        {SOURCE "    orbit: {period: 1, radius: -2}\n", "5:32", {"'radius'"}},
        {SOURCE "    directivity: {pattern: heart}\n", "5:28", {"omni", "cone"}},
        {SOURCE "    directivity: {facing: [1]}\n", "5:27", {"list of 2"}},
        {SOURCE "    directivity: {outer: 90}\n", "5:26", {"only for pattern cone"}},
        {SOURCE "    directivity: {pattern: cone, inner: 90, outer: 40}\n", "5:18", {"'inner'", "wider"}},
        {SOURCE "    width: 400\n", "5:12", {"0 .. 360"}},
        {SOURCE "    diffuse: 1.5\n", "5:14", {"0 .. 1"}},
        {SOURCE "    automate: [1]\n", "5:15", {"must be a map"}},
        {SOURCE "    automate: {gian: []}\n", "5:16", {"did you mean 'gain'"}},
        {SOURCE "    automate: {pitch: []}\n", "5:16", {"unknown key 'pitch'", "sends.NAME"}},
        {SOURCE "    automate: {gain: 4}\n", "5:22", {"pairs"}},
        {SOURCE "    automate: {gain: [4]}\n", "5:23", {"pair"}},
        {SOURCE "    automate: {gain: [[0, loud]]}\n", "5:27", {"'loud'"}},
        {SOURCE "    automate: {gain: [[1, 0], [1, 2]]}\n", "5:32", {"must rise"}},
        {SOURCE "    automate: {width: [[1, 361]]}\n", "5:28", {"'width'"}},
        {SOURCE "    strip: [highpass]\n", "5:13", {"one name"}},
        {SOURCE "    strip: [{highpas: {}}]\n", "5:14", {"did you mean 'highpass'"}},
        {SOURCE "    strip: [{qqqqqqq: {}}]\n", "5:14", {"unknown stage 'qqqqqqq'", "compressor"}},
        {SOURCE "    strip: [{bell: {frequency: high}}]\n", "5:32", {"'frequency'", "'high'"}},
        {SOURCE "    strip: [{bell: 3}]\n", "5:20", {"map of numbers"}},
        {SOURCE "    strip: [{bell: {}, gate: {}}]\n", "5:13", {"one name"}},
        {SOURCE "    sends: [hall]\n", "5:12", {"must be a map"}},
        {SOURCE "    sends: {hall: -12}\n", "5:13", {"no bus is named 'hall'"}},
        {SOURCE "    sends: {a: -12}\n", "5:13", {"'a' is a source", "cycle"}},
        {SOURCE "    sends: {hal: -12}\nbuses: [{name: hall}]\n", "5:13", {"did you mean 'hall'"}},
        {SOURCE "    sends: {hall: low}\nbuses: [{name: hall}]\n", "5:19", {"'hall'", "number"}},
    };
    EXPECT_ALL(list);
}

static void generators_and_buses(void **state) {
    (void)state;
#define GENERATOR HEAD "sources:\n  - name: a\n    length: 1\n    generator: "
    static const broken list[] = {
        {GENERATOR "sine\n", "5:16", {"a generator", "map"}},
        {GENERATOR "{frequency: 3}\n", "5:16", {"needs 'kind'"}},
        {GENERATOR "{kind: sin}\n", "5:23", {"did you mean 'sine'"}},
        {GENERATOR "{kind: sine, frequency: 0}\n", "5:40", {"'frequency'"}},
        {GENERATOR "{kind: sine, frequency: 24000}\n", "5:16", {"'frequency'", "half the rate"}},
        {GENERATOR "{kind: sweep, frequency_end: 24000}\n", "5:16", {"'frequency_end'", "half the rate"}},
        {GENERATOR "{kind: sine, frequency_end: 5}\n", "5:44", {"only for kind sweep"}},
        {GENERATOR "{kind: pluck, duration: 5}\n", "5:40", {"only for kind sweep"}},
        {GENERATOR "{kind: pink, frequency: 5}\n", "5:40", {"pitch"}},
        {GENERATOR "{kind: noise, seed: -1}\n", "5:36", {"'seed'"}},
        {GENERATOR "{kind: noise, level: 50}\n", "5:37", {"-200 .. 20 dB"}},
        {GENERATOR "{kind: noise}\n    loop: true\n", "6:11", {"only for clips"}},
        {GENERATOR "{kind: noise}\n    from: 1\n", "6:11", {"only for clips"}},
        {GENERATOR "{kind: noise}\n    channel: 2\n", "6:14", {"one channel"}},
        {HEAD "sources: [{name: a, generator: {kind: sine}}]\n", "2:32", {"never ends", "'length'"}},
        {HEAD "buses: {}\n" TAIL, "2:8", {"must be a list"}},
        {HEAD "buses: [hall]\n" TAIL, "2:9", {"a bus", "'hall'"}},
        {HEAD "buses: [{gain: 1}]\n" TAIL, "2:9", {"needs 'name'"}},
        {HEAD "buses: [{name: b, reverb: {}}]\n" TAIL, "2:27", {"needs 'ir'"}},
        {HEAD "buses: [{name: b, reverb: hall.wav}]\n" TAIL, "2:27", {"'reverb'", "map"}},
        {HEAD "buses: [{name: b, reverb: {ir: a, predelay: 11}}]\n" TAIL, "2:45", {"'predelay'"}},
        {HEAD "buses: [{name: b, sends: {c: 0}}, {name: c}]\n" TAIL, "2:26", {"cycle", "sources"}},
        {HEAD "buses: [{name: a}]\n" TAIL, "3:11", {"'a' is already taken", "bus in line 2"}},
        {HEAD TAIL "buses: [{name: a}]\n", "3:9", {"'a' is already taken", "source in line 2"}},
        {HEAD "sources: [{name: a, clip: x}, {name: a, clip: y}]\n", "2:31", {"already taken"}},
    };
    EXPECT_ALL(list);
}

/* Everything that parses but has no DSP yet. */
static void not_yet(void **state) {
    (void)state;
    static const broken list[] = {
        {SOURCE "    strip: [{compressor: {ratio: 3}}]\n",
         "5:14",
         {"'compressor' strips", "not available yet"}},
        {SOURCE "    automate: {width: [[0, 3]]}\n", "5:16", {"'width'", "not available yet"}},
        {SOURCE "    automate: {sends.hall: [[0, 3]]}\n", "5:16", {"'sends.hall'"}},
        {HEAD "buses: [{name: b, strip: [{delay: {time: 1}}]}]\n" TAIL, "2:28", {"'delay' strips"}},
        {HEAD "master: {strip: [{limiter: {ceiling: -1}}]}\n" TAIL, "2:19", {"'limiter' strips"}},
        {HEAD "master: {loudness: -16}\n" TAIL, "2:20", {"'loudness'"}},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; ++i) {
        pn_scene *scene = NULL;
        pinna_error err = {0};
        assert_ok(pn_scene_read_text(list[i].text, strlen(list[i].text), "x.yaml", "", NULL, &scene, &err),
                  &err);
        assert_int_equal(pn_scene_require_supported(scene, &err), PINNA_UNSUPPORTED);
        char place[64];
        snprintf(place, sizeof place, "x.yaml:%s: ", list[i].place);
        if (strncmp(err.text, place, strlen(place)) != 0)
            fail_msg("expected the place %s, got: %s", list[i].place, err.text);
        for (int k = 0; k < 3 && list[i].words[k] != NULL; ++k)
            if (strstr(err.text, list[i].words[k]) == NULL)
                fail_msg("expected '%s' in: %s", list[i].words[k], err.text);
        pn_scene_free(scene);
    }
}

/* Counts and lengths beyond what a scene may have, and long words cut at a character's end. */
static void expect_limit(const char *before, const char *piece, size_t count, const char *after,
                         const char *place, const char *words) {
    size_t length = strlen(piece), size = strlen(before) + count * (length + 8) + strlen(after) + 1;
    char *text = malloc(size);
    size_t used = (size_t)snprintf(text, size, "%s", before);
    for (size_t i = 0; i < count; ++i) {
        /* '@' stands for the number of the piece */
        const char *at = strchr(piece, '@');
        int head = at != NULL ? (int)(at - piece) : (int)length;
        used += (size_t)snprintf(text + used, size - used, "%.*s", head, piece);
        if (at != NULL)
            used += (size_t)snprintf(text + used, size - used, "%zu%s", i, at + 1);
    }
    snprintf(text + used, size - used, "%s", after);
    broken b = {NULL, place, {words}};
    expect(text, strlen(text), &b);
    free(text);
}

static void limits(void **state) {
    (void)state;
    expect_limit(HEAD "buses: [", "{name: b@}, ", 257, "]\n" TAIL, "2:8", "256 entries at most; got 257");
    expect_limit(HEAD "sources: [", "{name: b@, clip: x}, ", 4097, "]\n", "2:10",
                 "1 .. 4096 entries; got 4097");
    expect_limit(HEAD "sends: {", "b@: 0, ", 257, "}\n", "2:2203", "too many keys");
    expect_limit(HEAD "sources: [{clip: x, name: ", "abcde", 41, "}]\n", "2:27", "too long (205 bytes");
    expect_limit(HEAD "sources: [{name: x, clip: ", "abcdefghijklmnop", 257, "}]\n", "2:27",
                 "too long (4112 bytes");
    expect_limit(HEAD, "\xc3\xa4", 50, ": 1\n", "2:1", "\xc3\xa4...'");
    expect_limit(HEAD "x", "\xc3\xa4", 50, ": 1\n", "2:1", "\xc3\xa4...'");
    char *text = calloc(1, (8 << 20) + 2);
    memset(text, ' ', (8 << 20) + 1);
    pn_scene *scene = NULL;
    pinna_error err = {0};
    assert_int_equal(pn_scene_read_text(text, (8 << 20) + 1, "x", "", NULL, &scene, &err), PINNA_BAD_SCENE);
    assert_non_null(strstr(err.text, "too large"));
    free(text);
}

static void expect_file(const char *file, pinna_status expected, const char *words) {
    pn_scene *scene = NULL;
    pinna_error err = {0};
    assert_int_equal(pn_scene_read(file, NULL, &scene, &err), expected);
    assert_null(scene);
    assert_non_null(strstr(err.text, file));
    assert_non_null(strstr(err.text, words));
}

static void files(void **state) {
    (void)state;
    expect_file(test_path("missing.yaml"), PINNA_NOT_FOUND, "cannot be opened");
    expect_file(test_folder(), PINNA_BAD_FILE, "folder");
    expect_file("/dev/null", PINNA_BAD_FILE, "regular file");
    const char *pipe = test_path("pipe.yaml");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    expect_file(pipe, PINNA_BAD_FILE, "regular file");
    expect_file(test_write_text("empty.yaml", ""), PINNA_BAD_SCENE, "nothing in it");
    const char *large = test_write_text("large.yaml", HEAD);
    assert_int_equal(truncate(large, 9 << 20), 0);
    expect_file(large, PINNA_BAD_SCENE, "too large");
    expect_file(test_write_text("bad.yaml", HEAD "rat: 1\n"), PINNA_BAD_SCENE, "bad.yaml:2:1: ");
}

/* Texts built to cost time or memory end soon, with a message. */
static void hostile(void **state) {
    (void)state;
    size_t size = 256 << 10;
    char *text = malloc(size);
    static const char *const pieces[] = {"[",  "{",  "- ",  "? ",  "a: {", "[[],",
                                         "x,", "\"", "&a ", "!t ", "%",    "| "};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; ++k) {
        size_t length = strlen(pieces[k]);
        for (size_t i = 0; i < size; ++i)
            text[i] = pieces[k][i % length];
        pn_scene *scene = NULL;
        pinna_error err = {0};
        assert_int_not_equal(pn_scene_read_text(text, size, "x.yaml", "", NULL, &scene, &err), PINNA_OK);
        assert_null(scene);
        assert_int_not_equal(strlen(err.text), 0);
    }
    free(text);
}

/* Errors can be ignored by passing NULL. */
static void without_error(void **state) {
    (void)state;
    pn_scene *scene = NULL;
    assert_int_equal(pn_scene_read_text("rate: x\n", 8, "x", NULL, NULL, &scene, NULL), PINNA_BAD_SCENE);
    assert_int_equal(pn_scene_read_text("[", 1, "x", NULL, NULL, &scene, NULL), PINNA_BAD_SCENE);
    assert_int_equal(pn_scene_read("no such file", NULL, &scene, NULL), PINNA_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax),        cmocka_unit_test(keys_and_types),
        cmocka_unit_test(sources),       cmocka_unit_test(generators_and_buses),
        cmocka_unit_test(not_yet),       cmocka_unit_test(files),
        cmocka_unit_test(limits),        cmocka_unit_test(hostile),
        cmocka_unit_test(without_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
