// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* What distance, air, directivity and the near field do to a source, through the real program: impulses, each as heard
 * relative to a plain one, against OpenAL's formulas, patterns, ISO 9613-1 and the rigid sphere; and ways through the
 * listener, which are smooth and not loud. */
#include <complex.h>

#include "render_support.h"
#include "spatial/air.h"
#include "spatial/near_field.h"

enum { RATE = 48000, STRIDE = 3000, MOST = 40 };

static test_run run;
static test_mix mix;

typedef struct {
    const char *source; /* keys of the source */
    double gain;        /* expected, re the source before the first ':' in the list, at all frequencies */
} heard_case;

/* Impulses STRIDE frames apart, one for each case; without the low equaliser, which rings from one into the next. */
static void render_impulses(const char *head, const heard_case *cases, int count) {
    static char yaml[20000];
    snprintf(yaml, sizeof yaml,
             "pinna: 1\nrate: 48000\nhrtf: {file: builtin, equalise: none}\nduration: %.17g\n%s\nsources:\n",
             (count + 1) * STRIDE / (double)RATE, head);
    for (int i = 0; i < count; ++i)
        snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml),
                 "  - {name: s%d, generator: {kind: impulse, level: 0}, length: 0.001, start: %.17g, %s}\n",
                 i, i * STRIDE / (double)RATE, cases[i].source);
    test_write_text("scene.yaml", yaml);
    test_program(&run, "render scene.yaml -o scene.wav --device cpu --encoding f64");
    if (run.status != 0)
        fail_msg("%s", run.err);
    test_mix_clear(&mix);
    test_read_wav(test_path("scene.wav"), &mix);
    assert_true(mix.frames >= (size_t)(count + 1) * STRIDE);
}

static double complex heard(int index, int side, double frequency) {
    double complex sum = 0;
    const float *from = mix.side[side] + (size_t)index * STRIDE;
    for (int n = 0; n < 2000; ++n)
        sum += (double)from[n] * cexp(-2 * PN_PI * I * frequency * n / RATE);
    return sum;
}

static double db(double complex value) {
    return 20 * log10(cabs(value));
}

static const double frequencies[] = {130, 400, 1000, 2400, 5000, 9000, 14000};
enum { FREQUENCIES = sizeof frequencies / sizeof *frequencies };

/* Case 0 is what all others are compared with: complex, so that polarity counts. */
static void expect_gains(const char *head, const heard_case *cases, int count) {
    render_impulses(head, cases, count);
    for (int i = 1; i < count; ++i)
        for (int side = 0; side < 2; ++side)
            for (int k = 0; k < FREQUENCIES; ++k) {
                double complex ratio = heard(i, side, frequencies[k]) / heard(0, side, frequencies[k]);
                double error = cabs(ratio - cases[i].gain);
                if (!(error < 2e-3 * fmax(fabs(cases[i].gain), 0.01)))
                    fail_msg("%s: %g + %gi, expected %g", cases[i].source, creal(ratio), cimag(ratio),
                             cases[i].gain);
            }
}

/* ------------------------------------------------------------------ levels */

#define AT "polar: {azimuth: 40, elevation: 10, distance: "

static void distances_follow_the_model(void **state) {
    (void)state;
    static const heard_case inverse[] = {{AT "1}", 1},
                                         {AT "2}", 0.5},
                                         {AT "20}", 0.05},
                                         {AT "3000}", 1e-3},
                                         {AT "0.5}, field: far", 2},
                                         {AT "0.1}, field: far", 5}};
    expect_gains("", inverse, 6);
    static const heard_case rolled[] = {
        {AT "2}", 1}, {AT "8}", 0.4}, {AT "100}", 2 / 26.0}, {AT "1}", 2 / 1.5}};
    expect_gains("distance: {reference: 2, rolloff: 0.5, max: 50}", rolled, 4);
    static const heard_case linear[] = {
        {AT "1}", 1}, {AT "6}", 0.5}, {AT "11}", 0}, {AT "50}", 0}, {AT "0.5}, field: far", 1.05}};
    expect_gains("distance: {model: linear, max: 11}", linear, 5);
    static const heard_case exponential[] = {{AT "1}", 1}, {AT "4}", 0.125}, {AT "64}", 1 / 64.0}};
    expect_gains("distance: {model: exponential, rolloff: 1.5, max: 16}", exponential, 3);
    static const heard_case none[] = {{AT "1}", 1}, {AT "400}", 1}, {AT "0.3}, field: far", 1}};
    expect_gains("distance: {model: none}", none, 3);
}

/* The source is in front, 2 m away; it faces the listener at azimuth 180. */
static void directivity_is_by_the_angle(void **state) {
    (void)state;
#define FACING(pattern, azimuth, elevation)                                                                  \
    "position: [2, 0, 0], directivity: {pattern: " pattern ", facing: [" azimuth ", " elevation "]}"
    static const heard_case cases[] = {
        {"position: [2, 0, 0]", 1},
        {FACING("omni", "10", "0"), 1},
        {FACING("cardioid", "180", "0"), 1},
        {FACING("cardioid", "90", "0"), 0.5},
        {FACING("cardioid", "0", "0"), 0},
        {FACING("subcardioid", "0", "0"), 0.4},
        {FACING("supercardioid", "0", "90"), 0.3660254},
        {FACING("hypercardioid", "0", "0"), -0.5},
        {FACING("figure8", "180", "60"), 0.5},
        {FACING("figure8", "0", "0"), -1},
        {"position: [2, 0, 0], directivity: {pattern: cone, facing: [180, 0], inner: 40, outer: 90, "
         "outer_gain: -20}",
         1},
        {"position: [2, 0, 0], directivity: {pattern: cone, facing: [160.1, 0], inner: 40, outer: 90, "
         "outer_gain: -20}",
         1},
        {"position: [2, 0, 0], directivity: {pattern: cone, facing: [147.5, 0], inner: 40, outer: 90, "
         "outer_gain: -20}",
         0.55},
        {"position: [2, 0, 0], directivity: {pattern: cone, facing: [134.9, 0], inner: 40, outer: 90, "
         "outer_gain: -20}",
         0.1},
    };
    expect_gains("", cases, sizeof cases / sizeof *cases);
    expect_gains("listener: {orientation: [70, 20, 10]}", cases,
                 sizeof cases / sizeof *cases); /* world axes */
}

/* Sends leave before distance and directivity. */
static void sends_do_not_know_of_it(void **state) {
    (void)state;
    static const char *const sources[] = {"position: [900, 0, 0]",
                                          "position: [900, 0, 0], directivity: {pattern: "
                                          "cardioid, facing: [0, 0]}"};
    for (int i = 0; i < 2; ++i) {
        char yaml[500];
        snprintf(yaml, sizeof yaml,
                 "pinna: 1\nair: {temperature: 20}\nduration: 0.1\nsources: [{name: a, generator: {kind: "
                 "impulse, level: "
                 "0}, %s, sends: {b: 0}}]\nbuses: [{name: b}]\n",
                 sources[i]);
        test_mix_clear(&mix);
        test_render(yaml, &mix);
        assert_below(fabs(test_peak(mix.side[0], mix.frames) - sqrt(0.5)), 2e-3);
    }
}

/* ------------------------------------------------------------------ air */

static void air_is_the_standards(void **state) {
    (void)state;
    static const double distances[] = {1, 5, 40, 200, 700};
    static const struct {
        const char *text;
        pn_air_state air;
    } airs[] = {{"air: {temperature: 20, humidity: 50}", {20, 50}},
                {"air: {temperature: -5, humidity: 85}", {-5, 85}}};
    for (int a = 0; a < 2; ++a) {
        char place[5][64];
        heard_case cases[5];
        double complex dry[5][2][FREQUENCIES];
        for (int i = 0; i < 5; ++i) {
            snprintf(place[i], sizeof place[i], "polar: {azimuth: -70, distance: %g}", distances[i]);
            cases[i].source = place[i];
        }
        for (int wet = 0; wet < 2; ++wet) {
            render_impulses(wet ? airs[a].text : "air: off", cases, 5);
            for (int i = 0; i < 5; ++i)
                for (int side = 0; side < 2; ++side)
                    for (int k = 0; k < FREQUENCIES; ++k) {
                        double complex now = heard(i, side, frequencies[k]);
                        if (!wet)
                            dry[i][side][k] = now;
                        double expected =
                            pn_air_absorption(&airs[a].air, frequencies[k]) * (distances[i] - 1);
                        if (wet && expected < 30)
                            assert_below(fabs(db(dry[i][side][k] / now) - expected), 0.3);
                    }
        }
    }
}

/* ------------------------------------------------------------------ near */

static double sphere_db(double distance, double angle, double frequency) {
    pn_complex p = pn_near_pressure(distance, angle, frequency);
    return 10 * log10(p.re * p.re + p.im * p.im);
}

/* On the axis of the ears there is no parallax: near re far is the sphere's ratio at either ear. */
static void ears_on_the_axis_hear_the_sphere(void **state) {
    (void)state;
    static const double distances[] = {0.2, 0.25, 0.4, 0.8};
    heard_case cases[8];
    char place[8][80];
    for (int i = 0; i < 8; ++i) {
        snprintf(place[i], sizeof place[i], "position: [0, %g, 0], field: %s", distances[i / 2],
                 i % 2 ? "far" : "auto");
        cases[i].source = place[i];
    }
    render_impulses("", cases, 8);
    for (int i = 0; i < 8; i += 2)
        for (int side = 0; side < 2; ++side)
            for (int k = 0; k < FREQUENCIES; ++k) {
                double r = distances[i / 2], angle = side == 0 ? 0 : PN_PI, f = frequencies[k];
                double complex ratio = heard(i, side, f) / heard(i + 1, side, f);
                assert_below(fabs(db(ratio) - sphere_db(r, angle, f) + sphere_db(1, angle, f)), 0.1);
            }
}

static void the_set_is_left_alone_beyond_1_m(void **state) {
    (void)state;
    test_mix far = {0};
    for (int i = 0; i < 4; ++i) {
        heard_case one = {(const char *[]){"polar: {azimuth: 77, distance: 1}, field: far",
                                           "polar: {azimuth: 77, distance: 1}, field: near",
                                           "polar: {azimuth: 77, distance: 1}, field: mid",
                                           "polar: {azimuth: 77, distance: 1}"}[i],
                          1};
        render_impulses("", &one, 1);
        for (int side = 0; side < 2 && i > 0; ++side)
            assert_memory_equal(mix.side[side], far.side[side], mix.frames * sizeof(float));
        if (i == 0) {
            far = mix;
            mix = (test_mix){0};
        }
    }
    test_mix_clear(&far);
}

/* Level differences between the ears grow as a source comes near: at 300 Hz, from next to nothing. */
static void near_sources_are_lateral(void **state) {
    (void)state;
    static const heard_case cases[] = {
        {"position: [0.05, 1.5, 0]", 0}, {"position: [0.02, 0.5, 0]", 0}, {"position: [0.01, 0.2, 0]", 0}};
    render_impulses("", cases, 3);
    double ild[3];
    for (int i = 0; i < 3; ++i)
        ild[i] = db(heard(i, 0, 300) / heard(i, 1, 300));
    print_message("level difference at 300 Hz: %.1f dB at 1.5 m, %.1f at 0.5 m, %.1f at 0.2 m\n", ild[0],
                  ild[1], ild[2]);
    assert_true(ild[1] > ild[0] + 1.5 && ild[2] > ild[1] + 4);
}

/* ------------------------------------------------------------------ through the listener */

/* RMS of both ears together in 10 ms about a time. */
static double level_at(double seconds) {
    size_t from = (size_t)((seconds - 0.005) * RATE), count = RATE / 100;
    return hypot(test_rms(mix.side[0] + from, count), test_rms(mix.side[1] + from, count));
}

/* Noise carried through the head at 0.5 m/s, from the left, the front, above, askew and beside its centre: never more than
 * 6 dB louder than at 0.2 m, on the way or in front (where the centre of the head is heard). A low tone on the same ways
 * stays a tone: nothing comes out above 1.5 kHz. */
static void ways_through_the_listener(void **state) {
    (void)state;
    static const struct {
        double from[3], to[3];
    } ways[] = {{{0, 0.5, 0}, {0, -0.5, 0}},
                {{0.5, 0, 0}, {-0.5, 0, 0}},
                {{0, 0, 0.5}, {0, 0, -0.5}},
                {{0.3, 0.4, 0.1}, {-0.3, -0.4, -0.1}},
                {{0.5, 0.03, 0}, {-0.5, 0.03, 0}}};
    static const char *const fields[] = {"auto", "far", "mid", "near", "auto"};
    test_mix_clear(&mix);
    test_render("pinna: 1\nduration: 1\nsources: [{name: a, generator: {kind: noise}, position: [0.2, 0, 0], "
                "field: far}]\n",
                &mix);
    double front = level_at(0.5);
    for (int w = 0; w < 5; ++w)
        for (int tone = 0; tone < 2; ++tone) {
            char yaml[600];
            snprintf(yaml, sizeof yaml,
                     "pinna: 1\nduration: 2\nsources: [{name: a, generator: {%s}, field: %s, path: [{time: "
                     "0, position: "
                     "[%g, %g, %g]}, {time: 2, position: [%g, %g, %g]}]}]\n",
                     tone ? "kind: sine, frequency: 300" : "kind: noise", fields[w], ways[w].from[0],
                     ways[w].from[1], ways[w].from[2], ways[w].to[0], ways[w].to[1], ways[w].to[2]);
            test_write_text("way.yaml", yaml);
            test_program(&run, "render way.yaml -o way.wav --device cpu --encoding f32");
            assert_int_equal(run.status, 0);
            test_mix_clear(&mix);
            test_read_wav(test_path("way.wav"), &mix);
            if (!tone) {
                double edge = fmax(fmax(level_at(0.6), level_at(1.4)), front), most = 0;
                for (int n = 0; n <= 160; ++n)
                    most = fmax(most, level_at(0.6 + 0.005 * n));
                print_message("way %d, %s: %.1f dB above 0.2 m\n", w, fields[w], 20 * log10(most / edge));
                assert_below(20 * log10(most / edge), 6);
                continue;
            }
            enum { SIZE = 65536 };
            static pn_complex z[SIZE];
            pn_fft *fft = NULL;
            pinna_error err = {0};
            assert_ok(pn_fft_create(SIZE, &fft, &err), &err);
            for (int side = 0; side < 2; ++side) {
                double low = 0, high = 0;
                for (int n = 0; n < SIZE; ++n) {
                    double window = 0.5 - 0.5 * cos(2 * PN_PI * n / SIZE);
                    z[n] = (pn_complex){window * window * (double)mix.side[side][n + RATE - SIZE / 2], 0};
                }
                pn_fft_forward(fft, z);
                for (int k = 1; k < SIZE / 2; ++k)
                    *(k * (double)RATE / SIZE < 1500 ? &low : &high) += z[k].re * z[k].re + z[k].im * z[k].im;
                assert_below(10 * log10(high / low), -90);
            }
            pn_fft_free(fft);
        }
}

/* What used to be refused, and what is not used and said. */
static void the_rest_is_said(void **state) {
    (void)state;
    test_write_text(
        "said.yaml",
        "pinna: 1\nduration: 0.1\nsources:\n  - {name: a, generator: {kind: sine}, render: stereo, "
        "directivity: {pattern: figure8}}\n");
    test_program(&run, "check said.yaml");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.err, "said.yaml:4"));
    assert_non_null(strstr(run.err, "its directivity is not used"));
    test_write_text("said.yaml", "pinna: 1\ndistance: {model: linear, max: 1}\nsources: [{name: a, "
                                 "generator: {kind: sine}, length: 1}]\n");
    test_program(&run, "render said.yaml -o said.wav");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "said.yaml:2:11"));
}

static int clear(void **state) {
    (void)state;
    test_mix_clear(&mix);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_follow_the_model),
        cmocka_unit_test(directivity_is_by_the_angle),
        cmocka_unit_test(sends_do_not_know_of_it),
        cmocka_unit_test(air_is_the_standards),
        cmocka_unit_test(ears_on_the_axis_hear_the_sphere),
        cmocka_unit_test(the_set_is_left_alone_beyond_1_m),
        cmocka_unit_test(near_sources_are_lateral),
        cmocka_unit_test(ways_through_the_listener),
        cmocka_unit_test(the_rest_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, clear);
}
