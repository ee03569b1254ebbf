// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Wide and diffuse sources: copies with the same spectrum and other phases, powers that add up, directions that follow
 * the source, and the level, the two ears' likeness and the end of the mix through the whole renderer. */
#include "render/balance.h"
#include "render/spread.h"
#include "render_support.h"

enum { RATE = 48000, BLOCK = 256 };
#define HEAD "pinna: 1\nrate: 48000\n"

static pn_spread *make(double rate, double width, double diffuse) {
    pn_spread *spread = NULL;
    pinna_error err = {0};
    pn_spread_desc desc = {rate, BLOCK, width, diffuse};
    assert_ok(pn_spread_create(&desc, &spread, &err), &err);
    return spread;
}

/* ------------------------------------------------------------------ copies */

enum { LENGTH = 16384 };

/* What each slot makes of an impulse: its spectrum. */
static void responses(pn_spread *spread, int slots, pn_complex *z) {
    pn_fft *fft = NULL;
    pinna_error err = {0};
    assert_ok(pn_fft_create(LENGTH, &fft, &err), &err);
    memset(z, 0, (size_t)slots * LENGTH * sizeof *z);
    for (int at = 0; at < LENGTH; at += BLOCK) {
        float in[BLOCK] = {0};
        in[0] = 1;
        pn_spread_feed(spread, at == 0 ? in : NULL);
        for (int s = 0; s < slots; ++s) {
            const float *signal = pn_spread_signal(spread, s);
            for (int n = 0; n < BLOCK && signal != NULL; ++n)
                z[s * LENGTH + at + n].re = (double)signal[n];
        }
    }
    for (int s = 0; s < slots; ++s)
        pn_fft_forward(fft, z + (size_t)s * LENGTH);
    pn_fft_free(fft);
}

/* Mean of cos of the phase between two copies, over bins first .. last weighted by 1 / f^slope. */
static double likeness(const pn_complex *a, const pn_complex *b, int first, int last, int slope) {
    double sum = 0, weights = 0;
    for (int k = first; k < last; ++k) {
        double w = slope ? 1.0 / k : 1;
        sum += w * (a[k].re * b[k].re + a[k].im * b[k].im);
        weights += w;
    }
    return sum / weights;
}

static void copies_differ_in_phase_only(void **state) {
    (void)state;
    static const double rates[] = {44100, 48000, 96000};
    pn_complex *z = malloc((size_t)PN_SPREAD_MOST * LENGTH * sizeof *z);
    assert_non_null(z);
    for (int r = 0; r < 3; ++r) {
        pn_spread *spread = make(rates[r], 60, 0.5);
        assert_int_equal(pn_spread_slots(spread), PN_SPREAD_MOST);
        responses(spread, PN_SPREAD_MOST, z);
        int top = (int)(20000 / rates[r] * LENGTH), low = (int)(60 / rates[r] * LENGTH);
        double worst = 0, sum[2] = {0, 0}, most = 0;
        int pairs = 0;
        for (int s = 0; s < PN_SPREAD_MOST; ++s) {
            const pn_complex *a = z + (size_t)s * LENGTH;
            for (int k = 0; k < LENGTH / 2; ++k)
                worst = fmax(worst, fabs(10 * log10(a[k].re * a[k].re + a[k].im * a[k].im)));
            for (int t = 0; t < s; ++t, ++pairs)
                for (int pink = 0; pink < 2; ++pink) {
                    double like = likeness(a, z + (size_t)t * LENGTH, pink ? low : 0, top, pink);
                    sum[pink] += like * like;
                    most = fmax(most, fabs(like));
                }
        }
        print_message("%g Hz: flat within %.4f dB; likeness %.3f white, %.3f pink, at most %.2f\n", rates[r],
                      worst, sqrt(sum[0] / pairs), sqrt(sum[1] / pairs), most);
        assert_below(worst, 0.02);
        assert_below(sqrt(sum[0] / pairs), 0.08);
        assert_below(sqrt(sum[1] / pairs), 0.25); /* alike below 200 Hz */
        assert_below(most, 0.4);
        pn_spread_free(spread);
    }
    free(z);
}

/* An impulse stays short: nine tenths of its energy within 6 ms, and what is below -60 dB of it after the tail. */
static void attacks_stay(void **state) {
    (void)state;
    pn_spread *spread = make(RATE, 60, 0.5);
    double early[PN_SPREAD_MOST] = {0}, all[PN_SPREAD_MOST] = {0}, late[PN_SPREAD_MOST] = {0};
    int tail = pn_spread_tail(RATE);
    for (int at = 0; at < RATE / 2; at += BLOCK) {
        float in[BLOCK] = {0};
        in[0] = 1;
        pn_spread_feed(spread, at == 0 ? in : NULL);
        for (int s = 0; s < PN_SPREAD_MOST; ++s) {
            const float *signal = pn_spread_signal(spread, s);
            assert_true((signal != NULL) == (at <= tail));
            for (int n = 0; n < BLOCK && signal != NULL; ++n) {
                double e = (double)signal[n] * (double)signal[n];
                early[s] += at + n < 6 * RATE / 1000 ? e : 0;
                late[s] += at + n >= tail - 2 * BLOCK ? e : 0;
                all[s] += e;
            }
        }
    }
    for (int s = 0; s < PN_SPREAD_MOST; ++s) {
        assert_true(early[s] > 0.9 * all[s]);
        assert_true(late[s] < 1e-6 * all[s] && fabs(all[s] - 1) < 1e-3);
    }
    pn_spread_free(spread);
}

/* ------------------------------------------------------------------ shares and directions */

static void shares_add_up(void **state) {
    (void)state;
    static const double widths[] = {0, 1, 90, 360}, diffuse[] = {0, 0.01, 0.5, 0.99, 1};
    for (int w = 0; w < 4; ++w)
        for (int d = 0; d < 5; ++d) {
            if (widths[w] == 0 && diffuse[d] == 0)
                continue;
            pn_spread *spread = make(RATE, widths[w], diffuse[d]);
            int slots = pn_spread_slots(spread);
            assert_int_equal(slots, (diffuse[d] == 1 ? 0 : widths[w] > 0 ? 8 : 1) + (diffuse[d] > 0 ? 8 : 0));
            pn_spread_copy copy[PN_SPREAD_MOST];
            pn_quat head = pn_quat_from_ypr(0.3, 0.2, 0.1);
            pn_spread_aim(spread, (pn_vec3){1, 2, -2}, head, copy);
            double power = 0, around = 0, sum = 0;
            pn_vec3 ahead = pn_quat_unrotate(head, (pn_vec3){1, 2, -2}), balance = {0, 0, 0};
            for (int s = 0; s < slots; ++s) {
                power += copy[s].share * copy[s].share;
                around += copy[s].around ? copy[s].share * copy[s].share : 0;
                sum += copy[s].share;
                assert_true(fabs(pn_vec_length(copy[s].relative) - 3) < 1e-9);
                double off = acos(fmin(pn_vec_dot(copy[s].relative, ahead) / 9, 1));
                if (copy[s].around)
                    balance = pn_vec_add(balance, copy[s].relative);
                else
                    assert_true(off <= pn_radians(widths[w]) / 2 + 1e-7);
            }
            assert_true(fabs(power - 1) < 1e-12 && fabs(around - diffuse[d]) < 1e-12);
            assert_true(fabs(sum - 1) < 1e-12); /* at 0 Hz, where all copies are in phase */
            assert_true(pn_vec_length(balance) < 1e-9);
            pn_spread_free(spread);
        }
}

/* Over the zenith, around it, and a little beside it: from step to step no copy moves farther than the source does, by
 * much. A frame with a zenith would spin there. */
static void caps_do_not_spin(void **state) {
    (void)state;
    pn_spread *spread = make(RATE, 90, 0);
    pn_spread_copy before[PN_SPREAD_MOST], now[PN_SPREAD_MOST];
    pn_quat head = {1, 0, 0, 0};
    pn_vec3 last = {0, 0, 0};
    for (int step = 0; step <= 4000; ++step) {
        double a = step * PN_PI / 1000;
        pn_vec3 way = {cos(a), 1e-4 * sin(3 * a), sin(a)};
        way = pn_vec_scale(way, 1 / pn_vec_length(way));
        pn_spread_aim(spread, way, head, now);
        double moved = pn_vec_length(pn_vec_sub(way, last));
        for (int c = 0; c < PN_SPREAD_COPIES && step > 0; ++c)
            assert_true(pn_vec_length(pn_vec_sub(now[c].relative, before[c].relative)) < 1.01 * moved);
        memcpy(before, now, sizeof now);
        last = way;
    }
    /* to the other side at once, into the head: numbers */
    pn_spread_aim(spread, pn_vec_scale(last, -1), head, now);
    assert_true(fabs(pn_vec_length(now[3].relative) - 1) < 1e-9);
    pn_spread_aim(spread, (pn_vec3){0, 0, 0}, head, now);
    assert_true(pn_vec_length(now[3].relative) == 0);
    pn_spread_free(spread);
}

/* The first-order part of the lows on every slot, from the first sample on; what makes the copies as strong as a point. */
static void lows_are_balanced(void **state) {
    (void)state;
    pn_spread *spread = make(RATE, 0, 0.5);
    int slots = pn_spread_slots(spread);
    pn_complex *z = malloc((size_t)slots * LENGTH * sizeof *z);
    assert_non_null(z);
    pn_spread_balance(spread, 1.5);
    responses(spread, slots, z);
    for (int s = 0; s < slots; ++s)
        for (int k = 0; k < LENGTH / 2; k += 50) {
            double t = tan(PN_PI * k / LENGTH) / tan(PN_PI * PN_BALANCE_HZ / RATE);
            double wanted = (1.5 * 1.5 + t * t) / (1 + t * t); /* |1 + 0.5 / (1 + i t)|^2 */
            pn_complex a = z[s * LENGTH + k];
            assert_true(fabs((a.re * a.re + a.im * a.im) / wanted - 1) < 1e-3);
        }
    free(z);
    pn_spread_free(spread);
    pn_balance_power point = {{{1, 5}, {3, 2}}}, copies = {{{2, 4}, {5, 1.5}}};
    pn_balance_gains gains = pn_balance_solve(&point, &copies);
    for (int kind = 0; kind < 2; ++kind) {
        double lows = gains.lows * gains.lows * copies.of[kind][0], highs = copies.of[kind][1];
        double is = gains.gain * gains.gain * (lows + highs);
        assert_true(fabs(is / (point.of[kind][0] + point.of[kind][1]) - 1) < 1e-12);
    }
    gains = pn_balance_solve(&point, &(pn_balance_power){{{0, 0}, {0, 0}}});
    assert_true(gains.gain == 0 && gains.lows == 1);
    gains =
        pn_balance_solve(&(pn_balance_power){{{0, 9}, {0, 1}}}, &copies); /* no lows at all: held to a half */
    assert_true(gains.lows == 0.5 && fabs(gains.gain * gains.gain * (0.25 * 2 + 4) - 9) < 1e-12);
}

/* ------------------------------------------------------------------ at the ears, from spectra */

enum { EARS = 4096, BINS = EARS / 2, STRIDE = LENGTH / EARS, PLACES = 10, FIELD = 400 };

typedef struct {
    pn_hrtf *hrtf;
    pn_fft *fft;
    float *left, *right;
    pn_complex z[EARS], ear[2][BINS];   /* of one direction */
    pn_complex sum[2][BINS];            /* copies as they are heard */
    double apart[BINS], together[BINS]; /* power of both ears: copies' powers added, copies added */
    pn_complex copy[PN_SPREAD_MOST * LENGTH];
} ears;

static ears *open_ears(void) {
    pinna_error err = {0};
    ears *e = calloc(1, sizeof *e);
    assert_non_null(e);
    assert_ok(pn_hrtf_load(NULL, RATE, NULL, NULL, &e->hrtf, &err), &err);
    assert_ok(pn_fft_create(EARS, &e->fft, &err), &err);
    size_t length = (size_t)pn_hrtf_get_info(e->hrtf)->length;
    assert_true(length < EARS);
    e->left = malloc(length * sizeof(float));
    e->right = malloc(length * sizeof(float));
    return e;
}

static void close_ears(ears *e) {
    pn_hrtf_free(e->hrtf);
    pn_fft_free(e->fft);
    free(e->left);
    free(e->right);
    free(e);
}

static void hear(ears *e, pn_vec3 at) {
    pinna_error err = {0};
    assert_ok(pn_hrtf_response(e->hrtf, at, e->left, e->right, &err), &err);
    memset(e->z, 0, sizeof e->z);
    for (int n = 0; n < pn_hrtf_get_info(e->hrtf)->length; ++n)
        e->z[n] = (pn_complex){(double)e->left[n], (double)e->right[n]};
    pn_fft_forward(e->fft, e->z);
    for (int k = 0; k < BINS; ++k) {
        pn_complex a = e->z[k], b = e->z[(EARS - k) % EARS];
        e->ear[0][k] = (pn_complex){(a.re + b.re) / 2, (a.im - b.im) / 2};
        e->ear[1][k] = (pn_complex){(a.im + b.im) / 2, (b.re - a.re) / 2};
    }
}

/* A source's copies at the ears; with the point's slot. */
static void hear_spread(ears *e, double width, double diffuse, pn_vec3 way) {
    pn_spread *spread = make(RATE, width, diffuse);
    pn_spread_copy copy[PN_SPREAD_MOST];
    int slots = pn_spread_slots(spread);
    responses(spread, slots, e->copy);
    pn_spread_aim(spread, way, (pn_quat){1, 0, 0, 0}, copy);
    memset(e->sum, 0, sizeof e->sum);
    memset(e->apart, 0, sizeof e->apart);
    for (int s = 0; s < slots; ++s) {
        hear(e, copy[s].relative);
        for (int k = 0; k < BINS; ++k)
            for (int side = 0; side < 2; ++side) {
                pn_complex a = e->copy[s * LENGTH + k * STRIDE], h = e->ear[side][k];
                double g = copy[s].share;
                e->sum[side][k].re += g * (a.re * h.re - a.im * h.im);
                e->sum[side][k].im += g * (a.re * h.im + a.im * h.re);
                e->apart[k] += g * g * (h.re * h.re + h.im * h.im);
            }
    }
    for (int k = 0; k < BINS; ++k) {
        e->together[k] = 0;
        for (int side = 0; side < 2; ++side)
            e->together[k] +=
                e->sum[side][k].re * e->sum[side][k].re + e->sum[side][k].im * e->sum[side][k].im;
    }
    pn_spread_free(spread);
}

/* Power of white (slope 0) or pink noise (1) from 20 Hz on. */
static double noise_power(const double *power, int slope) {
    double sum = 0;
    for (int k = 2; k < BINS; ++k)
        sum += slope ? power[k] / k : power[k];
    return sum;
}

static pn_vec3 place_on_sphere(int i, int count) {
    double z = 1 - (2.0 * i + 1) / count, side = sqrt(1 - z * z), a = PN_PI * (1 + sqrt(5)) * (i + 0.5);
    return (pn_vec3){side * cos(a), side * sin(a), z};
}

/* What the copies are together against the sum of their powers: sources from everywhere, white and pink. */
static void powers_add_up(void **state) {
    (void)state;
    static const double spreads[][2] = {{5, 0},   {20, 0},  {60, 0}, {120, 0},  {180, 0},
                                        {360, 0}, {0, 0.3}, {0, 1},  {60, 0.5}, {180, 0.8}};
    ears *e = open_ears();
    double worst[2] = {0, 0}, sum[2] = {0, 0};
    for (int s = 0; s < 10; ++s) {
        double most[2] = {0, 0};
        for (int p = 0; p < PLACES; ++p) {
            hear_spread(e, spreads[s][0], spreads[s][1], place_on_sphere(p, PLACES));
            for (int slope = 0; slope < 2; ++slope) {
                double db = 10 * log10(noise_power(e->together, slope) / noise_power(e->apart, slope));
                sum[slope] += db * db;
                most[slope] = fmax(most[slope], fabs(db));
            }
        }
        print_message("width %g, diffuse %g: white within %.2f dB, pink within %.2f dB\n", spreads[s][0],
                      spreads[s][1], most[0], most[1]);
        for (int slope = 0; slope < 2; ++slope)
            worst[slope] = fmax(worst[slope], most[slope]);
    }
    print_message("white %.2f dB (RMS), at most %.2f; pink %.2f, at most %.2f\n",
                  sqrt(sum[0] / (10 * PLACES)), worst[0], sqrt(sum[1] / (10 * PLACES)), worst[1]);
    assert_below(worst[0], 0.6);
    assert_below(worst[1], 0.75);
    assert_below(sqrt(sum[0] / (10 * PLACES)), 0.25);
    assert_below(sqrt(sum[1] / (10 * PLACES)), 0.25);
    close_ears(e);
}

/* The two ears' likeness (correlation without delay) in octaves: of a diffuse source, and of a diffuse field. */
static void diffuse_is_a_diffuse_field(void **state) {
    (void)state;
    enum { OCTAVES = 8 };
    ears *e = open_ears();
    double field[OCTAVES][3] = {{0}}, ours[OCTAVES][3] = {{0}};
    for (int i = -1; i < FIELD; ++i) {
        if (i < 0)
            hear_spread(e, 0, 1, (pn_vec3){1, 0, 0});
        else
            hear(e, place_on_sphere(i, FIELD));
        for (int k = 2; k < BINS; ++k) {
            int octave = (int)floor(log2(k * (double)RATE / EARS / 88.4));
            if (octave < 0 || octave >= OCTAVES)
                continue;
            pn_complex l = i < 0 ? e->sum[0][k] : e->ear[0][k], r = i < 0 ? e->sum[1][k] : e->ear[1][k];
            double *to = i < 0 ? ours[octave] : field[octave];
            to[0] += l.re * r.re + l.im * r.im;
            to[1] += l.re * l.re + l.im * l.im;
            to[2] += r.re * r.re + r.im * r.im;
        }
    }
    for (int o = 0; o < OCTAVES; ++o) {
        double is = ours[o][0] / sqrt(ours[o][1] * ours[o][2]);
        double wanted = field[o][0] / sqrt(field[o][1] * field[o][2]);
        print_message("%5g Hz: correlation %+.2f, of a diffuse field %+.2f\n", 125 * pow(2, o), is, wanted);
        assert_below(fabs(is - wanted), o == 7 ? 0.35 : 0.2);
    }
    close_ears(e);
}

/* ------------------------------------------------------------------ through the renderer */

static void render_noise(const char *kind, const char *keys, test_mix *mix) {
    char yaml[400];
    snprintf(yaml, sizeof yaml,
             HEAD "duration: 3\nsources: [{name: a, generator: {kind: %s, level: -20, seed: 7}, %s}]\n", kind,
             keys);
    test_render(yaml, mix);
}

static double power_db(const test_mix *mix) {
    double sum = 0;
    for (int side = 0; side < 2; ++side) {
        double rms = test_rms(mix->side[side] + RATE / 2, mix->frames - RATE / 2);
        sum += rms * rms;
    }
    return 10 * log10(sum);
}

static double coherence(const test_mix *mix) {
    double lr = 0, ll = 0, rr = 0;
    for (size_t n = RATE / 2; n < mix->frames; ++n) {
        double l = (double)mix->side[0][n], r = (double)mix->side[1][n];
        lr += l * r;
        ll += l * l;
        rr += r * r;
    }
    return fabs(lr) / sqrt(ll * rr);
}

static void the_level_stays(void **state) {
    (void)state;
    static const char *const places[] = {"polar: {azimuth: 0}", "polar: {azimuth: 90, distance: 2}",
                                         "polar: {azimuth: -150, elevation: 30}"};
    static const char *const spreads[] = {"width: 20",
                                          "width: 90",
                                          "width: 180",
                                          "width: 360",
                                          "diffuse: 0.3",
                                          "diffuse: 1",
                                          "width: 60, diffuse: 0.5"};
    double worst[2] = {0, 0};
    for (int kind = 0; kind < 2; ++kind)
        for (int p = 0; p < 3; ++p) {
            test_mix plain, wide;
            render_noise(kind ? "pink" : "noise", places[p], &plain);
            for (int s = 0; s < 7; ++s) {
                char keys[200];
                snprintf(keys, sizeof keys, "%s, %s", places[p], spreads[s]);
                render_noise(kind ? "pink" : "noise", keys, &wide);
                double change = power_db(&wide) - power_db(&plain);
                print_message("%s %s: %+.2f dB, coherence %.2f -> %.2f\n", kind ? "pink" : "white", keys,
                              change, coherence(&plain), coherence(&wide));
                worst[kind] = fmax(worst[kind], fabs(change));
                test_mix_clear(&wide);
            }
            test_mix_clear(&plain);
        }
    print_message("white within %.2f dB, pink within %.2f dB\n", worst[0], worst[1]);
    assert_below(worst[0], 0.9);
    assert_below(worst[1], 0.75);
}

static void a_point_is_a_point(void **state) {
    (void)state;
    test_mix plain, zero;
    render_noise("noise", "orbit: {period: 2, radius: 2}", &plain);
    render_noise("noise", "orbit: {period: 2, radius: 2}, width: 0, diffuse: 0", &zero);
    for (int side = 0; side < 2; ++side)
        assert_memory_equal(plain.side[side], zero.side[side], plain.frames * sizeof(float));
    test_mix_clear(&plain);
    test_mix_clear(&zero);
}

/* In front both ears get the same from a point, and unlike signals from a wide or a diffuse source. */
static void width_is_heard(void **state) {
    (void)state;
    static const char *const spreads[] = {"width: 0", "width: 60", "width: 180", "diffuse: 1"};
    static const double bounds[][2] = {{0.95, 1}, {0, 0.9}, {0, 0.75}, {0, 0.75}};
    for (int s = 0; s < 4; ++s) {
        test_mix mix;
        render_noise("pink", spreads[s], &mix);
        double like = coherence(&mix);
        print_message("%s: coherence %.2f\n", spreads[s], like);
        assert_true(like >= bounds[s][0] && like <= bounds[s][1]);
        test_mix_clear(&mix);
    }
}

/* The file ends when the copies have; moving and turning makes no steps. */
static void ends_and_moves(void **state) {
    (void)state;
    const float *mono[1];
    free(test_noise_clip("noise.wav", RATE, 1, 9000, 3, mono));
    test_mix mix, longer;
    test_render(HEAD "sources: [{name: a, clip: noise.wav, width: 90, diffuse: 0.5}]\n", &mix);
    test_render(HEAD "duration: 2\nsources: [{name: a, clip: noise.wav, width: 90, diffuse: 0.5}]\n",
                &longer);
    for (int side = 0; side < 2; ++side) {
        assert_memory_equal(mix.side[side], longer.side[side], mix.frames * sizeof(float));
        assert_true(test_rms(longer.side[side] + mix.frames, 9000) <
                    1e-4 * test_rms(mix.side[side], mix.frames));
    }
    assert_true(mix.frames < 9000 + RATE);
    test_mix_clear(&mix);
    test_mix_clear(&longer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_differ_in_phase_only),
        cmocka_unit_test(attacks_stay),
        cmocka_unit_test(shares_add_up),
        cmocka_unit_test(caps_do_not_spin),
        cmocka_unit_test(lows_are_balanced),
        cmocka_unit_test(powers_add_up),
        cmocka_unit_test(diffuse_is_a_diffuse_field),
        cmocka_unit_test(the_level_stays),
        cmocka_unit_test(a_point_is_a_point),
        cmocka_unit_test(width_is_heard),
        cmocka_unit_test(ends_and_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
