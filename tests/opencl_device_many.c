// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "idle_device.h"

#include <string.h>

#include "base/memory.h"

/* Matrices as large as they may be, laid out for a card that computes nothing: the lists, places and schedule of
 * 10,000 and of 65,536 channels. */

static pn_opencl *device;

static int open_device(void **state) {
    (void)state;
    device = open_idle(141);
    return device == NULL ? -1 : 0;
}

static int close_device(void **state) {
    (void)state;
    pn_opencl_device_close(device);
    return 0;
}

typedef struct {
    pn_matrix_desc desc;
    pn_matrix_level level[3];
    pn_level_entry *entry;
    float *taps;
} shape;

/* 32 x 16, 256 x 2; with `longest` taps more for every 64th channel, a third level of 2048. */
static void make_shape(shape *s, int channels, size_t longest) {
    memset(s, 0, sizeof *s);
    s->entry = pn_alloc((size_t)channels, sizeof *s->entry);
    s->taps = pn_alloc_floats(4096 + longest);
    s->level[0] = (pn_matrix_level){.block = 32, .partitions = 16};
    s->level[1] = (pn_matrix_level){.block = 256, .partitions = longest > 0 ? 14 : 2, .first = 512};
    s->level[2] =
        (pn_matrix_level){.block = 2048, .partitions = (int)((longest + 2047) / 2048), .first = 4096};
    for (int c = 0; c < channels; ++c) /* the outputs backwards */
        s->entry[c] = (pn_level_entry){c, channels - 1 - c, s->taps,
                                       longest > 0 && c % 64 == 0 ? 4096 + longest : 1024};
    s->desc = (pn_matrix_desc){.inputs = channels,
                               .outputs = channels,
                               .level = s->level,
                               .levels = longest > 0 ? 3 : 2,
                               .entry = s->entry,
                               .entries = channels};
}

static void free_shape(shape *s) {
    pn_free(s->entry);
    pn_free(s->taps);
}

static pn_matrix *create(const shape *s) {
    pn_matrix *matrix = NULL;
    pinna_error err = {0};
    assert_ok(pn_opencl_matrix_create(&device->head, &s->desc, &matrix, &err), &err);
    return matrix;
}

/* Transforms, units and transforms back, in all steps but the last ones, are alike within one. */
static void check_even(const pn_level_layout *level) {
    const int *const before[] = {level->rows_before, level->units_before, level->outs_before};
    const int all[] = {level->inputs, level->units, level->outputs};
    for (int k = 0; k < 3; ++k) {
        assert_int_equal(before[k][0], 0);
        assert_int_equal(before[k][level->period], all[k]);
        for (int s = 0; s < level->period; ++s) {
            double even = (double)all[k] / level->period;
            assert_in_range(before[k][s + 1] - before[k][s], (int)(even * 0.98) - 2, (int)(even * 1.02) + 2);
        }
    }
}

static void run_some(pn_matrix *matrix, int channels) {
    const float **in = pn_alloc((size_t)channels, sizeof *in);
    float **out = pn_alloc((size_t)channels, sizeof *out);
    float *data = pn_alloc((size_t)channels, 32 * sizeof(float));
    for (int c = 0; c < channels; ++c)
        out[c] = data + (size_t)c * 32; /* silence in */
    pinna_error err = {0};
    long most = 0;
    for (int k = 0; k < 20; ++k) {
        long before = pn_opencl_launches();
        assert_ok(pn_opencl_matrix_begin(matrix, in, &err), &err);
        assert_ok(pn_opencl_matrix_finish(matrix, out, &err), &err);
        long launches = pn_opencl_launches() - before;
        most = launches > most ? launches : most;
    }
    assert_in_range(most, 4, 7); /* as for one channel */
    pn_free(in);
    pn_free(out);
    pn_free(data);
}

static void every_channel_has_its_share_of_the_schedule(void **state) {
    (void)state;
    const int channels[] = {10000, 65536};
    for (int k = 0; k < 2; ++k) {
        shape s;
        make_shape(&s, channels[k], 0);
        pn_matrix *matrix = create(&s);
        assert_int_equal(matrix->level[1].inputs, channels[k]);
        check_even(&matrix->level[1]);
        run_some(matrix, channels[k]);
        pn_opencl_matrix_free(matrix);
        free_shape(&s);
    }
    assert_true(device->used == 0);
}

/* Places of all results and sums of the largest level lie behind each other and within 32 bits of their units. */
static void places_do_not_overlap(void **state) {
    (void)state;
    shape s;
    make_shape(&s, 65536, 30000);
    pn_matrix *matrix = create(&s);
    uint64_t result = 0, sums = 0;
    for (int l = 0; l < matrix->levels; ++l) {
        const pn_level_layout *level = &matrix->level[l];
        const uint64_t points = (uint64_t)1 << level->fixed.points_log2,
                       row = (uint64_t)level->outputs * (uint64_t)level->fixed.shares * points * 2;
        if (l > 0) {
            assert_true((uint64_t)level->result * PN_TILE == result);
            result += 2 * (uint64_t)level->outputs * points;
        }
        assert_true((uint64_t)level->fixed.y * (uint64_t)matrix->vector == sums);
        sums += row;
    }
    for (int l = 0; l < matrix->levels; ++l) {
        const pn_level_layout *level = &matrix->level[l];
        const uint64_t points = (uint64_t)1 << level->fixed.points_log2,
                       row = (uint64_t)level->outputs * (uint64_t)level->fixed.shares * points * 2;
        assert_true((uint64_t)level->fixed.ahead * (uint64_t)matrix->vector == sums);
        assert_true((uint64_t)level->fixed.ahead_step * (uint64_t)matrix->vector == row);
        sums += row << level->fixed.futures_log2;
    }
    assert_true(matrix->result_count == result && matrix->y_count == sums);
    assert_int_equal(matrix->level[2].inputs, 1024);
    /* the last call's frames lie within what was laid out, for every level and both results */
    for (int64_t call = 60; call < 60 + 2 * 64; ++call) {
        const pn_matrix_call work = pn_opencl_matrix_call(matrix, call);
        for (int l = 1; l < matrix->levels; ++l) {
            const pn_level_layout *level = &matrix->level[l];
            uint64_t at = (uint64_t)work.head.level[l].heard * PN_TILE;
            assert_true(at >= (uint64_t)level->result * PN_TILE);
            assert_true(at + ((uint64_t)(level->outputs - 1) << level->fixed.points_log2) + 32 <=
                        (uint64_t)level->result * PN_TILE +
                            ((uint64_t)(2 * level->outputs) << level->fixed.points_log2));
        }
    }
    pn_opencl_matrix_free(matrix);
    free_shape(&s);
}

/* Eight long responses among 65,536 lengthen the ring of all inputs' blocks beyond 2^32 floats. */
static void the_ring_of_inputs_may_be_beyond_32_bits(void **state) {
    (void)state;
    shape s;
    make_shape(&s, 65536, 40000);
    s.level[0] = (pn_matrix_level){.block = 256, .partitions = 16};
    s.level[1] = (pn_matrix_level){.block = 32768, .partitions = 1, .first = 4096};
    s.desc.levels = 2;
    for (int c = 0; c < 65536; ++c)
        s.entry[c].length = c % 8192 == 0 ? 36000 : 100;
    pn_matrix *matrix = create(&s);
    assert_int_equal(matrix->blocks, 512);
    const uint64_t stride = matrix->stride;
    assert_true(511 * stride > UINT32_MAX);
    assert_true(pn_opencl_matrix_block_at(matrix, 512) == 511 * stride);
    assert_true(pn_opencl_matrix_block_at(matrix, 1024) == 511 * stride);
    assert_int_equal(matrix->level[1].inputs, 8);
    pn_opencl_matrix_free(matrix);
    free_shape(&s);
}

static void told(void *user, pinna_message_level level, const char *text) {
    (void)level;
    snprintf(user, 200, "%.199s", text);
}

/* 10,000 reverbs of 10 s fill a card: sums ahead give way first, and what still does not fit is refused with its size,
 * before a buffer is made. */
static void a_full_card_has_fewer_sums_ahead(void **state) {
    (void)state;
    enum { CHANNELS = 400 };
    char text[200] = "";
    shape s;
    make_shape(&s, CHANNELS, 0);
    s.level[0] = (pn_matrix_level){.block = 256, .partitions = 16};
    s.level[1] = (pn_matrix_level){.block = 2048, .partitions = 14, .first = 4096};
    s.level[2] = (pn_matrix_level){.block = 16384, .partitions = 3, .first = 32768};
    s.desc.levels = 3;
    pn_free(s.taps);
    s.taps = pn_alloc_floats(81920);
    for (int c = 0; c < CHANNELS; ++c)
        s.entry[c] = (pn_level_entry){c, c, s.taps, 81920};
    pn_matrix *matrix = create(&s);
    int usual = matrix->level[1].fixed.futures_log2;
    uint64_t bytes = matrix->bytes;
    assert_true(usual >= 2);
    pn_opencl_matrix_free(matrix);
    const pn_opencl_info info = device->info;
    device->head.messages = pn_messages_create(told, text);
    device->info.memory = bytes - 1000;
    matrix = create(&s);
    assert_true(matrix->bytes < bytes && matrix->level[1].fixed.futures_log2 < usual);
    assert_non_null(strstr(text, "memory is short"));
    pn_opencl_matrix_free(matrix);
    device->info.memory = bytes / 2;
    pinna_error err = {0};
    pn_opencl_fail_buffer_at(1); /* is not even asked for */
    assert_int_equal(pn_opencl_matrix_create(&device->head, &s.desc, &matrix, &err), PINNA_NO_MEMORY);
    pn_opencl_fail_buffer_at(0);
    assert_non_null(strstr(err.text, "the responses need"));
    assert_true(device->used == 0);
    device->info = info;
    pn_messages_free(device->head.messages);
    device->head.messages = NULL;
    free_shape(&s);
}

int main(void) {
    if (getenv("PINNA_FAKE_OPENCL") == NULL) {
        printf("skipped: PINNA_FAKE_OPENCL names no library\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_channel_has_its_share_of_the_schedule),
        cmocka_unit_test(places_do_not_overlap),
        cmocka_unit_test(the_ring_of_inputs_may_be_beyond_32_bits),
        cmocka_unit_test(a_full_card_has_fewer_sums_ahead),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
