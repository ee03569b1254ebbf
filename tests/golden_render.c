// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* What the first render must show, through the real program: static sources at measured directions against the SOFA
 * file itself (read by libmysofa, not by us), OpenCL against the CPU, the same bits for any number of threads and from
 * run to run, memory that does not grow. Metrics: log-spectral distance on a grid of 1/3 ERB (B. C. J. Moore and B. R.
 * Glasberg's ERB of 1990), interaural delay by the cross-correlation of the low-passed ears. */
#include <mysofa.h>
#include <sys/resource.h>
#include <unistd.h>

#include "render_support.h"

static test_run run;

/* ------------------------------------------------------------------ static sources */

enum { SIZE = 4096, STRIDE = 3000, DIRECTIONS = 24, BANDS = 120 };

typedef struct {
    double rate;
    double ir[2][SIZE];
} ears;

static ears measured[DIRECTIONS], rendered[DIRECTIONS];

/* Every 30th direction of the file, as it stands there; writes the scene: impulses STRIDE frames apart. */
static void read_set(char *yaml, size_t size) {
    int error = 0;
    struct MYSOFA_HRTF *set = mysofa_load(PINNA_SOURCE_DIR "/hrtf/MIT_KEMAR_normal_pinna.sofa", &error);
    assert_non_null(set);
    assert_true(set->M >= 30 * DIRECTIONS - 29 && set->N <= SIZE && set->R == 2);
    for (unsigned d = 0; d < DIRECTIONS; ++d) {
        const float *at = set->SourcePosition.values + (size_t)30 * d * set->C;
        const float *ir = set->DataIR.values + (size_t)30 * d * 2 * set->N;
        measured[d].rate = (double)set->DataSamplingRate.values[0];
        for (unsigned ear = 0; ear < 2; ++ear)
            for (unsigned n = 0; n < set->N; ++n)
                measured[d].ir[ear][n] = (double)ir[ear * set->N + n];
        size_t used = strlen(yaml);
        snprintf(yaml + used, size - used,
                 "  - {name: s%u, generator: {kind: impulse, level: 0}, length: 0.001, start: %.17g, "
                 "polar: {azimuth: %.9g, elevation: %.9g}}\n",
                 d, d * (STRIDE / 48000.0), (double)at[0], (double)at[1]);
    }
    mysofa_free(set);
}

static void render_set(double rate) {
    static char yaml[20000];
    snprintf(yaml, sizeof yaml,
             "pinna: 1\nrate: 48000\nduration: %g\nhrtf: {file: builtin, equalise: none}\nsources:\n",
             (DIRECTIONS + 1) * STRIDE / 48000.0);
    read_set(yaml, sizeof yaml);
    test_write_text("set.yaml", yaml);
    test_program(&run, "render set.yaml -o set.wav --device cpu --encoding f32 --rate %g", rate);
    assert_int_equal(run.status, 0);
    test_mix mix;
    test_read_wav(test_path("set.wav"), &mix);
    assert_true(mix.rate == rate);
    for (int d = 0; d < DIRECTIONS; ++d) {
        long start = lround(d * (STRIDE / 48000.0) * rate);
        rendered[d].rate = rate;
        memset(rendered[d].ir, 0, sizeof rendered[d].ir);
        for (int ear = 0; ear < 2; ++ear)
            for (int n = 0; n < 2400; ++n)
                rendered[d].ir[ear][n] = (double)mix.side[ear][start + n];
    }
    test_mix_clear(&mix);
}

static void spectrum(const ears *e, int ear, pn_complex *z) {
    pn_fft *fft = NULL;
    pinna_error err = {0};
    assert_ok(pn_fft_create(SIZE, &fft, &err), &err);
    for (int n = 0; n < SIZE; ++n)
        z[n] = (pn_complex){e->ir[ear][n], 0};
    pn_fft_forward(fft, z);
    pn_fft_free(fft);
}

/* At the set's own rate nothing is between the file and the mix but one gain, and the end of the band, which is
 * rounded off above 84 % of half the rate. */
static void measured_directions_are_reproduced(void **state) {
    (void)state;
    enum { TOP = 84 * SIZE / 200 };
    static pn_complex m[DIRECTIONS][2][SIZE], h[DIRECTIONS][2][SIZE];
    render_set(44100);
    double product = 0, power = 0, error = 0;
    for (int d = 0; d < DIRECTIONS; ++d)
        for (int ear = 0; ear < 2; ++ear) {
            spectrum(&measured[d], ear, m[d][ear]);
            spectrum(&rendered[d], ear, h[d][ear]);
            for (int k = 0; k < TOP; ++k) {
                pn_complex x = m[d][ear][k], y = h[d][ear][k];
                product += x.re * y.re + x.im * y.im;
                power += x.re * x.re + x.im * x.im;
            }
        }
    double gain = product / power, worst = -400;
    for (int d = 0; d < DIRECTIONS; ++d) {
        double off = 0, all = 0;
        for (int i = 0; i < 2 * TOP; ++i) {
            pn_complex x = m[d][i / TOP][i % TOP], y = h[d][i / TOP][i % TOP];
            double re = y.re - gain * x.re, im = y.im - gain * x.im;
            off += re * re + im * im;
            all += gain * gain * (x.re * x.re + x.im * x.im);
        }
        error += off;
        worst = fmax(worst, 10 * log10(off / all));
    }
    double mean = 10 * log10(error / (gain * gain * power));
    print_message("error of all directions %.1f dB, of the worst %.1f dB\n", mean, worst);
    assert_below(mean, -52); /* of what fades in before the onset; -45 dB are allowed */
    assert_below(worst, -49);
}

/* Level of each band, dB: triangles of 1/3 ERB at steps of 1/3 ERB from `low` to 16 kHz. Returns how many. */
static int band_levels(const ears *e, int ear, double low, double out[BANDS]) {
    static pn_complex z[SIZE];
    spectrum(e, ear, z);
    int count = 0;
    for (double rate = 21.4 * log10(1 + 0.00437 * low); rate <= 21.4 * log10(1 + 0.00437 * 16000) + 1e-9;
         rate += 1 / 3.0) {
        double centre = (pow(10, rate / 21.4) - 1) / 0.00437, width = 24.7 * (0.00437 * centre + 1) / 3;
        double sum = 0, weights = 0, spacing = e->rate / SIZE;
        width = fmax(width, 2 * spacing);
        for (int k = (int)ceil((centre - width) / spacing); k <= (int)((centre + width) / spacing); ++k) {
            double weight = 1 - fabs(k * spacing - centre) / width;
            sum += weight * (z[k].re * z[k].re + z[k].im * z[k].im);
            weights += weight;
        }
        assert_true(count < BANDS);
        out[count++] = 10 * log10(sum / weights + 1e-20);
    }
    return count;
}

/* Microseconds by which the right ear lags: the peak of the cross-correlation of the ears below 1.5 kHz. */
static double delay_us(const ears *e) {
    static pn_complex l[SIZE], r[SIZE];
    spectrum(e, 0, l);
    spectrum(e, 1, r);
    double best = -1e300, at = 0;
    for (double us = -1200; us <= 1200; us += 2) {
        double sum = 0;
        for (int k = 1; k * e->rate / SIZE < 4000; ++k) {
            double f = k * e->rate / SIZE, pass = 1 / pow(1 + pow(f / 1500, 8), 2);
            double re = l[k].re * r[k].re + l[k].im * r[k].im, im = l[k].re * r[k].im - l[k].im * r[k].re;
            double phase = 2 * PN_PI * f * us * 1e-6;
            sum += pass * (re * cos(phase) - im * sin(phase));
        }
        if (sum > best) {
            best = sum;
            at = us;
        }
    }
    return at;
}

static void resampled_set_keeps_spectra_and_cues(void **state) {
    (void)state;
    render_set(48000);
    double a[BANDS], b[BANDS], common = 0, lsd = 0, itd = 0, ild = 0;
    int total = 0;
    for (int d = 0; d < 2 * DIRECTIONS; ++d) {
        int bands = band_levels(&rendered[d / 2], d % 2, 200, a);
        band_levels(&measured[d / 2], d % 2, 200, b);
        for (int k = 0; k < bands; ++k, ++total)
            common += a[k] - b[k];
    }
    common /= total;
    for (int d = 0; d < DIRECTIONS; ++d) {
        double difference = 0;
        for (int ear = 0; ear < 2; ++ear) {
            double sum = 0;
            int bands = band_levels(&rendered[d], ear, 200, a);
            band_levels(&measured[d], ear, 200, b);
            for (int k = 0; k < bands; ++k)
                sum += (a[k] - b[k] - common) * (a[k] - b[k] - common);
            lsd += sqrt(sum / bands) / (2 * DIRECTIONS);
            bands = band_levels(&rendered[d], ear, 1500, a);
            band_levels(&measured[d], ear, 1500, b);
            for (int k = 0; k < bands; ++k)
                difference += (ear == 0 ? 1 : -1) * (a[k] - b[k]) / bands;
        }
        ild = fmax(ild, fabs(difference));
        itd += fabs(delay_us(&rendered[d]) - delay_us(&measured[d])) / DIRECTIONS;
    }
    print_message("LSD %.3f dB mean, ITD %.2f us mean, ILD %.3f dB most\n", lsd, itd, ild);
    assert_below(lsd, 0.5);
    assert_below(itd, 15);
    assert_below(ild, 1);
}

/* The front at 1 m: mean power of both ears, 250 Hz - 8 kHz. */
static void front_is_0_db(void **state) {
    (void)state;
    test_write_text("front.yaml",
                    "pinna: 1\nrate: 48000\nduration: 0.1\nsources: [{name: a, generator: {kind: impulse, "
                    "level: 0}}]\n");
    test_program(&run, "render front.yaml -o front.wav --device cpu --encoding f32");
    assert_int_equal(run.status, 0);
    test_mix mix;
    test_read_wav(test_path("front.wav"), &mix);
    ears front = {.rate = 48000};
    double power = 0;
    int bins = 0;
    for (int ear = 0; ear < 2; ++ear) {
        static pn_complex z[SIZE];
        for (int n = 0; n < SIZE; ++n)
            front.ir[ear][n] = (double)mix.side[ear][n];
        spectrum(&front, ear, z);
        for (int k = (int)ceil(250.0 * SIZE / 48000); k <= (int)(8000.0 * SIZE / 48000); ++k, ++bins)
            power += z[k].re * z[k].re + z[k].im * z[k].im;
    }
    assert_true(fabs(10 * log10(power / bins)) < 0.1);
    test_mix_clear(&mix);
}

/* ------------------------------------------------------------------ devices, threads, runs */

static const char moving[] =
    "pinna: 1\nduration: 1.5\nlistener: {path: [{time: 0, orientation: [0, 0, 0]}, {time: 1.5, orientation: "
    "[80, 10, 0]}]}\n"
    "sources:\n"
    "  - {name: a, generator: {kind: pink}, orbit: {period: 1, radius: 1.5}, sends: {hall: -6}}\n"
    "  - {name: b, generator: {kind: noise}, path: [{time: 0, position: [2, 2, 0]}, {time: 1, position: [-1, "
    "-1, 1]}], "
    "automate: {gain: [[0, -20], [1, 0]]}, sends: {hall: -10}}\n"
    "  - {name: c, generator: {kind: pluck}, start: 0.2, render: stereo, position: [1, 1, 0], sends: {hall: "
    "0}}\n"
    "buses: [{name: hall, reverb: {ir: builtin, predelay: 0.01}}]\n";

static void opencl_equals_the_cpu(void **state) {
    (void)state;
    test_write_text("moving.yaml", moving);
    test_program(&run, "render moving.yaml -o opencl.wav --device opencl --encoding f32");
    if (run.status != 0 && strstr(run.err, "OpenCL") != NULL) {
        print_message("not run: %s", run.err);
        skip();
    }
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "opencl:"));
    test_program(&run, "render moving.yaml -o cpu.wav --device cpu --encoding f32");
    assert_int_equal(run.status, 0);
    test_mix a, b;
    test_read_wav(test_path("opencl.wav"), &a);
    test_read_wav(test_path("cpu.wav"), &b);
    double error = test_mix_error_db(&a, &b);
    print_message("OpenCL against CPU: %.1f dB\n", error);
    assert_below(error, -100);
    test_mix_clear(&a);
    test_mix_clear(&b);
}

static void same_bits_for_any_threads_and_again(void **state) {
    (void)state;
    test_write_text("moving.yaml", moving);
    for (int k = 0; k < 4; ++k) {
        test_program(&run, "render moving.yaml -o bits%d.wav --device cpu --threads %d", k, k % 2 + 1);
        assert_int_equal(run.status, 0);
    }
    test_shell(&run, "cmp bits0.wav bits1.wav && cmp bits0.wav bits2.wav && cmp bits0.wav bits3.wav");
    assert_int_equal(run.status, 0);
}

/* ------------------------------------------------------------------ memory */

/* Eight clips of so many seconds: holes in the file system with a header before. */
static void write_long_clips(unsigned seconds) {
    unsigned bytes = seconds * 48000 * 2;
    for (int k = 0; k < 8; ++k) {
        char name[20];
        snprintf(name, sizeof name, "long%d.wav", k);
        FILE *file = fopen(test_path(name), "wb");
        assert_non_null(file);
        unsigned header[11] = {
            0x46464952, 36 + bytes, 0x45564157, 0x20746d66, 16,   0x00010001,
            48000,      96000,      0x00100002, 0x61746164, bytes}; /* mono, 16 bits, little-endian */
        assert_int_equal(fwrite(header, 4, 11, file), 11);
        assert_int_equal(ftruncate(fileno(file), 44 + (off_t)bytes), 0);
        fclose(file);
    }
}

static double peak_megabytes(unsigned seconds) {
    write_long_clips(seconds);
    test_program(&run, "render memory.yaml -o memory.wav --device cpu --threads 2");
    if (run.status != 0)
        fail_msg("%s", run.err);
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* The first test: the peak is that of the largest child so far. */
static void memory_does_not_grow_with_length(void **state) {
    (void)state;
    char yaml[2000] = "pinna: 1\nsources:\n";
    const float *ir[2];
    free(test_noise_clip("ten.wav", 48000, 2, 480000, 1, ir));
    for (int k = 0; k < 8; ++k)
        snprintf(yaml + strlen(yaml), 200,
                 "  - {name: s%d, clip: long%d.wav, render: %s, sends: {hall: -20}}\n", k, k,
                 k < 2 ? "binaural" : "direct");
    snprintf(yaml + strlen(yaml), 100, "buses: [{name: hall, reverb: {ir: ten.wav}}]\n");
    test_write_text("memory.yaml", yaml);
    double few = peak_megabytes(2), many = peak_megabytes(20);
    print_message("clips of 2 s: %.1f MB, of 20 s: %.1f MB\n", few, many);
    assert_below(many, 400);
    assert_below(many - few, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_does_not_grow_with_length),
        cmocka_unit_test(measured_directions_are_reproduced),
        cmocka_unit_test(resampled_set_keeps_spectra_and_cues),
        cmocka_unit_test(front_is_0_db),
        cmocka_unit_test(opencl_equals_the_cpu),
        cmocka_unit_test(same_bits_for_any_threads_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
