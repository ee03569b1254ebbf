// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A device that fails while rendering: the CPU goes on, what is heard is what the CPU alone would have made, and it is
 * said. */
#include <math.h>

#include "convolve/convolver.h"
#include "device/opencl_device.h"
#include "render_support.h"

static const char scene[] =
    "pinna: 1\nduration: 0.6\nsources:\n"
    "  - {name: a, generator: {kind: pink}, orbit: {period: 1, radius: 1.5}, sends: {hall: -6}}\n"
    "  - {name: b, generator: {kind: pluck}, start: 0.1, position: [1, -1, 0], sends: {hall: 0}}\n"
    "  - {name: passing, generator: {kind: pink}, doppler: on, width: 40, path: [{time: 0, position: [-9, 2, "
    "0]}, {time: 1, position: [9, 2, 0]}]}\n"
    "buses: [{name: hall, reverb: {ir: builtin, predelay: 0.01}}]\n";

/* Renders all, with the device's k-th command from block 20 on failing (0: none). */
static void render_failing(const char *device, long k, test_mix *mix, int *warnings, char name[32]) {
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_renderer_config config = {.device = device, .threads = 1};
    pn_renderer *r = test_open_scene(scene, &config, messages);
    pinna_error err = {0};
    size_t block = (size_t)pn_renderer_block(r);
    mix->frames = (size_t)pn_renderer_frames(r);
    for (int side = 0; side < 2; ++side)
        assert_non_null(mix->side[side] = malloc((mix->frames + block) * sizeof(float)));
    for (size_t at = 0; at < mix->frames; at += block) {
        if (at == 20 * block)
            pn_opencl_fail_at(k);
        assert_ok(pn_renderer_prepare(r, &err), &err);
        assert_ok(pn_renderer_process(r, mix->side[0] + at, mix->side[1] + at, &err), &err);
    }
    pn_opencl_fail_at(0);
    *warnings = test_warned(messages, "opencl");
    snprintf(name, 32, "%s", pn_renderer_device(r));
    pn_renderer_free(r);
    pn_messages_free(messages);
}

static pn_backend *open_or_skip(void) {
    pn_backend *backend = NULL;
    pinna_error err = {0};
    if (pn_backend_open("opencl", NULL, NULL, &backend, &err) != PINNA_OK) {
        print_message("not run: %s\n", err.text);
        skip();
    }
    return backend;
}

static void a_lost_device_is_not_heard(void **state) {
    (void)state;
    pn_backend_close(open_or_skip());
    test_mix cpu, mix;
    int warnings;
    char name[32];
    render_failing("cpu", 0, &cpu, &warnings, name);
    assert_int_equal(warnings, 0);
    static const long failures[] = {0, 1, 2, 3, 5, 8, 13};
    for (int k = 0; k < 7; ++k) {
        render_failing("opencl", failures[k], &mix, &warnings, name);
        double error = test_mix_error_db(&mix, &cpu);
        print_message("command %ld fails: %.1f dB, %s, %d warnings\n", failures[k], error, name, warnings);
        assert_below(error, -100);
        assert_true((warnings > 0) == (failures[k] > 0));
        test_mix_clear(&mix);
    }
    test_mix_clear(&cpu);
}

/* A convolver for which there is no room on the device: an error, or the CPU where nobody asked for the device. */
static void a_full_device_is_replaced_if_auto_chose_it(void **state) {
    (void)state;
    pn_backend *backend = open_or_skip();
    pinna_error err = {0};
    static const float taps[3] = {1, 0.5f, 0.25f};
    static float in[64], out[64];
    const pinna_ir ir = {0, 0, taps, 3};
    const float *inputs[1] = {in};
    float *outputs[1] = {out};
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_convolver_desc desc = {.inputs = 1,
                              .outputs = 1,
                              .block = 64,
                              .irs = &ir,
                              .ir_count = 1,
                              .backend = backend,
                              .messages = messages};
    pn_convolver *convolver = NULL;
    pn_opencl_fail_buffer_at(1);
    assert_int_equal(pn_convolver_create(&desc, &convolver, &err), PINNA_NO_MEMORY);
    assert_non_null(strstr(err.text, " MB"));
    assert_int_equal(test_warned(messages, "opencl"), 0);
    backend->by_auto = true;
    pn_opencl_fail_buffer_at(1);
    assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
    pn_opencl_fail_buffer_at(0);
    assert_int_equal(test_warned(messages, "the CPU convolves instead"), 1);
    assert_string_equal(pn_convolver_device(convolver), "cpu");
    in[0] = 1;
    assert_ok(pn_convolver_block_process(convolver, inputs, outputs, &err), &err);
    for (int n = 0; n < 4; ++n)
        assert_true(fabsf(out[n] - (n < 3 ? taps[n] : 0)) < 1e-6f);
    pn_convolver_free(convolver);
    pn_backend_close(backend);
    pn_messages_free(messages);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_lost_device_is_not_heard),
                                       cmocka_unit_test(a_full_device_is_replaced_if_auto_chose_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
