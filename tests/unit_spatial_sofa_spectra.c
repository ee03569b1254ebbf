// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "sofa_support.h"

#include "spatial/sofa.h"

/* SOFA files that hold spectra: the responses that are made of them, against the pulses they are spectra of. */

static sofa_head head;

static pn_measured read_spectra(const spectra *s, const char *part) {
    sofa_file f = {0};
    pn_measured set;
    pinna_error err = {0};
    pn_messages *messages = pn_messages_create(NULL, NULL);
    head.convention = "SimpleFreeFieldHRTF";
    head.leave_out = "Data.SamplingRate";
    write_spectra(&f, &head, s);
    assert_ok(pn_sofa_read_memory(f.bytes, f.size, "test.sofa", &set, messages, &err), &err);
    if (test_told(messages, part) != 1)
        fail_msg("not said: '%s', but '%s'", part, pn_messages_get(messages, 0, NULL));
    pn_messages_free(messages);
    free(f.bytes);
    return set;
}

/* RMS of the difference to the head's own pulses, relative to them, dB; time by delay[]. */
static double pulse_error(const pn_measured *set, double shift) {
    double error = 0, all = 0;
    for (int i = 0; i < HEAD_M; ++i)
        for (int ear = 0; ear < 2; ++ear)
            for (int n = 0; n < set->taps; ++n) {
                double t = (n + set->delay[2 * i + ear]) * HEAD_RATE / set->rate + shift;
                double expected = head_value(head.position[i], ear, t) * HEAD_RATE / set->rate;
                error += pow((double)pn_measured_ir(set, i, ear)[n] - expected, 2);
                all += expected * expected;
            }
    return 10 * log10(error / all + 1e-40);
}

static void test_even_spectra(void **state) {
    (void)state;
    static spectra s;
    make_head(&head);
    for (int plus = 0; plus < 2; ++plus) {
        const char *sign = plus ? "exp(+jwt)" : "exp(-jwt)";
        fill_even(&s, 0, 32, 750); /* all of 64 samples at 48 kHz */
        transform_head(&head, &s, plus ? 1 : -1, 0);
        pn_measured set = read_spectra(&s, sign);
        assert_true(set.rate == 48000 && set.taps == 64);
        assert_below(pulse_error(&set, 0), -100);
        pn_measured_clear(&set);
        fill_even(&s, 0, 47, 48000.0 / 95); /* an odd number of samples */
        transform_head(&head, &s, plus ? 1 : -1, 0);
        set = read_spectra(&s, sign);
        assert_true(set.rate == 48000 && set.taps == 95);
        assert_below(pulse_error(&set, 0), -100);
        pn_measured_clear(&set);
        fill_even(&s, 1, 63, 48000.0 / 128); /* neither 0 Hz nor half the rate: 0 Hz is held from 375 Hz */
        transform_head(&head, &s, plus ? 1 : -1, 0);
        set = read_spectra(&s, "0 Hz is continued");
        assert_true(set.rate == 48000 && set.taps == 128);
        assert_below(pulse_error(&set, 0), -40);
        pn_measured_clear(&set);
    }
}

/* Times relative to the middle of the head: the near ear hears before 0, and the delay says so. */
static void test_spectra_before_time_0(void **state) {
    (void)state;
    static spectra s;
    make_head(&head);
    fill_even(&s, 0, 64, 375);
    transform_head(&head, &s, -1, 20);
    pn_measured set = read_spectra(&s, "exp(-jwt)");
    assert_true(set.delay[0] < -10 && set.delay[0] > -64);
    assert_below(pulse_error(&set, 20), -60); /* what may be left where the circle is cut */
    pn_measured_clear(&set);
}

/* Sixth-octave-like steps, up to 20 kHz: nothing is known above, or between. */
static void test_uneven_spectra(void **state) {
    (void)state;
    static spectra s;
    make_head(&head);
    for (s.bins = 0; s.bins < 140; ++s.bins)
        s.frequency[s.bins] = 100 * pow(200, s.bins / 139.0);
    transform_head(&head, &s, 1, 0);
    pn_measured set = read_spectra(&s, "uneven, interpolated");
    assert_true(set.rate == 44100);
    assert_below(pulse_error(&set, 0), -35);
    pn_measured_clear(&set);
}

static void test_no_spectra(void **state) {
    (void)state;
    static spectra s;
    static const struct {
        int bins, k;
        double value;
        const char *part;
    } cases[] = {
        {4, 0, 0, "4 frequencies"}, {20, 7, 100, "do not rise"}, {20, 3, -5, "-5 Hz"}, {20, 3, NAN, "nan"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        make_head(&head);
        fill_even(&s, 0, cases[i].bins - 1, 1000);
        transform_head(&head, &s, -1, 0);
        s.frequency[cases[i].k] = cases[i].value;
        sofa_file f = {0};
        pn_measured set;
        pinna_error err = {0};
        head.convention = "SimpleFreeFieldHRTF";
        write_spectra(&f, &head, &s);
        assert_int_equal(pn_sofa_read_memory(f.bytes, f.size, "test.sofa", &set, NULL, &err), PINNA_BAD_FILE);
        if (strstr(err.text, cases[i].part) == NULL)
            fail_msg("'%s' does not say '%s'", err.text, cases[i].part);
        free(f.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_even_spectra),
        cmocka_unit_test(test_spectra_before_time_0),
        cmocka_unit_test(test_uneven_spectra),
        cmocka_unit_test(test_no_spectra),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
